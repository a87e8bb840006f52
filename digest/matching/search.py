"""Where queries hit in a window: very many queries at once.

Rules
-----
1. Several words are *near* when one stretch of at most NEAR words (twice their number, if that is more) of one run
   holds them all. Quoted words follow each other; with a distance, they are near within that many words.
2. Two neighbours of several words may also be written as one.
3. A query that names no field looks at title and abstract.
4. A part of a query speaks for an entry only where that part holds; what NOT names never does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import pairwise
from operator import and_, or_
from typing import NamedTuple

import numpy as np

from digest.matching import text
from digest.matching.arrays import Flags, Numbers, has, members
from digest.matching.index import ABSTRACT, TITLE, Window
from digest.matching.near import Pieces, Places, Way
from digest.matching.terms import Terms, View
from digest.model import FIELDS, MatchMode
from digest.profiles.query import And, InField, Not, Or, Pattern, Phrase, Prefix, Query, Words

NEAR = 10


class Sense(NamedTuple):
    """How a query is to be taken: what several words mean, and how words are compared."""

    match: MatchMode
    view: View

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, match: MatchMode, *, capitals: bool) -> Sense:
        """The sense of a profile's keywords."""
        return cls(match, View("capitals" if capitals else "free", (TITLE, ABSTRACT)))

    def within(self, field: str) -> Sense:
        """The same in one field."""
        return Sense(self.match, self.view._replace(fields=(FIELDS.index(field),)))


class Leaf(NamedTuple):
    """A query without operators.

    It hits where one of its `ways` is found within `reach` words (0: in order). `rows` are the ways of writing all its
    words in a row, if it has several; `parts` are the terms that earn score.
    """

    ways: tuple[tuple[int, ...], ...]
    reach: int
    rows: tuple[tuple[int, ...], ...]
    parts: tuple[int, ...]

    def mute(self) -> Leaf:
        """The same, without score."""
        return Leaf(self.ways, self.reach, (), ())


class Tree(NamedTuple):
    """An And or Or of leaves (by number) and trees, without what an And takes away."""

    all_of: bool
    wanted: tuple[Tree | int, ...]
    unwanted: tuple[Tree | int, ...]


class Found(NamedTuple):
    """What was found for queries, in that order: their leaves, whose each leaf is, and the pieces of each leaf.

    A query hits an entry where it has a piece.
    """

    leaves: list[Leaf]
    owner: Numbers
    pieces: Pieces


class Search:
    """Finds queries in one window; each word is looked up once."""

    def __init__(self, window: Window) -> None:
        self.window, self.terms = window, Terms(window)

    def find(self, queries: Sequence[tuple[Query, Sense]]) -> Found:
        """Where each query hits, and with which pieces."""
        leaves: list[Leaf] = []
        stops: list[int] = []
        trees: list[Tree] = []
        for query, sense in queries:
            tree = self._plan(query, sense, leaves)
            stops.append(len(leaves))
            if isinstance(tree, Tree):
                trees.append(tree)
        ways = [(number, way, leaf.reach) for number, leaf in enumerate(leaves) for way in leaf.ways]
        pieces = self._find(ways)
        if trees:
            pieces = pieces.only(self._speaking(trees, len(leaves), pieces))
        return Found(leaves, np.repeat(np.arange(len(stops)), np.diff(stops, prepend=0)), pieces)

    def rows(self, found: Found) -> Pieces:
        """Where all words of a leaf that speaks for an entry, if there are several, stand in a row."""
        speaking = np.unique(found.pieces.owner).tolist()
        rows = self._find([(number, row, 0) for number in speaking for row in found.leaves[number].rows])
        return rows.distinct(len(self.window.run))

    def _find(self, ways: Sequence[Way]) -> Pieces:
        numbers = {number for _, terms, _ in ways for number in terms}
        return Places(self.window, {number: self.terms.all[number].spans for number in numbers}).find(ways)

    def _plan(self, query: Query, sense: Sense, leaves: list[Leaf]) -> Tree | int:
        match query:
            case Words(words):
                leaves.append(self._words(words, sense))
            case InField(field, inner):
                return self._plan(inner, sense.within(field), leaves)
            case And(queries) | Or(queries):
                return self._tree(queries, sense, leaves, all_of=isinstance(query, And))
            case Phrase(phrase, distance):
                leaves.append(self._phrase(phrase, distance, sense))
            case Prefix(prefix):
                leaves.append(self._alone(self.terms.prefix(prefix, sense.view)))
            case Pattern(regex):
                leaves.append(self._alone(self.terms.pattern(regex, sense.view)))
            case Not():
                raise TypeError("a Not stands only inside an And")
        return len(leaves) - 1

    def _tree(self, queries: Sequence[Query], sense: Sense, leaves: list[Leaf], *, all_of: bool) -> Tree:
        wanted = [self._plan(each, sense, leaves) for each in queries if not isinstance(each, Not)]
        start = len(leaves)
        unwanted = [self._plan(each.query, sense, leaves) for each in queries if isinstance(each, Not)]
        leaves[start:] = [leaf.mute() for leaf in leaves[start:]]
        return Tree(all_of, tuple(wanted), tuple(unwanted))

    def _words(self, words: tuple[str, ...], sense: Sense) -> Leaf:
        if len(words) > 1:
            words = tuple(dict.fromkeys(words))
        terms = self.terms.words(words, sense.view)
        parts = self._parts(terms)
        rows = self._rows(terms, words, sense.view)
        row = rows if len(parts) > 1 else ()
        match sense.match:
            case "near":
                return Leaf(rows, max(NEAR, 2 * len(parts)), row, parts)
            case "phrase":
                return Leaf(rows, 0, row, parts)
            case "any":
                each = dict.fromkeys(term for way in (terms, *rows) for term in way if term not in self.terms.absent)
                return Leaf(tuple((term,) for term in each), 1, row, parts)

    def _phrase(self, phrase: str, distance: int | None, sense: Sense) -> Leaf:
        view = View("plain" if phrase == phrase.lower() else "cased", sense.view.fields)
        words = [word for word in phrase.split() if text.words(word)]
        terms = self.terms.words(words, view)
        parts = self._parts(terms)
        rows = self._rows(terms, words, view)
        reach = 0 if distance is None else max(distance + 1, len(parts))
        return Leaf(rows, reach, rows if len(parts) > 1 else (), parts)

    def _alone(self, term: int) -> Leaf:
        return Leaf(() if term in self.terms.absent else ((term,),), 1, (), (term,))

    def _parts(self, terms: tuple[int, ...]) -> tuple[int, ...]:
        """The terms that earn score: compounds are taken apart."""
        compounds = self.terms.compounds
        if compounds.keys().isdisjoint(terms):
            return terms
        return tuple(dict.fromkeys(part for term in terms for part in compounds.get(term, (term,))))

    def _rows(self, terms: tuple[int, ...], words: Sequence[str], view: View) -> tuple[tuple[int, ...], ...]:
        """The ways of writing some words of which each stands somewhere."""
        absent, opening = self.terms.absent, self.terms.opening
        rows = (terms,) if terms and absent.isdisjoint(terms) else ()
        if len(words) > 1 and not opening.isdisjoint(words):
            for place, (one, other) in enumerate(pairwise(words)):
                if one in opening and (whole := self.terms.joined(one, other, view)) is not None:
                    row = (*terms[:place], whole, *terms[place + 2 :])
                    rows = (*rows, row) if absent.isdisjoint(row) else rows
        return rows

    def _speaking(self, trees: Sequence[Tree], leaves: int, pieces: Pieces) -> Flags:
        """Which pieces speak for their query."""
        combined = np.zeros(leaves, dtype=bool)
        combined[[leaf for tree in trees for leaf in _leaves(tree)]] = True
        places = np.flatnonzero(combined[pieces.owner])
        owner, column = pieces.owner[places], self.window.column[pieces.first[places]]
        held = members(owner, column, leaves, len(self.window.entries))
        sets = {leaf: int.from_bytes(held[leaf].tobytes(), "little") for leaf in np.unique(owner).tolist()}
        spoken = np.zeros_like(held)
        for tree in trees:
            for leaf, entries in _held(tree, sets)[1]:
                spoken[leaf] = np.frombuffer(entries.to_bytes(held.shape[1] * 8, "little"), dtype="<u8")
        flags = ~combined[pieces.owner]
        flags[places] = has(spoken, owner, column)
        return flags


def _leaves(tree: Tree | int) -> Iterator[int]:
    if isinstance(tree, int):
        yield tree
    else:
        for each in (*tree.wanted, *tree.unwanted):
            yield from _leaves(each)


def _held(tree: Tree | int, held: Mapping[int, int]) -> tuple[int, list[tuple[int, int]]]:
    """The entries for which a tree holds, and those for which each of its leaves speaks; sets are bits of a number."""
    if isinstance(tree, int):
        entries = held.get(tree, 0)
        return entries, [(tree, entries)]
    wanted = [_held(each, held) for each in tree.wanted]
    speaking = [one for _, leaves in wanted for one in leaves]
    if not tree.all_of:
        return reduce(or_, (entries for entries, _ in wanted)), speaking
    both = reduce(and_, (entries for entries, _ in wanted))
    for each in tree.unwanted:
        both &= ~_held(each, held)[0]
    return both, [(leaf, entries & both) for leaf, entries in speaking]
