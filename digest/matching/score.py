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

A word of a keyword scores also where the keyword does not hit; but a word in more than COMMON of all entries scores
only where it hits. Elsewhere such words tell next to nothing, and they would make nine tenths of the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from digest.matching.frequencies import Count, Frequencies, Lookup
from digest.matching.index import ABSTRACT, TITLE, Flags, Ints, Numbers, Window, ranges
from digest.matching.near import Pieces
from digest.matching.search import Found, Leaf
from digest.matching.terms import Term, Terms

K1, B, TITLE_WEIGHT, RARITY, SPREAD, PHRASE, COMMON = 1.5, 0.75, 3.0, 1.4, 0.25, 0.5, 0.1

_NEVER = Count(0, 0)
Floats = NDArray[np.float32]
Matrix = sparse.csr_array[np.float32]
Scores = tuple[Ints | Numbers, Ints | Numbers, Floats]
"""Row, column, score; what is named more than once adds up."""


class Scorer:
    """BM25 of terms in the columns of one window, with the frequencies of all entries ever seen."""

    def __init__(self, window: Window, terms: Terms, frequencies: Lookup) -> None:
        self.window, self._terms, self._lookup = window, terms, frequencies
        self._columns = len(window.entries)
        self._basis = np.empty((0, 3))
        self._entries = 0
        self._boost: Floats = np.where(window.field == TITLE, TITLE_WEIGHT, 1.0).astype(np.float32)
        text = window.field <= max(TITLE, ABSTRACT)
        lengths = np.bincount(window.column[text], weights=self._boost[text], minlength=self._columns)
        mean = max(1.0, lengths.sum() / max(1, self._columns))
        self._norm: Floats = (K1 * (1 - B + B * lengths / mean)).astype(np.float32)

    def score(self, found: Found, hits: sparse.csr_array[np.bool_], rows: Pieces) -> Matrix:
        """The score of each query in each column; `rows` tells where the words of a leaf stand in a row."""
        self._learn()
        leaves, owner, _ = found
        counts = np.array([len(leaf.parts) for leaf in leaves], dtype=np.int64)
        terms, part = np.unique([term for leaf in leaves for term in leaf.parts], return_inverse=True)
        share = np.repeat(np.maximum(counts, 1).astype(np.float32) ** -SPREAD, counts)
        bm25, common = self._bm25(terms.astype(np.int64))
        flags = common[part]
        mixture = _matrix(share[~flags], np.repeat(owner, counts)[~flags], part[~flags], (hits.shape[0], len(terms)))
        everywhere = (mixture @ bm25).tocoo()
        parts: tuple[Scores, ...] = (
            (everywhere.row, everywhere.col, everywhere.data),
            _where_hit(bm25, part[flags], share[flags], np.repeat(owner, counts)[flags], hits),
            self._phrases(leaves, owner, rows),
        )
        number, column, score = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return _matrix(score, number, column, hits.shape)

    def _learn(self) -> None:
        """Entries, occurrences and spread in the window of the rarest stem of every new term."""
        new = self._terms.all[len(self._basis) :]
        if new:
            seen = self._lookup({stem for term in new for stem in term.stems})
            self._entries = seen.entries
            self._basis = np.concatenate([self._basis, [self._of(term, seen) for term in new]])

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

    def _bm25(self, terms: Numbers) -> tuple[Matrix, Flags]:
        """BM25 of each term (row) in each column, and which terms are common."""
        spans = [self._terms.all[term].spans.first for term in terms.tolist()]
        place = np.repeat(np.arange(len(spans)), [len(each) for each in spans])
        position = np.concatenate([np.empty(0, np.int32), *spans])
        tf = _matrix(self._boost[position], place, self.window.column[position], (len(terms), self._columns))
        return self._saturated(tf, self._basis[terms])

    def _phrases(self, leaves: Sequence[Leaf], owner: Numbers, rows: Pieces) -> Scores:
        """The bonus for words in a row: row, column, score."""
        there, leaf = np.unique(rows.owner, return_inverse=True)
        tf = _matrix(self._boost[rows.first], leaf, self.window.column[rows.first], (len(there), self._columns))
        parts = [leaves[number].parts for number in there.tolist()]
        flat = np.array([part for each in parts for part in each], dtype=np.int64)
        starts = np.cumsum([0, *map(len, parts)])[:-1]
        basis = self._basis[flat]
        rarest = np.lexsort((basis[:, 0], np.repeat(np.arange(len(parts)), [len(each) for each in parts])))[starts]
        basis = basis[rarest]
        basis[:, 1] = basis[:, 0]
        scores = self._saturated(tf, basis)[0].tocoo()
        return owner[there[scores.row]], scores.col, scores.data * np.float32(PHRASE)

    def _saturated(self, tf: Matrix, basis: NDArray[np.float64]) -> tuple[Matrix, Flags]:
        """BM25 from term frequencies, and which rows are common."""
        hits = np.diff(tf.indptr)
        rarest, occurring, here = basis.T
        share = (hits + 1) / (here + 1)
        holding = np.clip((rarest + 1) * share - 1, 0, self._entries)
        occurring = np.maximum((occurring + 1) * share - 1, 0)
        idf = np.log1p((self._entries - holding + 0.5) / (holding + 0.5)) ** RARITY
        rarity = (idf * (occurring + 1) / (holding + 1)).astype(np.float32)
        data = np.repeat(rarity, hits) * tf.data * np.float32(K1 + 1) / (tf.data + self._norm[tf.indices])
        return sparse.csr_array((data, tf.indices, tf.indptr), shape=tf.shape), holding > COMMON * self._entries


def _where_hit(bm25: Matrix, term: Numbers, share: Floats, number: Numbers, hits: sparse.csr_array[np.bool_]) -> Scores:
    """The scores of pairs of row and term, only where the row hits."""
    used, term = np.unique(term, return_inverse=True)
    dense = bm25[used].toarray()
    counts = np.diff(hits.indptr)[number].astype(np.int64)
    column = hits.indices[ranges(hits.indptr[number].astype(np.int64), counts)].astype(np.int64)
    return np.repeat(number, counts), column, np.repeat(share, counts) * dense[np.repeat(term, counts), column]


def _matrix(data: Floats, row: Ints | Numbers, column: Ints | Numbers, shape: tuple[int, int]) -> Matrix:
    return sparse.coo_array((data, (row, column)), shape=shape).tocsr()
