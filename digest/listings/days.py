"""Dates as people and reference managers write them.

Rules
-----
1. Read are ISO 8601 with "-", "/" or "." ("2025-03-13", "2025/3"), "20250313", "13.03.2025", and English months in any
   order ("13 Mar 2025", "March 13, 2025", "2025 Mar"). A time is passed over, and so is a word after a third slash
   ("2025/03/13/Spring", RIS); no zone is applied.
2. A year, or a year and month, is no day: which one would be a guess.
3. "10/11/2026" is October in one country and November in another, so it is none; "13/11/2026" is clear.
"""

from __future__ import annotations

import re
from datetime import date
from email.utils import parsedate

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = r"(?:,?[T ]\d{1,2}:.*)?"
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_FORMS = tuple(
    re.compile(form + _TIME)
    for form in (
        r"(?P<year>\d{4})(?:[-/.](?P<month>\d{1,2})?)?(?:[-/.](?P<day>\d{1,2})?)?(?:/.*)?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})",
        rf"(?:[A-Za-z]{{3,9}}, )?(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[ -]{_NAME},?[ -](?P<year>\d{{4}})",
        rf"{_NAME} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
        rf"{_NAME},? (?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}}) {_NAME}(?: (?P<day>\d{{1,2}}))?",
    )
)
_EITHER = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})" + _TIME)


def day_in(text: str) -> date | None:
    """The day that a text names; None if it names none, or may mean two."""
    parts = _parts(text)
    if not parts:
        return _either(text.strip())
    number = month(parts["name"]) if parts.get("name") else int(parts.get("month") or 0)
    return calendar_day(int(parts["year"]), number, int(parts.get("day") or 0))


def is_rough(text: str) -> bool:
    """Whether a text names a year or month only (rule 2)."""
    parts = _parts(text)
    return bool(parts) and not parts.get("day")


def _parts(text: str) -> dict[str, str]:
    """Year, month and day in a text, as far as it names them; nothing if it is in no form of rule 1."""
    text = text.strip().removesuffix(".0")
    found = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    return {name: part for name, part in found.groupdict().items() if part} if found else {}


def mail_day(text: str) -> date | None:
    """The day of a date as mails write it (RFC 5322, also with years of two digits), in its own zone."""
    try:
        parsed = parsedate(text[:100])
        return date(*parsed[:3]) if parsed else None
    except (ValueError, TypeError, LookupError, OverflowError):  # what the standard library makes of odd texts, too
        return None


def month(text: str) -> int:
    """The number of a month, from its number, English name or abbreviation; 0 if it is none."""
    text = text.strip().rstrip(".").lower()
    if text.isdecimal():
        return int(text) if len(text) <= 2 else 0
    return next((number for number, name in enumerate(_MONTHS, 1) if len(text) > 2 and name.startswith(text)), 0)


def _either(text: str) -> date | None:
    """Rule 3: day and month in either order, if only one is possible."""
    found = _EITHER.fullmatch(text)
    if not found:
        return None
    first, second, year = map(int, found.groups())
    if first != second and max(first, second) <= 12:
        return None
    return calendar_day(year, min(first, second), max(first, second))


def calendar_day(year: int, number: int, day: int) -> date | None:
    """The day of a year and month; None if there is no such day."""
    try:
        return date(year, number, day)
    except ValueError:
        return None
