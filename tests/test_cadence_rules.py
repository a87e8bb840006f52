"""The words of a rule, and days to skip."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.cadence import between, calendar_names, canonical, next_due, skip_fault, skipped
from digest.model import Cadence

HINT = 'write daily, weekdays, weekends, "mon, thu", "mon-fri", "monthly on 15", "last day" or "first monday"'
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FORMS = [{short, name, f"{name}s", name.upper(), short.title()} for short, name in zip(WEEK, FULL, strict=True)]

sets = st.frozensets(st.integers(0, 6), min_size=1)
spaces = st.sampled_from((" ", ", ", ",", "  ", " and ", " & ", "/", "\t"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("daily", "daily"),
        ("  Every DAY ", "daily"),
        ("mon,tue,wed,thu,fri,sat,sun", "daily"),
        ("weekdays and weekends", "daily"),
        ("weekdays", "weekdays"),
        ("Monday to Friday", "weekdays"),
        ("mon – fri", "weekdays"),
        ("sat, sun", "weekends"),
        ("Monday", "mon"),
        ("thurs & tues", "tue, thu"),
        ("fri-mon", "mon, fri, sat, sun"),
        ("weekdays, sat", "mon, tue, wed, thu, fri, sat"),
        ("mon-mon", "mon"),
        ("weekly", "mon"),
        ("weekly on Friday", "fri"),
        ("every tuesday and every thursday", "tue, thu"),
        ("monthly", "monthly on 1"),
        ("15", "monthly on 15"),
        ("monthly on the 2nd", "monthly on 2"),
        ("monthly on 30", "monthly on 30"),
        ("31", "last day"),
        ("monthly on the last day", "last day"),
        ("first day", "monthly on 1"),
        ("monthly on the first monday", "first monday"),
        ("2nd tue", "second tuesday"),
        ("Last Fridays", "last friday"),
    ],
)
def test_a_rule_has_one_form(typed: str, kept: str) -> None:
    """However it is typed, the same rule is kept in the same words."""
    assert canonical(typed) == kept == canonical(kept)


@given(sets.flatmap(lambda days: st.permutations([*days, *days])), spaces, st.data())
def test_any_set_of_weekdays_in_any_words_is_that_set(days: list[int], space: str, data: st.DataObject) -> None:
    """Order, doubles, case, length and separators do not matter, and the days are those named."""
    typed = space.join(data.draw(st.sampled_from(sorted(FORMS[day]))) for day in days)
    assert canonical(typed) == canonical(canonical(typed)) == canonical(", ".join(WEEK[day] for day in days))
    start = date(2026, 1, 1)
    found = {slot.date.weekday() for slot in between(start, start + timedelta(days=6), Cadence(typed))}
    assert found == set(days)


@given(st.lists(st.sampled_from(("weekly", "monthly", "on", "every", "last", "1st", "5th", "15", "mon-", "-", *FULL))))
def test_any_words_are_a_rule_or_refused(words: list[str]) -> None:
    """No words break the parser, and what it takes has a form that it takes again and that names days."""
    try:
        kept = canonical(" ".join(words))
    except ValueError:
        return
    assert canonical(kept) == kept
    assert next_due(date(2026, 1, 1), Cadence(kept)).date <= date(2026, 2, 28)


@given(st.text())
def test_any_text_is_a_rule_or_refused_in_a_line(text: str) -> None:
    """A message is one printable line of bounded length, whatever was typed."""
    try:
        said = canonical(text)
    except ValueError as fault:
        said = str(fault)
    assert said.isprintable()
    assert len(said) < 250


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", f"no day is named; {HINT}"),
        ("every", f"no day is named; {HINT}"),
        ("mondy", '"mondy" is not understood here; did you mean "monday"?'),
        ("mon, thrusday", '"thrusday" is not understood here; did you mean "thursday"?'),
        ("dayly", '"dayly" is not understood here; did you mean "daily"?'),
        ("now and then", f'"now" is not understood here; {HINT}'),
        ("every second tuesday", f'"second" is not understood here; {HINT}'),
        ("weekly on 15", f'"15" is not understood here; {HINT}'),
        ("2026-12-24", f'"2026" is not understood here; {HINT}'),
        ("mon-", '"mon-" is half a range; write "mon-fri"'),
        ("fifth friday", 'most months have no fifth friday; write "last friday"'),
        ("monthly on the 5th mon", 'most months have no fifth monday; write "last monday"'),
        ("monthly on tue", 'which tuesday of the month? Write "first tuesday" or "last tuesday"'),
        ("32", "no month has a day 32; write 1 to 31, or last day"),
        ("0", "no month has a day 0; write 1 to 31, or last day"),
        ("1, 15", '"1 15" is not one day of the month; write "15", "last day" or "first monday"'),
        ("first", '"first" is not one day of the month; write "15", "last day" or "first monday"'),
        ("last weekday", f'"weekday" is not understood here; {HINT}'),
        ("mon " * 60, f"a rule of 240 characters is too long; {HINT}"),
        ("\x1b[31m", f'"?[31m" is not understood here; {HINT}'),
    ],
)
def test_what_is_no_rule_is_refused_with_a_way_out(typed: str, said: str) -> None:
    """The message names the word at fault, and what to write."""
    with pytest.raises(ValueError, match=r".") as refused:
        canonical(typed)
    assert str(refused.value) == said


def test_a_date_that_a_month_lacks_is_its_last_day() -> None:
    """The 30th is the 28th of February, and the 29th in a leap year; the last day is the last of each."""
    dates = [slot.date for slot in between(date(2028, 1, 31), date(2028, 4, 30), Cadence("monthly on 30"))]
    assert dates == [date(2028, 2, 29), date(2028, 3, 30), date(2028, 4, 30)]
    assert next_due(date(2026, 1, 31), Cadence("monthly on 29")).date == date(2026, 2, 28)
    assert [slot.date.day for slot in between(date(2026, 1, 1), date(2026, 4, 30), Cadence("31"))] == [31, 28, 31, 30]


CALENDARS = {"berlin": {date(2026, 12, 25): "Christmas Day"}}


@pytest.mark.parametrize(
    ("day", "skip", "why"),
    [
        ("2026-12-24", ("2026-12-24",), "a day to skip"),
        ("2026-12-25", ("2026-12-24",), ""),
        ("2026-12-25", ("2026-12-24", "berlin"), "Christmas Day"),
        ("2026-12-24", ("berlin",), ""),
        ("2026-12-25", ("gone",), ""),
        ("2026-12-23", ("2026-12-24/2027-01-02",), ""),
        ("2026-12-24", ("2026-12-24/2027-01-02",), "a day to skip"),
        ("2027-01-02", ("2026-12-24/2027-01-02",), "a day to skip"),
        ("2027-01-03", ("2026-12-24/2027-01-02",), ""),
        ("2026-12-25", (), ""),
    ],
)
def test_a_day_is_skipped_with_a_reason(day: str, skip: tuple[str, ...], why: str) -> None:
    """Dates and ranges include their ends; a calendar tells what the day is called."""
    assert skipped(date.fromisoformat(day), skip, CALENDARS) == why


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2026-12-24", ""),
        ("2026-12-24/2027-01-02", ""),
        ("2026-12-24/2026-12-24", ""),
        ("berlin", ""),
        ("school_holidays-2", ""),
        ("2026-02-30", '"2026-02-30" is no date: day is out of range for month'),
        ("2027-01-02/2026-12-24", '"2027-01-02/2026-12-24" ends before it begins; write the earlier date first'),
    ],
)
def test_an_entry_to_skip_is_dates_or_a_name(text: str, fault: str) -> None:
    """What cannot be meant is told, and what to write instead."""
    assert skip_fault(text) == fault


@pytest.mark.parametrize(
    "text", ["", "24.12.2026", "20261224", "2026-W52-4", "2026-12-24/", "/2026-12-24", "a b", "1st", "é"]
)
def test_other_ways_to_write_days_are_refused(text: str) -> None:
    """Only ISO dates with hyphens, ranges of them and plain names are taken."""
    said = 'is no day to skip; write "2026-12-24", "2026-12-24/2027-01-02" or the name of a calendar'
    assert skip_fault(text) == f'"{text}" {said}'


def test_names_of_calendars_are_told_from_dates() -> None:
    """The configuration checks that the calendars which people name are there."""
    assert calendar_names(("2026-12-24", "berlin", "2026-12-24/2027-01-02", "nrw")) == {"berlin", "nrw"}
