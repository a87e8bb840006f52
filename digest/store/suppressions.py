"""Suppressions: addresses that get no mail, whoever wants it sent there.

Rules
-----
1. An address is kept as HMAC-SHA256 (RFC 2104) of its identity only, with a random key of this database's own. So a
   suppression outlives the subscriber's row, and the table cannot be read back into addresses; nor does a reason hold
   one.
2. The first suppression of an address stays. Only `remove` ends it: to subscribe again, or to be imported, does not;
   but who has left by themselves may come back by themselves.
3. `subscribers.suppressed` says it again in words, in the same transaction: the claim of an edition looks there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, func, select, update

from digest.alarms import one_line
from digest.store.dialect import insert_or
from digest.store.keyed import hashed, key_for, key_of
from digest.store.schema import runs, subscribers
from digest.store.schema import suppressions as table

Kind = Literal["bounce", "complaint", "manual", "left"]
KINDS: tuple[Kind, ...] = ("bounce", "complaint", "manual", "left")
LEFT: Final = "left"
"""The kind, and all the words, of a suppression of somebody who has unsubscribed by themselves."""
_KEY = "suppressions"
_REASON = 200
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why and since when (epoch seconds) an address gets no mail; `email` is "" where no subscriber has it."""

    kind: str
    reason: str
    at: int
    email: str = ""

    @property
    def words(self) -> str:
        """In a few words: "bounce: 5.1.1 nobody"."""
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


def add(connection: Connection, identity: str, kind: Kind, reason: str, now: int) -> bool:
    """Send nothing to an address any more. False: it was suppressed already, and that stays as it is."""
    new = Suppression(kind, _without_addresses(reason), now)
    key = hashed(key_for(connection, _KEY), identity)
    row = {"key": key, "kind": kind, "reason": new.reason, "at": now}
    once = insert_or(connection, table).values(row).on_conflict_do_nothing(index_elements=["key"])
    if connection.execute(once.returning(table.c.key)).first() is None:
        return False
    _mark(connection, identity, new.words)
    return True


def remove(connection: Connection, identity: str) -> bool:
    """Allow mail to an address again. False: it was not suppressed."""
    key = key_of(connection, _KEY)
    if key is None:
        return False
    gone = connection.execute(table.delete().where(table.c.key == hashed(key, identity))).rowcount
    _mark(connection, identity, "")
    return gone > 0


def come_back(connection: Connection, identity: str) -> bool:
    """Allow mail again to somebody who has left. False: something else keeps it from them."""
    found = find(connection, identity)
    if found and found.kind == LEFT:
        remove(connection, identity)
    return not found or found.kind == LEFT


def find(connection: Connection, identity: str) -> Suppression | None:
    """The suppression of an address, or None."""
    return _found(connection, (identity,)).get(identity)


def among(connection: Connection, identities: Collection[str]) -> dict[str, str]:
    """Those of some identities that are suppressed, and why, in words."""
    return {identity: one.words for identity, one in _found(connection, identities).items()}


def of_subscribers(connection: Connection) -> dict[int, str]:
    """The subscribers (by id) who are suppressed, and why, in words."""
    rows = connection.execute(select(subscribers.c.id, subscribers.c.suppressed).where(subscribers.c.suppressed != ""))
    return {row.id: row.suppressed for row in rows}


def count_by_kind(connection: Connection, since: int = 0) -> Counter[str]:
    """How many addresses were suppressed since a moment (epoch seconds; 0: ever), by kind."""
    counted = select(table.c.kind, func.count().label("number")).group_by(table.c.kind).order_by(table.c.kind)
    recent = counted.where(table.c.at >= since) if since else counted  # all are counted quicker without the index
    return Counter({row.kind: row.number for row in connection.execute(recent)})


def newest(connection: Connection, limit: int) -> list[Suppression]:
    """The newest suppressions, with the address where a subscriber has it."""
    rows = connection.execute(select(table).order_by(table.c.at.desc(), table.c.key).limit(limit)).all()
    key = key_of(connection, _KEY)
    if key is None:
        return []
    held = select(subscribers.c.identity, subscribers.c.email).where(subscribers.c.suppressed != "")
    emails = {hashed(key, row.identity): row.email for row in connection.execute(held)}
    return [Suppression(row.kind, row.reason, row.at, emails.get(row.key, "")) for row in rows]


def complaints(connection: Connection, since: int) -> tuple[int, int]:
    """How many complaints there were since a moment (epoch seconds), and mails sent by runs that began since then.

    Both count from the oldest run that is remembered, if that is later.
    """
    if not count_by_kind(connection, since)["complaint"]:
        return 0, 0
    since = max(since, connection.execute(select(func.min(runs.c.started_at))).scalar() or 0)
    sent = select(func.coalesce(func.sum(runs.c.report["sent"].as_integer()), 0)).where(runs.c.started_at >= since)
    return count_by_kind(connection, since)["complaint"], connection.execute(sent).scalar_one()


def _found(connection: Connection, identities: Collection[str]) -> dict[str, Suppression]:
    key = key_of(connection, _KEY)
    if key is None:
        return {}
    by_hash = {hashed(key, identity): identity for identity in identities}
    rows = connection.execute(select(table).where(table.c.key.in_(by_hash)))
    return {by_hash[row.key]: Suppression(row.kind, row.reason, row.at) for row in rows}


def _mark(connection: Connection, identity: str, words: str) -> None:
    connection.execute(update(subscribers).where(subscribers.c.identity == identity).values(suppressed=words))


def _without_addresses(reason: str) -> str:
    """The reason in one short line; relays repeat the address, and tell those that it forwards to."""
    return " ".join("(address)" if "@" in word else word for word in one_line(reason).split())[:_REASON]
