"""What a format finds in a file, one by one: entries, and records that are none. What is said of it is on one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from digest.listings.drafts import Draft, RecordError, entry
from digest.listings.lines import ENOUGH, EXCERPT
from digest.listings.wording.decode import tidy
from digest.model import Entry, Listing, Rejection

_MOST = 10_000
"""Rejections that are kept."""
_REASON = 300
"""Characters of a reason: a library may quote half a file."""


@dataclass(slots=True)
class Gathering:
    """The entries and rejections so far, in the order of the file."""

    entries: list[Entry] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    _unkept: int = 0

    def add(self, drafted: Callable[[], Draft], line: int, excerpt: str) -> None:
        """Keep the entry of what is drafted; if that is none, say so of its line (1-based) and how it begins."""
        try:
            self.entries.append(entry(drafted()))
        except RecordError as error:
            self.reject(line, str(error), excerpt)

    def reject(self, line: int, reason: str, excerpt: str) -> None:
        """Keep a rejection, if there are not too many: a file that is no listing may have millions."""
        if len(self.rejected) == _MOST:
            self._unkept += 1
            return
        self.rejected.append(Rejection(line, tidy(reason[: 4 * _REASON])[:_REASON], tidy(excerpt[:ENOUGH])[:EXCERPT]))

    def listing(
        self,
        name: str,
        *,
        source: str = "",
        curator: str = "",
        day: date | None = None,
        warnings: Iterable[str] = (),
        notes: Iterable[str] = (),
    ) -> Listing:
        """All of it; entries that name no source or day get the listing's."""
        source, curator = tidy(source), tidy(curator)
        entries = tuple(
            one
            if (one.source or not source) and (one.published or not day)
            else replace(one, source=one.source or source, published=one.published or day)
            for one in self.entries
        )
        if self._unkept:
            warnings = (
                *warnings,
                f"{self._unkept:,} more records were not loaded; the reasons of the first {_MOST:,} are kept",
            )
        words = tuple(map(tidy, warnings)), tuple(map(tidy, notes))
        return Listing(name, entries, source, curator, day, tuple(self.rejected), *words)
