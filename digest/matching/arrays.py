"""Arrays with a meaning: names of their types, rows of different lengths one behind the other, and growth."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Ints = NDArray[np.int32]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Bits = NDArray[np.uint64]
"""Sets of columns, one in each row: column c is bit c % 64 of word c // 64."""
NONE: Ints = np.empty(0, dtype=np.int32)
WORD = 64

_Kind = TypeVar("_Kind", bound=np.generic)


class Sparse(NamedTuple):
    """Rows of numbers of which most are 0: row n has values[bounds[n]:bounds[n + 1]], in these columns."""

    bounds: Numbers
    columns: Ints
    values: Floats

    @property
    def counts(self) -> Numbers:
        """How many numbers each row has."""
        return np.diff(self.bounds)

    def only(self, chosen: Flags) -> Sparse:
        """The rows with those of their numbers that are chosen."""
        return Sparse(np.append(0, np.cumsum(chosen))[self.bounds], self.columns[chosen], self.values[chosen])

    def dense(self, rows: Numbers, width: int) -> Floats:
        """These rows with every column up to `width`."""
        starts, counts = self.bounds[rows], self.bounds[rows + 1] - self.bounds[rows]
        places = ranges(starts, counts)
        full = np.zeros((len(rows), width), dtype=np.float32)
        full.ravel()[np.repeat(np.arange(len(rows)) * width, counts) + self.columns[places]] = self.values[places]
        return full


class Growing(Generic[_Kind]):
    """An array that grows at its end; it has room to spare, so that growth is cheap."""

    def __init__(self, kind: DTypeLike, *shape: int) -> None:
        self._room: NDArray[_Kind] = np.empty((0, *shape), dtype=kind)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def extend(self, more: NDArray[_Kind]) -> None:
        """Put these behind all others."""
        start, self._size = self._size, self._size + len(more)
        if self._size > len(self._room):
            longer = np.empty((self._size + self._size // 2, *self._room.shape[1:]), dtype=self._room.dtype)
            longer[:start] = self._room[:start]
            self._room = longer
        self._room[start : self._size] = more

    @property
    def array(self) -> NDArray[_Kind]:
        """All of it, valid until it grows."""
        return self._room[: self._size]


class Stack:
    """Sparse rows that grow downwards."""

    def __init__(self) -> None:
        self._bounds: Growing[np.int64] = Growing(np.int64)
        self._bounds.extend(np.zeros(1, dtype=np.int64))
        self._columns: Growing[np.int32] = Growing(np.int32)
        self._values: Growing[np.float32] = Growing(np.float32)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def extend(self, more: Sparse) -> None:
        """Put these rows below all others."""
        self._bounds.extend(more.bounds[1:] + len(self._columns))
        self._columns.extend(more.columns)
        self._values.extend(more.values)

    @property
    def rows(self) -> Sparse:
        """All of them, valid until more come."""
        return Sparse(self._bounds.array, self._columns.array, self._values.array)


def ranges(starts: Numbers, counts: Numbers) -> Numbers:
    """The numbers from each start on, as many as its count says, one range behind the other."""
    offsets = np.cumsum(counts) - counts
    places: Numbers = np.arange(int(counts.sum()), dtype=np.int64)
    places += np.repeat(starts - offsets, counts)
    return places


def bounds_of(counts: Numbers) -> Numbers:
    """Where each row begins if they have so many numbers each, and where the last one ends."""
    bounds = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=bounds[1:])
    return bounds


def begins(codes: Numbers) -> Flags:
    """Which of some codes, equal ones side by side, is the first of its kind."""
    first = np.ones(len(codes), dtype=bool)
    np.not_equal(codes[1:], codes[:-1], out=first[1:])
    return first


def words(columns: int) -> int:
    """How many words a set of so many columns takes, one at least."""
    return max(1, -(-columns // WORD))


def packed(flags: Flags) -> Bits:
    """Rows of flags as sets."""
    full = np.zeros((len(flags), words(flags.shape[1]) * 8), dtype=np.uint8)
    octets = np.packbits(flags, axis=1, bitorder="little")
    full[:, : octets.shape[1]] = octets
    return full.view("<u8").astype(np.uint64, copy=False)


def unpacked(bits: Bits, width: int) -> Flags:
    """Sets as rows of flags."""
    octets = bits.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=width, bitorder="little").view(np.bool_)


def members(rows: Numbers, columns: Ints, height: int, width: int) -> Bits:
    """Sets of which each row has these columns."""
    sets = np.zeros((height, words(width)), dtype=np.uint64)
    bit = np.uint64(1) << (columns % WORD).astype(np.uint64)
    word = rows * sets.shape[1] + columns // WORD
    if not bool((word[1:] >= word[:-1]).all()):
        order = np.argsort(word, kind="stable")
        word, bit = word[order], bit[order]
    first = np.flatnonzero(begins(word))
    if len(first):
        sets.ravel()[word[first]] = np.bitwise_or.reduceat(bit, first)
    return sets


def has(sets: Bits, rows: Numbers, columns: Ints | Numbers) -> Flags:
    """Whether each row has that column."""
    return (sets[rows, columns // WORD] >> (columns % WORD).astype(np.uint64) & np.uint64(1)).astype(bool)


def listed(sets: Bits) -> tuple[Numbers, Numbers]:
    """Set and column of each member, in any order."""
    place = np.flatnonzero(sets)
    left = sets.ravel()[place]
    found = [(place[:0], place[:0])]
    while len(place):
        lowest = left & (~left + np.uint64(1))
        which, word = np.divmod(place, sets.shape[1])
        found.append((which, word * WORD + np.bitwise_count(lowest - np.uint64(1))))
        left ^= lowest
        more = np.flatnonzero(left)
        place, left = place[more], left[more]
    which, column = (np.concatenate(part) for part in zip(*found, strict=True))
    return which, column
