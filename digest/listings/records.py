"""One record to one Draft, by the schema in `json_records`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from digest.listings.drafts import VOTES, Draft, RecordError
from digest.listings.wording.decode import tidy

FIELDS = frozenset(Draft.__dataclass_fields__) - {"updated", "notes", "html"}
Value = TypeVar("Value")


def draft(record: object) -> Draft:
    """What a record says. Raises RecordError."""
    if not isinstance(record, dict):
        raise RecordError(f"expected a record (an object), found {kind(record)}")
    title = field(record, "title", text)
    if not title:
        raise RecordError('no "title"' if title is None else "the title is empty")
    return Draft(
        title=title,
        abstract=field(record, "abstract", text) or "",
        authors=field(record, "authors", _names) or (),
        categories=field(record, "categories", _categories) or (),
        source=field(record, "source", text) or "",
        url=field(record, "url", text) or "",
        published=field(record, "published", day_of),
        votes=field(record, "votes", _votes),
        doi=field(record, "doi", text) or "",
        arxiv=field(record, "arxiv", text) or "",
        version=field(record, "version", _version) or 0,
        links=field(record, "links", _links) or (),
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


def _several(value: object, between: re.Pattern[str]) -> tuple[str, ...]:
    parts = between.split(tidy(value)) if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise RecordError("a string or a list of nothing but strings")
    return tuple(part for part in map(tidy, parts) if part)


def _whole(value: object, bounds: range) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in bounds:
        raise RecordError(f"a whole number from {bounds[0]} to {bounds[-1]}")
    return value


_names = partial(_several, between=re.compile(";| and "))
_categories = partial(_several, between=re.compile(";"))
_links = partial(_several, between=re.compile(r"\s+"))
_votes = partial(_whole, bounds=VOTES)
_version = partial(_whole, bounds=range(1000))
