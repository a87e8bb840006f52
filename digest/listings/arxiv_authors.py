"""The authors of a paper as arXiv writes them on one line, to single names.

Rules
-----
1. Names stand between commas, semicolons, "and", "&" and the colon after a collaboration, each "First Last".
2. What is in parentheses is no name: affiliations, their marks, "123 additional authors not shown".
3. "Jr.", "Sr." and "III" behind a comma belong to the name before.
4. "on behalf of the …" and "for the …" lead to a name of their own, the collaboration's.
"""

from __future__ import annotations

import re

from digest.listings.names import apart

_BETWEEN = re.compile(r"[,;]|:(?=\s)|\s(?:and|&)(?=\s)|\b(?:on behalf of|for)\s+(?=the\b)")
_PARENTHESIS = re.compile(r"([()])")
_SUFFIX = re.compile(r"(?:Jr|Sr|I{2,3}|IV)\.?", re.IGNORECASE)


def split_authors(text: str) -> tuple[str, ...]:
    """The names in a line of authors, in its order; LaTeX stays in them."""
    names: list[str] = []
    for piece in apart(_outside_parentheses(text), _BETWEEN):
        name = " ".join(piece.split())
        if names and _SUFFIX.fullmatch(name):
            names[-1] += f", {name}"
        elif name:
            names.append(name.removeprefix("and "))
    return tuple(names)


def _outside_parentheses(text: str) -> str:
    """The text without what is in parentheses, however deep; one that is never closed ends the text."""
    kept, depth = [], 0
    for piece in _PARENTHESIS.split(text):
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth = max(0, depth - 1)
        elif not depth:
            kept.append(piece)
    return " ".join(kept)
