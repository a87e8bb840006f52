"""Holiday files: which local dates they name, and what those days are called (iCalendar, RFC 5545).

Rules
-----
1. An event counts on every date from its start to before its end, as they are written: the hours of a time and its zone
   are not converted to a subscriber's.
2. It recurs as DTSTART, RRULE and RDATE say, less the dates in EXDATE; no more often than daily. An event with a
   RECURRENCE-ID takes the place of that one of its series.
3. What is cancelled is no holiday. TRANSP is not looked at: it says who is busy.
4. Of two events on one date the first in the file gives the name.
5. An event that cannot be read makes its file unusable: a holiday lost in silence would be a mail on that day.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from digest.errors import ConfigError

if TYPE_CHECKING:
    from icalendar import Calendar, Event
    from icalendar.prop import vRecur

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_BEGIN = re.compile(r"^BEGIN:VEVENT\s*$", re.MULTILINE | re.IGNORECASE)
_READ = ("UID", "SUMMARY", "STATUS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_LONGEST_NAME = 100

Days = Mapping[date, str]
"""What dates are called."""


class Calendars:
    """The configured holiday files, by name. A file is read anew when it or the year has changed."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._kept: dict[str, tuple[tuple[int, int, int], Days]] = {}

    def days(self, now: int) -> Mapping[str, Days]:
        """By name, the days of each calendar, from a year before `now` to two years after at least.

        Raises ConfigError with file and line for what is missing, unreadable, or no calendar.
        """
        year = datetime.fromtimestamp(now, UTC).year
        return {name: self._days(name, file, year) for name, file in self._files.items()}

    def _days(self, name: str, file: Path, year: int) -> Days:
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size, year)
            if name not in self._kept or self._kept[name][0] != stamp:
                span = _Span(date(year - 1, 1, 1), date(year + 2, 12, 31))
                self._kept[name] = (stamp, _read(file, span))
        except OSError as fault:
            why = fault.strerror or fault
            raise ConfigError(f"{file}: the calendar {name!r} cannot be read ({why}); correct [calendars]") from fault
        return self._kept[name][1]


@dataclass(frozen=True, slots=True)
class _Span:
    """The dates that are looked at, both included."""

    first: date
    last: date

    def cut(self, start: date, length: int) -> Iterator[date]:
        """Those of `length` days from a start on that lie within."""
        begin, end = max(0, (self.first - start).days), min(length, (self.last - start).days + 1)
        return (start + offset * _DAY for offset in range(begin, end))


def _read(file: Path, span: _Span) -> Days:
    events = _events(file)
    replaced = _replaced(event for _, event in events)
    found: dict[date, str] = {}
    for line, event in events:
        try:
            days = list(_days(event, () if "RECURRENCE-ID" in event else replaced[_uid(event)], span))
        except (ValueError, TypeError, OverflowError) as fault:
            shown = f"{_name(event)!r} (UID {_uid(event) or 'none'})"
            why = f"{_short(fault)}; correct or remove it"
            raise ConfigError(f"{file}:{line}: the event {shown} cannot be read: {why}") from fault
        found |= {day: _name(event) for day in days if day not in found}
    return found


def _events(file: Path) -> list[tuple[int, Event]]:
    """Every event of a file with its line."""
    calendar = _library()
    try:
        text = file.read_text(encoding="utf-8-sig")
        # As bytes, because the library takes a text of one line for a path.
        events = [event for part in calendar.from_ical(text.encode(), multiple=True) for event in part.events]
    except (ValueError, TypeError, LookupError, AttributeError) as fault:
        raise ConfigError(f"{file}: not an iCalendar file ({_short(fault)}); give an .ics file in UTF-8") from fault
    lines = [text.count("\n", 0, begin.start()) + 1 for begin in _BEGIN.finditer(text)]
    if len(lines) != len(events):
        raise ConfigError(f"{file}: {len(lines)} events begin and {len(events)} end; the file is cut off, get it again")
    if not events:
        raise ConfigError(f"{file}: there is no event in it; give an .ics file with holidays (VEVENT)")
    return list(zip(lines, events, strict=True))


def _replaced(events: Iterable[Event]) -> defaultdict[str, list[date]]:
    """By UID, the starts of those events of a series that others take the place of."""
    found: defaultdict[str, list[date]] = defaultdict(list)
    for event in events:
        broken = "RECURRENCE-ID" in dict(event.errors)
        if not broken and (start := getattr(event.get("RECURRENCE-ID"), "dt", None)):
            found[_uid(event)].append(start)
    return found


def _days(event: Event, replaced: Iterable[date], span: _Span) -> Iterator[date]:
    """The dates of an event and its recurrences. ValueError, TypeError or OverflowError: it makes no sense."""
    if faults := [f"{name or 'a line'}: {why}" for name, why in event.errors if name in _READ or not name]:
        raise ValueError(faults[0])
    begin = event.start
    zone = begin.tzinfo if isinstance(begin, datetime) else None
    start, end = _wall(begin, zone), _wall(event.end, zone)
    if end < start:
        raise ValueError("it ends before it begins")
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    length = max(1, ((end - _INSTANT).date() - start.date()).days + 1)
    starts = {start, *(_wall(added[0], zone) for added in event.rdates)}
    for rule in event.rrules:
        starts.update(_recurrences(rule, start, zone, _Span(span.first - length * _DAY, span.last)))
    without = {_wall(day, zone).date() for day in (*event.exdates, *replaced)}
    for day in sorted({start.date() for start in starts} - without):
        yield from span.cut(day, length)


def _recurrences(rule: vRecur, start: datetime, zone: tzinfo | None, span: _Span) -> list[datetime]:
    """When a rule has an event begin, within a span, by the clock on the wall."""
    # It comes with icalendar, and without types.
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415

    if not _FREQUENCIES.issuperset(rule.get("FREQ", ("",))):
        raise ValueError("RRULE: FREQ is none of YEARLY, MONTHLY, WEEKLY and DAILY")
    if min(rule.get("INTERVAL", (1,))) < 1:
        raise ValueError("RRULE: INTERVAL is less than 1")
    plain = rule.copy()
    for until in rule.get("UNTIL", ()):
        # A date includes its whole day; a time is told by the clock of DTSTART.
        last = _wall(until, zone) if isinstance(until, datetime) else datetime.combine(until, time.max)
        plain["UNTIL"] = [last]
    first, last = datetime.combine(span.first, time.min), datetime.combine(span.last, time.max)
    text: bytes = plain.to_ical()  # type: ignore[no-untyped-call]  # the library leaves it out
    found = rrulestr(text.decode(), dtstart=start)
    if next(iter(found), None) is None:
        raise ValueError("RRULE: it never names a date")
    return list(found.between(first, last, inc=True))


def _wall(day: date, zone: tzinfo | None) -> datetime:
    """A date (its midnight) or a time, without its zone; told by the clock of `zone` if both have one."""
    if not isinstance(day, datetime):
        return datetime.combine(day, time.min)
    return (day.astimezone(zone) if day.tzinfo and zone else day).replace(tzinfo=None)


def _name(event: Event) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())[:_LONGEST_NAME] or "a holiday"


def _uid(event: Event) -> str:
    return str(event.get("UID", ""))


def _short(fault: Exception) -> str:
    return " ".join(str(fault).split())[:200]


def _library() -> type[Calendar]:
    try:
        import icalendar  # noqa: PLC0415  # an extra, and slow to load: only who names a calendar needs it
    except ImportError:
        raise ConfigError('[calendars] needs a library; pip install "email-digest[calendars]"') from None
    return icalendar.Calendar
