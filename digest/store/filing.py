"""How listings come in: each file whole, in one transaction, some entries at a time; what they change is written.

Which entries are one paper, and what is new about it, is decided in `papers`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, literal, or_, select

from digest.matching.frequencies import Frequencies
from digest.model import Entry, Listing, Rejection, State
from digest.papers import Paper, agree, strength
from digest.store.dialect import insert_or
from digest.store.entries import File, batches, entry, keys_of, newest_number
from digest.store.schema import editions, entries, files, keys, rejections, sightings, stems

_AT_ONCE = 2_000
"""Entries looked up and written together: enough for speed, few enough for memory."""
_COLUMNS = tuple(one.name for one in fields(Entry) if one.name not in ("keys", "first"))

OnProgress = Callable[[int], object]
"""Is told how many entries of a listing are filed."""


class Saved(NamedTuple):
    """How many papers of a listing are new, and how many have a new version."""

    new: int = 0
    updated: int = 0


def save(
    connection: Connection, file: File, listing: Listing, now: int, on_progress: OnProgress | None = None
) -> Saved:
    """Store a listing whole."""
    number = _file(connection, file, listing, now)
    if listing.rejected:
        connection.execute(insert(rejections), [_rejection(number, one) for one in listing.rejected])
    held = connection.execute(select(func.max(editions.c.upto)).where(editions.c.state != State.EMPTY)).scalar() or 0
    done, fresh = Saved(), list[Entry]()
    for start in range(0, len(listing.entries), _AT_ONCE):
        some = listing.entries[start : start + _AT_ONCE]
        shelf = _Shelf(connection, some, held)
        places = range(start + 1, start + 1 + len(some)) if listing.ranked else [0] * len(some)
        told = [(shelf.file(one), place, one) for place, one in zip(places, some, strict=True)]
        fresh += shelf.write(now)
        _note_sightings(connection, number, told)
        done = Saved(done.new + shelf.new, done.updated + shelf.updated)
        if on_progress:
            on_progress(start + len(some))
    _count_words(connection, fresh)
    connection.execute(files.update().where(files.c.id == number).values(new=done.new))
    return done


def _file(connection: Connection, file: File, listing: Listing, now: int) -> int:
    values = {
        **file._asdict(),
        "loaded_at": now,
        "format": listing.format,
        "curator": listing.curator,
        "listed_on": listing.date,
        "entries": len(listing.entries),
        "new": 0,
        "warnings": list(listing.warnings),
    }
    number: int = connection.execute(insert(files).values(values).returning(files.c.id)).scalar_one()
    return number


def _rejection(file: int, one: Rejection) -> dict[str, Any]:
    return {"file": file, "line": one.line, "reason": one.reason, "excerpt": one.excerpt}


def _note_sightings(connection: Connection, file: int, told: Iterable[tuple[Paper, int, Entry]]) -> None:
    seen: dict[int, dict[str, Any]] = {}
    for paper, place, one in told:
        seen.setdefault(
            paper.root,
            {
                "entry": paper.root,
                "file": file,
                "position": place,
                "source": one.source,
                "votes": one.votes,
                "version": one.version,
            },
        )
    connection.execute(insert_or(connection, sightings).on_conflict_do_nothing(), list(seen.values()))


class _Shelf:
    """The papers that some listed entries may be, as they are in the database and as they become."""

    def __init__(self, connection: Connection, listed: Sequence[Entry], held: int) -> None:
        self.new = self.updated = 0
        self._connection, self._held = connection, held
        self._stored_keys: dict[str, int] = {}
        self._stored_rows: dict[int, Entry] = {}
        self._newest = newest_number(connection)
        self._by_key: dict[str, Paper] = {}
        self._merged: dict[int, Paper] = {}
        roots = set[int]()
        for some in batches({key for one in listed for key in one.keys}):
            roots.update(connection.execute(select(keys.c.entry).where(keys.c.key.in_(some))).scalars())
        self._read(roots)

    def _read(self, roots: Collection[int]) -> None:
        papers = {root: Paper(set(known)) for root, known in keys_of(self._connection, roots).items()}
        for some in batches(roots):
            chosen = or_(entries.c.number.in_(some), entries.c.first.in_(some))
            for row in self._connection.execute(select(entries).where(chosen).order_by(entries.c.number)):
                told = self._stored_rows[row.number] = entry(row, ())
                papers[told.root].rows.append(told)
        for root, paper in papers.items():
            self._stored_keys |= dict.fromkeys(paper.keys, root)
            self._by_key |= dict.fromkeys(paper.keys, paper)

    def file(self, one: Entry) -> Paper:
        """The paper that a listed entry is, with what the entry tells of it."""
        paper = self._paper(one)
        is_new = not paper.rows
        if paper.tell(one, self._held, self._newest + 1):
            self._newest += 1
            self.new += is_new
            self.updated += paper.rows[-1].updated and not is_new
        for key in one.keys:
            self._by_key.setdefault(key, paper)
        return paper

    def _paper(self, one: Entry) -> Paper:
        found = {id(paper): paper for key in one.keys if (paper := self._by_key.get(key))}
        same = [paper for paper in found.values() if agree(one.keys, paper.keys)]
        if not same:
            # Where all its keys are taken it would be a paper without keys.
            return Paper() if any(key not in self._by_key for key in one.keys) else self._by_key[one.key]
        paper = min(same, key=lambda paper: paper.root)
        for other in same:
            if other is not paper and agree(paper.keys.union(one.keys), other.keys):
                self._merge(paper, other)
        return paper

    def _merge(self, paper: Paper, other: Paper) -> None:
        self._merged[other.root] = paper
        self._by_key |= {key: paper for key in other.keys if self._by_key[key] is other}
        paper.take_in(other, self._held)

    def write(self, now: int) -> list[Entry]:
        """Write what has changed; return the rows that are new."""
        papers = {id(paper): paper for paper in self._by_key.values()}.values()
        rows = {row.number: row for paper in papers for row in paper.rows}
        fresh = [rows[number] for number in sorted(rows.keys() - self._stored_rows.keys())]
        changed = [row for number, row in rows.items() if self._stored_rows.get(number, row) != row]
        if fresh:
            self._connection.execute(insert(entries), [_row(row) | {"loaded_at": now} for row in fresh])
        if changed:
            columns = [_row(row) | {"which": row.number} for row in changed]
            self._connection.execute(entries.update().where(entries.c.number == bindparam("which")), columns)
        self._write_keys()
        for root, paper in self._merged.items():
            if root in self._stored_rows:
                _move_sightings(self._connection, root, paper.root)
        return fresh

    def _write_keys(self) -> None:
        now_of = {key: paper.root for key, paper in self._by_key.items()}
        fresh = [
            {"key": key, "entry": root, "rank": strength(key)}
            for key, root in now_of.items()
            if key not in self._stored_keys
        ]
        moved = [
            {"which": key, "whose": root} for key, root in now_of.items() if self._stored_keys.get(key, root) != root
        ]
        if fresh:
            self._connection.execute(insert(keys), fresh)
        if moved:
            chosen = keys.update().where(keys.c.key == bindparam("which"))
            self._connection.execute(chosen.values(entry=bindparam("whose")), moved)


def _row(row: Entry) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _COLUMNS} | {"first": row.first or None}


def _move_sightings(connection: Connection, before: int, after: int) -> None:
    """The sightings of a paper that has become one with another, but for those in the same file."""
    others = [column for column in sightings.c if column.name != "entry"]
    moved = select(literal(after), *others).where(sightings.c.entry == before)
    names = ["entry", *(column.name for column in others)]
    connection.execute(insert_or(connection, sightings).from_select(names, moved).on_conflict_do_nothing())
    connection.execute(sightings.delete().where(sightings.c.entry == before))


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
