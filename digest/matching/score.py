"""What a hit is worth.

    term      idf · burst · tf · (K1 + 1) / (tf + K1 · (1 − B + B · length / average length))
    keyword   Σ terms / (number of terms) ** SPREAD + PHRASE · the term of all its words in a row
    profile   Σ weight · keyword

The terms of a keyword are its single words, those of compounds, too. A hit in the title counts TITLE_WEIGHT times.
`idf` is ln(1 + (N − df + .5) / (df + .5)) ** RARITY. `burst` is how often a word stands in an entry that holds it, on
average: words that a text is about come again in it, words of the language do not (the after-effect of Amati & van
Rijsbergen, "Probabilistic models of information retrieval based on measuring the divergence from randomness", 2002).
For BM25 see Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). One set of constants
does well on four judged collections: see benchmarks/relevance.py.

The frequencies of stems are known from all entries ever seen. A term that is more or less than one stem (a word written
apart, capitals only, words in a row) has those of its rarest stem, times the share of the window's entries with that
stem in which the term hits.

What a keyword scores is a mixture of *sources*, which are rows of columns: terms, that keywords share, and one source
of its own for all that it scores only where it hits. A word of a keyword scores also where the keyword does not hit;
but a word in more than COMMON of all entries scores only where it hits. Elsewhere such words tell next to nothing, and
they would make nine tenths of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.matching.arrays import Flags, Floats, Growing, Ints, Numbers, Sparse, Stack, begins, bounds_of, ranges
from digest.matching.frequencies import Count, Frequencies, Lookup
from digest.matching.index import ABSTRACT, TITLE, Window
from digest.matching.near import Pieces
from digest.matching.search import Found, Leaf
from digest.matching.terms import Term, Terms

K1, B, TITLE_WEIGHT, RARITY, SPREAD, PHRASE, COMMON = 1.5, 0.75, 3.0, 1.4, 0.25, 0.5, 0.1

_NEVER = Count(0, 0)


class Hits(NamedTuple):
    """The columns that each row hits, one row behind the other, ascending."""

    bounds: Numbers
    columns: Ints

    def at(self, rows: Numbers) -> tuple[Numbers, Ints]:
        """How many columns each of these rows hits, and which."""
        counts = self.bounds[rows + 1] - self.bounds[rows]
        return counts, self.columns[ranges(self.bounds[rows], counts)]


class _Pairs(NamedTuple):
    """Rows with numbers in columns or of sources, in any order."""

    row: Numbers
    number: Ints | Numbers
    value: Floats

    def only(self, flags: Flags | Numbers) -> _Pairs:
        return _Pairs(self.row[flags], self.number[flags], self.value[flags])

    def __or__(self, other: _Pairs) -> _Pairs:
        return _Pairs(
            np.concatenate([self.row, other.row]),
            np.concatenate([self.number, other.number]),
            np.concatenate([self.value, other.value]),
        )


class Scorer:
    """BM25 of terms in the columns of one window, with the frequencies of all entries ever seen."""

    def __init__(self, window: Window, terms: Terms, frequencies: Lookup) -> None:
        self.window, self._terms, self._lookup = window, terms, frequencies
        self._columns = len(window.entries)
        self.sources = Stack()
        self._basis: Growing[np.float64] = Growing(np.float64, 3)
        self._source: Growing[np.int64] = Growing(np.int64)
        self._common: Growing[np.bool_] = Growing(np.bool_)
        self._entries = 0
        self._boost: Floats = np.where(window.field == TITLE, TITLE_WEIGHT, 1.0).astype(np.float32)
        text = window.field <= max(TITLE, ABSTRACT)
        lengths = np.bincount(window.column[text], weights=self._boost[text], minlength=self._columns)
        mean = max(1.0, lengths.sum() / max(1, self._columns))
        self._norm: Floats = (K1 * (1 - B + B * lengths / mean)).astype(np.float32)

    def score(self, found: Found, hits: Hits, rows: Pieces) -> Sparse:
        """Each query as a mixture of sources; `rows` tells where the words of a leaf stand in a row."""
        self._learn()
        leaves, owner, _ = found
        counts = np.array([len(leaf.parts) for leaf in leaves], dtype=np.int64)
        term = np.array([part for leaf in leaves for part in leaf.parts], dtype=np.int64)
        share = np.repeat(np.maximum(counts, 1).astype(np.float32) ** -SPREAD, counts)
        parts = _Pairs(np.repeat(owner, counts), term, share)
        self._add(np.unique(term))
        common = self._common.array[term]
        everywhere, own = self._where_hit(parts.only(common), hits)
        own = _summed(own | self._phrases(leaves, owner, rows), self._columns)
        shared = parts.only(~common) | everywhere
        shared = shared._replace(number=self._source.array[shared.number])
        return _by_row(
            shared.only(self.sources.rows.counts[shared.number] > 0) | self._owned(own), len(hits.bounds) - 1
        )

    def _learn(self) -> None:
        """Entries, occurrences and spread in the window of the rarest stem of every new term."""
        new = self._terms.all[len(self._basis) :]
        if new:
            seen = self._lookup({stem for term in new for stem in term.stems})
            self._entries = seen.entries
            self._basis.extend(np.array([self._of(term, seen) for term in new], dtype=np.float64))
            self._source.extend(np.full(len(new), -1))
            self._common.extend(np.zeros(len(new), dtype=bool))

    def _of(self, term: Term, seen: Frequencies) -> tuple[float, float, float]:
        counts = [seen.by_stem.get(stem, _NEVER) for stem in term.stems]
        if term.alternatives:
            spread = len(np.unique(self.window.column[term.spans.first]))
            return sum(count.entries for count in counts), sum(count.occurrences for count in counts), spread
        if not counts:
            return seen.entries, seen.entries, self._columns
        rarest = min(range(len(counts)), key=lambda place: counts[place].entries)
        entries, occurrences = counts[rarest]
        return entries, occurrences if len(counts) == 1 else entries, self.window.spread(term.stems[rarest])

    def _add(self, terms: Numbers) -> None:
        """Make a source of each of these that is none yet."""
        new = terms[self._source.array[terms] < 0]
        spans = [self._terms.all[term].spans.first for term in new.tolist()]
        place = np.repeat(np.arange(len(spans)), [len(each) for each in spans])
        tf = self._tf(place, np.concatenate([np.empty(0, np.int32), *spans]), len(new))
        bm25, self._common.array[new] = self._saturated(tf, self._basis.array[new])
        self._source.array[new] = np.arange(len(self.sources), len(self.sources) + len(new))
        self.sources.extend(bm25)

    def _tf(self, place: Numbers, position: Ints | Numbers, height: int) -> Sparse:
        """How often what has a place in the rows stands in each column; places and positions ascend."""
        column = self.window.column[position]
        first = np.flatnonzero(begins(place * self._columns + column))
        counts = np.bincount(place[first], minlength=height)
        return Sparse(bounds_of(counts), column[first], _sums(self._boost[position], first))

    def _where_hit(self, parts: _Pairs, hits: Hits) -> tuple[_Pairs, _Pairs]:
        """The parts that stand nowhere but where their row hits; what the others score where it does."""
        used, place = np.unique(parts.number, return_inverse=True)
        sources = self._source.array[used]
        dense = self.sources.rows.dense(sources, self._columns)
        counts, column = hits.at(parts.row)
        pair = np.repeat(np.arange(len(place)), counts)
        value = dense[place[pair], column]
        inside = np.bincount(pair[value > 0], minlength=len(place)) == self.sources.rows.counts[sources][place]
        left = ~inside[pair] & (value > 0)
        pair, column = pair[left], column[left]
        return parts.only(inside), _Pairs(parts.row[pair], column, parts.value[pair] * value[left])

    def _phrases(self, leaves: Sequence[Leaf], owner: Numbers, rows: Pieces) -> _Pairs:
        """The bonus for words in a row."""
        there, leaf = np.unique(rows.owner, return_inverse=True)
        tf = self._tf(leaf, rows.first, len(there))
        parts = [leaves[number].parts for number in there.tolist()]
        flat = np.array([part for each in parts for part in each], dtype=np.int64)
        counts = np.array([len(each) for each in parts], dtype=np.int64)
        basis = self._basis.array[flat]
        rarest = np.lexsort((basis[:, 0], np.repeat(np.arange(len(parts)), counts)))[bounds_of(counts)[:-1]]
        basis = basis[rarest]
        basis[:, 1] = basis[:, 0]
        scores, _ = self._saturated(tf, basis)
        return _Pairs(np.repeat(owner[there], scores.counts), scores.columns, scores.values * np.float32(PHRASE))

    def _saturated(self, tf: Sparse, basis: NDArray[np.float64]) -> tuple[Sparse, Flags]:
        """BM25 from term frequencies, and which rows are common."""
        hits = tf.counts
        rarest, occurring, here = basis.T
        share = (hits + 1) / (here + 1)
        holding = np.clip((rarest + 1) * share - 1, 0, self._entries)
        occurring = np.maximum((occurring + 1) * share - 1, 0)
        idf = np.log1p((self._entries - holding + 0.5) / (holding + 0.5)) ** RARITY
        rarity = (idf * (occurring + 1) / (holding + 1)).astype(np.float32)
        values = np.repeat(rarity, hits) * tf.values * np.float32(K1 + 1) / (tf.values + self._norm[tf.columns])
        return tf._replace(values=values), holding > COMMON * self._entries

    def _owned(self, own: _Pairs) -> _Pairs:
        """Make a source of what each row scores by itself; the numbers are in order."""
        first = np.flatnonzero(begins(own.row))
        number = np.arange(len(self.sources), len(self.sources) + len(first))
        self.sources.extend(Sparse(np.append(first, len(own.row)), own.number.astype(np.int32), own.value))
        return _Pairs(own.row[first], number, np.ones(len(first), dtype=np.float32))


def _summed(pairs: _Pairs, width: int) -> _Pairs:
    """What is named more than once added up, by row and number."""
    code = pairs.row * width + pairs.number
    order = np.argsort(code, kind="stable")
    pairs = pairs.only(order)
    first = np.flatnonzero(begins(code[order]))
    return pairs.only(first)._replace(value=_sums(pairs.value, first))


def _sums(values: Floats, first: Numbers) -> Floats:
    """The sum of the values from each first one to the next."""
    return np.add.reduceat(values, first) if len(first) else values


def _by_row(pairs: _Pairs, height: int) -> Sparse:
    order = np.argsort(pairs.row, kind="stable")
    counts = np.bincount(pairs.row, minlength=height)
    return Sparse(bounds_of(counts), pairs.number[order].astype(np.int32), pairs.value[order])
