"""Subscribers as they deal with their own subscription on the web pages, by the number in their links.

Rules
-----
1. What somebody changes there stays, whatever the configuration says of them.
2. Who leaves is suppressed as "left": no import and no configuration brings them back, only they do, or
   `digest suppress remove`.
3. Who wants to be forgotten leaves a row without any data behind, so that their number, which stands in old links, is
   never another's; and the keyed hash that keeps mail from them. The same holds for the number of their signup.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, cast, delete, func, or_, select, update

from digest.model import Edition, Subscriber
from digest.store import queries, subscribers, suppressions
from digest.store.contents import SHOWN, read
from digest.store.letters import Letter, give_back
from digest.store.schema import contents, editions, letters, signups
from digest.store.schema import subscribers as table
from digest.store.signups import Signup
from digest.store.signups import find as find_signup
from digest.store.subscribers import Named
from digest.store.suppressions import Suppression


class Member(NamedTuple):
    """A subscriber, subscribed (`active`) or not any more; moments are in epoch seconds (None: there is none).

    `due_at`: the first slot without an edition. `confirmed_at`: when they said yes themselves. `watermark`: the last
    entry considered. `suppressed`: why nothing goes there ("": it may).
    """

    subscriber: Subscriber
    identity: str
    active: bool
    suppressed: str
    created_at: int
    confirmed_at: int | None
    due_at: int | None
    watermark: int

    @property
    def subscribed(self) -> bool:
        """Whether they want digests: who was added again by somebody else after leaving is active, and gets nothing."""
        return self.active and self.suppressed != suppressions.LEFT


class Past(NamedTuple):
    """An edition of a member: its local date, state and moments (epoch seconds), and how many entries matched."""

    id: int
    slot: date
    state: str
    reason: str
    planned_at: int
    changed_at: int
    matched: int
    considered: int


class Kept(NamedTuple):
    """Beside a Member, all that is kept of the person. `contents`: what was in the editions that have anything."""

    editions: list[Past]
    contents: dict[int, Edition]
    letters: list[Letter]
    signup: Signup | None
    suppression: Suppression | None


_PAST = tuple(editions.c[name] for name in Past._fields)


def find(connection: Connection, number: int) -> Member | None:
    """A subscriber by number; None: there is none, or they wanted to be forgotten."""
    return _found(connection, table.c.id == number)


def find_by_identity(connection: Connection, identity: str) -> Member | None:
    """The same by identity."""
    return _found(connection, table.c.identity == identity)


def change(connection: Connection, member: Member, wanted: Subscriber, now: int, first_days: int) -> None:
    """Give a member what they want from now on; the address stays."""
    subscribers.put(connection, [Named(member.identity, wanted)], now, first_days, own=True)


def leave(connection: Connection, member: Member, now: int) -> None:
    """End a subscription; nothing more is sent, not even what is planned. To leave twice changes nothing."""
    suppressions.add(connection, member.identity, suppressions.LEFT, "", now)
    connection.execute(update(table).where(table.c.identity == member.identity).values(own=True))
    subscribers.remove(connection, member.identity)


def come_back(connection: Connection, member: Member, now: int, first_days: int) -> bool:
    """Take back a member who has left; False: something else keeps mail from them."""
    free = suppressions.come_back(connection, member.identity)
    change(connection, member, member.subscriber, now, first_days)
    return free


def editions_of(connection: Connection, number: int, most: int) -> list[Past]:
    """The newest editions of a member that have anything in them."""
    full = select(*_PAST).join(contents, contents.c.edition == editions.c.id).where(editions.c.subscriber == number)
    return [Past(*row) for row in connection.execute(full.order_by(editions.c.slot.desc()).limit(most))]


def kept(connection: Connection, member: Member) -> Kept:
    """All that is known of somebody."""
    mine = editions.c.subscriber == member.subscriber.id
    full = read(connection, connection.execute(SHOWN.where(mine)))
    asked = select(signups.c.id).where(signups.c.identity == member.identity)
    signup = connection.execute(asked).scalar()
    written = select(*(letters.c[name] for name in Letter._fields)).where(_to(member)).order_by(letters.c.id)
    return Kept(
        [Past(*row) for row in connection.execute(select(*_PAST).where(mine).order_by(editions.c.slot))],
        {one.id: one for one in full},
        [Letter(*row) for row in connection.execute(written)],
        find_signup(connection, signup) if signup else None,
        suppressions.find(connection, member.identity),
    )


def forget(connection: Connection, member: Member, now: int) -> None:
    """End a subscription and remove all that is known of the person."""
    number = member.subscriber.id
    leave(connection, member, now)
    mine = editions.c.subscriber == number
    connection.execute(delete(contents).where(contents.c.edition.in_(select(editions.c.id).where(mine))))
    connection.execute(update(editions).where(mine).values(reason=""))  # which may repeat the address
    connection.execute(delete(letters).where(_to(member)))
    queries.forget(connection, member.identity)
    give_back(connection, member.identity)
    asked = update(signups).where(signups.c.identity == member.identity)
    connection.execute(asked.values(identity="forgotten." + cast(signups.c.id, Text), email="", wishes={}))
    nothing: dict[str, Any] = {"identity": f"forgotten.{number}", "email": "", "name": "", "profiles": [], "skip": []}
    nothing |= {"names": [], "queries": b""}
    nothing |= {"zone": "UTC", "send_at": None, "days": "daily", "since": None, "paused_until": None}
    nothing |= {"confirmed_at": None, "suppressed": "", "configured": False}
    connection.execute(update(table).where(table.c.id == number).values(nothing))


def _to(member: Member) -> ColumnElement[bool]:
    """Whether a letter went to a member, however the address was spelled."""
    spelled = {member.subscriber.email.lower(), member.identity}
    # SQLite knows small letters of ASCII only.
    return or_(letters.c.email == member.subscriber.email, func.lower(letters.c.email).in_(spelled))


def _found(connection: Connection, which: ColumnElement[bool]) -> Member | None:
    row = connection.execute(select(table).where(which, table.c.email != "")).first()
    if row is None:
        return None
    return Member(
        subscribers.wisher(row),
        row.identity,
        row.active,
        row.suppressed,
        row.created_at,
        row.confirmed_at,
        row.due_at,
        row.watermark,
    )
