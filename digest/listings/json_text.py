"""JSON text, read value by value, so that what stands before a fault is not lost; odd values count as missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from digest.listings.gathering import Gathering
from digest.listings.lines import Lines

_SPACE = re.compile(r"[ \t\n\r]*")


def _whole(digits: str) -> int:
    """A whole number, cut where it is too long for any key, for Python refuses to read thousands of digits."""
    return int(digits[:40])


_decoder = json.JSONDecoder(parse_int=_whole)


class Cursor:
    """A place in a JSON text, moved value by value."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self._lines = Lines(text)

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

    def values(self) -> Iterator[tuple[object, int, str]]:
        """The value that begins here, or those in it if it is a list, each with its 1-based line and how it begins."""
        if self.peek() != "[":
            yield self._told()
            return
        self.take("[")
        more = self.peek() != "]" or self.take("]") == ","
        while more:
            yield self._told()
            more = self.take(",]") == ","

    def names(self) -> Iterator[str]:
        """The names in the object that begins here; the value of each is to be read before the next is asked for."""
        self.take("{")
        more = self.peek() != "}" or self.take("}") == ","
        while more:
            if self.peek() != '"':
                self.take('"')
            key = str(self.value())
            self.take(":")
            yield key
            more = self.take(",}") == ","

    def here(self) -> tuple[int, str]:
        """The 1-based line of this place, and what stands here."""
        return self._lines.at(self.place)

    def _told(self) -> tuple[object, int, str]:
        self.peek()
        start, value = self.place, self.value()
        return value, *self._lines.at(start, self.place)


def decode(text: str) -> object:
    """The one JSON value that a text is. Raises ValueError or RecursionError."""
    return _decoder.decode(text)


def said(value: Mapping[str, object], key: str) -> str:
    """The string under a key of an object that is not ours: anything else counts as missing ("")."""
    found = value.get(key)
    return found.strip() if isinstance(found, str) else ""


def several(value: Mapping[str, object], key: str) -> list[object]:
    """The list under a key of an object that is not ours: anything else counts as missing."""
    found = value.get(key)
    return found if isinstance(found, list) else []


def read(text: str, gathering: Gathering, step: Callable[[Cursor], None]) -> None:
    """Let `step` read the values at the top, one a call; from a fault on, the rest is rejected."""
    cursor = Cursor(text)
    try:
        while cursor.peek():
            step(cursor)
    except (ValueError, RecursionError) as error:
        reason = f"{fault(error, whole=True)}; the rest of the file is not loaded"
        line, excerpt = cursor.here()
        gathering.reject(line, reason, excerpt)


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
