"""Subscribers: who they are, what they want, and when they are due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from digest.cadence import local_date, moment
from digest.model import Profile, State, Subscriber
from digest.store.entries import number_before
from digest.store.schema import editions, subscribers

AT_ONCE = 5_000
_DAY = 86_400


class Due(NamedTuple):
    """A subscriber whose slot has come, with the last entry number that an edition has considered."""

    subscriber: Subscriber
    watermark: int


class Named(NamedTuple):
    """A subscriber with the identity of the address (see `delivery.address`)."""

    identity: str
    subscriber: Subscriber


def put(
    connection: Connection, wanted: Sequence[Named], now: int, first_days: int, *, configured: bool
) -> tuple[int, int]:
    """Add subscribers, or bring those who are there into line; return how many were added, and how many changed.

    The first edition of one who is new or comes back looks `first_days` back. `configured`: they stand in the
    configuration file.
    """
    identities = [named.identity for named in wanted]
    there = {
        row.identity: row
        for row in connection.execute(select(subscribers).where(subscribers.c.identity.in_(identities)))
    }
    start = number_before(connection, now - first_days * _DAY)
    new = {
        named.identity: _new(named, now, start, configured=configured)
        for named in wanted
        if named.identity not in there
    }
    if new:
        connection.execute(insert(subscribers), list(new.values()))
    changed = sum(
        _change(connection, there[identity], subscriber, now, start, configured=configured)
        for identity, subscriber in wanted
        if identity in there
    )
    return len(new), changed


def drop_configured(connection: Connection, keep: Sequence[str]) -> int:
    """End the subscriptions that stood in the configuration file and do so no more; return how many."""
    statement = subscribers.update().where(
        subscribers.c.configured, subscribers.c.active, subscribers.c.identity.not_in(keep)
    )
    return connection.execute(statement.values(active=False)).rowcount


def remove(connection: Connection, identity: str) -> bool:
    """End a subscription; nothing more is sent, not even what is planned. False: there is none."""
    statement = (
        subscribers.update().where(subscribers.c.identity == identity, subscribers.c.active).values(active=False)
    )
    return connection.execute(statement).rowcount > 0


def find(connection: Connection, identity: str) -> Due | None:
    """One subscriber, due or not, or None."""
    row = connection.execute(
        select(subscribers).where(subscribers.c.identity == identity, subscribers.c.active)
    ).first()
    return Due(_subscriber(row), row.watermark) if row else None


def everybody(connection: Connection) -> Iterator[Subscriber]:
    """All who are subscribed, by address."""
    for row in connection.execute(select(subscribers).where(subscribers.c.active).order_by(subscribers.c.identity)):
        yield _subscriber(row)


def count(connection: Connection) -> int:
    """How many are subscribed."""
    return connection.execute(select(func.count()).select_from(subscribers).where(subscribers.c.active)).scalar_one()


def due(connection: Connection, now: int, after: int) -> list[Due]:
    """The next subscribers whose slot has come, at most AT_ONCE, with ids above `after` and in order of id."""
    statement = select(subscribers).where(subscribers.c.active, subscribers.c.due_at <= now, subscribers.c.id > after)
    rows = connection.execute(statement.order_by(subscribers.c.id).limit(AT_ONCE))
    return [Due(_subscriber(row), row.watermark) for row in rows]


def lowest_watermark(connection: Connection, now: int) -> int | None:
    """The lowest watermark of those who are due (None: nobody is)."""
    statement = select(func.min(subscribers.c.watermark)).where(subscribers.c.active, subscribers.c.due_at <= now)
    return connection.execute(statement).scalar()


def next_due(connection: Connection) -> int | None:
    """When the next slot comes, in epoch seconds (None: there are no subscribers)."""
    return connection.execute(select(func.min(subscribers.c.due_at)).where(subscribers.c.active)).scalar()


def advance(connection: Connection, steps: Sequence[tuple[int, int, int]]) -> None:
    """Set (id, due_at, watermark) of subscribers."""
    table = subscribers
    statement = table.update().where(table.c.id == bindparam("key"))
    statement = statement.values(due_at=bindparam("due"), watermark=bindparam("mark"))
    if steps:
        connection.execute(statement, [{"key": key, "due": due_at, "mark": mark} for key, due_at, mark in steps])


def _new(named: Named, now: int, start: int, *, configured: bool) -> dict[str, Any]:
    wishes = _wishes(named.subscriber, configured=configured)
    due_at = _first_moment(named.subscriber, now, None)
    return {"identity": named.identity, "watermark": start, "created_at": now, "due_at": due_at, **wishes}


def _change(
    connection: Connection, row: Row[Any], subscriber: Subscriber, now: int, start: int, *, configured: bool
) -> bool:
    wishes = _wishes(subscriber, configured=configured)
    changes = {name: value for name, value in wishes.items() if getattr(row, name) != value}
    if not changes:
        return False
    if "active" in changes:
        changes["watermark"] = max(row.watermark, start)
    if {"zone", "send_at", "active"} & changes.keys():
        mailed = editions.c.subscriber == row.id, editions.c.state != State.EMPTY
        last = connection.execute(select(func.max(editions.c.slot)).where(*mailed)).scalar()
        changes["due_at"] = _first_moment(subscriber, now, last)
    connection.execute(subscribers.update().where(subscribers.c.id == row.id).values(**changes))
    return True


def _first_moment(subscriber: Subscriber, now: int, last: date | None) -> int:
    """When the first slot is due from today on that has had no mail."""
    today = local_date(now, subscriber.zone)
    slot = today if last is None else max(today, last + timedelta(days=1))
    return moment(slot, subscriber.send_at, subscriber.zone)


def _wishes(subscriber: Subscriber, *, configured: bool) -> dict[str, Any]:
    return {
        "email": subscriber.email,
        "name": subscriber.name,
        "zone": subscriber.zone,
        "send_at": subscriber.send_at.isoformat("minutes") if subscriber.send_at else None,
        "max_entries": subscriber.max_entries,
        "profiles": [asdict(profile) | {"keywords": list(profile.keywords)} for profile in subscriber.profiles],
        "active": True,
        "configured": configured,
    }


def _subscriber(row: Row[Any]) -> Subscriber:
    profiles = tuple(Profile(**(table | {"keywords": tuple(table["keywords"])})) for table in row.profiles)
    send_at = time.fromisoformat(row.send_at) if row.send_at else None
    return Subscriber(row.email, profiles, row.name, row.zone, send_at, row.max_entries, row.id)
