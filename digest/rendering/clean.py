"""Text from a listing or a subscriber, made safe to show on one line.

Rules
-----
1. Control characters, lone surrogates and non-characters go, and bidirectional overrides, which can make a line read
   as something else.
2. Private-use characters (U+E000–F8FF) go: the rendering marks its slots with them, so no text can forge a slot.
3. Every run of white space, U+2028 and U+2029 among them, becomes one space.
"""

from __future__ import annotations

import re
import unicodedata

_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ue000-\uf8ff\ufeff\ufff9-\uffff]"
)


def clean(text: str) -> str:
    """The text on one line, without characters that have no business there."""
    if not (text.isascii() and text.isprintable()):
        text = _DROPPED.sub("", text)
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """The text, or its beginning up to a word's end and an ellipsis: at most `limit` characters."""
    return text if len(text) <= limit else text[: word_end(text, limit - 1)].rstrip(" ,;:.–—-") + "…"


def word_end(text: str, limit: int) -> int:
    """The last place at or before `limit` where a word ends; `limit` itself where no space is near, as in Chinese."""
    if limit >= len(text):
        return len(text)
    space = text.rfind(" ", max(0, limit - 40), limit + 1)
    if space > 0:
        return space
    while limit > 1 and unicodedata.combining(text[limit]):
        limit -= 1
    return limit
