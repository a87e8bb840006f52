"""From what was chosen of a window to what is written in editions: arrays in, octets out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.matching import Chosen
from digest.matching.arrays import Flags, Numbers
from digest.store.contents import OCTETS, Filling

_NONE = 2**62


class Cut(NamedTuple):
    """What was chosen for some readers; the first `cards` of each one's entries get a card."""

    chosen: Chosen
    cards: Numbers

    @property
    def is_card(self) -> Flags:
        """Of each entry."""
        counts = np.diff(self.chosen.bounds)
        place = np.arange(len(self.chosen.columns)) - np.repeat(self.chosen.bounds[:-1], counts)
        flags: Flags = place < np.repeat(self.cards, counts)
        return flags

    def without(self, dropped: Flags) -> Cut:
        """The same but for some entries, whose places no others take."""
        chosen = self.chosen
        before = _sums(~dropped)
        stays = ~dropped[chosen.card]
        columns, scores = chosen.columns[~dropped], chosen.scores[~dropped]
        matched = chosen.matched - np.diff(_sums(dropped)[chosen.bounds])
        reasons = before[chosen.card[stays]], chosen.profile[stays], chosen.row[stays]
        cards = self.cards - np.diff(_sums(dropped & self.is_card)[chosen.bounds])
        return Cut(Chosen(before[chosen.bounds], columns, scores, matched, chosen.considered, *reasons), cards)

    def oldest(self, numbers: Numbers) -> Numbers:
        """The lowest number of an entry with a card of each reader (0: there is none); `numbers` are the columns'."""
        lowest, some = np.zeros(len(self.cards), dtype=np.int64), self.cards > 0
        if some.any():
            of_cards = np.where(self.is_card, numbers[self.chosen.columns], _NONE)
            lowest[some] = np.minimum.reduceat(of_cards, self.chosen.bounds[:-1][some])
        return lowest


def fillings(cut: Cut, profiles: Numbers, numbers: Numbers, queries: NDArray[np.uint32]) -> Iterator[Filling]:
    """What is in the edition of each reader, who has so many `profiles`.

    `numbers` are those of the entries, by column, `queries` those of the rows.
    """
    chosen, bounds = cut.chosen, cut.chosen.bounds
    entries, scores = numbers[chosen.columns].astype("<u4").tobytes(), chosen.scores.astype("<f4").tobytes()
    reasons, ends = _reasons(cut, profiles, queries)
    starts, stops = (bounds * OCTETS).tolist(), (ends * OCTETS).tolist()
    cards = (cut.cards * OCTETS).tolist()
    for place, size in enumerate(cards):
        start, stop = starts[place], starts[place + 1]
        yield Filling(entries[start:stop], scores[start : start + size], reasons[stops[place] : stops[place + 1]])


def _reasons(cut: Cut, profiles: Numbers, queries: NDArray[np.uint32]) -> tuple[bytes, Numbers]:
    """The reasons of all readers, and where each one's begin and end.

    A list of queries for each profile of each card, and a 0 behind each: so behind so many lists, a query stands so
    many places further on.
    """
    chosen = cut.chosen
    lists = _sums(np.where(cut.is_card, np.repeat(profiles, np.diff(chosen.bounds)), 0))
    flat = np.zeros(len(chosen.row) + lists[-1], dtype="<u4")
    flat[np.arange(len(chosen.row)) + lists[chosen.card] + chosen.profile] = queries[chosen.row]
    return flat.tobytes(), lists[chosen.bounds] + np.searchsorted(chosen.card, chosen.bounds)


def _sums(values: Numbers | Flags) -> Numbers:
    """Of all values before each, and of all."""
    return np.append(0, np.cumsum(values, dtype=np.int64))
