"""Readers in arrays, and what was chosen for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from digest.matching.arrays import Flags, Floats, Ints, Numbers


class Crowd(NamedTuple):
    """Readers, each with any number of profiles.

    `rows` are the table's rows of all profiles, one behind the other: profile p has rows[bounds[p]:bounds[p + 1]], and
    belongs to reader owner[p], rising from 0. The others have one value for each reader: what is numbered above the
    watermark is new, `most` entries get a card, `updates` among them if wanted.
    """

    rows: Ints
    bounds: Numbers
    owner: Numbers
    watermarks: Numbers
    most: Numbers
    updates: Flags

    def readers(self, start: int, stop: int) -> Crowd:
        """Some of them."""
        first, last = np.searchsorted(self.owner, (start, stop)).tolist()
        bounds = self.bounds[first : last + 1]
        return Crowd(
            self.rows[bounds[0] : bounds[-1]],
            bounds - bounds[0],
            self.owner[first:last] - start,
            self.watermarks[start:stop],
            self.most[start:stop],
            self.updates[start:stop],
        )

    def slices(self, profiles: int) -> Iterator[Crowd]:
        """All of them in order, some at a time: as many as have so many profiles together, or the next one."""
        start, readers = 0, len(self.watermarks)
        while start < readers:
            last = int(np.searchsorted(self.owner, start)) + profiles
            stop = int(self.owner[last]) if last < len(self.owner) else readers
            stop = min(max(stop, start + 1), start + profiles)
            yield self.readers(start, stop)
            start = stop

    @property
    def places(self) -> Numbers:
        """Of each profile, which of its reader's profiles it is, from 0."""
        first = np.searchsorted(self.owner, np.arange(len(self.watermarks)))
        places: Numbers = np.arange(len(self.owner)) - first[self.owner]
        return places


class Chosen(NamedTuple):
    """What some readers get.

    Reader n has columns[bounds[n]:bounds[n + 1]], best first, with their scores; the first min(most[n], count) are
    cards. `matched` counts all that qualified, `considered` all that were new. Each reason says: the card (a place in
    `columns`, rising), the profile (its place within its reader, from 0, rising within a card) and the row that hit.
    """

    bounds: Numbers
    columns: Ints
    scores: Floats
    matched: Numbers
    considered: Numbers
    card: Numbers
    profile: Numbers
    row: Ints
