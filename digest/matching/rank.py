"""Which entries each reader gets, best first.

An entry qualifies for a profile if a keyword hits and no exclusion does; a new version of one (`updated`) only for
readers who want updates and for whom the entry itself is not new. A reader with several profiles gets each entry once,
with its best score. Equal scores are ordered by votes, then recency, then key, so that the order is total and the
same at every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from digest.matching.index import NONE, Flags, Ints, Numbers
from digest.matching.table import Table
from digest.model import Entry, Profile

ProfileRows = Sequence[Sequence[int]]
"""Of one reader: for each profile the rows of its keywords in the table."""

_AT_ONCE = 1 << 13


class Reader(NamedTuple):
    """Whose profiles are matched: the `most` best entries, of those numbered above `watermark`, maybe with updates."""

    profiles: tuple[Profile, ...]
    watermark: int = 0
    most: int = 20
    updates: bool = False


class Ranked(NamedTuple):
    """The best columns of each reader, `counts` each, one reader behind the other, with their scores.

    `matched` counts per reader all columns that qualified, also those beyond the limit.
    """

    counts: Numbers
    columns: Ints
    scores: NDArray[np.float32]
    matched: Numbers

    @property
    def bounds(self) -> Numbers:
        """Reader n has columns[bounds[n]:bounds[n + 1]]."""
        return np.append(0, np.cumsum(self.counts))


_NOBODY = Ranked(np.empty(0, np.int64), NONE, np.empty(0, np.float32), np.empty(0, np.int64))


class _Hits(NamedTuple):
    """Qualifying columns, in any order: whose, which, how good."""

    reader: Numbers
    column: Ints
    score: NDArray[np.float32]

    def only(self, chosen: Flags | Numbers) -> _Hits:
        return _Hits(self.reader[chosen], self.column[chosen], self.score[chosen])


def in_tie_order(entries: Sequence[Entry]) -> list[Entry]:
    """Entries as equal scores leave them: most votes first, then the newest, then by key."""
    return sorted(entries, key=lambda entry: (-(entry.votes or 0), -_day(entry), entry.key))


def rank(table: Table, readers: Sequence[Reader], limit: int) -> Ranked:
    """The best entries of each reader, at most `limit` each; the window's entries must be in tie order.

    Raises QueryError for a keyword that cannot be read.
    """
    parts = [_NOBODY]
    for some in in_slices(table, readers):
        rows = [[table.numbers(profile) for profile in reader.profiles] for reader in some]
        parts.append(rank_rows(table, rows, some, limit))
    return Ranked(
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.matched for part in parts]),
    )


def in_slices(table: Table, readers: Sequence[Reader]) -> Iterator[Sequence[Reader]]:
    """As many readers at a time as are ranked well together."""
    step = min(_AT_ONCE, 1 << (32 - _bits(table)))
    return (readers[start : start + step] for start in range(0, len(readers), step))


def rank_rows(table: Table, rows: Sequence[ProfileRows], readers: Sequence[Reader], limit: int) -> Ranked:
    """The same for one slice of readers, whose keywords are rows of the table already."""
    profiles = np.array([len(each) for each in rows], dtype=np.int64)
    owner = np.repeat(np.arange(len(rows)), profiles)
    hits = _qualifying(table, list(chain.from_iterable(rows)), owner)
    hits = hits.only(_is_for(table.window.entries, readers, hits))
    if len(owner) > len(rows):
        hits = _once(hits, _bits(table))
    return _best(hits, len(rows), limit, _bits(table))


def _qualifying(table: Table, profiles: Sequence[Sequence[int]], owner: Numbers) -> _Hits:
    matrix = table.matrix()
    bounds = np.array([0, *accumulate(map(len, profiles))], dtype=np.int32)
    chosen = np.array(list(chain.from_iterable(profiles)), dtype=np.int32)
    weights = table.weights()[chosen].astype(np.complex64)
    product = sparse.csr_array((weights, chosen, bounds), shape=(len(profiles), matrix.shape[0])) @ matrix
    qualifying = np.flatnonzero(product.data.imag > 0)
    reader = np.repeat(owner, np.diff(product.indptr))[qualifying]
    return _Hits(reader, product.indices[qualifying], product.data[qualifying].real)


def _is_for(entries: Sequence[Entry], readers: Sequence[Reader], hits: _Hits) -> Flags:
    """Which hits are new to their readers, and of a kind that they want."""
    watermark = np.array([reader.watermark for reader in readers], dtype=np.int64)[hits.reader]
    is_new = np.array([entry.number for entry in entries], dtype=np.int64)[hits.column] > watermark
    updated = np.array([entry.updated for entry in entries], dtype=bool)
    if not updated.any():
        return is_new
    wanted = np.array([reader.updates for reader in readers], dtype=bool)[hits.reader]
    wanted &= np.array([entry.first for entry in entries], dtype=np.int64)[hits.column] <= watermark
    fitting: Flags = is_new & (wanted | ~updated[hits.column])
    return fitting


def _once(hits: _Hits, width: int) -> _Hits:
    """Each column once per reader, with its best score."""
    order = np.lexsort((-hits.score, hits.reader << width | hits.column))
    hits = hits.only(order)
    return hits.only(np.diff(hits.reader << width | hits.column, prepend=-1) != 0)


def _best(hits: _Hits, readers: int, limit: int, width: int) -> Ranked:
    # Reader, falling score and column in one integer: a plain sort of those is many times faster than lexsort.
    # The bits of a float that is not negative rise with it.
    falling = np.uint32(0xFFFFFFFF) - hits.score.view(np.uint32)
    packed = (
        (hits.reader.astype(np.uint64) << np.uint64(width + 32))
        | (falling.astype(np.uint64) << np.uint64(width))
        | hits.column.astype(np.uint64)
    )
    packed.sort()
    matched = np.bincount(hits.reader, minlength=readers)
    place = np.arange(len(packed)) - np.repeat(np.cumsum(matched) - matched, matched)
    packed = packed[place < limit]
    columns = (packed & np.uint64((1 << width) - 1)).astype(np.int32)
    scores = (np.uint32(0xFFFFFFFF) - (packed >> np.uint64(width)).astype(np.uint32)).view(np.float32)
    return Ranked(np.minimum(matched, limit), columns, scores, matched)


def _bits(table: Table) -> int:
    """Bits that hold the number of a column."""
    return max(1, len(table.window.entries)).bit_length()


def _day(entry: Entry) -> int:
    return entry.published.toordinal() if entry.published else 0
