"""How common a word is, counted over every entry ever seen; a small built-in table serves until there are some.

Frequencies from one day's entries alone rank worse than none at all, so they come from the store.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from digest.matching import text
from digest.model import Entry

MOST = 10
"""A word counts so often in one entry at most, that a single odd entry cannot change its worth for all."""


class Count(NamedTuple):
    """Of a stem: the entries that hold it, and how often it stands in all of them together."""

    entries: int
    occurrences: int


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Counts by stem over the title and abstract of `entries` entries."""

    entries: int
    by_stem: Mapping[str, Count]

    @classmethod
    def count(cls, entries: Iterable[Entry]) -> Frequencies:
        """The frequencies of these entries."""
        holding: Counter[str] = Counter()
        more: Counter[str] = Counter()
        size = 0
        for size, entry in enumerate(entries, start=1):  # noqa: B007 (the last number is the size)
            stems = text.stems(f"{entry.title}\n{entry.abstract}")
            holding.update(stems.keys())
            for stem, count in stems.items():
                if count > 1:
                    more[stem] += min(count, MOST) - 1
        return cls(size, {stem: Count(count, count + more[stem]) for stem, count in holding.items()})

    def of(self, stems: Iterable[str]) -> Frequencies:
        """The frequencies of these stems alone."""
        return Frequencies(self.entries, {stem: self.by_stem[stem] for stem in stems if stem in self.by_stem})

    def __add__(self, other: Frequencies) -> Frequencies:
        """Both counts together."""
        nothing = Count(0, 0)
        pairs = (
            (stem, self.by_stem.get(stem, nothing), other.by_stem.get(stem, nothing))
            for stem in self.by_stem.keys() | other.by_stem.keys()
        )
        both = {stem: Count(one.entries + two.entries, one.occurrences + two.occurrences) for stem, one, two in pairs}
        return Frequencies(self.entries + other.entries, both)


Lookup = Callable[[Collection[str]], Frequencies]
"""Gives the frequencies of the stems asked for; others may be missing."""


@cache
def built_in() -> Frequencies:
    """The table for the first day, counted over our own sample listings."""
    table = json.loads(files("digest.matching").joinpath("frequencies.json").read_text(encoding="utf-8"))
    return Frequencies(table["entries"], {stem: Count(*count) for stem, count in table["by_stem"].items()})
