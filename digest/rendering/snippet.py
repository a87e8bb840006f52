"""The stretch of an abstract that shows best why it matched.

Rules
-----
1. A short abstract is shown whole.
2. Else a window of at most 420 characters: the one with the most different hit words, then with the most hits, then
   one that begins with a sentence, then the first. Without a hit that is the beginning.
3. It ends with a sentence if that leaves 300 characters or more, else with a word; an ellipsis says what was cut.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from digest.rendering.clean import word_end
from digest.rendering.marks import Span

LONGEST, SHORTEST, LEAD = 420, 300, 120
_SENTENCE_END = re.compile(r"[.!?。！？](?:(?<=[。！？])|[\"'”’)\]]*(?= +[^\Wa-z_]))")


class _Sentences(NamedTuple):
    """Where those of a text end, and where they begin."""

    ends: tuple[int, ...]
    begins: frozenset[int]


def snippet(text: str, spans: Sequence[Span]) -> str:
    """A part of a clean abstract, chosen around the hits at `spans`."""
    if len(text) <= LONGEST:
        return text
    sentences = _sentences(text)
    start = _start(text, spans, sentences.begins) if spans else 0
    end = _end(text, start, sentences.ends)
    before = "" if start == 0 else "…\u00a0"
    after = "" if end == len(text) else "\u00a0…" if end in sentences.ends else "…"
    return before + text[start:end].rstrip(" ,;:") + after


@lru_cache(maxsize=1 << 12)
def _sentences(text: str) -> _Sentences:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    begins = [end + (text[end : end + 1] == " ") for end in ends if end < len(text)]
    return _Sentences(tuple(ends), frozenset((0, *begins)))


def _start(text: str, spans: Sequence[Span], sentences: Collection[int]) -> int:
    """Where the best window begins."""
    words = [(start, end, text[start:end].lower()) for start, end in spans]

    def worth(at: int) -> tuple[int, int, bool, int]:
        last = at + LONGEST - 20
        inside = [word for start, end, word in words if start >= at and end <= last]
        return len(set(inside)), len(inside), at in sentences, -at

    return max(_starts(text, spans, sentences), key=worth)


def _starts(text: str, spans: Sequence[Span], sentences: Iterable[int]) -> Iterator[int]:
    """Where a window may begin: the text, a sentence, or a word some way before a hit."""
    yield from (at for at in sentences if at == 0 or len(text) - at >= SHORTEST)
    for start, _ in spans:
        yield text.find(" ", max(0, start - LEAD), start) + 1 or max(0, start - LEAD)


def _end(text: str, start: int, ends: Sequence[int]) -> int:
    if len(text) <= start + LONGEST:
        return len(text)
    sentence = max((end for end in ends if end <= start + LONGEST), default=0)
    return sentence if sentence >= start + SHORTEST else word_end(text, start + LONGEST)
