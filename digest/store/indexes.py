"""Indexes over some of a table's rows. A query uses one if it compares with the same constants.

Migrations and tests need them, and a run does not: PostgreSQL's conditions alone take as long to import as numpy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Index, text

from digest.model import State
from digest.store.schema import OPEN, TOLD, editions, entries, incidents, letters, subscribers


def _some(name: str | None, *columns: Column[Any], which: str, unique: bool = False) -> None:
    Index(name, *columns, sqlite_where=text(which), postgresql_where=text(which), unique=unique)


def _in_states(name: str, *columns: Column[Any], states: Iterable[State]) -> None:
    _some(name, *columns, which=" OR ".join(f"state = '{state}'" for state in states))


_some(None, entries.c.first, which="first IS NOT NULL")
_some(None, subscribers.c.again_at, which="again_at IS NOT NULL")
Index(None, subscribers.c.configured, sqlite_where=text("configured = 1"), postgresql_where=text("configured"))
_some(None, incidents.c.kind, incidents.c.subject, which="closed_at IS NULL", unique=True)
_in_states("ix_editions_open", editions.c.id, states=OPEN)
_in_states("ix_editions_told", editions.c.state, editions.c.id, states=TOLD)
_in_states("ix_letters_waiting", letters.c.next_at, states=(State.PLANNED,))
