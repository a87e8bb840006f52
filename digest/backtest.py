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

from digest.matching import Lookup
from digest.matching.duplicates import distinct
from digest.matching.explain import Explainer
from digest.matching.index import Window
from digest.matching.rank import Ranked, Reader, in_tie_order, rank_rows
from digest.matching.spelling import Spelling
from digest.matching.table import Table
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
        self._table = Table(self._window, self._seen)
        self._explainer = Explainer(self._table)
        self._spelling = Spelling(self._window, self._seen)

    def backtest(self, profiles: Sequence[Profile], most: int) -> Backtest:
        ranked = self._ranked(profiles)
        columns = ranked.columns.tolist()
        matches = self._matches(profiles, columns[:most], ranked.scores.tolist()[:most])
        found = usages(self._table, profiles)
        return Backtest(
            self._days,
            len(self._window.entries),
            len(columns),
            tuple((match, self._window.entries[column]) for match, column in zip(matches, columns, strict=False)),
            self._by_day(columns),
            tuple(keyword_hits(found)),
            tuple(advice(found, self._table, self._spelling, self._days)),
            tuple(kept_out(found)),
        )

    def newest(self, profiles: Sequence[Profile], most: int) -> tuple[Arrival, ...]:
        ranked = self._ranked(profiles)
        pairs = zip(ranked.columns.tolist(), ranked.scores.tolist(), strict=True)
        chosen = sorted(pairs, key=lambda pair: -(self._loaded_at[pair[0]] // _DAY))[:most]
        columns = [column for column, _ in chosen]
        matches = self._matches(profiles, columns, [score for _, score in chosen])
        return tuple(
            Arrival(match, self._window.entries[column], self._loaded_at[column])
            for match, column in zip(matches, columns, strict=True)
        )

    def change(self, before: Sequence[Profile], after: Sequence[Profile]) -> Change:
        old, new = (self._ranked(profiles).columns.tolist() for profiles in (before, after))
        gone, come = set(old) - set(new), set(new) - set(old)
        return Change(
            self._days,
            tuple(self._window.entries[column] for column in new if column in come),
            tuple(self._window.entries[column] for column in old if column in gone),
        )

    def _ranked(self, profiles: Sequence[Profile]) -> Ranked:
        """All that matches, best first. Raises QueryError."""
        if len(self._table.rows) > MOST_ROWS or self._table.matrix().nnz > MOST_CELLS:
            self._forget()
        rows = [self._table.numbers(profile) for profile in profiles]
        return rank_rows(self._table, [rows], [Reader(tuple(profiles), -1)], len(self._window.entries))

    def _matches(self, profiles: Sequence[Profile], columns: Sequence[int], scores: Sequence[float]) -> list[Match]:
        """Matches with their reasons, in the order given."""
        # Reasons are kept by the profile's name. Names are whatever somebody types, so numbers stand for them here.
        numbered = [Profile(str(place), one.keywords, one.match, one.capitals) for place, one in enumerate(profiles)]
        rows = [self._table.numbers(profile) for profile in numbered]
        self._explainer.prepare(row for mine in rows for row in mine)
        reasons = self._explainer.reasons(list(zip(numbered, rows, strict=True)), columns)
        return [
            Match(
                self._window.entries[column].number,
                round(score, 4),
                tuple(reason._replace(profile=profiles[int(reason.profile)].name) for reason in reasons[column]),
            )
            for column, score in zip(columns, scores, strict=True)
        ]

    def _by_day(self, columns: Sequence[int]) -> tuple[tuple[date, int], ...]:
        """How many of these came in on each day; what a clock set wrong put into the future came in today."""
        first = self._today - self._days + 1
        came = np.minimum(np.array(self._loaded_at, dtype=np.int64)[list(columns)] // _DAY, self._today) - first
        counts = np.bincount(came[came >= 0], minlength=self._days).tolist()
        return tuple((_date(first + place), number) for place, number in enumerate(counts))


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * _DAY, UTC).date()
