"""Texts in feeds that are only the beginning of others, as WordPress and its kin write them.

Rules
-----
1. At the end of a text go "The post … appeared first on …." and a link, or a line with an arrow, to "Continue reading".
2. A text that ended in one of these, or in "[…]", is an excerpt. The brackets go, the dots stay.
3. Only the last 2,000 characters are looked at.
"""

from __future__ import annotations

import re

_END = 2_000
_AT_END = r"(?=(?:\s|</?(?:p|div)\b[^<>]*>)*\Z)"
_APPEARED = re.compile(
    r"\s*\bThe post\s(?:(?!The post ).){1,500}?\s(?:appeared first|first appeared) on\s"
    rf"(?:<a\b[^<>]*>[^<>]{{1,200}}</a>|[^<>.]{{1,200}})\.?{_AT_END}",
    re.DOTALL,
)
_CONTINUED = re.compile(
    r"\s*(?:<a\b[^<>]*>\s*(?:Continue|Keep) reading\b(?:(?!<a\b).){0,500}?</a>"
    rf"|\b(?:Continue|Keep) reading\b[^<>]{{0,300}}?(?:→|&#8594;|&rarr;|»|&raquo;)){_AT_END}",
    re.DOTALL,
)
_DOTS = re.compile(rf"\[(?:…|\.\.\.|&#8230;|&hellip;)\]{_AT_END}")


def is_excerpt(text: str) -> bool:
    """Whether a text, HTML or plain, says that it goes on elsewhere."""
    return without_pointer(text) != text


def without_pointer(text: str) -> str:
    """The text, HTML or plain, without what only points to the rest of it."""
    start = max(0, len(text) - _END)
    end = _CONTINUED.sub("", _APPEARED.sub("", text[start:]))
    return text[:start] + _DOTS.sub("…", end)
