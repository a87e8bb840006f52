"""What very many subscribers get of one window: compact profiles in, fillings of editions out, numbers all the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from digest.fillings import Cut, fillings
from digest.matching import Chosen, Crowd, Selector
from digest.matching.arrays import Growing, Numbers
from digest.store import entries, queries
from digest.store.contents import OCTETS, Filling, Hit
from digest.store.dues import Due
from digest.store.store import Store
from digest.window import had_before, lookup

MOST_KEPT = 500_000
"""Distinct keywords with which a window is kept for the next plan; beyond, memory is worth more than time."""
_NEW, _FAULTY = -2, -1
"""In place of a row: of a query that the table does not have, and of one that cannot be read."""


class Choice(NamedTuple):
    """What one subscriber gets.

    `cards` counts the entries with a card, `oldest` is the lowest number of these; `matched` counts all that qualified,
    `considered` all that were new. `fault`: a keyword cannot be read, so nothing was matched.
    """

    filling: Filling = Filling()
    cards: int = 0
    oldest: int = 0
    matched: int = 0
    considered: int = 0
    fault: str = ""


class Choices(NamedTuple):
    """What some subscribers get; and why their queries hit, where the chooser did not say so before."""

    each: list[Choice]
    hits: list[Hit]


class Chooser:
    """A window, with the queries of the store as subscribers bring them: each is evaluated once."""

    def __init__(self, store: Store, selector: Selector) -> None:
        self._store, self._selector = store, selector
        self._row = np.full(1, _NEW, dtype=np.int32)  # of each query
        self._query: Growing[np.uint32] = Growing(np.uint32)  # of each row
        self._width = -(-len(selector.numbers) // 8)
        self._told: Growing[np.uint8] = Growing(np.uint8, self._width)  # a bit for each column, by row
        self._faults: dict[int, str] = {}
        self._roots = np.array([selector.roots.get(number, 0) for number in selector.numbers.tolist()], dtype=np.int64)

    @property
    def known(self) -> int:
        """How many queries it has evaluated."""
        return len(self._query)

    def choose(self, due: Sequence[Due], more: int) -> Choices:
        """For each subscriber the best entries with reasons, and up to `more` others."""
        compact = [one.queries for one in due]
        faults = self._learn(compact)
        numbers, bounds, owner = _apart([b"" if place in faults else one for place, one in enumerate(compact)])
        most = np.array([one.max_entries for one in due], dtype=np.int64)
        watermarks = np.array([one.watermark for one in due], dtype=np.int64)
        updates = np.array([one.updates for one in due], dtype=np.bool_)
        profiles = np.bincount(owner, minlength=len(due))
        done = Choices([], [])
        for chosen in self._selector.choose(Crowd(self._row[numbers], bounds, owner, watermarks, most, updates), more):
            mine = slice(len(done.each), len(done.each) + len(chosen.matched))
            cut = self._anew(Cut(chosen, np.minimum(most[mine], np.diff(chosen.bounds))), due[mine])
            done.each.extend(self._choices(cut, profiles[mine]))
            done.hits.extend(self._untold(cut.chosen))
        for place, fault in faults.items():
            done.each[place] = done.each[place]._replace(fault=fault)
        return done

    def _learn(self, compact: Sequence[bytes]) -> Mapping[int, str]:
        """Evaluate queries that are new; who has one that cannot be read, by place, and why."""
        numbers = _numbers(compact)
        if (most := int(numbers.max(initial=0))) >= len(self._row):
            self._row = np.append(self._row, np.full(most, _NEW, dtype=np.int32))
        wanted = np.zeros(len(self._row), dtype=np.bool_)
        wanted[numbers] = True
        wanted[0] = False
        if len(new := np.flatnonzero(wanted & (self._row == _NEW))):
            self._read(new)
        faulty = np.flatnonzero(self._row[numbers] == _FAULTY)
        ends = np.cumsum([len(one) // OCTETS for one in compact])
        places = np.searchsorted(ends, faulty, side="right").tolist()
        return {place: self._faults[number] for place, number in zip(places, numbers[faulty].tolist(), strict=True)}

    def _read(self, new: Numbers) -> None:
        table = self._selector.table
        with self._store.read() as connection:
            asked = queries.by_number(connection, new.tolist())
        there = np.array(sorted(asked), dtype=np.int64)  # others went with somebody who wanted to be forgotten
        rows = np.array(table.add([asked[number] for number in there.tolist()]), dtype=np.int64)
        self._row[new], self._row[there] = _FAULTY, rows
        self._query.extend(np.zeros(len(table.rows) - len(self._query), dtype=np.uint32))
        self._query.array[rows[rows >= 0]] = there[rows >= 0]
        faulty = new[self._row[new] == _FAULTY].tolist()
        self._faults |= {one: table.faults[asked[one]] if one in asked else "a keyword is gone" for one in faulty}

    def _anew(self, cut: Cut, due: Sequence[Due]) -> Cut:
        """Without what somebody had before, under another number."""
        roots = self._roots[cut.chosen.columns]
        if not roots.any():
            return cut
        dropped = np.zeros(len(roots), dtype=np.bool_)
        for person, start, stop in zip(due, *_pairs(cut.chosen.bounds), strict=True):
            if (mine := roots[start:stop]).any():
                had = had_before(self._store, person.id, person.watermark, set(mine[mine > 0].tolist()))
                dropped[start:stop] = np.isin(mine, list(had))
        return cut.without(dropped)

    def _choices(self, cut: Cut, profiles: Numbers) -> Iterator[Choice]:
        numbers = self._selector.numbers
        facts = cut.cards, cut.oldest(numbers), cut.chosen.matched, cut.chosen.considered
        filled = fillings(cut, profiles, numbers, self._query.array)
        return map(Choice, filled, *(fact.tolist() for fact in facts))

    def _untold(self, chosen: Chosen) -> list[Hit]:
        """Why queries hit entries, for pairs that were in no choice before."""
        rows, columns = chosen.row, chosen.columns[chosen.card]
        self._told.extend(np.zeros((len(self._query) - len(self._told), self._width), dtype=np.uint8))
        told, words, bits = self._told.array, columns // 8, np.left_shift(1, columns % 8).astype(np.uint8)
        new = np.flatnonzero(told[rows, words] & bits == 0)
        new = new[np.unique(rows[new] * len(self._selector.numbers) + columns[new], return_index=True)[1]]
        np.bitwise_or.at(told, (rows[new], words[new]), bits[new])
        numbers, asked = self._selector.numbers[columns[new]].tolist(), self._query.array[rows[new]].tolist()
        return list(map(Hit, numbers, asked, self._selector.told(rows[new], columns[new])))


def _numbers(compact: Sequence[bytes]) -> Numbers:
    return np.frombuffer(b"".join(compact), dtype="<u4").astype(np.int64)


def _pairs(bounds: Numbers) -> tuple[list[int], list[int]]:
    """Where each begins, and where it ends."""
    return bounds[:-1].tolist(), bounds[1:].tolist()


def _apart(compact: Sequence[bytes]) -> tuple[Numbers, Numbers, Numbers]:
    """Of compact profiles of several people: the queries, where each profile begins and ends, and whose each is."""
    numbers = _numbers(compact)
    ends = np.flatnonzero(numbers == 0)
    owner = np.searchsorted(np.cumsum([len(one) // OCTETS for one in compact]), ends, side="right")
    return numbers[numbers > 0], np.append(0, ends - np.arange(len(ends))), owner


class Ready:
    """The window of the last plan, made ready to be matched: it is the same until another file is loaded.

    Most ticks find few who are due, and to read and index the window takes longer than to match them.
    """

    def __init__(self) -> None:
        self._chooser: Chooser | None = None
        self._of = (-1, -1)
        self.window = 0

    def chooser(self, store: Store, after: int, file: int) -> Chooser:
        """For the entries numbered above `after`, when `file` was the last one loaded."""
        if not self._chooser or self._of != (after, file) or self._chooser.known > MOST_KEPT:
            with store.read() as connection:
                found = entries.window(connection, after)
            self._chooser, self._of, self.window = (
                Chooser(store, Selector(found, lookup(store))),
                (after, file),
                len(found),
            )
        return self._chooser

    def forget(self) -> None:
        """Keep nothing: what was made ready for a plan that failed may never have been written."""
        self._chooser = None
