"""The authors of a paper as arXiv writes them on one line, to single names.

Rules
-----
1. Names stand between commas, semicolons, "and", "&" and the colon after a collaboration, each "First Last".
2. What is in parentheses is no name: affiliations, their marks, "123 additional authors not shown".
3. "Jr." and "III" behind a comma belong to the name before (see `names`).
4. "on behalf of the …" and "for the …" lead to a name of their own, the collaboration's.
"""

from __future__ import annotations

import re

from digest.listings.names import apart, with_suffixes

_BETWEEN = re.compile(r"[,;]|:(?=\s)|\s(?:and|&)(?=\s)|\b(?:on behalf of|for)\s+(?=the\b)")
_PARENTHESIS = re.compile(r"([()])")


def split_authors(text: str) -> tuple[str, ...]:
    """The names in a line of authors, in its order; LaTeX stays in them."""
    pieces = (" ".join(piece.split()).removeprefix("and ") for piece in apart(_outside_parentheses(text), _BETWEEN))
    return tuple(with_suffixes(filter(None, pieces)))


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
