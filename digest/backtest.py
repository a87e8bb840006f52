"""What a profile would have brought in the last days: what every preview shows, and what an edit would change.

Rules
-----
1. The entries of the last DAYS days by UTC, today among them, but at most the newest MOST_ENTRIES, are indexed once and
   kept until another file is loaded or the day changes. Who comes first then waits for the new index; meanwhile all
   others are answered from the old one.
2. They are matched as for the mail, with near-duplicates merged, but whatever was sent already.
3. What strangers type takes bounded memory: beyond MOST_ROWS keywords, or MOST_CELLS scores of them, all is forgotten
   but the index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Lock
from typing import NamedTuple

import numpy as np

from digest.matching import Chosen, Lookup
from digest.matching.duplicates import distinct
from digest.matching.index import Window
from digest.matching.rank import Reader, in_tie_order
from digest.matching.select import Selector
from digest.matching.spelling import Spelling
from digest.matching.usage import KeptOut, KeywordHits, advice, kept_out, keyword_hits, usages
from digest.model import Entry, Match, Profile
from digest.profiles.lint import Advice
from digest.store import entries, sightings
from digest.store.store import Store
from digest.window import lookup

__all__ = ["DAYS", "Advice", "Arrival", "Backtest", "Change", "KeptOut", "KeywordHits", "Trials"]

DAYS = 30
MOST_ENTRIES = 20_000
MOST_ROWS, MOST_CELLS = 5_000, 4_000_000
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Backtest:
    """What profiles would have brought: the best matches with their entries, best first; how many in all, and by day.

    `days`: how many days back it looks, DAYS or fewer; `considered`: the entries that came in since. `by_day` has each
    of these days, by UTC, the oldest first. `keywords` tells of each keyword that is no exclusion, `kept_out` of the
    exclusions.
    """

    days: int
    considered: int
    matched: int
    shown: tuple[tuple[Match, Entry], ...]
    by_day: tuple[tuple[date, int], ...]
    keywords: tuple[KeywordHits, ...]
    advice: tuple[Advice, ...]
    kept_out: tuple[KeptOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit would change in the last days: the entries that come in, and those that fall out, best first."""

    days: int
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]


class Arrival(NamedTuple):
    """A match with its entry, and when that was loaded, in epoch seconds."""

    match: Match
    entry: Entry
    loaded_at: int


class Trials:
    """The entries of the last days, ready to be matched. Any number of threads may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._building, self._answering = Lock(), Lock()
        self._of: tuple[int, int] | None = None
        self._bench = _Bench((), {}, 0, DAYS, lookup(store))

    def backtest(self, profiles: Sequence[Profile], now: int, most: int = 10) -> Backtest:
        """What these profiles would have brought; raises QueryError for a keyword that cannot be read."""
        bench = self._ready(now)
        with self._answering:
            return bench.backtest(profiles, most)

    def newest(self, profiles: Sequence[Profile], now: int, most: int) -> tuple[Arrival, ...]:
        """The matches that came in last, the newest first, of one day the best first. Raises QueryError."""
        bench = self._ready(now)
        with self._answering:
            return bench.newest(profiles, most)

    def change(self, before: Sequence[Profile], after: Sequence[Profile], now: int) -> Change:
        """What would be different. Raises QueryError."""
        bench = self._ready(now)
        with self._answering:
            return bench.change(before, after)

    def prepare(self, now: int) -> None:
        """Index what is new, so that the next to ask need not wait."""
        self._ready(now)

    def _ready(self, now: int) -> _Bench:
        today = now // _DAY
        with self._store.read() as connection:
            of = (entries.newest_file(connection), today)
        if of != self._of and self._building.acquire(blocking=self._of is None):
            try:
                if of != self._of:
                    self._bench, self._of = self._built(today), of
            finally:
                self._building.release()
        return self._bench

    def _built(self, today: int) -> _Bench:
        with self._store.read() as connection:
            early = entries.number_before(connection, (today - DAYS + 1) * _DAY)
            after = max(early, entries.newest_number(connection) - MOST_ENTRIES)
            found, loaded_at = entries.window(connection, after), sightings.loaded_at(connection, after)
        oldest = min(loaded_at.values(), default=0) // _DAY
        days = DAYS if 0 < early == after or not found else max(1, today - oldest + 1)
        return _Bench(found, loaded_at, today, days, lookup(self._store))


class _Bench:
    """One window of entries with what was typed on it. `today` is in days since the epoch."""

    def __init__(
        self, found: Sequence[Entry], loaded_at: Mapping[int, int], today: int, days: int, seen: Lookup
    ) -> None:
        self._window = Window(in_tie_order(distinct([one for one in found if not one.updated])))
        self._loaded_at = [loaded_at[entry.number] for entry in self._window.entries]
        self._today, self._days, self._seen = today, days, seen
        self._forget()

    def _forget(self) -> None:
        self._selector = Selector.over(self._window, self._seen)
        self._spelling = Spelling(self._window, self._seen)

    def backtest(self, profiles: Sequence[Profile], most: int) -> Backtest:
        reader, found = self._all_for(profiles)
        matches = self._selector.matches(found, [reader], range(min(most, len(found.columns))))
        columns = found.columns.tolist()
        used = usages(self._selector.table, profiles)
        return Backtest(
            self._days,
            len(self._window.entries),
            len(columns),
            tuple(zip(matches, self._entries(columns), strict=False)),
            self._by_day(columns),
            tuple(keyword_hits(used)),
            tuple(advice(used, self._selector.table, self._spelling, self._days)),
            tuple(kept_out(used)),
        )

    def newest(self, profiles: Sequence[Profile], most: int) -> tuple[Arrival, ...]:
        reader, found = self._all_for(profiles)
        columns = found.columns.tolist()
        places = sorted(range(len(columns)), key=lambda place: -(self._loaded_at[columns[place]] // _DAY))[:most]
        matches = self._selector.matches(found, [reader], places)
        columns = [columns[place] for place in places]
        return tuple(map(Arrival, matches, self._entries(columns), [self._loaded_at[column] for column in columns]))

    def change(self, before: Sequence[Profile], after: Sequence[Profile]) -> Change:
        old, new = (self._all_for(profiles)[1].columns.tolist() for profiles in (before, after))
        gone, come = set(old) - set(new), set(new) - set(old)
        return Change(
            self._days,
            self._entries([column for column in new if column in come]),
            self._entries([column for column in old if column in gone]),
        )

    def _all_for(self, profiles: Sequence[Profile]) -> tuple[Reader, Chosen]:
        """All that matches, best first. Raises QueryError."""
        table, reader = self._selector.table, Reader(tuple(profiles), -1)
        if len(table.rows) > MOST_ROWS or table.cells > MOST_CELLS:
            self._forget()
        return reader, self._selector.all_for(reader)

    def _entries(self, columns: Sequence[int]) -> tuple[Entry, ...]:
        return tuple(self._window.entries[column] for column in columns)

    def _by_day(self, columns: Sequence[int]) -> tuple[tuple[date, int], ...]:
        """How many of these came in on each day; what a clock set wrong put into the future came in today."""
        first = self._today - self._days + 1
        came = np.minimum(np.array(self._loaded_at, dtype=np.int64)[list(columns)] // _DAY, self._today) - first
        counts = np.bincount(came[came >= 0], minlength=self._days).tolist()
        return tuple((_date(first + place), number) for place, number in enumerate(counts))


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * _DAY, UTC).date()
