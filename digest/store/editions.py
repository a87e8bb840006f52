"""Editions: one row per subscriber and local date, from planned to final.

An edition without a match is EMPTY, or FAILED if the profiles could not be read; it gives way to a later one of the
same date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, exists, func, select, update

from digest.model import Edition, Match, Outcome, Reason, State
from digest.store.dialect import insert_or
from digest.store.schema import editions, subscribers

_unwanted = exists().where(subscribers.c.id == editions.c.subscriber, ~subscribers.c.active)
_gives_way = (editions.c.state == State.EMPTY) | ((editions.c.state == State.FAILED) & (editions.c.matched == 0))
WAITING = (State.PLANNED, State.DEFERRED)
"""On its way, and not in anybody's hands."""
_LOOKED_AT = 10_000
MOST_ATTEMPTS = 4
"""As often an edition is sent at most while nobody knows whether it arrived."""

# Built once: to put these together takes longer than to execute them, and they are executed for every few mails.
_RECORD = (
    update(editions)
    .where(editions.c.id == bindparam("edition"))
    .values({name: bindparam(name) for name in ("state", "code", "reason", "changed_at", "next_at")})
)
_asked = editions.c.id.in_(bindparam("ids", expanding=True)), editions.c.state.in_(WAITING)
_TAKE = (
    update(editions)
    .where(*_asked, ~_unwanted)
    .values(state=State.SENDING, attempts=editions.c.attempts + 1, changed_at=bindparam("now"))
    .returning(editions.c.id)
)
_SUPPRESS = (
    update(editions)
    .where(*_asked, _unwanted)
    .values(state=State.SUPPRESSED, reason="unsubscribed", changed_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Plan:
    """An edition to be written, with its window (entries numbered above `after`, up to `upto`) and first state."""

    edition: Edition
    after: int
    upto: int
    state: State = State.PLANNED
    reason: str = ""


class Last(NamedTuple):
    """The newest edition of a subscriber: its slot, and whether another of the same date may take its place."""

    slot: date
    gives_way: bool


class Problem(NamedTuple):
    """An edition that was not sent, and the server's code (0: none) and words about it, or ours."""

    slot: date
    email: str
    state: str
    code: int
    reason: str


def insert(connection: Connection, plans: Sequence[Plan]) -> set[int]:
    """Write new editions, but for those that have a row that stays; return the subscribers of those written."""
    if not plans:
        return set()
    rows = [_row(plan) for plan in plans]
    statement = insert_or(connection, editions)
    again = {name: statement.excluded[name] for name in rows[0] if name not in ("subscriber", "slot")}
    replaced = statement.on_conflict_do_update(index_elements=["subscriber", "slot"], set_=again, where=_gives_way)
    return set(connection.execute(replaced.returning(editions.c.subscriber), rows).scalars())


def insert_missed(connection: Connection, plans: Sequence[Plan]) -> None:
    """Write editions of slots that have passed, but for those that have a row."""
    if plans:
        once = insert_or(connection, editions).on_conflict_do_nothing(index_elements=["subscriber", "slot"])
        connection.execute(once, [_row(plan) for plan in plans])


def last_row(connection: Connection, subscriber: int) -> Last | None:
    """The newest edition of a subscriber."""
    statement = select(editions.c.slot, _gives_way).where(editions.c.subscriber == subscriber)
    row = connection.execute(statement.order_by(editions.c.slot.desc()).limit(1)).first()
    return Last(row[0], bool(row[1])) if row else None


def waiting(connection: Connection, now: int, after: int, limit: int) -> list[Edition]:
    """The next editions that may be tried now, with ids above `after`, in order of id."""
    may_go = editions.c.state.in_(WAITING), editions.c.next_at <= now, editions.c.id > after
    return [
        edition(row) for row in connection.execute(select(editions).where(*may_go).order_by(editions.c.id).limit(limit))
    ]


def count_waiting(connection: Connection, now: int) -> int:
    """How many editions may be tried now."""
    may_go = editions.c.state.in_(WAITING), editions.c.next_at <= now
    return connection.execute(select(func.count()).select_from(editions).where(*may_go)).scalar_one()


def take(connection: Connection, ids: Sequence[int], now: int) -> set[int]:
    """Mark editions as SENDING; return those that were still waiting, and whose subscriber still wants them."""
    if not ids:
        return set()
    now_and_ids = {"now": now, "ids": ids}
    taken = set(connection.execute(_TAKE, now_and_ids).scalars())
    if len(taken) < len(ids):
        connection.execute(_SUPPRESS, now_and_ids)
    return taken


def record(connection: Connection, outcomes: Iterable[Outcome], now: int, retry_seconds: int) -> None:
    """Store what became of editions.

    One that the server deferred is tried again after `retry_seconds`, one whose connection was lost at the next run.
    """
    rows = [
        {
            "edition": outcome.edition,
            "state": outcome.state,
            "code": outcome.code,
            "reason": outcome.reply,
            "changed_at": now,
            "next_at": now + retry_seconds if outcome.state is State.DEFERRED and outcome.code else now,
        }
        for outcome in outcomes
    ]
    if rows:
        connection.execute(_RECORD, rows)


def recover(connection: Connection, now: int) -> int:
    """Editions left in SENDING by a run that was killed: nobody knows whether they arrived. Return how many."""
    left = update(editions).where(editions.c.state == State.SENDING)
    return connection.execute(
        left.values(state=State.UNKNOWN, reason="the run was ended while sending", changed_at=now)
    ).rowcount


def resend_unknown(connection: Connection, now: int, retry_seconds: int) -> int:
    """Put unknown editions back on their way, to be sent with the same bytes; return how many.

    At once after the first attempt, then after longer and longer; after MOST_ATTEMPTS they stay unknown, or a relay
    that takes mail and never says so would fill the mailbox.
    """
    unknown = update(editions).where(editions.c.state == State.UNKNOWN, editions.c.attempts < MOST_ATTEMPTS)
    next_at = now + retry_seconds * (editions.c.attempts - 1)
    return connection.execute(unknown.values(state=State.DEFERRED, next_at=next_at, changed_at=now)).rowcount


def suppress_unwanted(connection: Connection, now: int) -> int:
    """End waiting editions of those who have unsubscribed; return how many."""
    unwanted = update(editions).where(editions.c.state.in_(WAITING), _unwanted)
    return connection.execute(unwanted.values(state=State.SUPPRESSED, reason="unsubscribed", changed_at=now)).rowcount


def by_state(connection: Connection) -> Counter[State]:
    """How many editions stand in each state."""
    statement = select(editions.c.state, func.count()).group_by(editions.c.state)
    return Counter({State(state): number for state, number in connection.execute(statement)})


def why_empty(connection: Connection, limit: int) -> list[tuple[str, int]]:
    """The commonest reasons of the newest empty editions, with how many there are of each."""
    newest = select(editions.c.reason).where(editions.c.state == State.EMPTY).order_by(editions.c.id.desc())
    recent = newest.limit(_LOOKED_AT).subquery()
    counted = select(recent.c.reason, func.count()).group_by(recent.c.reason).order_by(func.count().desc())
    return [(reason, number) for reason, number in connection.execute(counted.limit(limit))]


def count_deferred(connection: Connection) -> int:
    """How many editions the relay has put off."""
    return connection.execute(
        select(func.count()).select_from(editions).where(editions.c.state == State.DEFERRED)
    ).scalar_one()


def problems(connection: Connection, limit: int) -> list[Problem]:
    """The editions that were not sent when they should have been, the newest first."""
    columns = editions.c.slot, editions.c.email, editions.c.state, editions.c.code, editions.c.reason
    troubled = editions.c.state.in_((State.DEFERRED, State.FAILED, State.UNKNOWN))
    rows = connection.execute(select(*columns).where(troubled).order_by(editions.c.id.desc()).limit(limit))
    return [Problem(*row) for row in rows]


def latest_to(connection: Connection, emails: Sequence[str]) -> list[Edition]:
    """The newest edition to each of these addresses, in order of id."""
    newest = select(func.max(editions.c.id)).where(editions.c.email.in_(emails)).group_by(editions.c.email)
    rows = connection.execute(select(editions).where(editions.c.id.in_(newest)).order_by(editions.c.id))
    return [edition(row) for row in rows]


def edition(row: Row[Any]) -> Edition:
    """The edition in a row."""
    return Edition(
        id=row.id,
        subscriber=row.subscriber,
        email=row.email,
        name=row.name,
        slot=row.slot,
        since=row.since,
        zone=row.zone,
        due_at=row.due_at,
        planned_at=row.planned_at,
        matches=tuple(
            Match(entry, score, tuple(_reason(reason) for reason in reasons)) for entry, score, reasons in row.matches
        ),
        more=tuple(row.more),
        matched=row.matched,
        considered=row.considered,
        profiles=tuple(row.profiles),
    )


def _reason(values: Sequence[Any]) -> Reason:
    profile, keyword, field, words = values
    return Reason(profile, keyword, field, tuple(words))


def _row(plan: Plan) -> dict[str, Any]:
    made = plan.edition
    return {
        "subscriber": made.subscriber,
        "slot": made.slot,
        "since": made.since,
        "due_at": made.due_at,
        "state": plan.state,
        "reason": plan.reason,
        "code": 0,
        "attempts": 0,
        "planned_at": made.planned_at,
        "next_at": made.planned_at,
        "changed_at": made.planned_at,
        "after": plan.after,
        "upto": plan.upto,
        "considered": made.considered,
        "matched": made.matched,
        "matches": [(match.entry, match.score, match.reasons) for match in made.matches],
        "more": made.more,
        "email": made.email,
        "name": made.name,
        "zone": made.zone,
        "profiles": made.profiles,
    }
