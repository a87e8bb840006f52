"""The lists that an operator leafs through, and the one thing that only operators do: send an edition again.

Rules
-----
1. With a million subscribers and five million editions every page is there at once: a list is walked along an index,
   the newest first, AT_ONCE rows at a time, from a number on.
2. An edition that is sent again goes as it is, with the same Message-ID, and is never merged into a later one, for
   later editions may have gone since (see `ledger`, rule 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from digest.model import State
from digest.store.editions import is_in
from digest.store.schema import OPEN, contents, editions, files, letters, rejections, runs, subscribers

T = TypeVar("T", bound="tuple[Any, ...]")
AT_ONCE = 50
"""Rows on a page."""
NEWEST = 2**62
"""Above every number."""
LISTED: dict[str, tuple[State, ...]] = {
    "all": (),
    "open": OPEN,
    "failed": (State.FAILED,),
    "unknown": (State.UNKNOWN,),
    "deferred": (State.DEFERRED,),
    "empty": (State.EMPTY,),
}
"""The lists of editions there are, those with an index, and the states in them (none: whatever they are)."""
_LAST_SIGN = "\U0010ffff"
_OF_ONE = 30
"""Editions, and letters, of one subscriber that are shown."""
_LOOKED_AT = 10_000
"""Letters, the newest, among which those to one address are looked for."""


class Part(NamedTuple, Generic[T]):
    """Rows of a long list, and the number after which it goes on (None: that was all)."""

    rows: list[T]
    last: int | None


class Person(NamedTuple):
    """A subscriber in a list. `due_at`: the next slot (None: not subscribed)."""

    id: int
    email: str
    name: str
    active: bool
    suppressed: str
    paused_until: date | None
    created_at: int
    due_at: int | None


class Made(NamedTuple):
    """An edition in a list, and what became of it."""

    id: int
    subscriber: int
    slot: date
    state: str
    code: int
    reason: str
    attempts: int
    matched: int
    changed_at: int
    next_at: int


class LoadedFile(NamedTuple):
    """A listing file in a list, and how many of its records were rejected."""

    id: int
    path: str
    format: str
    entries: int
    new: int
    warnings: list[str]
    loaded_at: int
    rejected: int


class Rejected(NamedTuple):
    """A record that was not loaded, with the path of its file and when that was loaded."""

    id: int
    line: int
    reason: str
    excerpt: str
    path: str
    loaded_at: int


class Ran(NamedTuple):
    """A run, ended or not, with its figures."""

    id: int
    started_at: int
    progress_at: int
    finished_at: int | None
    report: dict[str, Any]


class Written(NamedTuple):
    """A letter in a list."""

    id: int
    kind: str
    email: str
    state: str
    code: int
    reason: str
    attempts: int
    written_at: int
    next_at: int


def people(connection: Connection, before: int = NEWEST) -> Part[Person]:
    """Subscribers, and those who have left; the newest first."""
    return _newest(connection, Person, select(*_columns(subscribers, Person._fields)), subscribers, before)


def people_beginning(connection: Connection, text: str, after: int = 0) -> Part[Person]:
    """Subscribers whose identity begins with this, in order of it, from that of subscriber `after` on."""
    identity = subscribers.c.identity
    found = select(*_columns(subscribers, Person._fields)).where(_begins_with(connection, text)).order_by(identity)
    if after:
        place = select(subscribers.c.identity).where(subscribers.c.id == after)
        found = found.where(identity > place.scalar_subquery())
    return _part(connection, Person, found)


def is_configured(connection: Connection, number: int) -> bool:
    """Whether the configuration file says what a subscriber wants."""
    kept = select(subscribers.c.configured & ~subscribers.c.own).where(subscribers.c.id == number)
    return bool(connection.execute(kept).scalar())


def made(connection: Connection, listed: str = "all", before: int = NEWEST) -> Part[Made]:
    """The editions of one of LISTED, the newest first."""
    states = LISTED[listed]
    statement = select(*_columns(editions, Made._fields))
    return _newest(connection, Made, statement.where(is_in(*states)) if states else statement, editions, before)


def made_for(connection: Connection, subscriber: int) -> list[Made]:
    """The last editions of a subscriber."""
    mine = select(*_columns(editions, Made._fields)).where(editions.c.subscriber == subscriber)
    return [Made(*row) for row in connection.execute(mine.order_by(editions.c.slot.desc()).limit(_OF_ONE))]


def emails(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The addresses of some subscribers ("": forgotten)."""
    rows = connection.execute(select(subscribers.c.id, subscribers.c.email).where(subscribers.c.id.in_(numbers)))
    return {row.id: row.email for row in rows}


def loaded(connection: Connection, before: int = NEWEST) -> Part[LoadedFile]:
    """Listing files, the newest first."""
    return _newest(connection, LoadedFile, _FILES, files, before)


def loaded_file(connection: Connection, number: int) -> LoadedFile | None:
    """One listing file."""
    row = connection.execute(_FILES.where(files.c.id == number)).first()
    return LoadedFile(*row) if row else None


def loaded_before(connection: Connection, path: str, digest: str) -> LoadedFile | None:
    """The file that was loaded with this content (SHA-256 in hex), under whatever name; else its last refusal."""
    mine = (files.c.digest == digest) | ((files.c.path == path) & (files.c.format == ""))
    row = connection.execute(_FILES.where(mine).order_by(files.c.format == "", files.c.id.desc())).first()
    return LoadedFile(*row) if row else None


def rejected(connection: Connection, file: int, after: int = 0) -> Part[Rejected]:
    """The records of a file that were not loaded, in its order."""
    mine = _REJECTED.where(rejections.c.file == file, rejections.c.id > after)
    return _part(connection, Rejected, mine.order_by(rejections.c.id))


def rejected_last(connection: Connection, most: int) -> list[Rejected]:
    """What was not loaded, of the newest file first: whole files (id and line 0), and records in their order."""
    newest = _REJECTED.add_columns(rejections.c.file).order_by(rejections.c.file.desc(), rejections.c.id).limit(most)
    found = [(row.file, Rejected(*row[:-1])) for row in connection.execute(newest)]
    unread = select(files).where(files.c.format == "").order_by(files.c.id.desc()).limit(most)
    found += [
        (row.id, Rejected(0, 0, "".join(row.warnings[-1:]), "", row.path, row.loaded_at))
        for row in connection.execute(unread)
    ]
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [one for _, one in found[:most]]


def ran(connection: Connection, before: int = NEWEST) -> Part[Ran]:
    """Runs, the newest first."""
    return _newest(connection, Ran, select(*_columns(runs, Ran._fields)), runs, before)


def written(connection: Connection, state: State, before: int = NEWEST) -> Part[Written]:
    """The letters in a state, the newest first."""
    in_state = letters.c.state == literal_column(f"'{state}'")
    return _newest(connection, Written, select(*_columns(letters, Written._fields)).where(in_state), letters, before)


def written_to(connection: Connection, email: str) -> list[Written]:
    """The letters to an address among the newest _LOOKED_AT."""
    recent = select(letters).order_by(letters.c.id.desc()).limit(_LOOKED_AT).subquery()
    mine = select(*(recent.c[name] for name in Written._fields)).where(recent.c.email == email)
    return [Written(*row) for row in connection.execute(mine.order_by(recent.c.id.desc()).limit(_OF_ONE))]


def to_send_again(connection: Connection, subscriber: int) -> Made | None:
    """The last edition of a subscriber that can be sent again."""
    mine = select(*_columns(editions, Made._fields)).where(editions.c.subscriber == subscriber, _CAN_GO)
    row = connection.execute(mine.order_by(editions.c.slot.desc()).limit(1)).first()
    return Made(*row) if row else None


def send_again(connection: Connection, subscriber: int, edition: int, now: int) -> bool:
    """Put an edition of a subscriber on its way again; the next run takes it. False: it cannot be, any more."""
    mine = update(editions).where(editions.c.id == edition, editions.c.subscriber == subscriber, _CAN_GO)
    alone = or_(editions.c.doubtful, editions.c.state != State.DEFERRED)  # rule 3
    again = mine.values(state=State.DEFERRED, doubtful=alone, next_at=now, changed_at=now)
    return connection.execute(again).rowcount == 1


_CAN_GO = and_(
    editions.c.state.in_((State.DEFERRED, State.FAILED, State.UNKNOWN)),
    exists().where(contents.c.edition == editions.c.id),
)


def _columns(table: Table, names: Iterable[str]) -> Iterator[ColumnElement[Any]]:
    return (table.c[name] for name in names)


_FILES: Select[Any] = select(
    *_columns(files, LoadedFile._fields[:-1]),
    select(func.count()).where(rejections.c.file == files.c.id).scalar_subquery(),
)

_REJECTED: Select[Any] = select(
    *_columns(rejections, Rejected._fields[:-2]), *_columns(files, Rejected._fields[-2:])
).join_from(rejections, files)


def _newest(
    connection: Connection, make: Callable[..., T], statement: Select[Any], table: Table, before: int
) -> Part[T]:
    """A page of a list by number, downwards."""
    return _part(connection, make, statement.where(table.c.id < before).order_by(table.c.id.desc()))


def _part(connection: Connection, make: Callable[..., T], statement: Select[Any]) -> Part[T]:
    """The first AT_ONCE rows; their first column is the number."""
    rows = [make(*row) for row in connection.execute(statement.limit(AT_ONCE + 1))]
    return Part(rows[:AT_ONCE], rows[AT_ONCE - 1][0] if len(rows) > AT_ONCE else None)


def _begins_with(connection: Connection, text: str) -> ColumnElement[bool]:
    """Not LIKE, which SQLite would answer without its index. Only there the order is that of the signs."""
    identity = subscribers.c.identity
    begins = and_(identity >= text, func.substr(identity, 1, len(text)) == text)
    return begins & (identity < text + _LAST_SIGN) if connection.dialect.name == "sqlite" else begins
