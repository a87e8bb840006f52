"""Subscribers as rows of CSV, one for each profile; the rows of one subscriber stand together.

Keywords in a field are separated by line ends, or else by semicolons; days to skip by semicolons. An empty field, like
a column that is not there, means the default.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from digest.errors import UsageError

_BEYOND = "fields beyond the columns"


class Row(NamedTuple):
    """The fields of a row by their columns, as texts."""

    email: str
    name: str = ""
    zone: str = ""
    send_at: str = ""
    days: str = ""
    min_matches: str = ""
    max_entries: str = ""
    paused_until: str = ""
    updates: str = ""
    skip: str = ""
    profile: str = ""
    match: str = ""
    capitals: str = ""
    keywords: str = ""

    @property
    def wishes(self) -> Sequence[str]:
        """The fields that stand for the person, whatever the profile, but for the address and the name."""
        return self[2:10]


COLUMNS = Row._fields
_OF_PERSON = ("name", "zone", "send_at", "days", "min_matches", "max_entries", "paused_until", "updates")


class Person(NamedTuple):
    """The rows of one subscriber, with the line where the first of them ends, and its fields beyond the columns."""

    line: int
    rows: Sequence[Row]
    beyond: Sequence[str] = ()

    @property
    def table(self) -> dict[str, Any]:
        """The TOML form."""
        first = self.rows[0]
        facts: dict[str, Any] = {key: value for key in _OF_PERSON if (value := getattr(first, key))}
        beyond = {_BEYOND: self.beyond} if self.beyond else {}
        profiles = [_profile(row) for row in self.rows]
        return {"email": first.email.strip(), "profiles": profiles, "skip": parts(first.skip), **facts, **beyond}


def _profile(row: Row) -> dict[str, Any]:
    given = {key: value for key in ("match", "capitals") if (value := getattr(row, key))}
    return {"name": row.profile or "Digest", "keywords": parts(row.keywords), **given}


def parts(field: str) -> list[str]:
    """The texts in a field that holds several."""
    return [part for part in map(str.strip, field.split("\n" if "\n" in field else ";")) if part]


def read_rows(file: Path, text: TextIO) -> Iterator[Person]:
    """The subscribers in an open file, each when it is asked for. Raises UsageError if it cannot be read on."""
    reader = csv.reader(text, strict=True)
    try:
        made = _layout(file, next(reader, []))
        numbered = ((reader.line_num, *made(row)) for row in reader if row)
        for _, group in groupby(numbered, key=lambda one: one[1].email.strip()):
            lines = list(group)
            line, _, beyond = lines[0]
            yield Person(line, [row for _, row, _ in lines], beyond)
    except csv.Error as error:
        raise UsageError(f"{file}:{reader.line_num}: {error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}:{_not_utf8(file)}: is not UTF-8: {error.reason}; save it as UTF-8") from None


def _not_utf8(file: Path) -> int:
    """The first line that cannot be decoded: the reader is some lines ahead."""
    with file.open("rb") as lines:
        return next((number for number, line in enumerate(lines, start=1) if not _is_utf8(line)), 1)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _layout(file: Path, head: Sequence[str]) -> Callable[[list[str]], tuple[Row, Sequence[str]]]:
    """How a row is made of the fields of a line, and what is left over, by the names in the first line."""
    places = {name: place for place, name in enumerate(head)}
    if not {"email", "keywords"} <= places.keys() <= set(COLUMNS):
        raise UsageError(
            f"{file}:1: the first line must name columns among {', '.join(COLUMNS)}; email and keywords are needed"
        )
    width = len(head)
    pick = itemgetter(*(places.get(name, width) for name in COLUMNS))

    def made(fields: list[str]) -> tuple[Row, Sequence[str]]:
        beyond = fields[width:]
        if len(fields) != width:
            fields = fields[:width] + [""] * (width - len(fields))
        fields.append("")  # what stands for a column that is not there
        return Row._make(pick(fields)), beyond

    return made
