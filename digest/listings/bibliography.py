"""What the exports of reference managers and databases have in common: how one field holds several things."""

from __future__ import annotations

import re

from digest.listings.keys import arxiv_id

_ARXIV = re.compile(r"arxiv ?[:.] ?(\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S*?(?=[;,|]https?://|\s|$)")
_SEVERAL = re.compile(r"[;|\n]")
_CLASS = re.compile(r"[a-z-]+\.(?:[A-Z]{2}|[a-z-]+)|[a-z]+-[a-z]+")


def arxiv_in(text: str) -> str:
    """The arXiv id that a text names after "arXiv:", with its version; "" if there is none."""
    for found in _ARXIV.finditer(text):
        number = found[1].rstrip(".,;:)]}").removesuffix("[")
        if arxiv_id(number):
            return number
    return ""


def address_in(text: str) -> str:
    """The first web address of a field that holds some; "" if there is none."""
    found = _ADDRESS.search(text)
    return found.group().rstrip(";,|") if found else ""


def keywords_in(text: str) -> tuple[str, ...]:
    """Keywords or categories: parted at ";", "|" or line ends, else at commas; "cs.LG cs.CL" at blanks."""
    words = text.split()
    if len(words) > 1 and all(map(_CLASS.fullmatch, words)):
        return tuple(words)
    pieces = _SEVERAL.split(text) if _SEVERAL.search(text) else text.split(",")
    return tuple(piece.strip() for piece in pieces if piece.strip())


def venue_in(text: str) -> str:
    """The name of a journal or venue; that of a preprint ("arXiv preprint arXiv:2501.01234") is arXiv."""
    return "arXiv" if text.strip().lower().startswith("arxiv") else text.strip()
