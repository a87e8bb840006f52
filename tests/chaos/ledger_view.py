"""The ledger as it stands in the file, whoever was killed over it: read only, so that nothing is mended by the look.

All SQL of these tests is here.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from struct import unpack
from typing import Any

from days import TOKEN

from digest.model import State

_EDITIONS = """
    SELECT e.id, subscriber, s.email, slot, state, attempts, doubtful, coalesce(entries, x'')
    FROM editions e JOIN subscribers s ON s.id = subscriber LEFT JOIN contents ON edition = e.id
"""
_ATTEMPTS = "SELECT id, state, attempts FROM editions WHERE state IN ('sending', 'unknown')"
_STATES = "SELECT state, count(*) FROM editions GROUP BY state"
_TITLES = "SELECT number, title FROM entries WHERE title LIKE '%tk%'"


@dataclass(frozen=True, slots=True)
class Row:
    """An edition: whose, of which date, where it stands, whether it was ever UNKNOWN, and the tokens of its papers."""

    id: int
    subscriber: int
    email: str
    slot: date
    state: State
    attempts: int
    doubtful: bool
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An edition that stands as SENDING or UNKNOWN, at its nth attempt."""

    edition: int
    number: int


def unsure(database: Path) -> dict[Attempt, State]:
    """The attempts of which nobody knows whether they arrived."""
    return {Attempt(edition, number): State(state) for edition, state, number in _rows(database, _ATTEMPTS)}


def states(database: Path) -> Counter[State]:
    """How many editions stand in each state."""
    return Counter({State(state): number for state, number in _rows(database, _STATES)})


def backlog(database: Path) -> int:
    """How many entries no mail that left can have shown to everybody."""
    waits = "SELECT min(after) FROM editions WHERE state IN ('planned', 'deferred')"
    reached = [*_rows(database, "SELECT min(watermark) FROM subscribers WHERE active"), *_rows(database, waits)]
    newest = [number for (number,) in _rows(database, "SELECT max(number) FROM entries") if number]
    return max(newest, default=0) - min((number for (number,) in reached if number is not None), default=0)


def editions(database: Path) -> list[Row]:
    """Every edition."""
    with closing(_opened(database)) as connection:
        tokens = {number: TOKEN.findall(title) for number, title in connection.execute(_TITLES)}
        rows = connection.execute(_EDITIONS).fetchall()
    return [
        Row(
            id=edition,
            subscriber=subscriber,
            email=email,
            slot=date.fromisoformat(slot),
            state=State(state),
            attempts=attempts,
            doubtful=bool(doubtful),
            tokens=frozenset(
                token for number in unpack(f"<{len(named) // 4}I", named) for token in tokens.get(number, ())
            ),
        )
        for edition, subscriber, email, slot, state, attempts, doubtful, named in rows
    ]


def is_locked(database: Path) -> bool:
    """Whether somebody is in a transaction that writes."""
    with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database, as soon as it is free."""
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def _rows(database: Path, statement: str) -> list[tuple[Any, ...]]:
    """The rows; none while there is no table yet."""
    try:
        with closing(_opened(database)) as connection:
            return connection.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "unable to open" in str(error):
            return []
        raise


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
