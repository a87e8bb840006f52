"""Rates: how often something may be done, by whom, kept so that a restart and several processes change nothing.

The generic cell rate algorithm (ITU-T I.371): a row holds the theoretical arrival time of the next event. Whose it is,
a network address or a mail address, stands there as a keyed hash.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, case, delete, select

from digest.store.dialect import insert_or
from digest.store.keyed import hashed, key_for
from digest.store.schema import rates as table

_KEY = "rates"
_ROUNDING = 1e-3


class Rate(NamedTuple):
    """At most `events` at once, and as many again within `seconds`."""

    scope: str
    events: int
    seconds: int


def spend(connection: Connection, rate: Rate, name: str, now: float) -> float:
    """Do it once if that is allowed. Return after how many seconds it would be (0: it was)."""
    key = hashed(key_for(connection, _KEY), name)
    step, most = rate.seconds / rate.events, now + rate.seconds
    later = case((table.c.free_at > now, table.c.free_at), else_=now) + step
    first = insert_or(connection, table).values(scope=rate.scope, key=key, free_at=now + step)
    spent = first.on_conflict_do_update(
        index_elements=["scope", "key"], set_={"free_at": later}, where=later <= most + _ROUNDING
    )
    if connection.execute(spent.returning(table.c.free_at)).first():
        return 0.0
    return max(1.0, wait(connection, rate, name, now))


def wait(connection: Connection, rate: Rate, name: str, now: float) -> float:
    """After how many seconds it would be allowed (0: now); nothing is spent."""
    held = select(table.c.free_at).where(_is(rate.scope, hashed(key_for(connection, _KEY), name)))
    free_at: float = connection.execute(held).scalar() or now
    later, most = max(free_at, now) + rate.seconds / rate.events, now + rate.seconds
    return 0.0 if later <= most + _ROUNDING else max(1.0, later - most)


def give_back(connection: Connection, scope: str, name: str) -> None:
    """Let somebody do again all that they may do at once."""
    connection.execute(delete(table).where(_is(scope, hashed(key_for(connection, _KEY), name))))


def forget_old(connection: Connection, now: float) -> None:
    """Remove what holds nothing back any more."""
    connection.execute(delete(table).where(table.c.free_at <= now))


def _is(scope: str, key: str) -> ColumnElement[bool]:
    return (table.c.scope == scope) & (table.c.key == key)
