"""Words in order, and words near each other: for one way of writing, or for very many at once.

A *way* is a row of terms. Most keywords stand nowhere, and numpy is slow for little; so all ways of the same length are
looked up together: the places of all terms stand in one sorted line, and one binary search finds what comes next after
each place of each way's rarest term.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from digest.matching.arrays import Flags, Numbers, ranges
from digest.matching.index import Spans, Window

_FAR = 1 << 40


Way = tuple[int, tuple[int, ...], int]
"""Whose it is, the terms, and within how many words they stand (0: one behind the other, in this order)."""


class Pieces(NamedTuple):
    """Stretches of tokens that hit, each for its owner."""

    owner: Numbers
    first: Numbers
    last: Numbers

    def only(self, chosen: Flags | Numbers) -> Pieces:
        """The pieces chosen."""
        return Pieces(self.owner[chosen], self.first[chosen], self.last[chosen])

    def distinct(self, stride: int) -> Pieces:
        """Each beginning once for an owner."""
        return self.only(np.unique(self.owner * stride + self.first, return_index=True)[1])


class Places:
    """All places of some terms in one line: those of a term stand together, ascending."""

    def __init__(self, window: Window, terms: Mapping[int, Spans]) -> None:
        self._run, self._stride = window.run, len(window.run) + 2
        self._numbers = np.array(sorted(terms), dtype=np.int64)
        spans = [terms[number] for number in self._numbers.tolist()]
        self._counts = np.array([len(each.first) for each in spans], dtype=np.int64)
        self._stops = np.cumsum(self._counts)
        # Behind all places stands one of no term, so that there always is a next one.
        self._first = np.concatenate([*(each.first for each in spans), [0]]).astype(np.int64)
        self._last = np.concatenate([*(each.last for each in spans), [0]]).astype(np.int64)
        term = np.repeat(np.arange(len(spans) + 1), np.append(self._counts, 1)) * self._stride
        self._starting, ending = term + self._first, term + self._last
        self._by_end = np.argsort(ending, kind="stable")
        self._ending = ending[self._by_end]

    def find(self, ways: Sequence[Way]) -> Pieces:
        """Where each way is found: in order as one stretch, near each other as one stretch for each term."""
        found = [(np.empty(0, np.int64),) * 3]
        for owners, terms, reaches in self._by_length(ways):
            if reaches[0] > 0:
                way, places = self._near(terms, reaches)
                owner = np.repeat(owners[way], terms.shape[1])
                found.append((owner, self._first[places].ravel(), self._last[places].ravel()))
            else:
                way, first, last = self._in_order(terms)
                found.append((owners[way], first, last))
        return Pieces(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _by_length(self, ways: Sequence[Way]) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
        """Owners, terms (two-dimensional) and reaches of the ways of each length, in order and near apart."""
        groups: dict[tuple[int, bool], list[Way]] = {}
        for way in ways:
            groups.setdefault((len(way[1]), way[2] > 0), []).append(way)
        for group in groups.values():
            owners, terms, reaches = zip(*group, strict=True)
            places = np.searchsorted(self._numbers, np.array(terms, dtype=np.int64))
            yield np.array(owners, dtype=np.int64), places, np.array(reaches, dtype=np.int64)

    def _pivots(self, terms: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The places of the rarest term of each way: the way, that term's column in it, the place."""
        counts = self._counts[terms]
        rarest = np.argmin(counts, axis=1)
        ways = np.arange(len(terms))
        few = counts[ways, rarest]
        way = np.repeat(ways, few)
        return way, rarest[way], ranges(self._stops[terms[ways, rarest]] - few, few)

    def _near(self, terms: Numbers, reaches: Numbers) -> tuple[Numbers, Numbers]:
        """The way and the places of its terms, for each place of its rarest term: the shortest stretch with that."""
        way, _, pivot = self._pivots(terms)
        if terms.shape[1] == 1:
            return way, pivot[:, np.newaxis]
        before, after = self._around(terms[way], pivot)
        begin, stop = self._first[before], self._last[after]
        at, reach = self._first[pivot, np.newaxis], reaches[way, np.newaxis]
        own, run = terms[way] * self._stride, self._run[self._first]
        apart = run[before] != run[pivot, np.newaxis], run[after] != run[pivot, np.newaxis]
        # Before the first place of the first term there is none: `before` is then behind the pivot.
        too_early = (self._starting[before] < own) | (begin > at) | apart[0] | (at - begin >= reach)
        too_late = (self._starting[after] >= own + self._stride) | apart[1] | (stop - at >= reach)
        alive = ~(too_early & too_late).any(axis=1)
        begin, stop = np.where(too_early, -_FAR, begin)[alive], np.where(too_late, _FAR, stop)[alive]
        chosen, length = self._shortest(before[alive], after[alive], begin, stop)
        near = length <= reach[alive, 0]
        return way[alive][near], chosen[near]

    def _around(self, terms: Numbers, pivot: Numbers) -> tuple[Numbers, Numbers]:
        """For each term its last place that begins no later than the pivot, and its first that begins no earlier."""
        wanted = terms * self._stride + self._first[pivot, np.newaxis]
        after = np.searchsorted(self._starting, wanted)
        return np.maximum(after - (self._starting[after] != wanted), 0), after

    def _shortest(self, before: Numbers, after: Numbers, begin: Numbers, stop: Numbers) -> tuple[Numbers, Numbers]:
        """The choice of before or after for each term that makes the shortest stretch, and its length."""
        chosen, length = after.copy(), np.full(len(after), _FAR)
        for opening in begin.T:
            inside = begin >= opening[:, np.newaxis]
            stops = np.where(inside, self._last[before], stop).max(axis=1)
            better = stops - opening + 1 < length
            chosen[better] = np.where(inside, before, after)[better]
            length[better] = (stops - opening + 1)[better]
        return chosen, length

    def _in_order(self, terms: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The way, and the stretch in which its terms follow each other without a gap."""
        way, column, pivot = self._pivots(terms)
        first, last = self._first[pivot], self._last[pivot]
        for step in range(1, terms.shape[1]):
            ahead, behind = column + step, column - step
            found, there = self._lookup(self._starting, terms[way, np.minimum(ahead, terms.shape[1] - 1)], last + 1)
            last = np.where(ahead < terms.shape[1], self._last[found], last)
            fits = there | (ahead >= terms.shape[1])
            found, there = self._lookup(self._ending, terms[way, np.maximum(behind, 0)], first - 1)
            first = np.where(behind >= 0, self._first[self._by_end[found]], first)
            fits &= there | (behind < 0)
            way, column, first, last = way[fits], column[fits], first[fits], last[fits]
        one_run = self._run[first] == self._run[last]
        return way[one_run], first[one_run], last[one_run]

    def _lookup(self, line: Numbers, terms: Numbers, positions: Numbers) -> tuple[Numbers, Flags]:
        """The place in the line of each term at each position, and whether it is there."""
        wanted = terms * self._stride + positions
        found = np.minimum(np.searchsorted(line, wanted), len(line) - 1)
        return found, line[found] == wanted
