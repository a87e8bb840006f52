"""Text as papers have it, with markup of HTML and LaTeX, to plain readable text on one line."""

from __future__ import annotations

from digest.listings.decode import tidy


def readable(text: str, *, html: bool = False) -> str:
    """The text on one line, without markup; `html`: it is HTML, and no plain text."""
    return tidy(text)
