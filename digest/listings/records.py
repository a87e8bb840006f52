"""One record to one Entry, by the schema in `json_records`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TypeVar

from digest.listings.decode import tidy
from digest.listings.keys import arxiv_id, doi_name, keys
from digest.model import Entry

FIELDS = frozenset(
    ("title", "abstract", "authors", "categories", "source", "url", "published", "votes", "doi", "arxiv")
)
_BETWEEN_NAMES = re.compile(";| and ")
_BETWEEN_CATEGORIES = re.compile(";")
_VOTES = range(-(2**31), 2**31)  # what every database can hold

Value = TypeVar("Value")


class RecordError(ValueError):
    """A record breaks the schema; the message is the reason."""


def entry(record: object, source: str = "", day: date | None = None) -> Entry:
    """The entry that a record describes; `source` and `day` are those of the listing. Raises RecordError."""
    if not isinstance(record, dict):
        raise RecordError(f"expected a record (an object), found {kind(record)}")
    title = field(record, "title", text)
    if not title:
        raise RecordError('no "title"' if title is None else "the title is empty")
    doi, arxiv = (field(record, key, text) or "" for key in ("doi", "arxiv"))
    url = field(record, "url", text) or ""
    return Entry(
        keys=keys(title, url, doi, arxiv),
        title=title,
        abstract=field(record, "abstract", text) or "",
        authors=field(record, "authors", _names) or (),
        categories=field(record, "categories", _categories) or (),
        source=field(record, "source", text) or source,
        url=url or _url(doi, arxiv),
        published=field(record, "published", day_of) or day,
        votes=field(record, "votes", _votes),
    )


def field(record: Mapping[str, object], key: str, read: Callable[[object], Value]) -> Value | None:
    """What stands under a key, read as it must be; None if nothing does. Raises RecordError that names the key."""
    value = record.get(key)
    if value is None:
        return None
    try:
        return read(value)
    except RecordError as error:
        raise RecordError(f'"{key}" must be {error}, not {kind(value)}') from None


def text(value: object) -> str:
    """A string on one line."""
    if not isinstance(value, str):
        raise RecordError("a string")
    return tidy(value)


def day_of(value: object) -> date:
    """The day of an ISO 8601 date or date and time, as it is written (no zone is applied)."""
    try:
        return datetime.fromisoformat(text(value)).date()
    except ValueError:
        raise RecordError('an ISO date such as "2025-03-13"') from None


def kind(value: object) -> str:
    """A value in words, as JSON calls it, short enough for a message."""
    if isinstance(value, str):
        return f'"{tidy(value[:200])[:30]}"'
    names: dict[type, str] = {dict: "an object", list: "a list", type(None): "null", bool: str(value).lower()}
    return names.get(type(value)) or f"{value:.10g}"


def _names(value: object) -> tuple[str, ...]:
    return _several(value, _BETWEEN_NAMES)


def _categories(value: object) -> tuple[str, ...]:
    return _several(value, _BETWEEN_CATEGORIES)


def _several(value: object, between: re.Pattern[str]) -> tuple[str, ...]:
    parts = between.split(tidy(value)) if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise RecordError("a string or a list of nothing but strings")
    return tuple(part for part in map(tidy, parts) if part)


def _votes(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _VOTES:
        raise RecordError(f"a whole number from {_VOTES[0]} to {_VOTES[-1]}")
    return value


def _url(doi: str, arxiv: str) -> str:
    """Where an entry without a URL is found."""
    name, number = doi_name(doi), arxiv_id(arxiv)
    return f"https://doi.org/{name}" if name else f"https://arxiv.org/abs/{number}" if number else ""
