"""JSON and JSON Lines: one record for each entry.

JSON is a list of records, or an object with "entries" (such a list) and, if you like, "source", "curator" and "date".
JSON Lines is one record a line. A record is an object with these keys; all but "title" may be missing or null:

    title       string, not empty
    abstract    string
    authors     list of strings, or a string split at ";" and " and "
    categories  list of strings, or a string split at ";"
    source      string: where the entry comes from; else the listing's "source"
    url         string
    published   string: an ISO 8601 date or date and time; else the listing's "date"
    votes       whole number from -2147483648 to 2147483647
    doi         string, with or without "https://doi.org/"
    arxiv       string, such as "2501.01234" or "arXiv:2501.01234v2"
    version     whole number: which version it is; else the one in "arxiv"
    links       list of strings: pages of code or of the project

A record that breaks these rules is rejected alone. Where the JSON itself breaks, what stands before is loaded and the
rest of the file (in JSON Lines: of the line) is rejected. Unknown keys are ignored, with one warning that names them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from digest.listings import json_text, records
from digest.listings.drafts import Draft, RecordError
from digest.listings.gathering import Gathering
from digest.listings.json_text import Cursor
from digest.listings.lines import each_line
from digest.listings.origin import Origin
from digest.listings.wording.decode import tidy
from digest.model import Listing

JSON = "json"
JSON_LINES = "jsonl"
_BEGINNING = re.compile(r'\s*(?:\[\s*(?:[\[{\]"]|$)|\{\s*(?:["}]|$))')
_CONTAINER = frozenset(("source", "curator", "date"))
_NAMED = 10


def recognise(text: str) -> bool:
    """Whether a text begins like a JSON list or object."""
    return bool(_BEGINNING.match(text))


def recognise_lines(text: str) -> bool:
    """Whether at least half of the first lines are records, each on its own line."""
    lines = [line for line in text[:200_000].split("\n") if line.strip()][:20]
    found = sum(_is_record(line.strip()) for line in lines)
    return not text.lstrip().startswith("[") and 0 < len(lines) <= 2 * found


def parse(text: str, _: Origin) -> Listing:
    """The entries of a JSON file."""
    reader = _Reader()
    json_text.read(text, reader.gathering, partial(_read_value, reader=reader))
    return reader.listing(JSON)


def parse_lines(text: str, _: Origin) -> Listing:
    """The entries of a JSON Lines file."""
    reader = _Reader()
    for number, line in enumerate(each_line(text), 1):
        if line.strip():
            try:
                reader.record(json_text.decode(line.strip()), number, line)
            except (ValueError, RecursionError) as error:
                reader.gathering.reject(number, json_text.fault(error), line)
    return reader.listing(JSON_LINES)


@dataclass(slots=True)
class _Reader:
    """What has been read so far. `about` is what an object says beside its "entries"."""

    gathering: Gathering = field(default_factory=Gathering)
    unknown: set[str] = field(default_factory=set)
    about: dict[str, object] = field(default_factory=dict)

    def record(self, value: object, line: int, excerpt: str) -> None:
        """Keep the entry that a record describes, or say why there is none."""
        self.gathering.add(partial(self._draft, value), line, excerpt)

    def _draft(self, value: object) -> Draft:
        made = records.draft(value)
        self.unknown |= value.keys() - records.FIELDS if isinstance(value, dict) else set()
        return made

    def listing(self, name: str) -> Listing:
        """All of it."""
        warnings: list[str] = []
        source = _about(self.about, "source", records.text, warnings) or ""
        curator = _about(self.about, "curator", records.text, warnings) or ""
        day = _about(self.about, "date", records.day_of, warnings)
        unknown = sorted(tidy(key) for key in self.unknown | self.about.keys() - _CONTAINER)
        if unknown:
            more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
            warnings.append(f"ignored unknown keys: {', '.join(unknown[:_NAMED])}{more}")
        return self.gathering.listing(name, source=source, curator=curator, day=day, warnings=warnings)


def _about(
    about: dict[str, object], key: str, read: Callable[[object], records.Value], warnings: list[str]
) -> records.Value | None:
    """What a listing says of itself; what cannot be read is a warning, for the entries do not depend on it."""
    try:
        return records.field(about, key, read)
    except RecordError as error:
        warnings.append(f"ignored: {error}")
        return None


def _read_value(cursor: Cursor, reader: _Reader) -> None:
    """One value at the top: a list of records, an object that holds one, or a record."""
    if cursor.peek() == "{":
        _read_object(cursor, reader)
    else:
        _read_records(cursor, reader)


def _read_records(cursor: Cursor, reader: _Reader) -> None:
    for value, line, excerpt in cursor.values():
        reader.record(value, line, excerpt)


def _read_object(cursor: Cursor, reader: _Reader) -> None:
    (line, excerpt), members, listing = cursor.here(), dict[str, object](), False
    for key in cursor.names():
        if key == "entries" and cursor.peek() == "[":
            reader.about, listing = members, True
            _read_records(cursor, reader)
        else:
            members[key] = cursor.value()
    if not listing:
        reader.record(members, line, excerpt)


def _is_record(line: str) -> bool:
    try:
        value = json_text.decode(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not isinstance(value.get("entries"), list)
