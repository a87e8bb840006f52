"""The regular expressions of keywords, checked by RE2, whose searches take linear time whatever the expression."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from digest.errors import QueryError
from digest.profiles.query import Pattern

_MAX_LENGTH = 500
_SLASH_OR_PAIR = re.compile(r"\\(.)")


def checked_pattern(body: str, keyword: str, column: int) -> Pattern:
    """The pattern between two slashes; `column` is where `body` begins in the keyword. Raises QueryError."""
    if len(body) > _MAX_LENGTH:
        reason = f"The pattern has {len(body)} characters; at most {_MAX_LENGTH} are read"
        raise QueryError(reason, keyword, column + _MAX_LENGTH, "Make several patterns of it.")
    regex = _SLASH_OR_PAIR.sub(lambda pair: "/" if pair[1] == "/" else pair[0], body)
    try:
        search = compiled(regex).search
    except _engine()[0].error as fault:
        reason, place = _explained(fault, body)
        raise QueryError(reason, keyword, column + place, "To look for the signs themselves, use quotes.") from None
    # The second text catches \b and its like, which match no character but need one beside them.
    if any(found and not found.group() for found in map(search, ("", "a"))):
        reason = "The pattern matches the empty string, so it would hit every entry"
        raise QueryError(reason, keyword, column, "Let it need at least one character: + in place of *, no ?.")
    return Pattern(regex)


@lru_cache(maxsize=1024)
def compiled(regex: str) -> Any:
    """The expression, ready to search; capitals are ignored. Raises RE2's error for one that is not checked."""
    re2, options = _engine()
    return re2.compile(regex, options)


@cache
def _engine() -> tuple[Any, Any]:
    """RE2 and its options; loaded with the first pattern, for most profiles have none."""
    import re2  # noqa: PLC0415  # loading it takes longer than reading ten thousand plain keywords

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2, options


def _explained(fault: Exception, body: str) -> tuple[str, int]:
    """RE2's words, and the place of the piece it quotes (`missing ]: [a-`)."""
    message = fault.args[0]
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    said, _, piece = text.partition(": ")
    return f"The pattern cannot be used: {said}", max(body.find(piece), 0)
