"""What a format finds in a file, one by one: entries, and records that are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from digest.listings.decode import tidy
from digest.listings.drafts import Draft, RecordError, entry
from digest.model import Entry, Listing, Rejection

EXCERPT = 80
"""Characters of a rejected record that are kept."""


@dataclass(slots=True)
class Gathering:
    """The entries and rejections so far, in the order of the file."""

    entries: list[Entry] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def add(self, draft: Draft, line: int, excerpt: str) -> None:
        """Keep the entry of a draft; if it is none, say so of its line (1-based) and how it begins."""
        try:
            self.entries.append(entry(draft))
        except RecordError as error:
            self.reject(line, str(error), excerpt)

    def reject(self, line: int, reason: str, excerpt: str) -> None:
        """Keep a rejection."""
        self.rejected.append(Rejection(line, reason, tidy(excerpt[: 4 * EXCERPT])[:EXCERPT]))

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
        entries = tuple(
            one
            if one.source and one.published
            else replace(one, source=one.source or source, published=one.published or day)
            for one in self.entries
        )
        return Listing(name, entries, source, curator, day, tuple(self.rejected), tuple(warnings), tuple(notes))
