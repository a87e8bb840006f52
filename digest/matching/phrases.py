"""The phrases of an entry that say what it is about, to be proposed as keywords.

Rules
-----
1. A phrase is one to three words side by side within a clause, none a function word or one that any abstract may have,
   and none of a link.
2. It stands more than once, or in the title: as a single word, or as all that stands between words that say nothing.
   A compound (`fine-tuning`) is not taken apart, nor a phrase of which a part never stands alone.
3. Its rarest word stands in at most COMMON of all entries.
4. Better is what is said more often, by rarer words; of two that share a word the better one stays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import NamedTuple

from digest.matching.frequencies import Lookup
from digest.matching.text import Token, tokens
from digest.model import Entry, Profile
from digest.profiles import lint

LONGEST = 3
COMMON = 0.1
_IN_TITLE = 1.5
"""To stand in the title counts as much as so many times in the abstract."""
_SHORTEST = 3
_LOOKED_AT = 10_000
"""Characters of an abstract."""
_LINK = re.compile(r"https?://\S+")
_WORD = re.compile(r"[^\W_]+")
_FILLERS = """
    achieve achieves achieving across address against allow allows already although among analysis approach
    approaches aren around based before behind better between both called case challenge challenges code compared
    demonstrate demonstrates despite different directly doesn don during each effective effectively efficient enable
    enables enabling especially evaluate evaluation even every existing experiment experimental experiments
    extensive finally find finding findings first five four framework further furthermore given here high however
    improve improved improvement improvements improves including instead introduce introduces introducing isn key
    large leads less let long low main make makes making many method methods moreover much need needs never new
    novel often once one only other others our outperform outperforms own paper papers per perform performance point
    present presents previous problem problems propose proposed proposes provide provides rather recent recently
    remain remains require requires result results same second several show shows significant significantly simple
    since single six small so state still strong studies study such task tasks technique techniques ten thereby
    third three through thus toward towards two under us use used uses using various very via well whether whose
    within without work works yet
"""
_OF_ANY_ABSTRACT = frozenset(_FILLERS.split())


class _Place(NamedTuple):
    """Where a phrase stands, as written: in the title or not, and whether alone between words that say nothing."""

    said: str
    stems: tuple[str, ...]
    alone: bool
    in_title: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase in the spelling that serves as a keyword, its stems, and how often an entry has a word as rare."""

    text: str
    stems: frozenset[str]
    share: float
    score: float
    in_title: bool


def phrases(entry: Entry, frequencies: Lookup) -> list[Phrase]:
    """The telling phrases of an entry, the best first."""
    places: defaultdict[tuple[str, ...], list[_Place]] = defaultdict(list)
    for place in (*_places(entry.title, in_title=True), *_places(entry.abstract[:_LOOKED_AT], in_title=False)):
        places[place.stems].append(place)
    telling = {stems: found for stems, found in places.items() if len(found) > 1 or _is_titular(found[0])}
    telling = {stems: found for stems, found in telling.items() if not _is_part(stems, telling)}
    seen = frequencies({stem for stems in telling for stem in stems})
    shares = {stem: (count.entries + 1) / (seen.entries + 2) for stem, count in seen.by_stem.items()}
    unseen = 1 / (seen.entries + 2)
    rated = [_rated(stems, found, [shares.get(s, unseen) for s in stems]) for stems, found in telling.items()]
    rare = [phrase for phrase in rated if phrase.share <= COMMON]
    return sorted(rare, key=lambda phrase: (-phrase.score, phrase.text))


def apart(found: Sequence[Phrase], most: int) -> list[Phrase]:
    """The first of these that share no word."""
    chosen: list[Phrase] = []
    for phrase in found:
        if len(chosen) < most and all(phrase.stems.isdisjoint(other.stems) for other in chosen):
            chosen.append(phrase)
    return chosen


def _is_titular(place: _Place) -> bool:
    return place.in_title and (place.alone or len(place.stems) == 1)


def _is_part(stems: tuple[str, ...], telling: Mapping[tuple[str, ...], Sequence[_Place]]) -> bool:
    """Whether all places of a phrase are in those of a longer one."""
    often, size = len(telling[stems]), len(stems)
    longer = (other for other, found in telling.items() if len(other) > size and len(found) == often)
    return any(stems in (other[:size], other[-size:], other[1 : 1 + size]) for other in longer)


def _rated(stems: tuple[str, ...], found: Sequence[_Place], shares: Sequence[float]) -> Phrase:
    often = sum(_IN_TITLE if place.in_title else 1.0 for place in found)
    rarity = sum(-log(share) for share in shares) / len(shares) ** 0.5
    spellings = [_plain(place.said) for place in found]
    text = min(spellings, key=lambda said: (-spellings.count(said), len(said), said))
    return Phrase(text, frozenset(stems), min(shares), often * rarity, found[0].in_title)


def _places(text: str, *, in_title: bool) -> Iterator[_Place]:
    """Every stretch of a text that rule 1 allows."""
    for clause in _clauses(text):
        cuts = [place for place, token in enumerate(clause) if not token.tied] + [len(clause)]
        for place, first in enumerate(cuts):
            for last in cuts[place + 1 :]:
                if last - first <= LONGEST:
                    some = clause[first:last]
                    said, alone = text[some[0].start : some[-1].end], len(some) == len(clause)
                    yield _Place(said, tuple(token.forms.stem for token in some), alone, in_title)


def _clauses(text: str) -> Iterator[Sequence[Token]]:
    """The words of a text, parted where anything but a space or a hyphen, or a word that says nothing, stands."""
    clause: list[Token] = []
    for token in tokens(_LINK.sub(lambda link: "." * len(link[0]), text)):
        says = _says_something(token.forms.plain)
        if clause and not (says and (token.tied or text[clause[-1].end : token.start].isspace())):
            yield clause if says or not token.tied else _without_last_compound(clause)
            clause = []
        if says:
            clause.append(token)
    yield clause


def _without_last_compound(clause: list[Token]) -> list[Token]:
    """A clause without the beginning of a compound whose end says nothing (`Ctrl-U`)."""
    while clause and clause.pop().tied:
        pass
    return clause


@lru_cache(maxsize=1 << 14)
def _says_something(word: str) -> bool:
    if len(word) < _SHORTEST or word.isdigit() or word in _OF_ANY_ABSTRACT:
        return False
    return not lint(Profile("", (f'"{word}"',)))


def _plain(said: str) -> str:
    """In small letters, but for names and abbreviations, and with single spaces."""
    small = _WORD.sub(lambda word: word[0] if any(map(str.isupper, word[0][1:])) else word[0].lower(), said)
    return " ".join(small.split())
