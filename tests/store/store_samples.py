"""Editions of five subscribers, for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from struct import pack
from typing import Any

from sqlalchemy import Connection, Row, select

from digest.model import Outcome, Profile, State, Subscriber
from digest.store import editions, ledger, subscribers
from digest.store.contents import Filling
from digest.store.editions import Plan
from digest.store.schema import editions as table
from digest.store.store import Store
from digest.store.subscribers import Named

NOW = 1_795_158_000
TODAY = date(2026, 11, 20)
FILLING = Filling(pack("<3I", 1, 2, 3), pack("<f", 2.5), pack("<I", 0))
"""Entry 1 with a card and no reason, entries 2 and 3 by title, for one profile."""


def plan(
    person: int = 1, slot: date = TODAY, state: State = State.PLANNED, after: int = 0, upto: int = 9, **fields: Any
) -> Plan:
    """An edition to be written."""
    made = Plan(person, slot, TODAY, NOW, after, upto, considered=9, matched=3, state=state, filling=FILLING)
    return made._replace(**fields)


def insert(connection: Connection, plans: Sequence[Plan]) -> set[int]:
    """Write editions, planned now."""
    return editions.insert(connection, plans, NOW)


@contextmanager
def five_readers(store: Store) -> Iterator[Connection]:
    """A transaction that writes, with subscribers 1 to 5."""
    with store.write() as opened:
        digest = (Profile("Digest", ()),)
        people = [Subscriber(f"reader{number}@example.org", digest, "Ada") for number in range(1, 6)]
        subscribers.put(opened, [Named(person.email, person) for person in people], NOW, 7, configured=False)
        yield opened


def be(connection: Connection, *wanted: State) -> None:
    """Plan an edition for each of the first subscribers, and put it into a state."""
    insert(connection, [plan(number) for number in range(1, len(wanted) + 1)])
    ledger.record(connection, [Outcome(number, state) for number, state in enumerate(wanted, start=1)], NOW, 0)


def states(connection: Connection) -> list[State]:
    """The states of all editions, in order of id."""
    return [State(state) for state in connection.execute(select(table.c.state).order_by(table.c.id)).scalars()]


def row(connection: Connection, edition: int = 1) -> Row[Any]:
    """An edition as it stands."""
    return connection.execute(select(table).where(table.c.id == edition)).one()
