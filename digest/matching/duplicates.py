"""Entries with nearly the same title count as one: the one loaded first.

Two titles are nearly the same if they share at least SHARED of their distinct words, inflection aside. What is left
over may be extra words of one of them, but no numbers ("Part 2"); or words of at least LONG letters that differ in one
letter (modelling, modeling). Titles of fewer than SHORT words must be the same. Whatever their titles, two entries
whose identifiers differ, or their addresses on one host, are two (see `papers`).

A further telling of an entry (`first`) stays: who did not get the entry may get that one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from digest.matching import text
from digest.model import Entry
from digest.papers import agree

SHARED = 0.85
SHORT = 5
LONG = 5


def distinct(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, in the order given, without those that repeat another with a smaller number."""
    titles = {
        entry.number: frozenset(token.forms.stem for token in text.tokens(entry.title))
        for entry in entries
        if not entry.first
    }
    spread = Counter(stem for title in titles.values() for stem in title)
    keys = {entry.number: entry.keys for entry in entries}
    kept_with: defaultdict[str, list[int]] = defaultdict(list)
    kept: set[int] = set()
    for number in sorted(titles):
        title = titles[number]
        # Two titles that share enough share one of each one's rarest words.
        rare = sorted(title, key=lambda stem: (spread[stem], stem))[: 1 + int(len(title) * (1 - SHARED))]
        near = (other for stem in rare for other in kept_with[stem])
        if not any(_alike(title, titles[other]) and agree(keys[number], keys[other]) for other in near):
            kept.add(number)
            for stem in title:
                kept_with[stem].append(number)
    return [entry for entry in entries if entry.first or entry.number in kept]


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if min(len(one), len(other)) < SHORT:
        return one == other
    if len(one & other) < SHARED * len(one | other):
        return False
    extra, missing = one - other, other - one
    if any(letter.isdigit() for stem in extra | missing for letter in stem):
        return False
    return not extra or not missing or all(any(_one_letter_off(stem, each) for each in missing) for stem in extra)


def _one_letter_off(one: str, other: str) -> bool:
    """Whether one letter more, less or another makes one of the other."""
    if min(len(one), len(other)) < LONG:
        return False
    pairs = enumerate(zip(one, other, strict=False))
    same = next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))
    tails = (one[same + 1 :], other[same + 1 :]), (one[same + 1 :], other[same:]), (one[same:], other[same + 1 :])
    return any(left == right for left, right in tails)
