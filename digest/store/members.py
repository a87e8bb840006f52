"""Subscribers as they deal with their own subscription on the web pages, by the number in their links.

Rules
-----
1. What somebody changes there stays, whatever the configuration says of them.
2. Who leaves is suppressed as "left": no import and no configuration brings them back, only they do, or
   `digest suppress remove`.
3. Who wants to be forgotten leaves a row without any data behind, so that their number, which stands in old links, is
   never another's; and the keyed hash that keeps mail from them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from digest.model import Subscriber
from digest.store import subscribers, suppressions
from digest.store.schema import contents, editions, letters, signups
from digest.store.schema import subscribers as table
from digest.store.subscribers import Named


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
    suppressions.add(connection, member.identity, "left", "", now)
    subscribers.remove(connection, member.identity)


def come_back(connection: Connection, member: Member, now: int, first_days: int) -> bool:
    """Take back a member who has left; False: something else keeps mail from them."""
    suppressed = suppressions.find(connection, member.identity)
    if suppressed and suppressed.kind == "left":
        suppressions.remove(connection, member.identity)
    change(connection, member, member.subscriber, now, first_days)
    return not suppressed or suppressed.kind == "left"


def forget(connection: Connection, member: Member, now: int) -> None:
    """End a subscription and remove all that is known of the person."""
    number = member.subscriber.id
    leave(connection, member, now)
    mine = select(editions.c.id).where(editions.c.subscriber == number)
    connection.execute(delete(contents).where(contents.c.edition.in_(mine)))
    # A reason may repeat the address.
    connection.execute(update(editions).where(editions.c.subscriber == number).values(reason=""))
    connection.execute(delete(letters).where(letters.c.email == member.subscriber.email))
    connection.execute(delete(signups).where(signups.c.identity == member.identity))
    nothing: dict[str, Any] = {
        "email": "",
        "name": "",
        "zone": "UTC",
        "send_at": None,
        "days": "daily",
        "skip": [],
        "profiles": [],
    }
    nothing |= {"identity": f"forgotten.{number}", "paused_until": None, "confirmed_at": None, "suppressed": ""}
    connection.execute(update(table).where(table.c.id == number).values(nothing | {"configured": False, "since": None}))


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
