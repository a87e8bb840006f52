"""JSON text, read value by value, so that what stands before a fault is not lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from digest.listings.gathering import EXCERPT, Gathering

_SPACE = re.compile(r"[ \t\n\r]*")


def _whole(digits: str) -> int:
    """A whole number, cut where it is too long for any key, for Python refuses to read thousands of digits."""
    return int(digits[:40])


_decoder = json.JSONDecoder(parse_int=_whole)


@dataclass(slots=True)
class Cursor:
    """A place in a JSON text, moved value by value."""

    text: str
    place: int = 0
    _line: int = 1
    _counted: int = 0

    def peek(self) -> str:
        """The next sign that is not white space; "" at the end."""
        space = _SPACE.match(self.text, self.place)
        self.place = space.end() if space else self.place
        return self.text[self.place : self.place + 1]

    def take(self, signs: str) -> str:
        """Step over the next sign, which must be one of these."""
        sign = self.peek()
        if not sign or sign not in signs:
            raise json.JSONDecodeError(f"expected {' or '.join(signs)}", self.text, self.place)
        self.place += 1
        return sign

    def value(self) -> object:
        """The JSON value that begins here."""
        self.peek()
        value, self.place = _decoder.raw_decode(self.text, self.place)
        return value

    def members(self) -> Iterator[tuple[object, int, str]]:
        """The values of the list that begins here, each with its 1-based line and how it is written."""
        self.take("[")
        more = self.peek() != "]" or self.take("]") == ","
        while more:
            self.peek()
            line, start = self.line(), self.place
            yield self.value(), line, self.text[start : self.place]
            more = self.take(",]") == ","

    def line(self) -> int:
        """The 1-based line of this place; places must not go back."""
        self._line += self.text.count("\n", self._counted, self.place)
        self._counted = self.place
        return self._line

    def excerpt(self) -> str:
        """What stands here."""
        return self.text[self.place : self.place + 4 * EXCERPT]


def lines(text: str) -> Iterator[str]:
    """The lines of a text, one at a time, for together they are as long as the text."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def decode(text: str) -> object:
    """The one JSON value that a text is. Raises ValueError or RecursionError."""
    return _decoder.decode(text)


def read(text: str, gathering: Gathering, step: Callable[[Cursor], None]) -> None:
    """Let `step` read the values at the top, one a call; from a fault on, the rest is rejected."""
    cursor = Cursor(text)
    try:
        while cursor.peek():
            step(cursor)
    except (ValueError, RecursionError) as error:
        reason = f"{fault(error, whole=True)}; the rest of the file is not loaded"
        gathering.reject(cursor.line(), reason, cursor.excerpt())


def fault(error: ValueError | RecursionError, *, whole: bool = False) -> str:
    """What is wrong with the JSON, and where: the column, and for a `whole` file the line too."""
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error}"
    place = f"line {error.lineno}, column {error.colno}" if whole else f"column {error.colno}"
    reason = (error.msg[0].lower() + error.msg[1:]).removesuffix(" starting at")
    end = " (the file ends here)" if whole and error.pos >= len(error.doc.rstrip()) else ""
    return f"not JSON at {place}: {reason}{end}"
