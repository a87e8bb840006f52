"""The scores of profiles in every column: sums of sources, thousands of profiles at a time.

A broad source is added as a whole row, any other number by number. Each sum is of the same numbers in the same order,
broad sources first, whoever is ranked together: so it is the same to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digest.matching.arrays import Floats, Ints, Numbers, Sparse, bounds_of, ranges
from digest.matching.table import Evaluated

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_BULK = 200
"""From so many profiles on sparse products of scipy are worth its import."""


def sums(table: Evaluated, width: int, profiles: int) -> Few | Many:
    """Ready to add up the scores of so many profiles in so many columns."""
    return Few(table, width) if profiles < _BULK else Many(table, width)


class Few:
    """Sums for few profiles, by numpy alone."""

    def __init__(self, table: Evaluated, width: int) -> None:
        self._table, self._width = table, width

    def of(self, rows: Ints, bounds: Numbers) -> Floats:
        """The scores of each profile, which has rows[bounds[p]:bounds[p + 1]]."""
        return self._added(self._table.broad, rows, bounds) + self._added(self._table.narrow, rows, bounds)

    def _added(self, mixture: Sparse, rows: Ints, bounds: Numbers) -> Floats:
        source, share, starts = _mixed(mixture, rows, bounds)
        sources = self._table.sources
        counts = sources.bounds[source + 1] - sources.bounds[source]
        places = ranges(sources.bounds[source], counts)
        profile = np.repeat(np.arange(len(bounds) - 1), np.diff(starts))
        scores = np.zeros((len(bounds) - 1, self._width), dtype=np.float32)
        at = np.repeat(profile * self._width, counts) + sources.columns[places]
        np.add.at(scores.ravel(), at, sources.values[places] * np.repeat(share, counts))
        return scores


class Many:
    """Sums for many profiles."""

    def __init__(self, table: Evaluated, width: int) -> None:
        from scipy.sparse import csr_array  # noqa: PLC0415 (few readers need not wait for it)

        self._table, self._csr = table, csr_array
        sources, broad = table.sources, np.flatnonzero(table.is_broad)
        self._dense = sources.dense(broad, width)
        self._place = np.cumsum(table.is_broad, dtype=np.int32) - 1
        arrays = sources.values, sources.columns, sources.bounds
        self._sources: csr_array[np.float32] = csr_array(arrays, shape=(len(table.is_broad), width))

    def of(self, rows: Ints, bounds: Numbers) -> Floats:
        """The scores of each profile, which has rows[bounds[p]:bounds[p + 1]]."""
        source, share, starts = _mixed(self._table.broad, rows, bounds)
        shape = (len(bounds) - 1, len(self._dense))
        scores: Floats = np.asarray(self._csr((share, self._place[source], starts), shape=shape) @ self._dense)
        source, share, starts = _mixed(self._table.narrow, rows, bounds)
        rest = self._csr((share, source, starts), shape=(shape[0], self._sources.shape[0])) @ self._sources
        scores += np.asarray(rest.toarray(), dtype=np.float32)
        return scores


def _mixed(mixture: Sparse, rows: Ints, bounds: Numbers) -> tuple[Ints, Floats, Ints]:
    """The sources and shares of profiles, and from where to where each one's are."""
    counts = mixture.bounds[rows + 1] - mixture.bounds[rows]
    places = ranges(mixture.bounds[rows], counts)
    return mixture.columns[places], mixture.values[places], bounds_of(counts)[bounds].astype(np.int32)
