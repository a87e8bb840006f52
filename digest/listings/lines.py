"""Where in a text a record stands: on which line, and how it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

EXCERPT = 80
"""Characters that are kept of how a record begins."""
ENOUGH = 4 * EXCERPT
"""Characters in which those are found, with the white space that goes."""


@dataclass(slots=True)
class Lines:
    """The lines of a text, counted once from its beginning to its end."""

    text: str
    _line: int = 1
    _counted: int = 0

    def at(self, place: int, end: int | None = None) -> tuple[int, str]:
        """The 1-based line of a place, and what stands there, before an end; places must not go back."""
        self._line += self.text.count("\n", self._counted, place)
        self._counted = place
        return self._line, self.text[place : place + ENOUGH if end is None else min(end, place + ENOUGH)]


def each_line(text: str) -> Iterator[str]:
    """The lines of a text, one at a time, for together they are as long as the text."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]
