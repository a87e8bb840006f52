"""What a profile would have brought in the last days: what every preview shows, and what an edit would change.

The entries of the last days are indexed once and kept; whoever types is answered from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from digest.model import Entry, Match, Profile
from digest.profiles.lint import Advice
from digest.store.store import Store

DAYS = 30


@dataclass(frozen=True, slots=True)
class KeywordHits:
    """Of a keyword: the entries in the profile's matches that it hits, and those that only it brings."""

    profile: str
    keyword: str
    entries: int
    alone: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """What profiles would have brought: the best matches with their entries, best first; how many in all, and by day.

    `days`: how many days back it looks; `considered`: the entries that came in since. `faults` are keywords that cannot
    be read (as `profiles.check` gives them); there are no matches then.
    """

    days: int
    considered: int
    matched: int
    shown: tuple[tuple[Match, Entry], ...]
    by_day: tuple[tuple[date, int], ...]
    keywords: tuple[KeywordHits, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit would change in the last days: the entries that come in, and those that fall out, best first."""

    days: int
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]


class Trials:
    """The entries of the last days, ready to be matched. Any number of threads may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def backtest(self, profiles: Sequence[Profile], now: int, most: int = 10) -> Backtest:
        """What these profiles would have brought; raises QueryError for a keyword that cannot be read."""
        raise NotImplementedError

    def change(self, before: Sequence[Profile], after: Sequence[Profile], now: int) -> Change:
        """What would be different. Raises QueryError."""
        raise NotImplementedError
