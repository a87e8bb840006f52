"""Signs written above and below a line, as plain text.

Digits and signs have letters of their own in Unicode (x², CO₂, 10⁻⁵); others get `^` or `_`, and parentheses around
more than one word: x_i, K^(2/3), n^(k × d). Ordinals (`n^{th}`) and primes are written as they are read.
"""

from __future__ import annotations

import re

_ABOVE = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_BELOW = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_HAS_ABOVE = re.compile(r"[-−+]?[0-9n]+(?:[-−+][0-9n]+)*|[-−+]")
_HAS_BELOW = re.compile(r"[-−+]?[0-9]+(?:[-−+][0-9]+)*|[-−+]")
_ORDINAL = re.compile(r"st|nd|rd|th|TM|[°'′″*†‡∗]+")
_ONE = re.compile(r"\w*|.|\(.*\)", re.DOTALL)


def above(text: str) -> str:
    """A text as a superscript."""
    text = text.strip().replace("∘", "°")
    if _HAS_ABOVE.fullmatch(text):
        return text.translate(_ABOVE)
    return text if _ORDINAL.fullmatch(text) else _marked("^", text)


def below(text: str) -> str:
    """A text as a subscript."""
    text = text.strip()
    return text.translate(_BELOW) if _HAS_BELOW.fullmatch(text) else _marked("_", text)


def _marked(mark: str, text: str) -> str:
    if not text:
        return ""
    return f"{mark}{text}" if _ONE.fullmatch(text) else f"{mark}({text})"
