r"""Where a formula between dollars ends, and what is money.

Rules
-----
1. A formula is not empty, and has at most 2,000 characters.
2. An amount and a word after it is money ("$5 million and $"); so is what reaches to the next amount ("$5-$10").
3. With a sign of LaTeX in it (`\ ^ _ { } = < > ~`) it is a formula.
4. Else its dollars stand close to it, it ends in a letter, digit or bracket, and no digit follows: `$k$-means` is one,
   "$HOME/$USER" and "a $ and a $" are none.
"""

from __future__ import annotations

import re

_WORDS = r"\\(?:text|mbox)\{[^{}]*\}"
_INNER = rf"(?:[^$\\]|{_WORDS}|(?!{_WORDS})\\.)+"
_DOLLARS = re.compile(rf"\$\$({_INNER})\$\$|\$({_INNER})\$", re.DOTALL)
_AMOUNT = re.compile(r"\s*\d[\d.,]*\s*(?:[kKMB]|bn)?[\s,;:]+[A-Za-z]{2}")
_TO_AMOUNT = re.compile(r".*\s|\s*\d[\d.,]*\s*(?:[kKMB]|bn)?\s*[-–~/]?", re.DOTALL)
_LATEX = re.compile(r"[\\^_{}=<>~]")
_CLOSE = re.compile(r"(?!\s)(?:.|.{0,200}[\w)\]'*|!])", re.DOTALL)
_LONGEST = 2000


def formula(text: str, start: int, end: int) -> tuple[int, int, int] | None:
    """Where the formula whose dollar stands at `start` begins and ends, and the place behind; None if it is none."""
    found = _DOLLARS.match(text, start, min(end, start + _LONGEST))
    if not found:
        return None
    group = 1 if found[1] is not None else 2
    inner = found[group]
    following = text[found.end() : found.end() + 1]
    if not inner.strip() or _AMOUNT.match(inner) or (following.isdigit() and _TO_AMOUNT.fullmatch(inner)):
        return None
    if _LATEX.search(inner) or (_CLOSE.fullmatch(inner) and not following.isdigit()):
        return (*found.span(group), found.end())
    return None
