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
from functools import lru_cache
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


class _Piece(NamedTuple):
    """What is looked for; `exact`: in these capitals. `before`, `after`: whether a word could go on there."""

    text: str
    exact: bool
    before: bool
    after: bool


def hits(text: str, words: Iterable[str]) -> list[Span]:
    """Where the words stand in a clean text, in order, overlaps merged."""
    found = sorted([span for word in words if (piece := _piece(word)) for span in _spans(text, piece)])
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


def _spans(text: str, piece: _Piece) -> Iterator[Span]:
    """Where one piece stands."""
    if not piece.exact:
        text = _small(text)
    start = text.find(piece.text)
    while start >= 0:
        end = start + len(piece.text)
        goes_on = piece.after and _WORD.match(text, end)
        if not goes_on and not (piece.before and start and _WORD.match(text, start - 1)):
            yield start, end
        start = text.find(piece.text, start + 1)


@lru_cache(maxsize=1 << 14)
def _piece(word: str) -> _Piece | None:
    """A hit word as it is looked for; None: nothing is left of it."""
    if not (text := clean(word)):
        return None
    exact = len(text) > 1 and text.isupper()
    text = text if exact else _small(text)
    return _Piece(text, exact, bool(_IN_WORD.match(text[0])), bool(_IN_WORD.match(text[-1])))


@lru_cache(maxsize=1 << 13)
def _small(text: str) -> str:
    """The text in small letters, and as long as before: only İ would become two characters."""
    return text.replace("İ", "i").lower()
