"""Which parts of a text are hit words, so that a template can mark them.

Rules
-----
1. A piece is found as a whole word, also where it stands again; a CJK character has no word around it.
2. Capitals do not matter, but for a piece all in capitals: `RAG` does not mark "rag".
3. Marks that overlap or touch become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from digest.matching.text import CJK
from digest.rendering.clean import clean

Span = tuple[int, int]
_WORD = re.compile(r"\w")
_IN_WORD = re.compile(rf"(?![{CJK}])\w")


class Part(NamedTuple):
    """A stretch of text that is marked, or not, as a whole."""

    text: str
    marked: bool


def hits(text: str, words: Iterable[str]) -> list[Span]:
    """Where the words stand in a clean text, in order, overlaps merged."""
    small = _small(text)
    found = sorted(span for word in words if (piece := clean(word)) for span in _spans(text, small, piece))
    merged: list[Span] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def parts(text: str, spans: Sequence[Span]) -> tuple[Part, ...]:
    """The whole text, plain and marked parts in turn."""
    found: list[Part] = []
    at = 0
    for start, end in spans:
        if start > at:
            found.append(Part(text[at:start], marked=False))
        found.append(Part(text[start:end], marked=True))
        at = end
    if at < len(text):
        found.append(Part(text[at:], marked=False))
    return tuple(found)


def _spans(text: str, small: str, piece: str) -> Iterator[Span]:
    """Where one piece stands; `small` is the text in small letters."""
    if len(piece) == 1 or not piece.isupper():
        text, piece = small, _small(piece)
    before, after = _IN_WORD.match(piece[0]), _IN_WORD.match(piece[-1])
    start = text.find(piece)
    while start >= 0:
        end = start + len(piece)
        if not (before and start and _WORD.match(text, start - 1)) and not (after and _WORD.match(text, end)):
            yield start, end
        start = text.find(piece, start + 1)


def _small(text: str) -> str:
    """The text in small letters, and as long as before: only İ would become two characters."""
    return text.replace("İ", "i").lower()
