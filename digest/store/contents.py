"""What is in an edition, as numbers; and why, in words that all editions share.

An entry's number takes four octets, the lowest first, as does a query's; a score is a float of four. The reasons of a
card are, for each profile of the subscriber in turn, the queries of it that hit, and a 0. What a query hits in an entry
is written once, for whoever gets the entry for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from struct import unpack
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, insert, select

from digest.model import Edition, Match, Reason
from digest.store.dialect import Rows
from digest.store.schema import contents, editions, hits, queries, subscribers

Found = Sequence[tuple[str, Sequence[str]]]
"""Where a query hits an entry: fields, and the pieces of their text."""
_MOST_KEPT = 1 << 17
OCTETS = 4
"""Of a number, and of a score."""

SHOWN = select(
    *(editions.c.id, editions.c.subscriber, editions.c.slot, editions.c.since, editions.c.due_at),
    *(editions.c.planned_at, editions.c.matched, editions.c.considered, editions.c.attempts, editions.c.room),
    *(column for column in contents.c if column.name != "edition"),
).join(contents, contents.c.edition == editions.c.id)
"""Editions with what is in them, as `read` takes them."""


class Filling(NamedTuple):
    """Columns of the table, by their names."""

    entries: bytes = b""
    scores: bytes = b""
    reasons: bytes = b""


class Hit(NamedTuple):
    """Why a query hits an entry, both by their numbers."""

    entry: int
    query: int
    found: Found


def fill(connection: Connection, filled: Iterable[tuple[int, int, Filling]]) -> None:
    """Write what is in editions: each one's number and its subscriber's, who is copied as he is now."""
    person = *(subscribers.c[name] for name in ("email", "name", "zone")), subscribers.c.names
    columns = bindparam("number"), *person, *(bindparam(name) for name in Filling._fields)
    names = ("edition", "email", "name", "zone", "profiles", *Filling._fields)
    copied = insert(contents).from_select(names, select(*columns).where(subscribers.c.id == bindparam("whose")))
    rows = [{"number": edition, "whose": whose, **filling._asdict()} for edition, whose, filling in filled]
    if rows:
        connection.execute(copied, rows)


def tell(connection: Connection, told: Sequence[Hit]) -> None:
    """Write why queries hit entries, where that is not written."""
    if told:
        rows = Rows(connection.dialect.name)
        values = {"entry": rows.number(0), "query": rows.number(1), "found": rows.json(2)}
        connection.execute(rows.insert(connection, hits, values).on_conflict_do_nothing(), {"rows": Rows.of(told)})


class Known:
    """Reasons that were read before, for whoever reads many editions: equal ones are one object."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, int], tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {}
        self._made: dict[tuple[int, tuple[str, ...], tuple[tuple[int, ...], ...]], tuple[Reason, ...]] = {}

    def learn(self, connection: Connection, pairs: Collection[tuple[int, int]]) -> None:
        """Read why these queries hit these entries: pairs of entry and query."""
        if len(self._made) > _MOST_KEPT or len(self._told) > _MOST_KEPT:
            self._told, self._made = {}, {}
        if new := [pair for pair in pairs if pair not in self._told]:
            rows = Rows(connection.dialect.name)
            asked = select(hits, queries.c.keyword).join(queries)
            asked = asked.join(rows.table, (hits.c.entry == rows.number(0)) & (hits.c.query == rows.number(1)))
            for row in connection.execute(asked, {"rows": Rows.of(new)}):
                found = tuple((field, tuple(words)) for field, words in row.found)
                self._told[row.entry, row.query] = row.keyword, found

    def reasons(self, entry: int, names: tuple[str, ...], lists: tuple[tuple[int, ...], ...]) -> tuple[Reason, ...]:
        """Every reason for an entry, from the queries that hit for each of these profiles."""
        key = entry, names, lists
        if (made := self._made.get(key)) is None:
            made = self._made[key] = tuple(
                Reason(name, keyword, field, words)
                for name, numbers in zip(names, lists, strict=True)
                for keyword, found in (self._told[entry, number] for number in numbers)
                for field, words in found
            )
        return made


class _Cards(NamedTuple):
    """The numbers of an edition, apart: the queries of card n for profile m are in lists[n * profiles + m]."""

    entries: tuple[int, ...]
    scores: tuple[float, ...]
    names: tuple[str, ...]
    lists: list[tuple[int, ...]]

    def of(self, card: int) -> tuple[tuple[int, ...], ...]:
        """The queries of a card."""
        return tuple(self.lists[card * len(self.names) : (card + 1) * len(self.names)])


def read(connection: Connection, rows: Iterable[Row[*tuple[Any, ...]]], known: Known | None = None) -> list[Edition]:
    """The editions in rows of SHOWN."""
    known, rows = known or Known(), list(rows)
    apart = [_apart(row) for row in rows]
    known.learn(connection, set(chain.from_iterable(map(_pairs, apart))))
    return [_edition(row, cards, known) for row, cards in zip(rows, apart, strict=True)]


def _apart(row: Row[*tuple[Any, ...]]) -> _Cards:
    cards = len(row.scores) // OCTETS
    return _Cards(_numbers(row.entries), unpack(f"<{cards}f", row.scores), tuple(row.profiles), _lists(row.reasons))


def _pairs(cards: _Cards) -> Iterator[tuple[int, int]]:
    for place in range(len(cards.scores)):
        entry = cards.entries[place]
        for number in chain.from_iterable(cards.of(place)):
            yield entry, number


def _edition(row: Row[*tuple[Any, ...]], cards: _Cards, known: Known) -> Edition:
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
            [
                Match(entry, round(score, 4), known.reasons(entry, cards.names, cards.of(place)))
                for place, (entry, score) in enumerate(zip(cards.entries, cards.scores, strict=False))
            ]
        ),
        more=cards.entries[len(cards.scores) :],
        matched=row.matched,
        considered=row.considered,
        profiles=cards.names,
    )


def _numbers(octets: bytes) -> tuple[int, ...]:
    return unpack(f"<{len(octets) // OCTETS}I", octets)


def _lists(octets: bytes) -> list[tuple[int, ...]]:
    """Numbers cut at each 0."""
    numbers, start, found = _numbers(octets), 0, []
    while start < len(numbers):
        end = numbers.index(0, start)
        found.append(numbers[start:end])
        start = end + 1
    return found
