"""One match engine for mail, preview and benchmark: entries and readers in, what each reader gets out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from digest.errors import QueryError
from digest.matching.duplicates import distinct
from digest.matching.explain import Explainer
from digest.matching.frequencies import Lookup
from digest.matching.index import Window
from digest.matching.rank import Reader, in_slices, in_tie_order, rank_rows
from digest.matching.table import Table
from digest.model import Entry, Match, Profile


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
        self.table = Table(Window(in_tie_order(distinct(entries))), frequencies)
        self._explainer = Explainer(self.table)
        self._numbers = [entry.number for entry in self.table.window.entries]
        self._further = {column for column, entry in enumerate(self.table.window.entries) if entry.first}
        self.roots = {entry.number: entry.first for entry in entries if entry.first and not entry.updated}
        """Of entries that are told again with more, or were taken for others: the number of the first telling."""

    def select(self, readers: Sequence[Reader], more: int) -> Iterator[Selection]:
        """For each reader the best `reader.most` entries with reasons, and up to `more` others."""
        for some in in_slices(self.table, readers):
            yield from self._select(some, more)

    def _select(self, readers: Sequence[Reader], more: int) -> Iterator[Selection]:
        asked = [self._rows(reader) for reader in readers]
        rows = [each for each, _ in asked]
        ranked = rank_rows(self.table, rows, readers, max(reader.most for reader in readers) + more)
        self._explainer.prepare(row for each in rows for numbers in each for row in numbers)
        considered = self._considered(readers)
        bounds, columns, scores = ranked.bounds.tolist(), ranked.columns.tolist(), ranked.scores.tolist()
        for place, reader in enumerate(readers):
            start, stop = bounds[place], bounds[place + 1]
            mine, theirs = columns[start:stop], scores[start:stop]
            if again := self._again(mine):
                kept = [at for at, column in enumerate(mine) if column not in again]
                mine, theirs = [mine[at] for at in kept], [theirs[at] for at in kept]
            most = reader.most
            yield Selection(
                self._matches(list(zip(reader.profiles, rows[place], strict=False)), mine[:most], theirs[:most]),
                tuple([self._numbers[column] for column in mine[most : most + more]]),
                int(ranked.matched[place]) - len(again),
                considered[place],
                asked[place][1],
            )

    def _considered(self, readers: Sequence[Reader]) -> list[int]:
        """How many entries are new to each reader, updates among them for those who want some."""
        entries, marks = self.table.window.entries, [reader.watermark for reader in readers]
        every = np.sort([entry.number for entry in entries])
        plain = np.sort([entry.number for entry in entries if not entry.updated])
        new = {
            wanted: len(of) - np.searchsorted(of, marks, side="right") for wanted, of in ((True, every), (False, plain))
        }
        return [int(new[reader.updates][place]) for place, reader in enumerate(readers)]

    def _again(self, columns: Sequence[int]) -> set[int]:
        """The columns of entries that others, told later and with more, tell again."""
        if not self._further or self._further.isdisjoint(columns):
            return set()
        entries = self.table.window.entries
        last = {entries[column].root: column for column in sorted(columns, key=self._numbers.__getitem__)}
        return set(columns) - set(last.values())

    def _matches(
        self, mine: Sequence[tuple[Profile, Sequence[int]]], columns: Sequence[int], scores: Sequence[float]
    ) -> tuple[Match, ...]:
        found = zip(self._explainer.reasons(mine, columns).items(), scores, strict=True)
        return tuple([Match(self._numbers[column], round(score, 4), tuple(why)) for (column, why), score in found])

    def _rows(self, reader: Reader) -> tuple[list[list[int]], str]:
        """The table's rows for each profile of a reader; if a keyword cannot be read, none, and why."""
        try:
            return [self.table.numbers(profile) for profile in reader.profiles], ""
        except QueryError as error:
            return [], str(error)
