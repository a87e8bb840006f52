"""The figures of the operator's first page.

Rules
-----
1. With a million subscribers and five million editions they are there at once: what is counted is one index, or is
   counted up to MOST_COUNTED only.
2. Subscribers are numbered as they come and none is ever removed, so how many came on a day is the difference of two
   numbers (in PostgreSQL with those of transactions that were rolled back, which are few). What was sent on a day, the
   reports of its runs say.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, literal_column, select

from digest.store.browse import LISTED
from digest.store.editions import is_in
from digest.store.schema import editions, runs, signups, subscribers
from digest.tokens import LIFETIMES

MOST_COUNTED = 10_000
FIGURES = ("sent", "failed", "deferred")
_RUNS = 20_000
"""As many as are kept."""
_DAY = 86_400


class Count(NamedTuple):
    """How many there are; `more`: and more than that."""

    number: int
    more: bool = False


def count_waiting(connection: Connection, now: int) -> Count:
    """How many have asked for a digest and may still confirm."""
    valid = (signups.c.asked_at > now - LIFETIMES["confirm"]) & (signups.c.email != "")
    return _counted(connection, signups, valid & signups.c.confirmed_at.is_(None))


def count_editions(connection: Connection) -> dict[str, Count]:
    """How many editions stand in each of LISTED; nearly all there are were sent, and stand in none."""
    return {listed: _counted(connection, editions, is_in(*states)) for listed, states in LISTED.items() if states}


def last_days(now: int, days: int) -> list[int]:
    """When each of the last days in UTC began (epoch seconds), today's last."""
    today = now - now % _DAY
    return [today - _DAY * ago for ago in reversed(range(days))]


def joined(connection: Connection, begins: Sequence[int]) -> list[int]:
    """How many subscribers were new from each of these moments, which ascend, to the next; from the last, until now."""
    newest = connection.execute(select(func.max(subscribers.c.id))).scalar() or 0
    from_on = select(subscribers.c.created_at).where(subscribers.c.id >= bindparam("number"))
    first = from_on.order_by(subscribers.c.id).limit(1)

    @cache
    def came_at(number: int) -> int:
        moment: int = connection.execute(first, {"number": number}).scalar_one()
        return moment

    before = [0]
    for begin in begins:
        before.append(bisect_left(range(1, newest + 1), begin, lo=before[-1], key=came_at))
    return [later - earlier for earlier, later in pairwise([*before[1:], newest])]


def sent_on(connection: Connection, days: Sequence[int]) -> list[dict[str, int]]:
    """FIGURES of the runs that began on each of these days, given as the moments when they began, in UTC."""
    day = (runs.c.started_at // _DAY).label("day")
    figures = (runs.c.report[name].as_integer().label(name) for name in FIGURES)
    since = select(day, *figures).where(runs.c.started_at >= days[0])
    recent = since.order_by(runs.c.id.desc()).limit(_RUNS).subquery()  # the limit has them read before they are sorted
    sums = (func.coalesce(func.sum(recent.c[name]), 0).label(name) for name in FIGURES)
    rows = connection.execute(select(recent.c.day, *sums).group_by(recent.c.day))
    found = {row.day: {name: getattr(row, name) for name in FIGURES} for row in rows}
    return [found.get(begin // _DAY, dict.fromkeys(FIGURES, 0)) for begin in days]


def _counted(connection: Connection, table: Table, which: ColumnElement[bool]) -> Count:
    some = select(literal_column("1")).select_from(table).where(which).limit(MOST_COUNTED + 1).subquery()
    number: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return Count(min(number, MOST_COUNTED), number > MOST_COUNTED)
