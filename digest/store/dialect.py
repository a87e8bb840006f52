"""The two things that SQLite and PostgreSQL know alike, write differently, and SQLAlchemy keeps apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Date,
    FromClause,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.elements import ColumnElement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_or(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 (half as slow to import as all the rest of SQLAlchemy)

    return postgresql.insert(table)


class Rows:
    """A parameter that is a table, so that one statement serves for many rows and steps into the database once.

    The driver gives up the interpreter's lock for each execution, and while another thread computes gets it back late.
    """

    def __init__(self, dialect: str, name: str = "rows") -> None:
        parameter = bindparam(name, type_=Text)
        self._postgresql = dialect == "postgresql"
        each = func.json_each(parameter)
        if self._postgresql:
            from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 (as above)

            each = func.jsonb_array_elements(cast(parameter, JSONB))
        self.table: FromClause = each.table_valued("value", name=f"each_{name}")

    def text(self, place: int) -> ColumnElement[str]:
        """The text at a place of each row, counted from 0."""
        return self._at(place)

    def number(self, place: int) -> ColumnElement[int]:
        """The whole number at a place of each row."""
        return cast(self._at(place), BigInteger)

    def day(self, place: int) -> ColumnElement[date]:
        """The date at a place of each row, written as in ISO 8601."""
        return cast(self._at(place), Date) if self._postgresql else type_coerce(self._at(place), Date)

    def json(self, place: int) -> ColumnElement[Any]:
        """What stands at a place of each row, as it is."""
        if self._postgresql:
            return cast(self.table.c.value.op("->")(literal_column(str(place))), JSON)
        return type_coerce(self._at(place), JSON)

    def _at(self, place: int) -> ColumnElement[Any]:
        if self._postgresql:
            return self.table.c.value.op("->>")(literal_column(str(place)))
        return func.json_extract(self.table.c.value, literal_column(f"'$[{place}]'"))

    def insert(
        self, connection: Connection, table: Table, values: Mapping[str, ColumnElement[Any]]
    ) -> sqlite.Insert | postgresql.Insert:
        """An INSERT of a row for each, with these columns; it knows ON CONFLICT."""
        # Without a condition SQLite takes ON CONFLICT for the beginning of a join's.
        every = select(*values.values()).select_from(self.table).where(true())
        return insert_or(connection, table).from_select(list(values), every)

    @staticmethod
    def of(rows: Sequence[Sequence[object]]) -> str:
        """The parameter's value."""
        return json.dumps(rows, default=date.isoformat)
