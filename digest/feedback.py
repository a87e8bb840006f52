"""What more or less of an entry would mean for the profiles of whoever got it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.matching import Frequencies
from digest.matching.suggest import Suggestion, Way, suggest
from digest.matching.text import tokens
from digest.model import Edition, Entry, Match, Profile
from digest.store import editions, entries
from digest.store.store import Store
from digest.window import lookup


@dataclass(frozen=True, slots=True)
class Sent:
    """An entry as an edition brought it, and how common its words are."""

    edition: Edition
    match: Match
    entry: Entry
    frequencies: Frequencies

    def suggestions(self, way: Way, profiles: Sequence[Profile]) -> tuple[Suggestion, ...]:
        """What may be changed in the profiles as they are now."""
        return suggest(way, self.entry, self.match.reasons, profiles, self.frequencies.of)


def sent(store: Store, edition: int, rank: int) -> Sent | None:
    """The entry at a rank (from 1) of an edition; None: there is none, or it is not kept any more."""
    with store.read() as connection:
        kept = editions.find(connection, edition)
        matches = kept.edition.matches if kept else ()
        if kept is None or not 0 < rank <= len(matches):
            return None
        match = matches[rank - 1]
        entry = entries.by_numbers(connection, [match.entry]).get(match.entry)
    if entry is None:
        return None
    stems = {token.forms.stem for token in tokens(f"{entry.title}\n{entry.abstract}")}
    return Sent(kept.edition, match, entry, lookup(store)(stems))
