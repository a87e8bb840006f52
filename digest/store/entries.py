"""Listing files and entries: what was loaded, from where, and how common its words are.

An entry is the same as one already there if they share a key, unless both have a stronger key of the same kind and
those differ (two papers may have one title). An entry seen again keeps what it has; the sighting is noted, and what it
did not have yet (a key, an abstract, a link) is added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Row, Table, func, insert, select

from digest.matching.frequencies import Count, Frequencies
from digest.model import Entry, Listing, State
from digest.store.dialect import insert_or
from digest.store.schema import editions, entries, files, keys, rejections, sightings, stems

_AT_ONCE = 500
"""Values in one IN list; SQLite and PostgreSQL both take more, no faster."""
_GAINED, _NOTHING = ("abstract", "authors", "categories", "url", "published", "votes"), ("", (), None)
T = TypeVar("T")


class File(NamedTuple):
    """A listing file: what it is known by."""

    path: str
    digest: str
    size: int
    mtime_ns: int


def known_files(connection: Connection) -> set[tuple[str, int, int]]:
    """Path, size and time of modification of every file ever loaded."""
    return {tuple(row) for row in connection.execute(select(files.c.path, files.c.size, files.c.mtime_ns))}


def is_loaded(connection: Connection, file: File) -> bool:
    """Whether a file with this content was loaded, under whatever name."""
    return connection.execute(select(files.c.id).where(files.c.digest == file.digest)).first() is not None


def save(connection: Connection, file: File, listing: Listing, now: int) -> int:
    """Store a listing whole; return how many of its entries are new."""
    number: int = connection.execute(
        insert(files)
        .values(
            **file._asdict(),
            loaded_at=now,
            format=listing.format,
            curator=listing.curator,
            listed_on=listing.date,
            entries=len(listing.entries),
            new=0,
            warnings=list(listing.warnings),
        )
        .returning(files.c.id)
    ).scalar_one()
    if listing.rejected:
        rows = [{"file": number, "line": r.line, "reason": r.reason, "excerpt": r.excerpt} for r in listing.rejected]
        connection.execute(insert(rejections), rows)
    new = _save_entries(connection, number, listing.entries, now)
    connection.execute(files.update().where(files.c.id == number).values(new=new))
    return new


def _save_entries(connection: Connection, file: int, listed: Sequence[Entry], now: int) -> int:
    known = _Known(connection, listed)
    fresh: list[Entry] = []
    again: list[Entry] = []
    seen: dict[int, dict[str, Any]] = {}
    for position, entry in enumerate(listed, start=1):
        number, is_new = known.number(entry)
        (fresh if is_new else again).append(replace(entry, number=number))
        seen.setdefault(number, {"entry": number, "file": file, "position": position, "votes": entry.votes})
    _insert(connection, entries, [_row(entry, now) for entry in fresh])
    _insert(connection, keys, known.added)
    _insert(connection, sightings, seen.values())
    _fill(connection, again)
    _count_words(connection, fresh)
    return len(fresh)


class _Known:
    """The keys of a listing's entries that are known already, and those that it adds."""

    def __init__(self, connection: Connection, listed: Iterable[Entry]) -> None:
        self._numbers: dict[str, int] = {}
        for some in _batches({key for entry in listed for key in entry.keys}):
            known = connection.execute(select(keys.c.key, keys.c.entry).where(keys.c.key.in_(some)))
            self._numbers |= {row.key: row.entry for row in known}
        self._keys: dict[int, set[str]] = {}
        for batch in _batches(set(self._numbers.values())):
            for key, number in connection.execute(select(keys.c.key, keys.c.entry).where(keys.c.entry.in_(batch))):
                self._keys.setdefault(number, set()).add(key)
        self._newest = newest_number(connection)
        self.added: list[dict[str, Any]] = []

    def number(self, entry: Entry) -> tuple[int, bool]:
        """The number of an entry, and whether it is a new one."""
        same = (self._numbers[key] for key in entry.keys if key in self._numbers)
        number = next((number for number in same if _agree(entry.keys, self._keys[number])), None)
        own = [key for key in entry.keys if key not in self._numbers]
        if number is None and not own:  # it would be an entry without keys
            number = self._numbers[entry.key]
        is_new = number is None
        if number is None:
            number = self._newest = self._newest + 1
        held = self._keys.setdefault(number, set())
        for key in own:
            self._numbers[key] = number
            self.added.append({"key": key, "entry": number, "rank": len(held)})
            held.add(key)
        return number, is_new


def _agree(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether no identifier of the one contradicts one of the other."""
    one, other = _identifiers(some), _identifiers(others)
    return all(one[kind] == other[kind] for kind in one.keys() & other.keys())


def _identifiers(some: Iterable[str]) -> dict[str, str]:
    pairs = (key.split(":", 1) for key in some)
    return {kind: value for kind, value in pairs if kind not in ("title", "url")}


def _fill(connection: Connection, again: Collection[Entry]) -> None:
    """Give entries seen again what they did not have yet; what an edition may hold stays, or a retry would differ."""
    if not again:
        return
    held = connection.execute(select(func.max(editions.c.upto)).where(editions.c.state != State.EMPTY)).scalar() or 0
    by_number = {entry.number: entry for entry in again if entry.number > held}
    for number, stored in by_numbers(connection, by_number).items():
        new = by_number[number]
        wanting = [name for name in _GAINED if getattr(stored, name) in _NOTHING]
        values = {name: getattr(new, name) for name in wanting if getattr(new, name) not in _NOTHING}
        if values:
            connection.execute(entries.update().where(entries.c.number == number).values(**values))


def _count_words(connection: Connection, fresh: Iterable[Entry]) -> None:
    counted = Frequencies.count(fresh)
    rows = [
        {"stem": stem, "entries": count.entries, "occurrences": count.occurrences}
        for stem, count in counted.by_stem.items()
    ]
    if rows:
        statement = insert_or(connection, stems)
        added = {name: stems.c[name] + statement.excluded[name] for name in ("entries", "occurrences")}
        connection.execute(statement.on_conflict_do_update(index_elements=["stem"], set_=added), rows)


def newest_number(connection: Connection) -> int:
    """The number of the entry loaded last (0: none yet)."""
    newest: int = connection.execute(select(func.coalesce(func.max(entries.c.number), 0))).scalar_one()
    return newest


def newest_file(connection: Connection) -> int:
    """The number of the file loaded last (0: none yet)."""
    newest: int = connection.execute(select(func.coalesce(func.max(files.c.id), 0))).scalar_one()
    return newest


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
        for some in _batches(set(numbers))
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
    batches = [connection.execute(found.where(keys.c.entry.in_(some))).scalars() for some in _batches(among)]
    return sorted(chain.from_iterable(batches), reverse=True)[:most]


def frequencies(connection: Connection, wanted: Collection[str]) -> Frequencies:
    """How common these stems are in all entries ever loaded."""
    counts: dict[str, Count] = {}
    for some in _batches(wanted):
        rows = connection.execute(select(stems).where(stems.c.stem.in_(some)))
        counts.update((stem, Count(held, occurring)) for stem, held, occurring in rows)
    return Frequencies(count(connection), counts)


def _entries(connection: Connection, rows: Sequence[Row[Any]]) -> list[Entry]:
    by_number: dict[int, list[str]] = {}
    for some in _batches([row.number for row in rows]):
        statement = select(keys.c.entry, keys.c.key).where(keys.c.entry.in_(some)).order_by(keys.c.rank, keys.c.key)
        for number, key in connection.execute(statement):
            by_number.setdefault(number, []).append(key)
    return [
        Entry(
            keys=tuple(by_number[row.number]),
            title=row.title,
            abstract=row.abstract,
            authors=tuple(row.authors),
            categories=tuple(row.categories),
            source=row.source,
            url=row.url,
            published=row.published,
            votes=row.votes,
            number=row.number,
        )
        for row in rows
    ]


def _row(entry: Entry, now: int) -> dict[str, Any]:
    return {
        "number": entry.number,
        "title": entry.title,
        "abstract": entry.abstract,
        "authors": entry.authors,
        "categories": entry.categories,
        "source": entry.source,
        "url": entry.url,
        "published": entry.published,
        "votes": entry.votes,
        "loaded_at": now,
    }


def _insert(connection: Connection, table: Table, rows: Collection[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some
