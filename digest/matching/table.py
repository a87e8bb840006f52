"""Every distinct query of all profiles, evaluated once over the window.

A row is a keyword in one sense, a column an entry. Of each row the table knows the columns that it hits, as a set; what
it scores, as a mixture of sources (see `score`); and the pieces of text that hit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from digest.errors import QueryError
from digest.matching import arrays
from digest.matching.arrays import Bits, Flags, Growing, Numbers, Sparse, Stack, begins, bounds_of, members, ranges
from digest.matching.frequencies import Lookup
from digest.matching.index import Window
from digest.matching.near import Pieces
from digest.matching.score import Hits, Scorer
from digest.matching.search import Search, Sense
from digest.model import MatchMode, Profile
from digest.profiles import Keyword, parse

_AT_ONCE = 20_000
"""Rows evaluated together: enough for numpy to be fast, few enough to take little memory."""
BROAD = 32
"""A source is broad if it stands in at least one of so many columns."""

Asked = tuple[str, MatchMode, bool]
"""A keyword as typed, what several words mean, and whether capitals are meant as such."""


class Row(NamedTuple):
    """A keyword in one sense, and as typed."""

    typed: str
    keyword: Keyword
    sense: Sense


class Evaluated(NamedTuple):
    """What is known of each row: the columns it hits, whether it hits any, and whether it excludes them.

    What it scores, by its weight, is a mixture of broad sources and one of narrow ones.
    """

    bits: Bits
    hits: Flags
    excluded: Flags
    broad: Sparse
    narrow: Sparse
    sources: Sparse
    is_broad: Flags
    """Of each source."""


class Table:
    """The queries of one window. Keywords are added as profiles bring them; `evaluated` evaluates what is new."""

    def __init__(self, window: Window, frequencies: Lookup) -> None:
        self.window, self.search = window, Search(window)
        self.rows: list[Row] = []
        self.faults: dict[Asked, str] = {}
        """Why keywords that were asked for cannot be read."""
        self._scorer = Scorer(window, self.search.terms, frequencies)
        self._numbers: defaultdict[tuple[MatchMode, bool], dict[str, int]] = defaultdict(dict)
        self._bits: Growing[np.uint64] = Growing(np.uint64, arrays.words(len(window.entries)))
        self._hitting: Growing[np.bool_] = Growing(np.bool_)
        self._excluded: Growing[np.bool_] = Growing(np.bool_)
        self._broad, self._narrow = Stack(), Stack()
        self._stride = len(window.run) + 2
        self._first: Growing[np.int64] = Growing(np.int64)
        self._last: Growing[np.int32] = Growing(np.int32)
        self._starts = np.searchsorted(window.column, np.arange(len(window.entries) + 1))

    def add(self, asked: Iterable[Asked]) -> list[int]:
        """The rows of some keywords; -1 for one that cannot be read, and `faults` says why."""
        numbers = []
        for keyword, match, capitals in asked:
            known = self._numbers[match, capitals]
            number = known.get(keyword)
            if number is None:
                number = known[keyword] = self._added(keyword, match, capitals)
            numbers.append(number)
        return numbers

    def _added(self, typed: str, match: MatchMode, capitals: bool) -> int:
        try:
            keyword = parse(typed)
        except QueryError as fault:
            self.faults[typed, match, capitals] = str(fault)
            return -1
        self.rows.append(Row(typed, keyword, Sense.of(match, capitals=capitals)))
        return len(self.rows) - 1

    def numbers(self, profile: Profile) -> list[int]:
        """The rows of a profile's keywords. Raises QueryError."""
        numbers = self.add([(keyword, profile.match, profile.capitals) for keyword in profile.keywords])
        if -1 in numbers:
            parse(profile.keywords[numbers.index(-1)])
        return numbers

    def evaluated(self) -> Evaluated:
        """All rows, valid until there are more."""
        while new := self.rows[len(self._bits) : len(self._bits) + _AT_ONCE]:
            self._evaluate(new)
        arrays = self._bits.array, self._hitting.array, self._excluded.array
        return Evaluated(*arrays, self._broad.rows, self._narrow.rows, self._scorer.sources.rows, self._is_broad())

    @property
    def cells(self) -> int:
        """How many scores and pieces of text are kept."""
        return len(self._scorer.sources.rows.columns) + len(self._first)

    def pieces(self, rows: Numbers, columns: Numbers) -> Pieces:
        """The pieces of text with which (evaluated) rows hit columns; the owner is the place of such a pair."""
        codes = self._first.array
        start, stop = (np.searchsorted(codes, rows * self._stride + self._starts[columns + more]) for more in (0, 1))
        places = ranges(start, stop - start)
        owner = np.repeat(np.arange(len(rows)), stop - start)
        return Pieces(owner, codes[places] % self._stride, self._last.array[places].astype(np.int64))

    def _evaluate(self, rows: Sequence[Row]) -> None:
        excluded = np.array([row.keyword.excluded for row in rows])
        found = self.search.find([(row.keyword.query, row.sense) for row in rows])
        for leaf in np.flatnonzero(excluded[found.owner]).tolist():
            found.leaves[leaf] = found.leaves[leaf].mute()
        pieces = self._merged(found.pieces._replace(owner=found.owner[found.pieces.owner]))
        hits = self._hits(pieces, len(rows))
        self._add(rows, self._scorer.score(found, hits, self.search.rows(found)))
        self._first.extend((pieces.owner + len(self._bits)) * self._stride + pieces.first)
        self._last.extend(pieces.last.astype(np.int32))
        self._hitting.extend(np.diff(hits.bounds) > 0)
        self._excluded.extend(excluded)
        row = np.repeat(np.arange(len(rows)), np.diff(hits.bounds))
        self._bits.extend(members(row, hits.columns, len(rows), len(self.window.entries)))

    def _add(self, rows: Sequence[Row], mixture: Sparse) -> None:
        weights = np.array([row.keyword.weight for row in rows], dtype=np.float32)
        weighted = mixture._replace(values=mixture.values * np.repeat(weights, mixture.counts))
        broad = self._is_broad()[mixture.columns]
        self._broad.extend(weighted.only(broad))
        self._narrow.extend(weighted.only(~broad))

    def _is_broad(self) -> Flags:
        return self._scorer.sources.rows.counts * BROAD >= len(self.window.entries)

    def _merged(self, pieces: Pieces) -> Pieces:
        """Each owner's pieces in the order of the text, neighbours in one run made one."""
        run = self.window.run
        order = np.argsort(pieces.owner * self._stride + pieces.first, kind="stable")
        owner, first, last = pieces.only(order)
        reached = np.maximum.accumulate(owner * self._stride + last) - owner * self._stride
        begin = begins(owner)
        begin[1:] |= (first[1:] > reached[:-1] + 1) | (run[first[1:]] != run[first[:-1]])
        ends = np.append(begin[1:], True)[: len(begin)]
        return Pieces(owner[begin], first[begin], reached[ends])

    def _hits(self, pieces: Pieces, height: int) -> Hits:
        column = self.window.column[pieces.first]
        first = begins(pieces.owner * len(self.window.entries) + column)
        return Hits(bounds_of(np.bincount(pieces.owner[first], minlength=height)), column[first])
