"""Where a value stands in a TOML file, for messages: the standard library's reader keeps no lines."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

Place = tuple[str | int, ...]
"""The way to a value: ("smtp", "port"), or ("subscribers", 0, "keywords", 2)."""

_HEADER = re.compile(r"^\s*(\[\[?)([^\]]+)\]\]?")
_KEY = re.compile(r"^\s*([\w\"'.-]+)\s*=")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """A TOML file with its text."""

    file: Path
    text: str

    def where(self, place: Place, holding: str = "") -> str:
        """`file:line: key` of a value; the line of its nearest table where it is not written itself.

        In a value of many lines, the line that holds this text.
        """
        line = self._line(place)
        below = self.text.splitlines()[line - 1 :]
        forms = (json.dumps(holding, ensure_ascii=False), f"'{holding}'") if holding else ()
        line += next((offset for offset, text in enumerate(below) if any(form in text for form in forms)), 0)
        return f"{self.file}:{line}: {shown(place)}"

    def syntax_fault(self, message: str) -> str:
        """What the TOML reader says, with the place first and a caret under it."""
        found = _POSITION.search(message)
        reason = _POSITION.sub("", message)
        lines = self.text.splitlines()
        if not found or not found[1]:
            return f"{self.file}:{len(lines)}: {reason} (at the end of the file)"
        line, column = int(found[1]), int(found[2])
        shown = lines[line - 1] if line <= len(lines) else ""
        return f"{self.file}:{line}:{column}: {reason}\n  {shown}\n  {' ' * (column - 1)}^"

    def _line(self, place: Place) -> int:
        """The line of the longest beginning of `place` that is written in the file (1 if none is)."""
        lines = _lines(self.text)
        return next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), 1)


def shown(place: Place) -> str:
    """A place as people write it: `subscribers[2].email`, counted from 1."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _lines(text: str) -> dict[Place, int]:
    """The line of every table and key, found by their headers; the first line of a value of many lines."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(header[2], counts, several=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def _table(name: str, counts: dict[Place, int], *, several: bool) -> Place:
    """The place of a table header: `[[subscribers.profiles]]` is the next profile of the latest subscriber."""
    place: Place = ()
    parts = _parts(name)
    for depth, part in enumerate(parts, start=1):
        place = (*place, part)
        if several and depth == len(parts):
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _parts(key: str) -> list[str]:
    return [part.strip().strip("\"'") for part in key.split(".")]
