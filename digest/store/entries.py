"""Listing files and entries: what was loaded, and how common its words are. `filing` has how they come in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, func, select

from digest.matching.frequencies import Count, Frequencies
from digest.model import Entry
from digest.store.schema import entries, files, keys, stems

_AT_ONCE = 500
"""Values in one IN list; SQLite and PostgreSQL both take more, no faster."""
T = TypeVar("T")


class File(NamedTuple):
    """A listing file: what it is known by."""

    path: str
    digest: str
    size: int
    mtime_ns: int


def known_files(connection: Connection) -> set[tuple[str, int, int]]:
    """Path, size and time of modification of every file ever loaded; what was refused may be read another time."""
    loaded = select(files.c.path, files.c.size, files.c.mtime_ns).where(files.c.format != "")
    return {tuple(row) for row in connection.execute(loaded)}


def is_loaded(connection: Connection, file: File) -> bool:
    """Whether a file with this content was loaded, under whatever name."""
    return connection.execute(select(files.c.id).where(files.c.digest == file.digest)).first() is not None


def newest_number(connection: Connection) -> int:
    """The number of the entry loaded last (0: none yet)."""
    newest: int = connection.execute(select(func.coalesce(func.max(entries.c.number), 0))).scalar_one()
    return newest


def newest_file(connection: Connection) -> int:
    """The number of the file loaded last (0: none yet)."""
    newest: int = connection.execute(select(func.coalesce(func.max(files.c.id), 0))).scalar_one()
    return newest


def newest_file_at(connection: Connection) -> int:
    """When the last file that could be read was loaded, in epoch seconds (0: there is none)."""
    newest = select(func.coalesce(func.max(files.c.loaded_at), 0)).where(files.c.format != "")
    moment: int = connection.execute(newest).scalar_one()
    return moment


def newest_at(connection: Connection) -> int:
    """When the last entry was loaded, in epoch seconds (0: there is none)."""
    newest: int = connection.execute(select(func.coalesce(func.max(entries.c.loaded_at), 0))).scalar_one()
    return newest


def number_before(connection: Connection, moment: int) -> int:
    """The number of the last entry loaded before a moment (0: none)."""
    statement = select(entries.c.number).where(entries.c.loaded_at < moment)
    newest = statement.order_by(entries.c.loaded_at.desc(), entries.c.number.desc()).limit(1)
    number: int = connection.execute(newest).scalar() or 0
    return number


def count(connection: Connection) -> int:
    """How many entries there are."""
    return connection.execute(select(func.count()).select_from(entries)).scalar_one()


def count_files(connection: Connection) -> int:
    """How many listing files were loaded; those that could not be read have no format."""
    return connection.execute(select(func.count()).select_from(files).where(files.c.format != "")).scalar_one()


def window(connection: Connection, after: int, upto: int | None = None) -> list[Entry]:
    """All entries numbered above `after` (and up to `upto`, if it is given), in order."""
    chosen = select(entries).where(entries.c.number > after).order_by(entries.c.number)
    rows = connection.execute(chosen if upto is None else chosen.where(entries.c.number <= upto)).all()
    return _entries(connection, rows)


def by_numbers(connection: Connection, numbers: Iterable[int]) -> dict[int, Entry]:
    """These entries, by number."""
    rows = [
        row
        for some in batches(set(numbers))
        for row in connection.execute(select(entries).where(entries.c.number.in_(some)))
    ]
    return {entry.number: entry for entry in _entries(connection, rows)}


def with_keys(connection: Connection, wanted: Collection[str]) -> list[int]:
    """The numbers of entries with one of these keys."""
    found = select(keys.c.entry).distinct().where(keys.c.key.in_(wanted)).order_by(keys.c.entry)
    return list(connection.execute(found).scalars())


def titled(
    connection: Connection, words: Sequence[str], among: Collection[int] | None = None, most: int | None = None
) -> list[int]:
    """The numbers of entries, the newest first, whose title has all these words, or words with these in them.

    Words are as in the keys of titles: letters and digits, case folded. `among` these entries, or (None) all.
    """
    held = [keys.c.key.like(f"title:%{word}%") for word in words]
    found = select(keys.c.entry).distinct().where(keys.c.key.like("title:%"), *held)
    found = found.order_by(keys.c.entry.desc()).limit(most)
    if among is None:
        return list(connection.execute(found).scalars())
    some_of_them = [connection.execute(found.where(keys.c.entry.in_(some))).scalars() for some in batches(among)]
    return sorted(chain.from_iterable(some_of_them), reverse=True)[:most]


def frequencies(connection: Connection, wanted: Collection[str]) -> Frequencies:
    """How common these stems are in all entries ever loaded."""
    counts: dict[str, Count] = {}
    for some in batches(wanted):
        rows = connection.execute(select(stems).where(stems.c.stem.in_(some)))
        counts.update((stem, Count(held, occurring)) for stem, held, occurring in rows)
    return Frequencies(count(connection), counts)


def _entries(connection: Connection, rows: Sequence[Row[Any]]) -> list[Entry]:
    by_root = keys_of(connection, {row.first or row.number for row in rows})
    return [entry(row, tuple(by_root[row.first or row.number])) for row in rows]


def keys_of(connection: Connection, roots: Iterable[int]) -> dict[int, list[str]]:
    """The keys of papers, the strongest first, by the numbers of their roots."""
    found: dict[int, list[str]] = {}
    for some in batches(roots):
        statement = select(keys.c.entry, keys.c.key).where(keys.c.entry.in_(some)).order_by(keys.c.rank, keys.c.key)
        for number, key in connection.execute(statement):
            found.setdefault(number, []).append(key)
    return found


def entry(row: Row[Any], known: tuple[str, ...]) -> Entry:
    """The entry in a row of the table, with its keys."""
    return Entry(
        keys=known,
        title=row.title,
        abstract=row.abstract,
        authors=tuple(row.authors),
        categories=tuple(row.categories),
        source=row.source,
        url=row.url,
        published=row.published,
        votes=row.votes,
        links=tuple(row.links),
        version=row.version,
        updated=row.updated,
        number=row.number,
        first=row.first or 0,
    )


def batches(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists that are short enough for one statement."""
    iterator = iter(values)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some
