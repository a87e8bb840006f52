"""Every distinct query of all profiles, evaluated once over the window.

A row is a keyword in one sense, a column an entry. The numbers are complex: the real part is the keyword's score, the
imaginary part is 1 where it hits and EXCLUDES where it keeps the entry out. So one sparse product of profiles × rows
gives the score of every entry, and an entry qualifies where the imaginary part is above 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from digest.matching.frequencies import Lookup
from digest.matching.index import Window
from digest.matching.score import Scorer
from digest.matching.search import Search, Sense
from digest.model import MatchMode, Profile
from digest.profiles import Keyword, parse

EXCLUDES = -1e9
"""Outweighs whatever hits can add up to."""

_AT_ONCE = 20_000
"""Rows evaluated together: enough for numpy to be fast, few enough to take little memory."""

Matrix = sparse.csr_array[np.complex64]
Number = TypeVar("Number", np.int32, np.complex64)


class Row(NamedTuple):
    """A keyword in one sense."""

    keyword: Keyword
    sense: Sense


class Table:
    """The queries of one window. `numbers` adds rows as profiles bring new keywords; `matrix` evaluates what is new."""

    def __init__(self, window: Window, frequencies: Lookup) -> None:
        self.window, self.search = window, Search(window)
        self.rows: list[Row] = []
        self._scorer = Scorer(window, self.search.terms, frequencies)
        self._numbers: defaultdict[tuple[MatchMode, bool], dict[str, int]] = defaultdict(dict)
        self._weights: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._hits: list[bool] = []
        self._evaluated = _Stack(len(window.entries))

    def numbers(self, profile: Profile) -> list[int]:
        """The rows of a profile's keywords. Raises QueryError."""
        known = self._numbers[profile.match, profile.capitals]
        try:
            return list(map(known.__getitem__, profile.keywords))
        except KeyError:
            sense = Sense.of(profile.match, capitals=profile.capitals)
            for keyword in profile.keywords:
                if keyword not in known:
                    self.rows.append(Row(parse(keyword), sense))
                    known[keyword] = len(self.rows) - 1
        return [known[keyword] for keyword in profile.keywords]

    def matrix(self) -> Matrix:
        """All rows, as described above: shape (rows, entries), complex."""
        while new := self.rows[self._evaluated.height : self._evaluated.height + _AT_ONCE]:
            self._evaluated.append(self._evaluate(new))
        return self._evaluated.matrix()

    def weights(self) -> NDArray[np.float32]:
        """The weight of each row in a profile's score."""
        new = [row.keyword for row in self.rows[len(self._weights) :]]
        if new:
            weights = [1.0 if keyword.excluded else keyword.weight for keyword in new]
            self._weights = np.append(self._weights, np.array(weights, dtype=np.float32))
        return self._weights

    def hits(self, row: int) -> bool:
        """Whether an (evaluated) row hits any entry."""
        return self._hits[row]

    def _evaluate(self, rows: Sequence[Row]) -> Matrix:
        excluded = np.array([row.keyword.excluded for row in rows])
        found = self.search.find([(row.keyword.query, row.sense) for row in rows])
        for leaf, row in enumerate(found.owner.tolist()):
            if excluded[row]:
                found.leaves[leaf] = found.leaves[leaf].mute()
        shape = (len(rows), len(self.window.entries))
        place = found.owner[found.pieces.owner], self.window.column[found.pieces.first]
        hits = sparse.coo_array((np.ones(len(place[0]), dtype=np.bool_), place), shape=shape).tocsr()
        self._hits += (np.diff(hits.indptr) > 0).tolist()
        scores = self._scorer.score(found, hits, self.search.rows(found))
        says = np.repeat(np.where(excluded, EXCLUDES * 1j, 1j).astype(np.complex64), np.diff(hits.indptr))
        return scores.astype(np.complex64) + sparse.csr_array((says, hits.indices, hits.indptr), shape=shape)


class _Stack:
    """A sparse matrix that grows downwards; its arrays have room to spare, so that growth is cheap."""

    def __init__(self, width: int) -> None:
        self.height = 0
        self._width = width
        self._bounds = np.zeros(1, dtype=np.int32)
        self._columns = np.empty(0, dtype=np.int32)
        self._data = np.empty(0, dtype=np.complex64)

    def append(self, block: Matrix) -> None:
        start, stop = int(self._bounds[self.height]), int(self._bounds[self.height]) + block.nnz
        height = self.height + block.shape[0]
        self._bounds = _with_room(self._bounds, height + 1)
        self._columns, self._data = _with_room(self._columns, stop), _with_room(self._data, stop)
        self._bounds[self.height + 1 : height + 1] = block.indptr[1:] + start
        self._columns[start:stop], self._data[start:stop] = block.indices, block.data
        self.height = height

    def matrix(self) -> Matrix:
        stop = int(self._bounds[self.height])
        arrays = self._data[:stop], self._columns[:stop], self._bounds[: self.height + 1]
        return sparse.csr_array(arrays, shape=(self.height, self._width))


def _with_room(array: NDArray[Number], size: int) -> NDArray[Number]:
    """The array, or a copy half as long again as is needed now."""
    if size <= len(array):
        return array
    longer = np.empty(size + size // 2, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
