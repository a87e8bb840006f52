"""The index of a window of entries: every word of every field in one line of tokens, with postings by form.

A *run* is one piece of text in which words can be neighbours: a title, an abstract, one author, one category, the
source. Tokens of all runs stand one behind the other; a token's place in that line is its position.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digest.matching import text
from digest.matching.arrays import NONE, Flags, Ints, Numbers
from digest.model import FIELDS, Entry

TITLE, ABSTRACT = FIELDS.index("title"), FIELDS.index("abstract")


class Spans(NamedTuple):
    """Stretches of tokens, `first` to `last` inclusive, ascending by `first`."""

    first: Ints
    last: Ints

    @classmethod
    def words(cls, positions: Ints) -> Spans:
        """One-token stretches."""
        return cls(positions, positions)

    @classmethod
    def pairs(cls, positions: Sequence[int]) -> Spans:
        """Two-token stretches that begin at these positions."""
        first = np.array(positions, dtype=np.int32)
        return cls(first, first + 1)

    def union(self, *others: Spans) -> Spans:
        """The stretches of all, each start once."""
        parts = [spans for spans in (self, *others) if len(spans.first)]
        if len(parts) <= 1:
            return parts[0] if parts else NOWHERE
        first, kept = np.unique(np.concatenate([spans.first for spans in parts]), return_index=True)
        return Spans(first, np.concatenate([spans.last for spans in parts])[kept])

    def only(self, flags: Flags) -> Spans:
        """Those stretches whose flag is set."""
        return Spans(self.first[flags], self.last[flags])


NOWHERE = Spans(NONE, NONE)


class Vocabulary:
    """The distinct words of one form, numbered as they come, with the positions of each.

    `spellings` are those of the distinct words as written, `written` says which of these each token is.
    """

    def __init__(self, spellings: Sequence[str], written: Ints) -> None:
        self.ids: dict[str, int] = {}
        numbers = [self.ids.setdefault(spelling, len(self.ids)) for spelling in spellings]
        self.tokens: Ints = np.array(numbers, dtype=np.int32)[written]
        self._list = list(self.ids)
        self._order: Ints = np.argsort(self.tokens, kind="stable").astype(np.int32)
        self._starts: list[int] = np.searchsorted(self.tokens[self._order], np.arange(len(self.ids) + 1)).tolist()

    def positions(self, word: str) -> Ints:
        """Where a word stands, ascending."""
        number = self.ids.get(word)
        return NONE if number is None else self._order[self._starts[number] : self._starts[number + 1]]

    def word(self, position: int) -> str:
        """The word at a position."""
        return self._list[int(self.tokens[position])]


class Window:
    """Entries with their index. An entry is known here by its *column*, its place in `entries`."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        owners = [(column, *run) for column, entry in enumerate(self.entries) for run in _runs(entry)]
        self._texts = [run for _, _, run in owners]
        spellings, written, self._tied = self._read()
        self.column: Ints = np.array([column for column, _, _ in owners], dtype=np.int32)[self.run]
        self.field: NDArray[np.int8] = np.array([field for _, field, _ in owners], dtype=np.int8)[self.run]
        forms = [text.forms(spelling) for spelling in spellings]
        self.cased = Vocabulary([form.cased for form in forms], written)
        self.plain = Vocabulary([form.plain for form in forms], written)
        self.stem = Vocabulary([form.stem for form in forms], written)
        self.sorted_plain = sorted(self.plain.ids)
        self.beginnings = {word[:length] for word in self.sorted_plain for length in range(2, len(word) + 1)}
        self.tied_plain, self.tied_stem = self._hyphenated_pairs()
        self.sorted_tied = sorted(self.tied_plain)
        self._spread = self._entries_by_stem()

    def _read(self) -> tuple[list[str], Ints, Flags]:
        """The distinct words as written, which of them each token is, and whether a hyphen ties it to the last one."""
        known: dict[str, int] = {}
        words: list[int] = []
        begin: list[int] = []
        end: list[int] = []
        ties: list[bool] = []
        bounds = [0]
        for run in self._texts:
            for word, start, stop, tied in text.scan(run):
                words.append(known.setdefault(word, len(known)))
                begin.append(start)
                end.append(stop)
                ties.append(tied)
            bounds.append(len(words))
        self._bounds = bounds
        self.run: Ints = np.repeat(np.arange(len(self._texts), dtype=np.int32), np.diff(bounds))
        self._begin: Ints = np.array(begin, dtype=np.int32)
        self._end: Ints = np.array(end, dtype=np.int32)
        return list(known), np.array(words, dtype=np.int32), np.array(ties, dtype=bool)

    def _hyphenated_pairs(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """Two words tied by a hyphen, written as one, and the stem of that → positions of the first of the two."""
        plain: dict[str, list[int]] = {}
        stem: dict[str, list[int]] = {}
        for position in np.flatnonzero(self._tied).tolist():
            joined = self.plain.word(position - 1) + self.plain.word(position)
            plain.setdefault(joined, []).append(position - 1)
            stem.setdefault(text.forms(joined).stem, []).append(position - 1)
        return plain, stem

    def _entries_by_stem(self) -> list[int]:
        size = max(1, len(self.entries))
        held = np.unique(self.stem.tokens.astype(np.int64) * size + self.column)
        spread: list[int] = np.bincount(held // size, minlength=len(self.stem.ids)).tolist()
        return spread

    def spread(self, stem: str) -> int:
        """In how many entries a stem stands."""
        number = self.stem.ids.get(stem)
        return 0 if number is None else self._spread[number]

    def surface(self, first: int, last: int, most: int) -> str:
        """The text from the first of these tokens of one run to the last, or to the last that ends within `most`."""
        begin = int(self._begin[first])
        if self._end[last] - begin > most:
            fitting = int(np.searchsorted(self._end[first : last + 1], begin + most, side="right"))
            last = first + max(1, fitting) - 1
        return self._texts[int(self.run[first])][begin : int(self._end[last])]

    def surfaces(self, first: Ints | Numbers, last: Ints | Numbers, most: int) -> list[str]:
        """The text from each first token to the last one of the same run, or to the last that ends within `most`."""
        begin, end = self._begin[first], self._end[last]
        for place in np.flatnonzero(end - begin > most).tolist():
            ends = self._end[first[place] : last[place] + 1]
            fitting = int(np.searchsorted(ends, begin[place] + most, side="right"))
            end[place] = ends[max(1, fitting) - 1]
        runs = self.run[first]
        return [self._texts[run][b:e] for run, b, e in zip(runs.tolist(), begin.tolist(), end.tolist(), strict=True)]

    def runs(self) -> Iterator[tuple[str, int, int]]:
        """Each run's text, with the position of its first token and of the one after its last."""
        yield from zip(self._texts, self._bounds[:-1], self._bounds[1:], strict=True)

    def token_span(self, start: int, stop: int, begin: int, end: int) -> tuple[int, int] | None:
        """The tokens among [start, stop) that the characters [begin, end) of their run touch."""
        first = start + int(np.searchsorted(self._end[start:stop], begin, side="right"))
        last = start + int(np.searchsorted(self._begin[start:stop], max(end, begin + 1), side="left")) - 1
        return (first, last) if first <= last else None


def _runs(entry: Entry) -> Iterator[tuple[int, str]]:
    texts = ((entry.title,), (entry.abstract,), entry.authors, entry.categories, (entry.source,))
    for field, pieces in enumerate(texts):
        for piece in pieces:
            if piece:
                yield field, piece
