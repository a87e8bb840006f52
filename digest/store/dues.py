"""Who is due, and where each subscriber stands: all that a plan reads and writes of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Update, func, select, tuple_, update

from digest.cadence import local_date
from digest.model import Cadence
from digest.store.dialect import Rows
from digest.store.schema import subscribers

AT_ONCE = 5_000
BLOCK = 1 << 12
_DAY = 86_400
_NEVER = 2**62
"""Above every entry's number."""
_DUE = select(
    *(subscribers.c[name] for name in ("id", "due_at", "watermark", "since", "days", "send_at", "zone", "min_matches")),
    *(subscribers.c[name] for name in ("max_entries", "paused_until", "skip", "updates", "queries")),
)


class Due(NamedTuple):
    """What a plan must know of a subscriber: of wishes as in Subscriber, of the rest as in Standing.

    `queries` are the profiles in their compact form.
    """

    id: int
    due_at: int
    watermark: int
    since: date | None
    cadence: Cadence
    min_matches: int
    max_entries: int
    paused_until: date | None
    skip: tuple[str, ...]
    updates: bool
    queries: bytes


class Step(NamedTuple):
    """Where a subscriber stands after a plan: columns of the table, by their names."""

    id: int
    due_at: int
    again_at: int | None
    watermark: int
    since: date | None


class Share(NamedTuple):
    """A part of all subscribers: of so many parts, the one that has every such block of BLOCK numbers."""

    number: int
    of: int


def due(connection: Connection, now: int, after: Due | None = None) -> list[Due]:
    """The next subscribers whose slot has come, at most AT_ONCE, those who wait longest first."""
    statement = _DUE.where(subscribers.c.due_at <= now)
    if after:
        statement = statement.where(tuple_(subscribers.c.due_at, subscribers.c.id) > (after.due_at, after.id))
    rows = connection.execute(statement.order_by(subscribers.c.due_at, subscribers.c.id).limit(AT_ONCE))
    return [_due(row) for row in rows]


def due_in(connection: Connection, share: Share, now: int, after: Due | None = None) -> list[Due]:
    """The same in a share, where very many are due: by their numbers, so that rows side by side are written at once.

    By their moments they lie anywhere, and each costs pages of its own.
    """
    whose = subscribers.c.id > (after.id if after else 0), subscribers.c.id // BLOCK % share.of == share.number
    reached = subscribers.c.due_at + 0 <= now  # not by the index, which is in another order
    return [
        _due(row) for row in connection.execute(_DUE.where(*whose, reached).order_by(subscribers.c.id).limit(AT_ONCE))
    ]


def _due(row: Row[*tuple[Any, ...]]) -> Due:
    number, due_at, watermark, since, days, send_at, zone, fewest, most, paused_until, skip, updates, compact = row
    when = cadence_of(days, send_at, zone)
    return Due(number, due_at, watermark, since, when, fewest, most, paused_until, tuple(skip), updates, compact)


def count_due(connection: Connection, now: int) -> int:
    """How many are due."""
    counted = select(func.count()).select_from(subscribers).where(subscribers.c.due_at <= now)
    return connection.execute(counted).scalar_one()


def lowest_watermark(connection: Connection, now: int) -> int:
    """The lowest watermark of those who are due and may get mail: a long pause opens no window before it ends."""
    paused_until, tomorrow = subscribers.c.paused_until, local_date(now + _DAY, "UTC")
    awake = paused_until.is_(None) | (paused_until <= tomorrow)
    lowest = select(func.coalesce(func.min(subscribers.c.watermark), _NEVER)).where(subscribers.c.due_at <= now, awake)
    mark: int = connection.execute(lowest).scalar_one()
    return mark


def next_moment(connection: Connection) -> int | None:
    """When the next slot comes, in epoch seconds (None: there are no subscribers)."""
    return connection.execute(select(func.min(subscribers.c.due_at))).scalar()


def advance(connection: Connection, steps: Sequence[Step]) -> None:
    """Note where subscribers stand after a plan."""
    if steps:
        connection.execute(_advance(connection.dialect.name), {"rows": Rows.of(steps)})


@cache
def _advance(dialect: str) -> Update:
    step = Rows(dialect)
    stand = {name: step.number(place) for place, name in enumerate(Step._fields) if name not in ("id", "since")}
    since = step.day(Step._fields.index("since"))
    return update(subscribers).where(subscribers.c.id == step.number(0)).values(**stand, since=since)


def count_silent(connection: Connection) -> int:
    """How many had an empty edition that a new entry may fill."""
    silent = subscribers.c.again_at.is_not(None)
    return connection.execute(select(func.count()).select_from(subscribers).where(silent)).scalar_one()


def fill_again(connection: Connection) -> None:
    """There are new entries: whoever had an empty edition, and asked for no fixed time, is due again."""
    silent = subscribers.update().where(subscribers.c.again_at.is_not(None))
    connection.execute(silent.values(due_at=subscribers.c.again_at, again_at=None))


@lru_cache(maxsize=1 << 16)
def cadence_of(days: str, send_at: str | None, zone: str) -> Cadence:
    """The cadence in three columns."""
    return Cadence(days, time.fromisoformat(send_at) if send_at else None, zone)
