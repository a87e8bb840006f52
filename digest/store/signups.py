"""Signups: who asked for a digest on the web pages. Nothing but one letter goes there before they say yes.

Rules
-----
1. There is one signup for an address; to ask again puts the newer wishes in its place. The spelling of the address
   stays for as long as a link to it can be valid: a letter confirms the mailbox that it went to, and no other.
2. Whoever asks has one. That of who is subscribed already is written as confirmed, so that the work is the same.
3. It is forgotten when no link to it can be valid any more, so that none opens another's that got its number.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, case, select, update

from digest.model import Subscriber
from digest.store import subscribers, suppressions
from digest.store.dialect import insert_or
from digest.store.schema import signups as table
from digest.store.schema import subscribers as people
from digest.store.subscribers import Named
from digest.tokens import LIFETIMES

_KEPT = 2 * LIFETIMES["confirm"]


class Signup(NamedTuple):
    """What somebody asked for, when (epoch seconds), and when they confirmed it (None: not yet)."""

    id: int
    identity: str
    subscriber: Subscriber
    asked_at: int
    confirmed_at: int | None


def ask(connection: Connection, wanted: Named, now: int, confirmed_at: int | None = None) -> Signup:
    """Note what somebody wants. Who is subscribed already said yes at `confirmed_at`."""
    connection.execute(table.delete().where(table.c.asked_at < now - _KEPT))
    email = wanted.subscriber.email
    asked = {"wishes": subscribers.wishes(wanted.subscriber), "asked_at": now, "confirmed_at": confirmed_at}
    spelled = case((table.c.asked_at > now - LIFETIMES["confirm"], table.c.email), else_=email)
    made = insert_or(connection, table).values(asked | {"identity": wanted.identity, "email": email})
    kept = made.on_conflict_do_update(index_elements=["identity"], set_=asked | {"email": spelled})
    return _signup(connection.execute(kept.returning(table)).one())


def find(connection: Connection, number: int) -> Signup | None:
    """A signup by its number; None: there is none, or they wanted to be forgotten."""
    row = connection.execute(select(table).where(table.c.id == number, table.c.email != "")).first()
    return _signup(row) if row else None


def confirm(connection: Connection, signup: Signup, now: int, first_days: int) -> int:
    """Subscribe who has said yes; return the subscriber's number. Who had left by themselves is back."""
    confirmed = {"confirmed_at": now}
    # First, so that of two who press at once the second waits, and finds a subscriber.
    connection.execute(update(table).where(table.c.id == signup.id).values(confirmed))
    suppressions.come_back(connection, signup.identity)
    subscribers.put(connection, [Named(signup.identity, signup.subscriber)], now, first_days, own=True)
    whose = people.c.identity == signup.identity
    number: int = connection.execute(update(people).where(whose).values(confirmed).returning(people.c.id)).scalar_one()
    return number


def _signup(row: Row[Any]) -> Signup:
    older = {"updates": False}  # what those who asked before it could be asked do not say
    wanted = SimpleNamespace(**older | row.wishes | {"id": 0, "paused_until": None, "email": row.email})
    return Signup(row.id, row.identity, subscribers.wisher(wanted), row.asked_at, row.confirmed_at)
