"""What a word that no entry has may have been meant to be.

Rules (only clear cases)
-----
1. The word has SHORTEST letters or more, and stands in fewer than KNOWN of all entries ever seen: else it is a word.
2. What is suggested begins with the same letter, is nearly as long, stands in the window, and is at least ALIKE to the
   word by the measure of Ratcliff & Metzener, "Pattern Matching: The Gestalt Approach" (Dr. Dobb's Journal, 1988).
3. The most similar is suggested, of equals the most frequent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from difflib import SequenceMatcher

from digest.matching import text
from digest.matching.frequencies import Lookup
from digest.matching.index import Window

SHORTEST, KNOWN, ALIKE, LONGER = 5, 3, 0.85, 2


class Spelling:
    """The words of a window, to which others are held; what was found for a word is kept."""

    def __init__(self, window: Window, seen: Lookup) -> None:
        self._window, self._seen = window, seen
        self._meant: dict[str, str] = {}

    def meant(self, word: str) -> str:
        """The word that was meant, in small letters; "": there is none, or nothing is wrong."""
        if word not in self._meant:
            self._meant[word] = next((found for form in text.words(word) if (found := self._near(form))), "")
        return self._meant[word]

    def _near(self, form: text.Forms) -> str:
        if len(form.plain) < SHORTEST or form.stem in self._window.stem.ids or form.plain in self._window.tied_plain:
            return ""
        known = self._seen((form.stem,)).by_stem.get(form.stem)
        if known and known.entries >= KNOWN:
            return ""
        return max(self._alike(form.plain), default=(0.0, 0, ""))[2]

    def _alike(self, word: str) -> Iterator[tuple[float, int, str]]:
        measure = SequenceMatcher(b=word, autojunk=False)
        words = self._window.sorted_plain
        for place in range(bisect_left(words, word[0]), len(words)):
            candidate = words[place]
            if candidate[0] != word[0]:
                return
            if abs(len(candidate) - len(word)) > LONGER:
                continue
            measure.set_seq1(candidate)
            if measure.real_quick_ratio() >= ALIKE and measure.quick_ratio() >= ALIKE and measure.ratio() >= ALIKE:
                yield measure.ratio(), self._window.spread(text.forms(candidate).stem), candidate
