"""The words of keywords, found in one window in every form in which they may be written.

Rules
-----
1. A word hits whole words, in any inflection; a word all in capitals hits only these capitals (with a plural s), if the
   profile wants it so. A quoted text hits without inflection, and with exactly its capitals if it has any.
2. The hyphenated, spaced and joined forms of a compound meet, also in quotes and in prefixes. A word written as two
   with a space is cut only where both halves have SHORTEST_PART letters and the first is no common little word.
3. A prefix hits every word that begins with it; a compound prefix ends in one.
4. A pattern hits the words that its matches touch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from digest.matching import text
from digest.matching.arrays import Flags
from digest.matching.index import ABSTRACT, NOWHERE, TITLE, Spans, Window
from digest.profiles.patterns import compiled

SHORTEST_PART = 3
_LITTLE = {"all", "and", "any", "are", "but", "can", "for", "from", "had", "has", "its", "may", "not", "our"} | {
    *("than", "that", "the", "then", "this", "was", "with")
}

Strictness = Literal["free", "capitals", "plain", "cased"]
"""Inflection free; the same, but capitals as such; exact but for capitals; exact."""

Level = Literal["stem", "capitals", "plain", "cased"]
"""How one word is compared; `capitals` is `cased` with a plural s allowed."""


class View(NamedTuple):
    """How words are compared, and in which fields (places in FIELDS)."""

    strictness: Strictness
    fields: tuple[int, ...]


class Term(NamedTuple):
    """A word, compound, prefix or pattern: where it stands, and the words that it is made of, as terms themselves.

    Its document frequency is known by `stems`: all of them together, or any one if they are `alternatives`; without
    stems by its share of the window.
    """

    spans: Spans
    stems: tuple[str, ...]
    alternatives: bool = False


class Terms:
    """Every term asked for, numbered; each is looked up once.

    `absent` are those that stand nowhere, `compounds` gives the terms of the single words of those that have several;
    `opening` are the words with which longer words of the window begin.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.all: list[Term] = []
        self.absent: set[int] = set()
        self.opening: set[str] = set()
        self.compounds: dict[int, tuple[int, ...]] = {}
        self._words: defaultdict[View, dict[str, int]] = defaultdict(dict)
        self._others: dict[tuple[str, View], int] = {}
        self._solid: dict[str, tuple[str, str]] = {}
        self._inside: dict[tuple[int, ...], Flags] = {}

    def words(self, words: Sequence[str], view: View) -> tuple[int, ...]:
        """The terms of words or compounds."""
        known = self._words[view]
        try:
            return tuple([known[word] for word in words])
        except KeyError:
            for word in words:
                if word not in known:
                    known[word] = self._word(word, view)
        return tuple([known[word] for word in words])

    def joined(self, one: str, other: str, view: View) -> int | None:
        """The term of two words written as one, if it stands anywhere."""
        cased, plain = self._solid[one]
        ending, ending_plain = self._solid[other]
        if plain + ending_plain[:1] not in self.window.beginnings:
            return None
        (number,) = self.words((cased + ending,), view)
        return None if number in self.absent else number

    def prefix(self, prefix: str, view: View) -> int:
        """The term of every word that begins with this."""
        key = (f"{prefix}*", view)
        if key not in self._others:
            spans, stems, alternatives = self._prefixed(text.words(prefix))
            self._others[key] = self._add(Term(self._within(spans, view), stems, alternatives), view)
        return self._others[key]

    def pattern(self, regex: str, view: View) -> int:
        """The term of what a regular expression touches."""
        key = (f"/{regex}/", view)
        if key not in self._others:
            self._others[key] = self._add(Term(self._within(self._matched(regex), view), ()), view)
        return self._others[key]

    def _add(self, term: Term, view: View) -> int:
        # Frequencies are counted over titles and abstracts only.
        counted = TITLE in view.fields or ABSTRACT in view.fields
        self.all.append(term if counted else term._replace(stems=()))
        if not len(term.spans.first):
            self.absent.add(len(self.all) - 1)
        return len(self.all) - 1

    def _word(self, word: str, view: View) -> int:
        forms = text.words(word)
        cased = [form.cased for form in forms]
        plain = "".join([form.plain for form in forms])
        self._solid[word] = "".join(cased), plain
        if self._begins_another(plain):
            self.opening.add(word)
        levels = [_level(form, view.strictness) for form in forms]
        spans = self._within(self._written(forms, levels), view)
        number = self._add(Term(spans, tuple(form.stem for form in forms)), view)
        if len(forms) != 1:
            self.compounds[number] = tuple(dict.fromkeys(self.words(cased, view)))
        return number

    def _begins_another(self, plain: str) -> bool:
        known = self.window.sorted_plain
        place = bisect_right(known, plain)
        return place < len(known) and known[place].startswith(plain)

    def _within(self, spans: Spans, view: View) -> Spans:
        if not len(spans.first):
            return NOWHERE
        if view.fields not in self._inside:
            self._inside[view.fields] = np.isin(self.window.field, view.fields)
        flags = self._inside[view.fields][spans.first]
        return spans if flags.all() else spans.only(flags)

    def _written(self, parts: Sequence[text.Forms], levels: Sequence[Level]) -> Spans:
        if not parts:
            return NOWHERE
        if len(parts) == 1:
            apart = list(self._apart(parts[0], levels[0]))
            together = self._one(parts[0], levels[0])
            return together.union(*apart) if apart else together
        row = self._in_order([self._one(part, level) for part, level in zip(parts, levels, strict=True)])
        whole = text.forms("".join(part.cased for part in parts))
        return row.union(self._one(whole, "capitals" if "capitals" in levels else levels[0]))

    def _one(self, word: text.Forms, level: Level) -> Spans:
        window = self.window
        match level:
            case "stem":
                return Spans.words(window.stem.positions(word.stem))
            case "plain":
                return Spans.words(window.plain.positions(word.plain))
            case "cased":
                return Spans.words(window.cased.positions(word.cased))
            case "capitals":
                plural = Spans.words(window.cased.positions(f"{word.cased}s"))
                return Spans.words(window.cased.positions(word.cased)).union(plural)

    def _apart(self, word: text.Forms, level: Level) -> Iterator[Spans]:
        """A word that the text writes as two: tied by a hyphen, or side by side."""
        window = self.window
        tied = window.tied_stem.get(word.stem, []) if level == "stem" else window.tied_plain.get(word.plain, [])
        if level == "capitals":
            tied = sorted([*tied, *window.tied_plain.get(f"{word.plain}s", [])])
        if tied:
            yield self._spelled(Spans.pairs(tied), word, level)
        if level != "capitals":
            for left, right in _cuts(word.plain):
                if left in window.plain.ids:
                    second = self._one(text.forms(right), "stem" if level == "stem" else "plain")
                    row = self._in_order([Spans.words(window.plain.positions(left)), second])
                    if len(row.first):
                        yield self._spelled(row, word, level)

    def _spelled(self, pairs: Spans, word: text.Forms, level: Level) -> Spans:
        """Those pairs of tokens that are this word in exactly its capitals, if the level asks for them."""
        if level in ("stem", "plain"):
            return pairs
        allowed = (word.cased, f"{word.cased}s") if level == "capitals" else (word.cased,)
        spell = self.window.cased.word
        flags = [spell(first) + spell(last) in allowed for first, last in zip(*pairs, strict=True)]
        return pairs.only(np.array(flags, dtype=bool))

    def _prefixed(self, forms: Sequence[text.Forms]) -> tuple[Spans, tuple[str, ...], bool]:
        if not forms:
            return NOWHERE, (), False
        *before, last = forms
        if before:
            row = self._in_order([*(self._one(form, "plain") for form in before), self._beginning(last.plain)])
            whole = self._beginning("".join(form.plain for form in forms))
            return row.union(whole), tuple(form.stem for form in before), False
        stems = dict.fromkeys(text.forms(word).stem for word in _completions(self.window.sorted_plain, last.plain))
        return self._beginning(last.plain).union(*self._beginning_apart(last.plain)), tuple(stems), True

    def _beginning(self, beginning: str) -> Spans:
        words = _completions(self.window.sorted_plain, beginning)
        return NOWHERE.union(*(Spans.words(self.window.plain.positions(word)) for word in words))

    def _beginning_apart(self, beginning: str) -> Iterator[Spans]:
        for word in _completions(self.window.sorted_tied, beginning):
            yield Spans.pairs(self.window.tied_plain[word])
        for left, right in _cuts(beginning):
            if left in self.window.plain.ids:
                yield self._in_order([Spans.words(self.window.plain.positions(left)), self._beginning(right)])

    def _in_order(self, units: Sequence[Spans]) -> Spans:
        """Stretches in which the units follow each other without a gap (for many at once, `Places` is faster)."""
        row = units[0]
        for unit in units[1:]:
            if not len(row.first) or not len(unit.first):
                return NOWHERE
            place = np.minimum(np.searchsorted(unit.first, row.last + 1), len(unit.first) - 1)
            follows = unit.first[place] == row.last + 1
            row = Spans(row.first, unit.last[place]).only(
                follows & (self.window.run[row.first] == self.window.run[unit.first[place]])
            )
        return row

    def _matched(self, regex: str) -> Spans:
        pattern = compiled(regex)
        touched = {
            span
            for run, start, stop in self.window.runs()
            for found in pattern.finditer(run)
            if (span := self.window.token_span(start, stop, *found.span()))
        }
        return _spans(sorted(touched))


def _spans(stretches: Sequence[tuple[int, int]]) -> Spans:
    both = np.array(stretches, dtype=np.int32).reshape(-1, 2)
    return Spans(both[:, 0], both[:, 1]).union()


def _cuts(word: str) -> Iterable[tuple[str, str]]:
    """The ways to write a word as two."""
    for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        if word[:cut] not in _LITTLE:
            yield word[:cut], word[cut:]


def _completions(known: Sequence[str], beginning: str) -> Iterator[str]:
    for place in range(bisect_left(known, beginning), len(known)):
        if not known[place].startswith(beginning):
            return
        yield known[place]


def _level(part: text.Forms, strictness: Strictness) -> Level:
    if strictness in ("plain", "cased"):
        return "plain" if strictness == "plain" else "cased"
    return "capitals" if strictness == "capitals" and part.cased.isupper() else "stem"
