"""Which keywords speak for which cards: those of profiles for which the entry qualifies that hit it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from digest.matching.arrays import WORD, Ints, Numbers, listed, packed, ranges
from digest.matching.crowd import Crowd
from digest.matching.rank import Ranked
from digest.matching.table import Evaluated


class Said(NamedTuple):
    """Reasons by card, profile and place in the profile: the card's place in the columns, the profile's, the row."""

    card: Numbers
    profile: Numbers
    row: Ints


def reasons(table: Evaluated, crowd: Crowd, ranked: Ranked) -> Said:
    """All reasons for the cards of all readers."""
    cards = _cards(crowd, ranked, table.bits.shape[1] * WORD)
    sets = packed(cards > 0)
    hitting = np.flatnonzero(table.hits[crowd.rows])
    profile = np.repeat(np.arange(len(crowd.owner)), np.diff(crowd.bounds))[hitting]
    hit = np.take(table.bits, crowd.rows[hitting], axis=0)
    hit &= np.take(ranked.qualifying & sets[crowd.owner], profile, axis=0)
    place, column = listed(hit)
    card = cards[crowd.owner[profile[place]], column].astype(np.int64) - 1
    # Both in one integer: a plain sort of that is many times faster than lexsort.
    codes = card * len(hitting) + place
    codes.sort()
    card, place = np.divmod(codes, max(1, len(hitting)))
    return Said(card, crowd.places[profile[place]], crowd.rows[hitting[place]])


def _cards(crowd: Crowd, ranked: Ranked, width: int) -> Ints:
    """For each reader and column the card's place in the columns, and one; 0 where there is none."""
    counts = np.minimum(crowd.most, np.diff(ranked.bounds))
    place = ranges(ranked.bounds[:-1], counts)
    cards = np.zeros((len(counts), width), dtype=np.int32)
    cards[np.repeat(np.arange(len(counts)), counts), ranked.columns[place]] = place + 1
    return cards
