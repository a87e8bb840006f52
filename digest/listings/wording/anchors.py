"""Words that lead somewhere: how a link with a text of its own is written in plain text.

Rules
-----
1. "the code (https://…)"; only the address, where the words are the address or just "URL".
2. The forms of Markdown are read: `[the code](https://…)` and `<https://…>`.
"""

from __future__ import annotations

import re

from digest.addresses import same

_MARKDOWN = re.compile(r"\[([^\[\]]*)\]\((https?://[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)\)|<(https?://[^\s<>]+)>")


def anchor(words: str, address: str) -> str:
    """Words and where they lead, in one text."""
    words = " ".join(words.split())
    return address if words.lower() in ("", "url") or _shown(words, address) else f"{words} ({address})"


def unwrapped(text: str) -> str:
    """The text with its Markdown links written plainly."""
    return _MARKDOWN.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    before = found.string[found.start() - 1 : found.start()]
    after = found.string[found.end() : found.end() + 1]
    words = found[3] or anchor(found[1], found[2])
    return f"{' ' * before.isalnum()}{words}{' ' * after.isalnum()}"


def _shown(words: str, address: str) -> bool:
    """Whether words are the address, perhaps cut short."""
    told, whole = same(words), same(address)
    return told == whole or (told.endswith(("…", "...")) and whole.startswith(told.rstrip("….")))
