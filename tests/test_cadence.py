"""Slots: exactly one moment for each local date, in every zone and over every change of the clocks.

Each property is held against an oracle that goes the other way: from moments of UTC to what a clock on the wall shows,
and from dates to rules by dateutil's RFC 5545 recurrences.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.rrule import (  # type: ignore[import-untyped, unused-ignore]  # it comes without types
    DAILY,
    MONTHLY,
    rrule,
    weekday,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.cadence import Slot, between, latest, local_date, moment, next_due
from digest.model import Cadence

DAY = timedelta(days=1)
QUARTER = 900
ZONES = sorted(available_timezones() - {"localtime"})
FIRST, LAST = date(2025, 1, 1), date(2027, 12, 31)
TIMES = (None, time(0, 0), time(0, 30), time(1, 30), time(2, 0), time(2, 30), time(23, 45))
LINE = (
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Fakaofo", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("Pacific/Kiritimati", date(1994, 12, 31)),
    ("Pacific/Enderbury", date(1994, 12, 31)),
    ("Asia/Manila", date(1844, 12, 31)),
)
"""Zones that crossed the date line westwards, and the date that they never had."""

NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RULES = {
    "daily": rrule(DAILY, dtstart=datetime(1840, 1, 1)),
    "weekdays": rrule(DAILY, byweekday=range(5), dtstart=datetime(1840, 1, 1)),
    "mon, thu": rrule(DAILY, byweekday=(0, 3), dtstart=datetime(1840, 1, 1)),
    "fri": rrule(DAILY, byweekday=4, dtstart=datetime(1840, 1, 1)),
    "monthly on 15": rrule(MONTHLY, bymonthday=15, dtstart=datetime(1840, 1, 1)),
    "monthly on 30": rrule(MONTHLY, bymonthday=range(28, 31), bysetpos=-1, dtstart=datetime(1840, 1, 1)),
    "last day": rrule(MONTHLY, bymonthday=-1, dtstart=datetime(1840, 1, 1)),
} | {
    f"{word} {name}": rrule(MONTHLY, byweekday=weekday(day, nth), dtstart=datetime(1840, 1, 1))
    for word, nth in (("first", 1), ("second", 2), ("third", 3), ("fourth", 4), ("last", -1))
    for day, name in enumerate(NAMES)
}
"""Rules, and the recurrences of RFC 5545 that say the same."""

zones, rules = st.sampled_from(ZONES), st.sampled_from(sorted(RULES))
any_time = st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0))
quarters = st.none() | st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))


def epoch(text: str) -> int:
    """Epoch seconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def wall(now: int, zone: str) -> datetime:
    """What a clock on the wall shows."""
    return datetime.fromtimestamp(now, ZoneInfo(zone)).replace(tzinfo=None)


Changes = tuple[tuple[int, int], ...]


@cache
def changes(zone: str) -> Changes:
    """From which moment on, to the second, a zone has which offset from UTC, from FIRST to LAST."""
    info, found = ZoneInfo(zone), list[tuple[int, int]]()

    def offset(now: int) -> int:
        return int(datetime.fromtimestamp(now, info).utcoffset().total_seconds())  # type: ignore[union-attr]  # it is aware

    start = epoch(f"{FIRST - 2 * DAY}")
    found.append((start, offset(start)))
    for midnight in range(start, epoch(f"{LAST + 3 * DAY}"), 86_400):
        if offset(midnight + 86_400) != found[-1][1]:
            low, high = midnight, midnight + 86_400
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
            found.append((high, offset(high)))
    return tuple(found)


def expected(local: int, seen: Changes) -> tuple[int, bool]:
    """When a wall clock first shows a local time (seconds, as if it were UTC), and whether it does.

    Where it never does, the clock before the change tells it.
    """
    for (start, offset), (end, _) in pairwise((*seen, (2**40, 0))):
        if start <= local - offset < end:
            return local - offset, True
        if local - offset < start:
            break
        before = offset
    return local - before, False


@cache
def kinds_of_zones() -> dict[Changes, str]:
    """One zone of each kind: zones with the same changes are one kind, and all of the 598 are of some."""
    return {changes(zone): zone for zone in ZONES}


@pytest.mark.parametrize("at", TIMES, ids=str)
def test_every_zone_has_one_slot_for_each_date_of_three_years(at: time | None) -> None:
    """2025 to 2027: all dates, in order, at rising moments, when the wall shows the send time if it ever does."""
    midnight = epoch(f"{FIRST}")
    seconds = (at.hour * 60 + at.minute) * 60 if at else 0
    for seen, zone in kinds_of_zones().items():
        slots = list(between(FIRST, LAST, Cadence("daily", at, zone)))
        assert [slot.date for slot in slots] == [FIRST + n * DAY for n in range(1095)]
        assert all(earlier.due_at < later.due_at for earlier, later in pairwise(slots))
        wanted = [expected(midnight + n * 86_400 + seconds, seen) for n in range(1095)]
        assert [slot.due_at for slot in slots] == [due for due, _ in wanted]
        for slot, (_, shown) in zip(slots, wanted, strict=True):
            assert not shown or wall(slot.due_at, zone) == datetime.combine(slot.date, at or time.min)


def test_the_three_years_hold_changes_of_both_hemispheres() -> None:
    """Otherwise the test above would prove little: zones that go on in March, in October, and ones that never do."""
    months = {zone: {wall(start, zone).month for start, _ in changes(zone)[1:]} for zone in ZONES}
    assert months["Europe/Berlin"] == {3, 10}
    assert months["Australia/Sydney"] == {4, 10}
    assert months["Asia/Tokyo"] == set()
    assert sum(bool(found) for found in months.values()) > 150
    assert len(kinds_of_zones()) > 60


@settings(max_examples=400, deadline=None)
@given(zones, any_time, st.dates(date(1845, 2, 1), date(2099, 1, 1)))
def test_in_all_of_history_moments_rise(zone: str, at: time | None, start: date) -> None:
    """Over 60 days anywhere, at most one date is missing, and later dates have later moments."""
    slots = list(between(start, start + 59 * DAY, Cadence("daily", at, zone)))
    assert len(slots) >= 59
    assert all(earlier < later and earlier.due_at < later.due_at for earlier, later in pairwise(slots))


@pytest.mark.parametrize("at", TIMES, ids=str)
@pytest.mark.parametrize(("zone", "missing"), LINE)
def test_a_date_that_a_zone_never_had_is_no_slot(zone: str, missing: date, at: time | None) -> None:
    """Whatever the send time, the days round it have one slot each, a day apart in the world."""
    cadence = Cadence("daily", at, zone)
    slots = list(between(missing - 2 * DAY, missing + 2 * DAY, cadence))
    assert [slot.date for slot in slots] == [missing + n * DAY for n in (-2, -1, 1, 2)]
    assert [later.due_at - earlier.due_at for earlier, later in pairwise(slots)] == [86_400] * 3
    assert next_due(missing - DAY, cadence) == slots[2]
    assert latest(slots[2].due_at - 1, cadence) == slots[1]


def test_a_weekly_slot_on_a_date_that_never_was_is_left_out() -> None:
    """Samoa had no Friday 30 December 2011: the next Friday's edition covers two weeks."""
    cadence = Cadence("fri", time(7), "Pacific/Apia")
    assert [slot.date.day for slot in between(date(2011, 12, 20), date(2012, 1, 10), cadence)] == [23, 6]
    assert next_due(date(2011, 12, 23), cadence).date == date(2012, 1, 6)


@pytest.mark.parametrize(
    ("zone", "twice"), [("America/Juneau", date(1867, 10, 18)), ("Pacific/Kwajalein", date(1969, 9, 30))]
)
@pytest.mark.parametrize("at", TIMES, ids=str)
def test_a_date_that_comes_twice_is_one_slot(zone: str, twice: date, at: time | None) -> None:
    """Where the date line moved back, the first of the two counts, and none is latest before its moment."""
    cadence = Cadence("daily", at, zone)
    slots = list(between(twice - 4 * DAY, twice + 4 * DAY, cadence))
    assert len(slots) == 9
    for earlier, later in pairwise(slots):
        assert earlier.due_at < later.due_at
        hours = range(earlier.due_at, later.due_at, 3600)
        assert {latest(now, cadence) for now in (*hours, later.due_at - 1)} == {earlier}


def scanned(day: date, at: time | None, zone: str) -> int | None:
    """A slot's moment by looking at the wall clock every quarter of an hour; None if it never shows the date."""
    wanted, start = datetime.combine(day, at or time.min), epoch(f"{day}") - 30 * 3600
    seen = [(now, wall(now, zone)) for now in range(start, start + 3 * 86_400, QUARTER)]
    if all(shown.date() != day for _, shown in seen):
        return None
    exact = [now for now, shown in seen if shown == wanted]
    now, shown = next((now, shown) for (now, shown), (_, after) in pairwise(seen) if after > wanted)
    return exact[0] if exact else now + int((wanted - shown).total_seconds())


def brute(first: date, last: date, cadence: Cadence) -> Iterator[Slot]:
    """The slots from one date to another, by recurrences and wall clocks."""
    for found in RULES[cadence.days].between(
        datetime.combine(first, time.min), datetime.combine(last, time.min), inc=True
    ):
        due = scanned(found.date(), cadence.send_at, cadence.zone)
        if due is not None:
            yield Slot(found.date(), due)


@settings(max_examples=120, deadline=None)
@given(st.builds(Cadence, rules, quarters, zones), st.dates(date(1990, 1, 1), date(2037, 12, 1)))
def test_slots_are_what_wall_clocks_and_calendars_say(cadence: Cadence, start: date) -> None:
    """Every rule in every zone, over two weeks, against the oracle."""
    assert list(between(start, start + 14 * DAY, cadence)) == list(brute(start, start + 14 * DAY, cadence))


@settings(max_examples=60, deadline=None)
@given(st.builds(Cadence, rules, quarters, st.sampled_from([zone for zone, _ in LINE[:5]])), st.data())
def test_slots_at_the_date_line_are_what_wall_clocks_say(cadence: Cadence, data: st.DataObject) -> None:
    """The same, round the date that a zone lost."""
    start = dict(LINE)[cadence.zone] - data.draw(st.integers(0, 14)) * DAY
    assert list(between(start, start + 14 * DAY, cadence)) == list(brute(start, start + 14 * DAY, cadence))


@settings(max_examples=500, deadline=None)
@given(st.builds(Cadence, rules, any_time, zones), st.dates(date(1990, 1, 1), date(2050, 1, 1)), st.integers(0, 86_399))
def test_next_due_latest_and_between_agree(cadence: Cadence, day: date, second: int) -> None:
    """What is latest now is the last that has come, and what follows it has not."""
    now = epoch(f"{day}") + second
    slots = list(between(day - 70 * DAY, day + 70 * DAY, cadence))
    last = latest(now, cadence)
    assert last == [slot for slot in slots if slot.due_at <= now][-1]
    assert next_due(last.date, cadence) == next(slot for slot in slots if slot.due_at > now)
    assert latest(last.due_at, cadence) == last
    assert next_due(day, cadence) == next(slot for slot in slots if slot.date > day)
    assert last == Slot(last.date, moment(last.date, cadence.send_at, cadence.zone))


@settings(max_examples=300, deadline=None)
@given(zones, st.dates(date(2024, 11, 20), date(2028, 11, 20)))
def test_without_a_send_time_a_slot_is_the_local_date(zone: str, slot: date) -> None:
    """From midnight, or from when the clocks skip it, to the last second of the day."""
    cadence = Cadence("daily", None, zone)
    due, after = (moment(day, None, zone) for day in (slot, slot + DAY))
    for now in (due, (due + after) // 2, after - 1):
        assert local_date(now, zone) == latest(now, cadence).date == slot


@pytest.mark.parametrize(
    ("slot", "at", "zone", "utc"),
    [
        (date(2026, 11, 1), time(1, 30), "America/New_York", "2026-11-01T05:30"),  # comes twice: the first
        (date(2026, 3, 8), time(2, 30), "America/New_York", "2026-03-08T07:30"),  # skipped: 03:30 by the new time
        (date(2026, 4, 24), time(0, 30), "Africa/Cairo", "2026-04-23T22:30"),  # skipped at midnight
        (date(2026, 4, 24), None, "Africa/Cairo", "2026-04-23T22:00"),
        (date(2026, 3, 28), time(23, 45), "America/Nuuk", "2026-03-29T01:45"),  # skipped before midnight: 00:45
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", "2026-10-03T15:45"),  # half an hour only
        (date(2026, 11, 20), time(7, 30), "Asia/Kathmandu", "2026-11-20T01:45"),
        (date(2026, 11, 20), time(7, 30), "Pacific/Kiritimati", "2026-11-19T17:30"),
    ],
)
def test_gaps_and_folds(slot: date, at: time | None, zone: str, utc: str) -> None:
    """A time that comes twice means the first; one that is skipped is told by the clock before the change."""
    assert moment(slot, at, zone) == epoch(utc)


def test_a_slot_whose_time_is_skipped_over_midnight_is_not_latest_too_early() -> None:
    """In Nuuk 23:45 on 2026-03-28 is 00:45 on the 29th; until then the slot of the 27th stays the latest."""
    cadence = Cadence("daily", time(23, 45), "America/Nuuk")
    due = epoch("2026-03-29T01:45")
    assert latest(due - 1, cadence).date == date(2026, 3, 27)
    assert latest(due, cadence) == Slot(date(2026, 3, 28), due)
