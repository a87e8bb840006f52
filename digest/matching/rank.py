"""Which entries each reader gets, best first: thousands of readers at a time.

Rules
-----
1. An entry qualifies for a profile if a keyword hits and no exclusion does; a new version of one (`updated`) only for
   readers who want updates and for whom the entry itself is not new.
2. Of several tellings of one entry that qualify for a reader only the one told last stays.
3. A reader with several profiles gets each entry once, with its best score. Equal scores are ordered by votes, then
   recency, then key, so that the order is total and the same at every run, whoever is ranked together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from digest.matching import arrays
from digest.matching.arrays import WORD, Bits, Flags, Floats, Ints, Numbers, bounds_of, has, packed, ranges, unpacked
from digest.matching.crowd import Crowd
from digest.matching.sums import Few, Many
from digest.matching.table import Evaluated
from digest.model import Entry, Profile

_SIGN = np.int32(-(1 << 31))
_MOST = np.int64((1 << 31) - 1)
_NOT_IN = np.where(np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1, bitorder="little"), 0, _SIGN)
"""For each octet of a set: the sign for each column that is not in it."""

_Kind = TypeVar("_Kind", bound=np.generic)


class Reader(NamedTuple):
    """Whose profiles are matched: the `most` best entries, of those numbered above `watermark`, maybe with updates."""

    profiles: tuple[Profile, ...]
    watermark: int = 0
    most: int = 20
    updates: bool = False


class Ranked(NamedTuple):
    """The best columns of each reader: reader n has columns[bounds[n]:bounds[n + 1]], with their scores.

    `matched` counts per reader all columns that qualified, also those beyond the limit; `qualifying` are the columns
    that qualify for each profile.
    """

    bounds: Numbers
    columns: Ints
    scores: Floats
    matched: Numbers
    qualifying: Bits


def in_tie_order(entries: Sequence[Entry]) -> list[Entry]:
    """Entries as equal scores leave them: most votes first, then the newest, then by key."""
    return sorted(entries, key=lambda entry: (-(entry.votes or 0), -_day(entry), entry.key))


class Ranker:
    """Ranks readers of one window, whose entries are in tie order."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.numbers: Numbers = np.array([entry.number for entry in entries], dtype=np.int64)
        self._updated: Flags = np.array([entry.updated for entry in entries], dtype=bool)
        self._first: Numbers = np.array([entry.first for entry in entries], dtype=np.int64)
        self._every = np.sort(self.numbers)
        self._plain = np.sort(self.numbers[~self._updated])
        self._tellings = _tellings(entries)
        self.width = arrays.words(len(entries)) * WORD

    def considered(self, crowd: Crowd) -> Numbers:
        """How many entries are new to each reader, updates among them for those who want some."""
        every, plain = (
            len(some) - np.searchsorted(some, crowd.watermarks, side="right") for some in (self._every, self._plain)
        )
        return np.where(crowd.updates, every, plain)

    def rank(self, table: Evaluated, sums: Few | Many, crowd: Crowd, more: int) -> Ranked:
        """The `most` best of each reader and `more` others."""
        lines = _Lines.of(crowd)
        rows, bounds = lines.rows(crowd)
        qualifying = _qualifying(table, rows, bounds)
        self._only_new(qualifying, crowd, lines)
        wanted = lines.folded(qualifying.copy(), np.bitwise_or)
        self._told_last(wanted, qualifying, lines)
        scores = sums.of(rows, bounds).view(np.int32)
        scores |= np.take(_NOT_IN, qualifying.astype("<u8", copy=False).view(np.uint8), axis=0).reshape(scores.shape)
        best = _first(lines.folded(scores, np.maximum), wanted, lines.order, crowd.most + more)
        matched = np.empty(len(wanted), dtype=np.int64)
        matched[lines.order] = _sizes(wanted)
        return Ranked(*best, matched, qualifying[lines.line])

    def _only_new(self, qualifying: Bits, crowd: Crowd, lines: _Lines) -> None:
        """Take out what is not new to a reader, or not of a kind that they want."""
        marks, which = np.unique(crowd.watermarks * 2 + crowd.updates, return_inverse=True)
        watermark, wants = marks[:, np.newaxis] >> 1, (marks[:, np.newaxis] & 1).astype(bool)
        flags = (self.numbers > watermark) & (~self._updated | (wants & (self._first <= watermark)))
        if not flags.all():
            lines.mask(qualifying, packed(flags)[which[lines.order]])

    def _told_last(self, wanted: Bits, qualifying: Bits, lines: _Lines) -> None:
        """Rule 2: take all but the last tellings out of both."""
        if self._tellings:
            again = np.zeros((len(wanted), self.width), dtype=bool)
            for earlier, later in self._tellings:
                again[:, earlier] |= has(wanted, np.arange(len(wanted))[:, np.newaxis], later)
            left = ~packed(again)
            wanted &= left
            lines.mask(qualifying, left)


class _Lines(NamedTuple):
    """Profiles in such an order that each reader's first stand first, the second ones behind, and so on.

    Those who have the most come first each time, so what belongs to one reader stands at one place of every block.
    `order`: the readers; `line`: of each profile of the crowd, its line. A reader without one has an empty line.
    """

    order: Numbers
    line: Numbers
    sizes: Numbers

    @classmethod
    def of(cls, crowd: Crowd) -> _Lines:
        counts, places = np.bincount(crowd.owner, minlength=len(crowd.watermarks)), crowd.places
        order = np.argsort(-counts, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        sizes = np.bincount(places[places > 0], minlength=1)
        sizes[0] = len(order)
        return cls(order, bounds_of(sizes)[places] + place[crowd.owner], sizes)

    def rows(self, crowd: Crowd) -> tuple[Ints, Numbers]:
        """The rows of each line, and their bounds."""
        starts, counts = np.zeros((2, int(self.sizes.sum())), dtype=np.int64)
        starts[self.line], counts[self.line] = crowd.bounds[:-1], np.diff(crowd.bounds)
        return crowd.rows[ranges(starts, counts)], bounds_of(counts)

    def blocks(self, array: NDArray[_Kind]) -> list[NDArray[_Kind]]:
        """The lines of all readers' first profiles, of the second ones, and so on."""
        return np.split(array, np.cumsum(self.sizes)[:-1])

    def folded(self, array: NDArray[_Kind], fold: np.ufunc) -> NDArray[_Kind]:
        """What belongs to each reader as one, in their order; the array is used up."""
        first, *others = self.blocks(array)
        for block in others:
            fold(first[: len(block)], block, out=first[: len(block)])
        return first

    def mask(self, sets: Bits, left: Bits) -> None:
        """Keep of each line what is left for its reader."""
        for block in self.blocks(sets):
            np.bitwise_and(block, left[: len(block)], out=block)


def _tellings(entries: Sequence[Entry]) -> list[tuple[Numbers, Numbers]]:
    """Pairs of columns that tell one entry, the earlier and the later, so parted that no column is earlier twice."""
    told: defaultdict[int, list[int]] = defaultdict(list)
    for column in sorted(range(len(entries)), key=lambda column: entries[column].number):
        told[entries[column].root].append(column)
    by_distance: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for columns in told.values():
        for (place, earlier), (further, later) in combinations(enumerate(columns), 2):
            by_distance[further - place].append((earlier, later))
    return [tuple(np.array(pairs, dtype=np.int64).T) for pairs in by_distance.values()]


def _qualifying(table: Evaluated, rows: Ints, bounds: Numbers) -> Bits:
    """The columns that a keyword of each profile hits, and no exclusion."""
    excluded = table.excluded[rows]
    hit = _union(table.bits, rows, bounds, table.hits[rows] & ~excluded)
    if excluded.any():
        hit &= ~_union(table.bits, rows, bounds, excluded)
    return hit


def _union(bits: Bits, rows: Ints, bounds: Numbers, chosen: Flags) -> Bits:
    """The sets of those rows of each profile that are chosen, as one."""
    counts = np.diff(np.append(0, np.cumsum(chosen))[bounds])
    union = np.zeros((len(counts), bits.shape[1]), dtype=np.uint64)
    some = np.flatnonzero(counts)
    if len(some):
        sets = np.take(bits, rows[chosen], axis=0)
        union[some] = np.bitwise_or.reduceat(sets, bounds_of(counts[some])[:-1], axis=0)
    return union


def _sizes(sets: Bits) -> Numbers:
    sizes: Numbers = np.bitwise_count(sets).sum(axis=1, dtype=np.int64)
    return sizes


def _first(best: Ints, wanted: Bits, order: Numbers, limits: Numbers) -> tuple[Numbers, Ints, Floats]:
    """Bounds, columns and scores of the best wanted columns of each reader; whose each row is, `order` says.

    `best` has the bits of scores, which rise with these.
    """
    width, counts = best.shape[1], _sizes(wanted)
    at = np.flatnonzero(unpacked(wanted, width))
    score = np.take(best, at)
    if counts.max(initial=0) > (limit := int(limits.max(initial=0))):
        chosen = np.flatnonzero(score >= np.repeat(_threshold(score, counts, limit), counts))
        at, score = at[chosen], score[chosen]
    row, column = np.divmod(at, width)
    # Reader, falling score and column in one integer: a plain sort of those is many times faster than lexsort.
    bits = width.bit_length()
    codes = (order[row] << 32 | (_MOST - score)) << bits | column
    codes.sort()
    counts = np.bincount(order[row], minlength=len(best))
    place = np.arange(len(codes)) - np.repeat(bounds_of(counts)[:-1], counts)
    codes = codes[place < np.repeat(limits, counts)]
    scores = (_MOST - (codes >> bits & ((1 << 32) - 1))).astype(np.int32).view(np.float32)
    return bounds_of(np.minimum(counts, limits)), (codes & ((1 << bits) - 1)).astype(np.int32), scores


def _threshold(score: Ints, counts: Numbers, limit: int) -> Ints:
    """For each reader a score that the `limit` best of theirs reach, and few others."""
    most = int(counts.max())
    # Floats are parted many times faster than integers, and those that differ faster than equal ones.
    line = np.arange(most)
    side_by_side = np.tile(-1 - line.astype(np.float32), (len(counts), 1))
    side_by_side[line < counts[:, np.newaxis]] = score.view(np.float32)
    side_by_side.partition(most - limit, axis=1)
    return np.maximum(side_by_side[:, most - limit].copy().view(np.int32), 0)


def _day(entry: Entry) -> int:
    return entry.published.toordinal() if entry.published else 0
