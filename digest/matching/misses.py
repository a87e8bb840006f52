"""What came near: keywords that did not hit an entry, and what each lacks.

Rules
-----
1. A keyword came near if all of it stands there in another field, another form or too far apart, or if some of its
   words hit. A word of one or two small letters says nothing, and those in more than COMMON of all entries too little.
2. The nearest come first: those that lack no word, then those of which most words hit, then as in the profiles.
3. Whether a part hits is asked of the search that matches, so that both agree on every word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from digest.errors import QueryError
from digest.matching import text
from digest.matching.frequencies import Lookup
from digest.matching.index import Window
from digest.matching.search import Search, Sense
from digest.matching.terms import View
from digest.model import FIELDS, Entry, Profile
from digest.profiles import And, InField, Keyword, Not, Or, Phrase, Query, Words, parse

MOST = 3
LONGEST = 60
"""Characters of an entry's own words that are quoted."""
_ELSEWHERE, _OTHER_FORM, _KEPT_OUT, _APART, _SOME = 0.95, 0.9, 0.88, 0.85, 0.8
COMMON = 0.2
_EVERYWHERE = tuple(range(len(FIELDS)))
_TELLING = 3


class Miss(NamedTuple):
    """A keyword that came near, and what it lacks, in words."""

    profile: str
    keyword: str
    words: str


class _Near(NamedTuple):
    """How much of a query is there (below 1), and what is not."""

    share: float
    words: str


class _Unit(NamedTuple):
    """A word of a query, and where it stands (first and last token of each place)."""

    text: str
    places: list[tuple[int, int]]


class Misses:
    """Entries that did not match, ready to be asked what came near."""

    def __init__(self, entries: Sequence[Entry], frequencies: Lookup) -> None:
        self._window = Window(entries)
        self._search = Search(self._window)
        self._columns = {entry.number: column for column, entry in enumerate(entries)}
        self._lookup = frequencies
        self._shares: dict[str, float] = {}
        self._found: dict[tuple[Query, Sense], dict[int, list[tuple[int, int]]]] = {}

    def of(self, number: int, profiles: Sequence[Profile], most: int = MOST) -> tuple[Miss, ...]:
        """The keywords that came nearest to one of the entries; those that cannot be read, or do hit, are left out."""
        column = self._columns[number]
        near = [
            (found.share, Miss(profile.name, typed, found.words))
            for profile in profiles
            for typed, keyword in _wanted(profile)
            if (found := self._near(keyword.query, Sense.of(profile.match, capitals=profile.capitals), column))
        ]
        near.sort(key=lambda each: -each[0])
        return tuple(miss for _, miss in near[:most])

    def _near(self, query: Query, sense: Sense, column: int) -> _Near | None:
        if isinstance(query, InField):
            return self._near(query.query, sense.within(query.field), column)
        if self._places(query, sense, column):
            return None
        return self._elsewhere(query, sense, column) or self._partly(query, sense, column)

    def _partly(self, query: Query, sense: Sense, column: int) -> _Near | None:
        match query:
            case Words(words):
                return self._words(query, words, sense, column)
            case Phrase():
                return self._phrase(query, sense, column)
            case And(queries):
                return self._all_of(queries, sense, column)
            case Or(queries):
                return max(filter(None, (self._near(each, sense, column) for each in queries)), default=None)
        return None

    def _places(self, query: Query, sense: Sense, column: int) -> list[tuple[int, int]]:
        """The stretches of tokens with which a query hits an entry."""
        if (query, sense) not in self._found:
            pieces = self._search.find([(query, sense)]).pieces
            places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
            columns = self._window.column[pieces.first].tolist()
            for held, first, last in zip(columns, pieces.first.tolist(), pieces.last.tolist(), strict=True):
                places[held].append((first, last))
            self._found[query, sense] = places
        return self._found[query, sense].get(column, [])

    def _elsewhere(self, query: Query, sense: Sense, column: int) -> _Near | None:
        wide = Sense(sense.match, sense.view._replace(fields=_EVERYWHERE))
        if places := self._places(query, wide, column):
            asked = " or ".join(FIELDS[field] for field in sense.view.fields)
            return _Near(_ELSEWHERE, f"it stands in the {self._field(places[0])}, not in the {asked}")
        return None

    def _words(self, query: Words, words: Sequence[str], sense: Sense, column: int) -> _Near | None:
        loose = Sense(sense.match, View("free", sense.view.fields))
        units = [_Unit(word, self._places(Words((word,)), sense, column)) for word in dict.fromkeys(words)]
        if self._places(query, loose, column) and (capitals := [unit.text for unit in units if not unit.places]):
            there = self._places(Words((capitals[0],)), loose, column)
            stands = f"“{self._surface(there[0])}” stands there, but " if there else ""
            wants = "wants capitals" if len(capitals) == 1 else "want capitals"
            return _Near(_OTHER_FORM, f"{stands}{_listed(capitals)} {wants}")
        if sense.match == "near":
            reach = self._search.find([(query, sense)]).leaves[0].reach
            return self._several(units, f"within {{}} words, {reach} are the most")
        return self._several(units, "")

    def _phrase(self, query: Phrase, sense: Sense, column: int) -> _Near | None:
        words = tuple(query.text.split())
        loose = Sense("phrase", View("free", sense.view.fields))
        if query.distance is None and (places := self._places(Words(words), loose, column)):
            return _Near(_OTHER_FORM, f"“{self._surface(places[0])}” is not exactly “{query.text}”")
        units = [_Unit(word, self._places(Phrase(word), sense, column)) for word in dict.fromkeys(words)]
        limit = "" if query.distance is None else f"within {{}} words, {query.distance + 1} are the most"
        return self._several(units, limit)

    def _several(self, units: Sequence[_Unit], limit: str) -> _Near | None:
        """Of words that do not hit together: which are missing, or that they are too far apart; `limit` says how far.

        Without a `limit` they must stand side by side.
        """
        there, missing = [unit for unit in units if unit.places], [unit.text for unit in units if not unit.places]
        if missing:
            return self._some([unit.text for unit in there], missing)
        if not limit:
            return _Near(_APART, "its words stand there, but not side by side in this order")
        if stretch := self._shortest(units):
            return _Near(_APART, f"its words stand {limit.format(stretch)}")
        where = ", ".join(f"{unit.text} in the {self._field(unit.places[0])}" for unit in units)
        return _Near(_APART, f"its words stand far apart: {where}")

    def _all_of(self, queries: Sequence[Query], sense: Sense, column: int) -> _Near | None:
        wanted = [(str(query), self._places(query, sense, column)) for query in queries if not isinstance(query, Not)]
        there, missing = [part for part, places in wanted if places], [part for part, places in wanted if not places]
        if missing:
            return self._some(there, missing)
        unwanted = [query for query in queries if isinstance(query, Not) and self._places(query.query, sense, column)]
        return _Near(_KEPT_OUT, f"it would hit, but for {_listed([str(query) for query in unwanted])}")

    def _some(self, there: Sequence[str], missing: Sequence[str]) -> _Near | None:
        """What to say where some parts hit and some do not."""
        there, missing = _telling(there), _telling(missing) or missing
        if all(self._share(part) > COMMON for part in there):
            return None
        hit, do = "hits" if len(there) == 1 else "hit", "does" if len(missing) == 1 else "do"
        share = _SOME * len(there) / (len(there) + len(missing))
        return _Near(share, f"{_listed(there)} {hit}, {_listed(missing)} {do} not")

    def _share(self, part: str) -> float:
        """Of all entries ever seen, the share that have the rarest word of a part."""
        if part not in self._shares:
            stems = {form.stem for form in text.words(part)}
            seen = self._lookup(stems)
            held = [seen.by_stem[stem].entries if stem in seen.by_stem else 0 for stem in stems]
            self._shares[part] = min(held, default=0) / max(1, seen.entries)
        return self._shares[part]

    def _shortest(self, units: Sequence[_Unit]) -> int:
        """The words of the shortest stretch of one run that holds one place of each; 0: no run holds all."""
        run = self._window.run
        lengths = []
        for first, _ in (place for unit in units for place in unit.places):
            behind = [
                [last for start, last in unit.places if start >= first and run[start] == run[first]] for unit in units
            ]
            if all(behind):
                lengths.append(max(map(min, behind)) - first + 1)
        return min(lengths, default=0)

    def _field(self, place: tuple[int, int]) -> str:
        return FIELDS[int(self._window.field[place[0]])]

    def _surface(self, place: tuple[int, int]) -> str:
        first, last = np.array([place], dtype=np.int32).T
        return self._window.surfaces(first, last, LONGEST)[0]


def _wanted(profile: Profile) -> Iterator[tuple[str, Keyword]]:
    """The keywords of a profile that can hit, as typed and as read."""
    for typed in profile.keywords:
        try:
            keyword = parse(typed)
        except QueryError:
            continue
        if not keyword.excluded:
            yield typed, keyword


def _telling(texts: Sequence[str]) -> Sequence[str]:
    return [each for each in texts if len(each) >= _TELLING or each != each.lower()]


def _listed(texts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
