"""The two things that SQLite and PostgreSQL know alike, write differently, and SQLAlchemy keeps apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, Integer, Table, Text, bindparam, cast, func, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement


def insert_or(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


class Rows:
    """A parameter that is a table, so that one statement serves for many rows and steps into the database once.

    The driver gives up the interpreter's lock for each execution, and while another thread computes gets it back late.
    """

    def __init__(self, dialect: str, name: str = "rows") -> None:
        parameter = bindparam(name, type_=Text)
        self._postgresql = dialect == "postgresql"
        json = cast(parameter, postgresql.JSONB) if self._postgresql else parameter
        each = func.jsonb_array_elements(json) if self._postgresql else func.json_each(json)
        self.table: FromClause = each.table_valued("value", name=f"each_{name}")

    def text(self, place: int) -> ColumnElement[str]:
        """The text at a place of each row, counted from 0."""
        return self._at(place)

    def number(self, place: int) -> ColumnElement[int]:
        """The whole number at a place of each row."""
        return cast(self._at(place), Integer if not self._postgresql else postgresql.BIGINT)

    def _at(self, place: int) -> ColumnElement[Any]:
        if self._postgresql:
            return self.table.c.value.op("->>")(literal_column(str(place)))
        return func.json_extract(self.table.c.value, literal_column(f"'$[{place}]'"))

    @staticmethod
    def of(rows: Sequence[Sequence[int | str]]) -> str:
        """The parameter's value."""
        return json.dumps(rows)
