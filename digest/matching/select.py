"""One match engine for mail, preview and benchmark: entries and readers in, what each reader gets out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from digest.errors import QueryError
from digest.matching.arrays import Ints, Numbers, bounds_of, ranges
from digest.matching.crowd import Chosen, Crowd
from digest.matching.duplicates import distinct
from digest.matching.explain import Told, told
from digest.matching.frequencies import Lookup
from digest.matching.index import Window
from digest.matching.rank import Ranker, Reader, in_tie_order
from digest.matching.reasons import reasons
from digest.matching.sums import sums
from digest.matching.table import Table
from digest.model import Entry, Match, Reason

_OCTETS = 1 << 22
"""Of scores at a time: so many stay near the processor."""
_READERS = 1 << 12


class Selection(NamedTuple):
    """What one reader gets: `matches` best first, then the numbers of `more` entries.

    `matched` counts all that qualified, `considered` all that were new to the reader. `fault`: a keyword of the
    profiles cannot be read, so nothing was matched.
    """

    matches: tuple[Match, ...]
    more: tuple[int, ...]
    matched: int
    considered: int
    fault: str = ""


class Selector:
    """The entries of a window, made ready to be matched against any number of readers."""

    def __init__(self, entries: Sequence[Entry], frequencies: Lookup) -> None:
        self._prepare(Window(in_tie_order(distinct(entries))), frequencies)

    @classmethod
    def over(cls, window: Window, frequencies: Lookup) -> Selector:
        """The same for a window whose entries are distinct and in tie order, with no keyword known yet."""
        made = cls.__new__(cls)
        made._prepare(window, frequencies)
        return made

    def _prepare(self, window: Window, frequencies: Lookup) -> None:
        self.table = Table(window, frequencies)
        self._ranker = Ranker(window.entries)
        self.numbers: Numbers = self._ranker.numbers
        """Of the entry in each column."""
        self.roots = {entry.number: entry.first for entry in window.entries if entry.first and not entry.updated}
        """Of entries that are told again with more, or were taken for others: the number of the first telling."""

    def choose(self, crowd: Crowd, more: int) -> Iterator[Chosen]:
        """For each reader the best `most` entries with reasons, and up to `more` others; some readers at a time."""
        table = self.table.evaluated()
        ready = sums(table, self._ranker.width, len(crowd.owner))
        for some in crowd.slices(max(1, _OCTETS // (4 * max(1, self._ranker.width)))):
            ranked = self._ranker.rank(table, ready, some, more)
            said = reasons(table, some, ranked)
            yield Chosen(*ranked[:4], self._ranker.considered(some), *said)

    def told(self, rows: Ints, columns: Ints) -> list[Told]:
        """Why each of these rows of the table hits the entry in that column: field and words."""
        return told(self.table, rows, columns)

    def select(self, readers: Sequence[Reader], more: int) -> Iterator[Selection]:
        """For each reader the best `reader.most` entries with reasons, and up to `more` others."""
        for start in range(0, len(readers), _READERS):
            yield from self._select(readers[start : start + _READERS], more)

    def all_for(self, reader: Reader) -> Chosen:
        """All that matches one reader, as cards. Raises QueryError for a keyword that cannot be read."""
        rows = [self.table.numbers(profile) for profile in reader.profiles]
        (chosen,) = self.choose(crowd_of([reader._replace(most=len(self.numbers))], [rows]), 0)
        return chosen

    def matches(self, chosen: Chosen, readers: Sequence[Reader], cards: Sequence[int] | Numbers) -> list[Match]:
        """What was chosen for some readers at these places of its columns (which are cards), with reasons."""
        places = np.array(cards, dtype=np.int64)
        asked = np.isin(chosen.card, places)
        card, row = chosen.card[asked], chosen.row[asked]
        texts = self.told(row, chosen.columns[card])
        whose = np.searchsorted(chosen.bounds, card, side="right") - 1
        why: defaultdict[int, list[Reason]] = defaultdict(list)
        arrays = (each.tolist() for each in (card, whose, chosen.profile[asked], row))
        for text, at, reader, profile, number in zip(texts, *arrays, strict=True):
            name, typed = readers[reader].profiles[profile].name, self.table.rows[number].typed
            why[at] += [Reason(name, typed, field, words) for field, words in text]
        numbers, scores = self.numbers[chosen.columns[places]].tolist(), chosen.scores[places].tolist()
        return [
            Match(number, round(score, 4), tuple(why[at]))
            for at, number, score in zip(places.tolist(), numbers, scores, strict=True)
        ]

    def _select(self, readers: Sequence[Reader], more: int) -> Iterator[Selection]:
        asked = [self._rows(reader) for reader in readers]
        start = 0
        for chosen in self.choose(crowd_of(readers, [rows for rows, _ in asked]), more):
            some = readers[start : start + len(chosen.matched)]
            for (_, fault), found in zip(asked[start:], self._selections(chosen, some), strict=False):
                yield found._replace(fault=fault)
            start += len(some)

    def _selections(self, chosen: Chosen, readers: Sequence[Reader]) -> Iterator[Selection]:
        counts = np.minimum(np.diff(chosen.bounds), [reader.most for reader in readers])
        matches = iter(self.matches(chosen, readers, ranges(chosen.bounds[:-1], counts)))
        numbers, bounds = self.numbers[chosen.columns].tolist(), chosen.bounds[1:].tolist()
        arrays = (each.tolist() for each in (counts, chosen.bounds[:-1] + counts, chosen.matched, chosen.considered))
        for stop, count, rest, matched, considered in zip(bounds, *arrays, strict=True):
            yield Selection(tuple(islice(matches, count)), tuple(numbers[rest:stop]), matched, considered)

    def _rows(self, reader: Reader) -> tuple[list[list[int]], str]:
        """The table's rows for each profile of a reader; if a keyword cannot be read, none, and why."""
        try:
            return [self.table.numbers(profile) for profile in reader.profiles], ""
        except QueryError as error:
            return [], str(error)


def crowd_of(readers: Sequence[Reader], rows: Sequence[Sequence[Sequence[int]]]) -> Crowd:
    """Readers as a crowd; `rows` are those of each one's profiles."""
    profiles = list(chain.from_iterable(rows))
    return Crowd(
        np.array(list(chain.from_iterable(profiles)), dtype=np.int32),
        bounds_of(np.array([len(each) for each in profiles], dtype=np.int64)),
        np.repeat(np.arange(len(rows)), [len(each) for each in rows]),
        np.array([reader.watermark for reader in readers], dtype=np.int64),
        np.array([reader.most for reader in readers], dtype=np.int64),
        np.array([reader.updates for reader in readers], dtype=bool),
    )
