"""Entries and readers for the tests of this room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digest.matching import Count, Frequencies, Lookup, Reader, Selection, Selector
from digest.model import Entry, MatchMode, Profile

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "omega")


def entry(number: int, title: str = "", abstract: str = "", **others: Any) -> Entry:
    return Entry((f"title:{number}",), title, abstract, number=number, **others)


def history(entries: int = 1000, **counts: int) -> Lookup:
    """Frequencies as a store has them: by stem, in how many of all entries it stands."""
    return lambda _: Frequencies(entries, {stem: Count(count, count) for stem, count in counts.items()})


def profile(*keywords: str, name: str = "mine", match: MatchMode = "near", capitals: bool = True) -> Profile:
    return Profile(name, keywords, match, capitals)


def select(entries: Sequence[Entry], *readers: Reader, more: int = 0, seen: Lookup | None = None) -> list[Selection]:
    return list(Selector(entries, seen or history()).select(readers, more))


def chosen(entries: Sequence[Entry], *profiles: Profile, seen: Lookup | None = None) -> list[int]:
    """The numbers of the entries that a reader with these profiles gets, best first."""
    (selection,) = select(entries, Reader(profiles, most=len(entries)), seen=seen)
    return [match.entry for match in selection.matches]


def hits(keyword: str, text: str, match: MatchMode = "near", *, capitals: bool = True) -> bool:
    """Whether a keyword hits the text, which stands in the title as well as in an abstract."""
    asked = profile(keyword, match=match, capitals=capitals)
    found = chosen([entry(1, text), entry(2, "Unrelated", text), entry(3, "Unrelated words")], asked)
    expected = [] if keyword.startswith("title:") else [2]
    assert not found or sorted(found) == [1, *expected], f"{keyword} in title and abstract: {found}"
    return bool(found)
