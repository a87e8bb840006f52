"""Slots: exactly one moment for each local date, in every zone and over every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.cadence import latest_slot, local_date, moment

ZONES = sorted(available_timezones() - {"localtime"})
dates = st.dates(date(2024, 11, 20), date(2028, 11, 20))
times = st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0))


def epoch(text: str) -> int:
    """Epoch seconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@settings(max_examples=1_000, deadline=None)
@given(st.sampled_from(ZONES), times, dates)
def test_a_slot_is_the_latest_from_its_moment_until_the_next(zone: str, at: time | None, slot: date) -> None:
    """Moments rise by date, and between two of them the earlier slot is the latest."""
    due, after = moment(slot, at, zone), moment(slot + timedelta(days=1), at, zone)
    assert due < after
    assert latest_slot(due, at, zone) == latest_slot(after - 1, at, zone) == slot
    assert latest_slot(due - 1, at, zone) == slot - timedelta(days=1)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ZONES), dates)
def test_without_a_send_time_a_slot_is_the_local_date(zone: str, slot: date) -> None:
    """From midnight, or from when the clocks skip it, to the last second of the day."""
    due, after = moment(slot, None, zone), moment(slot + timedelta(days=1), None, zone)
    for now in (due, (due + after) // 2, after - 1):
        assert local_date(now, zone) == latest_slot(now, None, zone) == slot


@pytest.mark.parametrize(
    ("slot", "at", "zone", "utc"),
    [
        (date(2026, 11, 1), time(1, 30), "America/New_York", "2026-11-01T05:30"),  # comes twice: the first
        (date(2026, 3, 8), time(2, 30), "America/New_York", "2026-03-08T07:30"),  # skipped: 03:30 by the new time
        (date(2026, 4, 24), time(0, 30), "Africa/Cairo", "2026-04-23T22:30"),  # skipped at midnight
        (date(2026, 4, 24), None, "Africa/Cairo", "2026-04-23T22:00"),
        (date(2026, 11, 20), time(7, 30), "Asia/Kathmandu", "2026-11-20T01:45"),
        (date(2026, 11, 20), time(7, 30), "Pacific/Kiritimati", "2026-11-19T17:30"),
    ],
)
def test_gaps_and_folds(slot: date, at: time | None, zone: str, utc: str) -> None:
    """A time that comes twice means the first; one that is skipped falls after the change, on the same date."""
    assert moment(slot, at, zone) == epoch(utc)


def test_two_years_of_days_give_one_slot_each() -> None:
    """Every half hour of two years in the zones with the oddest changes: each date comes once and in order."""
    for zone, at in (
        ("Africa/Cairo", time(0, 30)),
        ("America/New_York", time(1, 30)),
        ("Australia/Lord_Howe", time(2, 0)),
    ):
        start = epoch("2025-01-01T00:00")
        slots = [latest_slot(start + half * 1800, at, zone) for half in range(2 * 365 * 48)]
        changes = [later - earlier for earlier, later in pairwise(slots) if later != earlier]
        assert set(changes) == {timedelta(days=1)}
        assert len(changes) == 730
