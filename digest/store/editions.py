"""Editions: one row per subscriber and local date, from planned to final. `ledger.py` has what happens on the way.

An edition without a match is EMPTY, or FAILED if the profiles could not be read; it gives way to a later one of the
same date. What is in an edition stands in `contents`, which is written once and never changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from digest.model import Edition, State
from digest.store import contents
from digest.store.contents import SHOWN, Filling
from digest.store.dialect import Rows
from digest.store.schema import OPEN, editions, subscribers
from digest.store.schema import contents as held

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_gives_way = (editions.c.state == State.EMPTY) | ((editions.c.state == State.FAILED) & (editions.c.matched == 0))
_LOOKED_AT = 10_000


class Plan(NamedTuple):
    """An edition to be written: columns of the table, by their names, and what is in it.

    Its window is the entries numbered above `after`, up to `upto`.
    """

    subscriber: int
    slot: date
    since: date
    due_at: int
    after: int
    upto: int
    considered: int
    matched: int
    state: State = State.PLANNED
    reason: str = ""
    filling: Filling = Filling()


class Last(NamedTuple):
    """The newest edition of a subscriber: its slot, and whether another of the same date may take its place."""

    slot: date
    gives_way: bool


class Overtaken(NamedTuple):
    """Editions of a subscriber that wait and that nobody can have: their window begins above `after`, on `since`."""

    after: int
    since: date


class Problem(NamedTuple):
    """An edition that was not sent, and the server's code (0: none) and words about it, or ours."""

    slot: date
    email: str
    state: str
    code: int
    reason: str


class Kept(NamedTuple):
    """An edition with what is in it, as it stands.

    Its window is the entries numbered above `after`, up to `upto`; `code` and `reason` are the server's code (0: none)
    and words, or ours; `room` is as in Delivery.
    """

    edition: Edition
    after: int
    upto: int
    state: State
    code: int
    reason: str
    room: int


class Silent(NamedTuple):
    """An edition of which there is no mail, with its window and why."""

    slot: date
    after: int
    upto: int
    reason: str


def is_in(*states: State) -> ColumnElement[bool]:
    """Whether a row is in one of these states, in the words of the indexes (`schema._when`), so that they are used."""
    return or_(*(editions.c.state == literal_column(f"'{state}'") for state in states))


WAITING = and_(is_in(*OPEN), is_in(State.PLANNED, State.DEFERRED))
"""On its way, and not in anybody's hands. The first half is there for the index."""


def insert(connection: Connection, plans: Sequence[Plan], now: int) -> set[int]:
    """Write new editions, but for those that have a row that stays; return the subscribers of those written."""
    if not plans:
        return set()
    statement = _insert(connection)
    again = {column.name: statement.excluded[column.name] for column in editions.c if column.name not in _WHICH}
    replaced = statement.on_conflict_do_update(index_elements=_WHICH[1:], set_=again, where=_gives_way)
    written = connection.execute(replaced.returning(editions.c.subscriber, editions.c.id), _asked(plans, now))
    ids: dict[int, int] = {subscriber: edition for subscriber, edition in written}  # noqa: C416 - see the trap of `dict`
    full = (one for one in plans if one.state is State.PLANNED and one.subscriber in ids)
    contents.fill(connection, [(ids[one.subscriber], one.subscriber, one.filling) for one in full])
    return set(ids)


def insert_missed(connection: Connection, plans: Sequence[Plan], now: int) -> None:
    """Write empty editions of slots that have passed, but for those that have a row."""
    if plans:
        once = _insert(connection).on_conflict_do_nothing(index_elements=_WHICH[1:])
        connection.execute(once, _asked(plans, now))


_WHICH = ("id", "subscriber", "slot")


def _insert(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    """One statement for all rows of a batch, which steps into the database once."""
    plan, now = Rows(connection.dialect.name), bindparam("now", type_=BigInteger)
    kinds: dict[str, Callable[[int], ColumnElement[Any]]]
    kinds = {"slot": plan.day, "since": plan.day, "state": plan.text, "reason": plan.text}
    values: dict[str, ColumnElement[Any]] = {
        name: kinds.get(name, plan.number)(place) for place, name in enumerate(Plan._fields) if name != "filling"
    }
    values |= dict.fromkeys(("planned_at", "next_at", "changed_at"), now)
    values |= dict.fromkeys(("code", "attempts", "run", "room"), literal_column("0")) | {"doubtful": false()}
    return plan.insert(connection, editions, values)


def _asked(plans: Sequence[Plan], now: int) -> dict[str, object]:
    return {"rows": Rows.of([plan[:-1] for plan in plans]), "now": now}


def last_row(connection: Connection, subscriber: int) -> Last | None:
    """The newest edition of a subscriber."""
    statement = select(editions.c.slot, _gives_way).where(editions.c.subscriber == subscriber)
    row = connection.execute(statement.order_by(editions.c.slot.desc()).limit(1)).first()
    return Last(row[0], bool(row[1])) if row else None


def lowest_waiting(connection: Connection, now: int) -> int | None:
    """Where the lowest window begins of the editions that are overtaken now (None: there is none)."""
    lowest = select(func.min(editions.c.after)).join(subscribers).where(subscribers.c.due_at <= now)
    return connection.execute(lowest.where(WAITING, ~editions.c.doubtful)).scalar()


def overtaken(connection: Connection, people: Sequence[int]) -> dict[int, Overtaken]:
    """What waits for these subscribers and can go into their next edition: all that nobody can have received."""
    asked = Rows(connection.dialect.name)
    statement = (
        select(editions.c.subscriber, func.min(editions.c.after), func.min(editions.c.since))
        .join(asked.table, editions.c.subscriber == asked.number(0))
        .where(WAITING, ~editions.c.doubtful)
        .group_by(editions.c.subscriber)
    )
    rows = connection.execute(statement, {"rows": Rows.of([[one] for one in people])})
    return {subscriber: Overtaken(after, since) for subscriber, after, since in rows}


def merge(connection: Connection, into: Mapping[int, date], now: int) -> None:
    """Empty the waiting editions of subscribers whose edition of a later date has taken them in."""
    if not into:
        return
    asked = Rows(connection.dialect.name)
    earlier = editions.c.subscriber == asked.number(0), cast(editions.c.slot, Text) < asked.text(1)
    statement = update(editions).where(*earlier, WAITING, ~editions.c.doubtful)
    values = {"state": State.EMPTY, "reason": "overtaken; in the edition of " + asked.text(1), "changed_at": now}
    rows: list[list[int | str]] = [[subscriber, slot.isoformat()] for subscriber, slot in into.items()]
    connection.execute(statement.values(values), {"rows": Rows.of(rows)})


def by_state(connection: Connection) -> Counter[State]:
    """How many editions stand in each state."""
    statement = select(editions.c.state, func.count()).group_by(editions.c.state)
    return Counter({State(state): number for state, number in connection.execute(statement)})


def why_empty(connection: Connection, limit: int) -> list[tuple[str, int]]:
    """The commonest reasons of the newest empty editions, with how many there are of each."""
    newest = select(editions.c.reason).where(is_in(State.EMPTY)).order_by(editions.c.id.desc())
    recent = newest.limit(_LOOKED_AT).subquery()
    counted = select(recent.c.reason, func.count()).group_by(recent.c.reason).order_by(func.count().desc())
    return [(reason, number) for reason, number in connection.execute(counted.limit(limit))]


def count_deferred(connection: Connection) -> int:
    """How many editions are put off, by the relay or by our own limits."""
    return connection.execute(select(func.count()).select_from(editions).where(is_in(State.DEFERRED))).scalar_one()


def problems(connection: Connection, limit: int) -> list[Problem]:
    """The editions that were not sent when they should have been, the newest first."""
    found: list[tuple[int, Problem]] = []
    columns = editions.c.id, editions.c.slot, subscribers.c.email, editions.c.state, editions.c.code, editions.c.reason
    for state in (State.DEFERRED, State.FAILED, State.UNKNOWN):
        troubled = select(*columns).join(subscribers).where(is_in(state)).order_by(editions.c.id.desc()).limit(limit)
        found += [(row[0], Problem(*row[1:])) for row in connection.execute(troubled)]
    return [problem for _, problem in sorted(found, reverse=True)[:limit]]


def latest_to(connection: Connection, emails: Sequence[str]) -> list[Edition]:
    """The newest edition with anything in it to each of these addresses, in order of id."""
    newest = select(func.max(held.c.edition)).where(held.c.email.in_(emails)).group_by(held.c.email)
    rows = connection.execute(SHOWN.where(editions.c.id.in_(newest)).order_by(editions.c.id))
    return contents.read(connection, rows)


def find(connection: Connection, number: int) -> Kept | None:
    """An edition by its number; None: there is none, or nothing is in it."""
    return next(iter(_kept(connection, editions.c.id == number)), None)


def touching(connection: Connection, subscriber: int, first: int, last: int) -> list[Kept]:
    """A subscriber's editions with any of the entries from `first` to `last` in their windows, the oldest first."""
    return _kept(connection, editions.c.subscriber == subscriber, editions.c.after < last, editions.c.upto >= first)


def _kept(connection: Connection, *which: ColumnElement[bool]) -> list[Kept]:
    whole = SHOWN.add_columns(editions.c.after, editions.c.upto, editions.c.state, editions.c.code, editions.c.reason)
    rows = connection.execute(whole.where(*which, editions.c.state != State.EMPTY).order_by(editions.c.slot)).all()
    made = contents.read(connection, rows)
    return [
        Kept(edition, row.after, row.upto, State(row.state), row.code, row.reason, row.room)
        for edition, row in zip(made, rows, strict=True)
    ]


def silent(connection: Connection, subscriber: int, number: int) -> Silent | None:
    """The newest of a subscriber's editions without a mail that has an entry in its window."""
    without = (editions.c.state == State.EMPTY) | (editions.c.matched == 0)
    which = editions.c.subscriber == subscriber, editions.c.after < number, editions.c.upto >= number, without
    columns = (editions.c[name] for name in Silent._fields)
    row = connection.execute(select(*columns).where(*which).order_by(editions.c.slot.desc()).limit(1)).first()
    return Silent(*row) if row else None
