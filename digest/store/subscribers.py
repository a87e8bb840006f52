"""Subscribers: who they are, what they want, and when they are due."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select

from digest.cadence import latest, local_date, next_due
from digest.model import Cadence, Profile, Subscriber
from digest.store import queries, suppressions
from digest.store.dialect import Rows
from digest.store.dues import AT_ONCE, cadence_of
from digest.store.editions import last_row
from digest.store.entries import number_before
from digest.store.queries import Asked, Numbers
from digest.store.schema import subscribers

_DAY = 86_400
_CADENCE = frozenset({"zone", "send_at", "days", "active"})
"""Wishes that move slots. A change of others may fill an empty edition, where no fixed time is asked for."""
_ENDED = {"active": False, "due_at": None, "again_at": None}


class Standing(NamedTuple):
    """A subscriber and where the next edition begins.

    `due_at`: the moment of the first slot without an edition, in epoch seconds. `watermark`: the last entry number that
    an edition has considered. `since`: the first local date that no edition has covered (None: nothing is missed).
    """

    subscriber: Subscriber
    due_at: int
    watermark: int
    since: date | None


class Named(NamedTuple):
    """A subscriber with the identity of the address (see `delivery.address`)."""

    identity: str
    subscriber: Subscriber


def put(
    connection: Connection,
    wanted: Sequence[Named],
    now: int,
    first_days: int,
    *,
    configured: bool = False,
    own: bool = False,
    numbers: Numbers | None = None,
) -> tuple[int, int]:
    """Add subscribers, or bring those who are there into line; return how many were added, and how many changed.

    The first edition of one who is new or comes back looks `first_days` back. `configured`: they stand in the
    configuration file, which has no say in what somebody has changed on the web pages (`own`), and brings nobody back
    who has left there and is forgotten. Who is suppressed stays so. `numbers`: what earlier calls have looked up.
    """
    identities = [named.identity for named in wanted]
    known = (numbers or Numbers()).of(connection, wanted)
    there = {row.identity: row for row in _there(connection, identities)}
    start = number_before(connection, now - first_days * _DAY)
    suppressed = suppressions.among(connection, identities)
    new: dict[str, dict[str, Any]] = {}
    changed = 0
    for identity, subscriber in wanted:
        wishes = _wishes(subscriber, known, suppressed.get(identity, ""), configured=configured)
        if row := there.get(identity):
            if configured and row.own:
                continue
            if own:
                wishes |= {"own": True, "configured": row.configured}
            changed += _change(connection, row, wishes, subscriber.cadence, now, start)
        elif not (configured and suppressed.get(identity) == suppressions.LEFT):
            beginning = {"identity": identity, "own": own, **_beginning(subscriber.cadence, now, start)}
            new[identity] = beginning | wishes
    if new:
        connection.execute(insert(subscribers), list(new.values()))
    return len(new), changed


def _there(connection: Connection, identities: Sequence[str]) -> list[Row[Any]]:
    rows = Rows(connection.dialect.name)
    joined = select(subscribers).join(rows.table, subscribers.c.identity == rows.text(0))
    return list(connection.execute(joined, {"rows": Rows.of([[identity] for identity in identities])}))


def drop_configured(connection: Connection, keep: Sequence[str]) -> int:
    """End the subscriptions that stood in the configuration file and do so no more; return how many."""
    gone = subscribers.c.configured, subscribers.c.active, subscribers.c.identity.not_in(keep)
    return connection.execute(subscribers.update().where(*gone).values(_ENDED)).rowcount


def remove(connection: Connection, identity: str) -> bool:
    """End a subscription; nothing more is sent, not even what is planned. False: there is none."""
    one = subscribers.c.identity == identity, subscribers.c.active
    return connection.execute(subscribers.update().where(*one).values(_ENDED)).rowcount > 0


def find(connection: Connection, identity: str) -> Standing | None:
    """One subscriber, due or not, or None."""
    row = connection.execute(
        select(subscribers).where(subscribers.c.identity == identity, subscribers.c.active)
    ).first()
    return Standing(wisher(row), row.due_at, row.watermark, row.since) if row else None


def everybody(connection: Connection) -> Iterator[Subscriber]:
    """All who are subscribed, by address."""
    statement = select(subscribers).where(subscribers.c.active).order_by(subscribers.c.identity)
    for row in connection.execute(statement, execution_options={"yield_per": AT_ONCE}):
        yield wisher(row)


def count(connection: Connection) -> int:
    """How many are subscribed: all but those without a next slot, as SQLite counts a whole index quickest."""
    everybody: int = connection.execute(select(func.count()).select_from(subscribers)).scalar_one()
    return everybody - connection.execute(select(func.count()).where(subscribers.c.due_at.is_(None))).scalar_one()


def any_active(connection: Connection) -> bool:
    """Whether anybody is subscribed."""
    return connection.execute(select(subscribers.c.id).where(subscribers.c.active).limit(1)).first() is not None


def emails(connection: Connection, numbers: Collection[int]) -> list[tuple[int, str]]:
    """The addresses of some subscribers, each with its number, in order of these."""
    whose = select(subscribers.c.id, subscribers.c.email).where(subscribers.c.id.in_(numbers))
    return (
        [(number, email) for number, email in connection.execute(whose.order_by(subscribers.c.id))] if numbers else []
    )


def _beginning(cadence: Cadence, now: int, start: int) -> dict[str, Any]:
    return {"watermark": start, "created_at": now, "due_at": _first_moment(local_date(now, cadence.zone), cadence)}


def _change(
    connection: Connection, row: Row[Any], wishes: dict[str, Any], cadence: Cadence, now: int, start: int
) -> bool:
    changes = {name: value for name, value in wishes.items() if getattr(row, name) != value}
    if not changes:
        return False
    if "active" in changes:
        changes |= {"watermark": max(row.watermark, start), "since": None}
    if _CADENCE & changes.keys() or cadence.send_at is None:
        changes |= {"due_at": _moved(connection, row, cadence, now), "again_at": None}
    connection.execute(subscribers.update().where(subscribers.c.id == row.id).values(**changes))
    return True


def _moved(connection: Connection, row: Row[Any], cadence: Cadence, now: int) -> int:
    """When the first slot without an edition is due after a change: none is skipped, and none comes twice.

    A slot that was pending stays so, even if its date has passed where the subscriber is now; but days that were no
    slots before are none in hindsight. An empty edition of today gives way.
    """
    today = local_date(now, cadence.zone)
    before = cadence_of(row.days, row.send_at, row.zone)
    start = today if row.due_at is None else min(today, latest(row.due_at, before).date)
    if last := last_row(connection, row.id):
        start = max(start, last.slot if last.gives_way and last.slot >= today else last.slot + timedelta(days=1))
    return _first_moment(start, cadence)


def _first_moment(start: date, cadence: Cadence) -> int:
    return next_due(start - timedelta(days=1), cadence).due_at


def _wishes(subscriber: Subscriber, known: Mapping[Asked, int], suppressed: str, *, configured: bool) -> dict[str, Any]:
    return wishes(subscriber) | {
        "paused_until": subscriber.paused_until,  # a date, which JSON does not know
        "names": [profile.name for profile in subscriber.profiles],
        "queries": queries.compact(subscriber.profiles, known),
        "active": True,
        "configured": configured,
        "suppressed": suppressed,
    }


def wishes(subscriber: Subscriber) -> dict[str, Any]:
    """What somebody wants, but for a pause: columns of the table, as JSON takes them."""
    cadence = subscriber.cadence
    return {
        "email": subscriber.email,
        "name": subscriber.name,
        "zone": cadence.zone,
        "send_at": cadence.send_at.isoformat("minutes") if cadence.send_at else None,
        "days": cadence.days,
        "min_matches": subscriber.min_matches,
        "max_entries": subscriber.max_entries,
        "skip": list(subscriber.skip),
        "updates": subscriber.updates,
        "profiles": [_written(profile) for profile in subscriber.profiles],
    }


def _written(profile: Profile) -> dict[str, Any]:
    # What `asdict` gives, which would copy every keyword by itself.
    return {
        "name": profile.name,
        "keywords": list(profile.keywords),
        "match": profile.match,
        "capitals": profile.capitals,
    }


def wisher(row: Any) -> Subscriber:
    """The subscriber in a row of the table, or in an object with `wishes`, an id and paused_until."""
    profiles = tuple(Profile(**(table | {"keywords": tuple(table["keywords"])})) for table in row.profiles)
    return Subscriber(
        email=row.email,
        profiles=profiles,
        name=row.name,
        cadence=cadence_of(row.days, row.send_at, row.zone),
        min_matches=row.min_matches,
        max_entries=row.max_entries,
        paused_until=row.paused_until,
        skip=tuple(row.skip),
        updates=row.updates,
        id=row.id,
    )
