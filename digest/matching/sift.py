"""A window sorted for one reader: what matched, what an exclusion kept out, what repeats another entry.

All of it comes from `Selector`, so that it is what the mail was made by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from digest.matching.duplicates import SHARED, distinct
from digest.matching.frequencies import Lookup
from digest.matching.rank import Reader
from digest.matching.select import Selector
from digest.matching.text import words
from digest.model import Entry, Profile, Reason
from digest.profiles import Keyword, parse


class Sifted(NamedTuple):
    """The numbers of a window's entries.

    `ranked` match, best first; `excluded` would but for an exclusion, in all profiles that want them; `repeats` repeat
    another; `missed` are the others. `fault`: a keyword cannot be read, so nothing matches.
    """

    ranked: tuple[int, ...]
    excluded: tuple[int, ...]
    repeats: tuple[int, ...]
    missed: tuple[int, ...]
    fault: str = ""


class Sieve:
    """The entries of a window, ready to be sorted for any reader; one at a time."""

    def __init__(self, entries: Sequence[Entry], frequencies: Lookup) -> None:
        self._selector = Selector(entries, frequencies)
        self._numbers = [entry.number for entry in entries]
        self._kept = {entry.number: entry for entry in self._selector.table.window.entries}

    def sift(self, profiles: Sequence[Profile]) -> Sifted:
        """The window as these profiles see it."""
        ranked, fault = self._ranked(profiles)
        matched = set(ranked)
        without_exclusions = () if fault else self._ranked([_split(profile)[0] for profile in profiles])[0]
        excluded = tuple(number for number in without_exclusions if number not in matched)
        told = matched.union(excluded)
        repeats = tuple(number for number in self._numbers if number not in self._kept)
        missed = tuple(number for number in self._numbers if number in self._kept and number not in told)
        return Sifted(ranked, excluded, repeats, missed, fault)

    def twin(self, entry: Entry) -> Entry | None:
        """The earlier entry of the window that this one repeats."""
        title = _stems(entry)
        for other in self._kept.values():
            theirs = _stems(other)
            alike = other.number < entry.number and len(title & theirs) >= SHARED * len(title | theirs)
            if alike and len(distinct((other, entry))) == 1:
                return other
        return None

    def _ranked(self, profiles: Sequence[Profile]) -> tuple[tuple[int, ...], str]:
        (selection,) = self._selector.select([Reader(tuple(profiles), most=0)], len(self._numbers))
        return selection.more, selection.fault


def exclusions(entries: Sequence[Entry], profiles: Sequence[Profile], frequencies: Lookup) -> dict[int, list[Reason]]:
    """Why each of some entries is kept out: the exclusions, as typed, of the profiles that would have taken it in."""
    found: dict[int, list[Reason]] = {}
    if not entries:
        return found
    selector = Selector(entries, frequencies)
    for wanted, unwanted, typed in map(_split, profiles):
        if not typed:
            continue
        taken, kept_out = selector.select([Reader((one,), most=len(entries)) for one in (wanted, unwanted)], 0)
        numbers = {match.entry for match in taken.matches}
        for match in kept_out.matches:
            if match.entry in numbers:
                why = [reason._replace(keyword=typed[reason.keyword]) for reason in match.reasons]
                found.setdefault(match.entry, []).extend(why)
    return found


def _stems(entry: Entry) -> frozenset[str]:
    return frozenset(form.stem for form in words(entry.title))


def _split(profile: Profile) -> tuple[Profile, Profile, dict[str, str]]:
    """A profile without its exclusions; one that wants just what they name; and how these are typed."""
    typed = {text: str(Keyword(keyword.query)) for text, keyword in _read(profile) if keyword.excluded}
    wanted = tuple(text for text in profile.keywords if text not in typed)
    unwanted = tuple(typed.values())
    back = {positive: text for text, positive in typed.items()}
    return replace(profile, keywords=wanted), replace(profile, keywords=unwanted), back


def _read(profile: Profile) -> Iterator[tuple[str, Keyword]]:
    return ((text, parse(text)) for text in profile.keywords)
