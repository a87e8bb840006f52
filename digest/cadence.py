"""When a subscriber's days want an edition. Pure: `now` is an argument, in epoch seconds.

Rules
-----
1. A slot is a local date that the subscriber's rule names; its moment is the send time there, or midnight.
2. A local time that comes twice means the first. One that a clock change skips is told by the clock before the change,
   so 02:30 becomes 03:30 (RFC 5545, 3.3.5).
3. A date that a zone never had (Samoa crossed the date line over 2011-12-30) is no slot, whatever the rule: an edition
   that would have been due there is not moved, and the next one covers its days.
4. So each date is a slot once at most, and moments strictly rise by date.
5. A rule is free in case and separators, and `canonical` is the one form that is kept: daily, weekdays, weekends,
   "mon, thu", "monthly on 15", "last day", "first monday". A date that a month lacks means its last day. There is no
   fifth weekday, because most months have none.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from digest.model import Cadence

_DAY = timedelta(days=1)
_NOON = time(12)

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK = frozenset(range(7))
_SETS = {
    "daily": _WEEK,
    "day": _WEEK,
    "weekdays": _WEEK - {5, 6},
    "weekday": _WEEK - {5, 6},
    "weekends": frozenset({5, 6}),
    "weekend": frozenset({5, 6}),
}
_WEEKDAYS = {form: day for day, name in enumerate(_NAMES) for form in (name, f"{name}s", name[:3])}
_WEEKDAYS |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1}
_TOO_FAR = frozenset({"fifth", "5th"})
_NTH_NAMES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_LAST_DAY = 31

_FILLERS = frozenset({"and", "on", "the"})
_KNOWN = (*_NAMES, *_SETS, *_NTH, "weekly", "monthly")
_LONGEST = 200
_HINT = 'write daily, weekdays, weekends, "mon, thu", "mon-fri", "monthly on 15", "last day" or "first monday"'
_RANGE = re.compile(r"\s*[-–]\s*|\s+to\s+")
_WORD = re.compile(r"[^\s,;+&/]+")
_NUMBER = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?")

_CALENDAR = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Slot(NamedTuple):
    """A local date that wants an edition, and its moment in epoch seconds."""

    date: date
    due_at: int


def moment(slot: date, send_at: time | None, zone: str) -> int:
    """When a slot is due, in epoch seconds."""
    return int(datetime.combine(slot, send_at or time.min).replace(tzinfo=_zone(zone), fold=0).timestamp())


def local_date(now: int, zone: str) -> date:
    """The date of a moment where the subscriber is."""
    return datetime.fromtimestamp(now, _zone(zone)).date()


@lru_cache(maxsize=65_536)
def next_due(after: date, cadence: Cadence) -> Slot:
    """The first slot on a later date than this."""
    day = after + _DAY
    while not (slot := _slot(day, cadence)):
        day += _DAY
    return slot


@lru_cache(maxsize=65_536)
def latest(now: int, cadence: Cadence) -> Slot:
    """The newest slot whose moment has come."""
    # Where the date line moved back, a later date than today's has begun already.
    day = local_date(now, cadence.zone) + _DAY
    while not (slot := _slot(day, cadence)) or slot.due_at > now:
        day -= _DAY
    return slot


def between(first: date, last: date, cadence: Cadence) -> Iterator[Slot]:
    """The slots from one date to another, both included, in order."""
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return (slot for day in days if (slot := _slot(day, cadence)))


def canonical(text: str) -> str:
    """The one form of a rule as typed. ValueError says what is wrong, and how to write it."""
    return str(_rule(text))


def skipped(day: date, skip: Sequence[str], calendars: Mapping[str, Mapping[date, str]]) -> str:
    """Why a day is to be skipped: what a calendar calls it, or "a day to skip"; empty if it is not."""
    for text in skip:
        if span := _span(text):
            if span[0] <= day <= span[1]:
                return "a day to skip"
        elif name := calendars.get(text, {}).get(day):
            return name
    return ""


def skip_fault(text: str) -> str:
    """Why this is no day, range of days or name of a calendar; empty if it is one of them."""
    try:
        span = _span(text)
    except ValueError as fault:
        return f"{_quoted(text)} is no date: {fault}"
    if span and span[1] < span[0]:
        return f"{_quoted(text)} ends before it begins; write the earlier date first"
    if span or _CALENDAR.fullmatch(text):
        return ""
    return f'{_quoted(text)} is no day to skip; write "2026-12-24", "2026-12-24/2027-01-02" or the name of a calendar'


def calendar_names(skip: Sequence[str]) -> frozenset[str]:
    """Those entries of a skip list that name a calendar."""
    return frozenset(text for text in skip if _CALENDAR.fullmatch(text))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """A zone, kept: ZoneInfo itself keeps the last eight only."""
    return ZoneInfo(name)


def _slot(day: date, cadence: Cadence) -> Slot | None:
    if not _rule(cadence.days).wants(day):
        return None
    if local_date(moment(day, _NOON, cadence.zone), cadence.zone) != day:
        return None  # rule 3: no such date there
    return Slot(day, moment(day, cadence.send_at, cadence.zone))


@dataclass(frozen=True, slots=True)
class _Weekly:
    """Days of the week, Monday being 0."""

    days: frozenset[int]

    def wants(self, day: date) -> bool:
        return day.weekday() in self.days

    def __str__(self) -> str:
        named = (word for word, days in _SETS.items() if days == self.days)
        return next(named, "") or ", ".join(_NAMES[day][:3] for day in sorted(self.days))


@dataclass(frozen=True, slots=True)
class _Monthly:
    """A date of the month, or its last day where it has no such date."""

    number: int

    def wants(self, day: date) -> bool:
        return day.day == min(self.number, monthrange(day.year, day.month)[1])

    def __str__(self) -> str:
        return "last day" if self.number == _LAST_DAY else f"monthly on {self.number}"


@dataclass(frozen=True, slots=True)
class _NthWeekday:
    """The first to fourth (1 to 4) or last (-1) Monday (0) to Sunday (6) of the month."""

    nth: int
    weekday: int

    def wants(self, day: date) -> bool:
        if day.weekday() != self.weekday:
            return False
        if self.nth < 0:
            return (day + 7 * _DAY).month != day.month
        return (day.day + 6) // 7 == self.nth

    def __str__(self) -> str:
        return f"{_NTH_NAMES[self.nth]} {_NAMES[self.weekday]}"


@lru_cache(maxsize=4096)
def _rule(text: str) -> _Weekly | _Monthly | _NthWeekday:
    if len(text) > _LONGEST:
        raise ValueError(f"a rule of {len(text)} characters is too long; {_HINT}")
    words = [word for word in _WORD.findall(_RANGE.sub("-", text.strip().lower())) if word not in _FILLERS]
    match words:
        case []:
            raise ValueError(f"no day is named; {_HINT}")
        case ["weekly"]:
            return _weekly(["monday"])
        case ["weekly", *days]:
            return _weekly(days)
        case ["monthly"]:
            return _monthly(["1"])
        case ["monthly", *days]:
            return _monthly(days)
    return _monthly(words) if words[0] in {*_NTH, *_TOO_FAR} or _NUMBER.fullmatch(words[0]) else _weekly(words)


def _weekly(words: Sequence[str]) -> _Weekly:
    days = frozenset(day for word in words if word != "every" for day in _days(word))
    if not days:
        raise ValueError(f"no day is named; {_HINT}")
    return _Weekly(days)


def _days(word: str) -> frozenset[int]:
    """The weekdays that a word or a range of two means; a range may go over the week's end."""
    if word in _SETS:
        return _SETS[word]
    first, dash, last = word.partition("-")
    if dash and not (first and last):
        raise ValueError(f'{_quoted(word)} is half a range; write "mon-fri"')
    start, end = _weekday(first), _weekday(last if dash else first)
    return frozenset((start + offset) % 7 for offset in range((end - start) % 7 + 1))


def _weekday(word: str) -> int:
    if word not in _WEEKDAYS:
        raise ValueError(f"{_quoted(word)} is not understood here; {_suggestion(word)}")
    return _WEEKDAYS[word]


def _monthly(words: Sequence[str]) -> _Monthly | _NthWeekday:
    match words:
        case [nth, day] if nth in _TOO_FAR and day in _WEEKDAYS:
            raise ValueError(f'most months have no fifth {_full(day)}; write "last {_full(day)}"')
        case [day] if day in _WEEKDAYS:
            raise ValueError(f'which {_full(day)} of the month? Write "first {_full(day)}" or "last {_full(day)}"')
        case [number] if found := _NUMBER.fullmatch(number):
            return _day_of_month(int(found[1]))
        case [nth, "day"] if nth in _NTH:
            return _Monthly(_LAST_DAY if nth == "last" else _NTH[nth])
        case [nth, day] if nth in _NTH:
            return _NthWeekday(_NTH[nth], _weekday(day))
    shown = _quoted(" ".join(words))
    raise ValueError(f'{shown} is not one day of the month; write "15", "last day" or "first monday"')


def _day_of_month(number: int) -> _Monthly:
    if not 1 <= number <= _LAST_DAY:
        raise ValueError(f"no month has a day {number}; write 1 to 31, or last day")
    return _Monthly(number)


def _full(weekday: str) -> str:
    return _NAMES[_WEEKDAYS[weekday]]


@lru_cache(maxsize=4096)
def _span(text: str) -> tuple[date, date] | None:
    """The first and last date of a skip entry; None if it is not one of dates. ValueError: there is no such date."""
    first, slash, last = text.partition("/")
    if not _ISO.fullmatch(first) or (slash and not _ISO.fullmatch(last)):
        return None
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _suggestion(word: str) -> str:
    close = [known for known in get_close_matches(word, _KNOWN, n=1) if known != word]
    return f'did you mean "{close[0]}"?' if close else _HINT


def _quoted(text: str) -> str:
    """A text as typed, for a message: short, and without control characters."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return f'"{shown[:40]}…"' if len(shown) > 40 else f'"{shown}"'
