"""Holiday files: which dates they name, and what makes one unusable."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.calendars import Calendars
from digest.errors import ConfigError

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
CHRISTMAS = """\
UID:xmas@example.org
SUMMARY:Christmas Day
DTSTART;VALUE=DATE:20201225
DTEND;VALUE=DATE:20201226
RRULE:FREQ=YEARLY
TRANSP:TRANSPARENT"""

Write = Callable[..., Path]


def calendar(*events: str) -> str:
    """A file of events, each as its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example.org//tests//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a holiday file of these events, or of this text."""

    def written(*events: str, text: str = "") -> Path:
        file = tmp_path / "days.ics"
        file.write_bytes((text or calendar(*events)).encode())
        return file

    return written


def days(file: Path, now: int = NOW) -> dict[str, str]:
    """The days of a file, as ISO dates."""
    return {f"{day}": name for day, name in sorted(Calendars({"a": file}).days(now)["a"].items())}


def refused(file: Path) -> str:
    """Why a file is not taken."""
    with pytest.raises(ConfigError) as fault:
        days(file)
    return str(fault.value)


def test_a_yearly_day_is_there_from_last_year_to_two_years_on(write: Write) -> None:
    """An all-day event that recurs is one date a year, whoever is busy then."""
    assert days(write(CHRISTMAS)) == {f"{year}-12-25": "Christmas Day" for year in (2025, 2026, 2027, 2028)}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("DTSTART;VALUE=DATE:20261224", "12-24"),  # no end: one day
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", "12-24"),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "12-24 12-25 12-26"),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P2D", "12-24 12-25"),
        ("DTSTART:20261224T180000", "12-24"),
        ("DTSTART:20261224T180000\nDTEND:20261225T000000", "12-24"),
        ("DTSTART:20261224T180000\nDTEND:20261225T010000", "12-24 12-25"),
        ("DTSTART:20261224T180000\nDURATION:PT30H", "12-24 12-25"),
        ("DTSTART;TZID=Asia/Tokyo:20261224T010000\nDTEND;TZID=Asia/Tokyo:20261224T020000", "12-24"),  # the 23rd in UTC
        ("DTSTART:20261224T230000Z\nDTEND:20261224T233000Z", "12-24"),
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", ""),
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:TENTATIVE", "12-24"),
        ("DTSTART;VALUE=DATE:20261224\nRDATE;VALUE=DATE:20261228,20261230", "12-24 12-28 12-30"),
        ("DTSTART;VALUE=DATE:20261221\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20261222", "12-21 12-23 12-24"),
        ("DTSTART:20261221T090000\nRRULE:FREQ=DAILY;UNTIL=20261223T090000", "12-21 12-22 12-23"),
        ("DTSTART:20261221T090000\nRRULE:FREQ=DAILY;UNTIL=20261223T085959", "12-21 12-22"),
        ("DTSTART:20261221T090000\nRRULE:FREQ=DAILY;UNTIL=20261222", "12-21 12-22"),
        ("DTSTART;TZID=Asia/Tokyo:20261221T090000\nRRULE:FREQ=DAILY;UNTIL=20261222T000000Z", "12-21 12-22"),
        ("DTSTART:20261221T090000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261222T090000", "12-21 12-23"),
        (
            "DTSTART;VALUE=DATE:20261221\nDTEND;VALUE=DATE:20261223\nRRULE:FREQ=WEEKLY;COUNT=2",
            "12-21 12-22 12-28 12-29",
        ),
        ("DTSTART;VALUE=DATE:20261204\nRRULE:FREQ=MONTHLY;UNTIL=20261231;BYDAY=1FR", "12-04"),
        ("DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20261231", "2025-11-27 11-26"),
        ("DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY", "2028-02-29"),
        (
            "DTSTART;VALUE=DATE:20001229\nDTEND;VALUE=DATE:20010103\nRRULE:FREQ=YEARLY;UNTIL=20250101",
            "2025-01-01 2025-01-02",
        ),
    ],
)
def test_an_event_names_its_dates(write: Write, lines: str, found: str) -> None:
    """All-day or with times, of many days, and recurring (dates without a year are of 2026)."""
    expected = [day if len(day) > 5 else f"2026-{day}" for day in found.split()]
    assert list(days(write(lines))) == expected


def test_an_event_takes_the_place_of_one_of_its_series(write: Write) -> None:
    """A day moved is named where it is now, and not where it was; one cancelled is not named."""
    moved = "UID:xmas@example.org\nRECURRENCE-ID;VALUE=DATE:20261225\nSUMMARY:Observed\nDTSTART;VALUE=DATE:20261228"
    cancelled = "UID:xmas@example.org\nRECURRENCE-ID;VALUE=DATE:20271225\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20271225"
    expected = {"2025-12-25": "Christmas Day", "2026-12-28": "Observed", "2028-12-25": "Christmas Day"}
    assert days(write(CHRISTMAS, moved, cancelled)) == expected


def test_a_day_has_the_first_name_and_never_an_empty_one(write: Write) -> None:
    """An empty name would mean a day that is not skipped."""
    file = write(
        "DTSTART;VALUE=DATE:20261224\nSUMMARY:Heiligabend\\, halb", "DTSTART;VALUE=DATE:20261224\nSUMMARY:Other"
    )
    assert days(file) == {"2026-12-24": "Heiligabend, halb"}
    assert days(write("DTSTART;VALUE=DATE:20261224\nSUMMARY:  ")) == {"2026-12-24": "a holiday"}
    assert days(write("DTSTART;VALUE=DATE:20261224")) == {"2026-12-24": "a holiday"}


def test_files_as_other_programs_write_them_are_read(write: Write) -> None:
    """Folded lines, line feeds alone, a byte order mark, a zone of the file's own, alarms and several calendars."""
    folded = "DTSTART;VALUE=DATE:20261224\nSUMMARY:The day before\n  Christmas"
    zone = "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n"
    zone += "END:STANDARD\nEND:VTIMEZONE\n"
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT5M\nEND:VALARM"
    own = f"SUMMARY:Own\nDTSTART;TZID=Ours:20261226T010000\n{alarm}"
    text = calendar(folded) + calendar(own).replace("BEGIN:VEVENT", f"{zone}BEGIN:VEVENT", 1)
    for form in (text, text.replace("\r\n", "\n"), f"\ufeff{text}"):
        assert days(write(text=form)) == {"2026-12-24": "The day before Christmas", "2026-12-26": "Own"}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("SUMMARY:Never", "No DTSTART given."),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261324", "DTSTART: "),
        ("SUMMARY:Never\nDTSTART:soon", "DTSTART: "),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261223", "it ends before it begins"),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nDTEND:20261225T000000", "must be of the same type"),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nRRULE:FREQ=HOURLY", "RRULE: FREQ is none of YEARLY"),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nRRULE:COUNT=2", "RRULE: FREQ is none of YEARLY"),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nRRULE:FREQ=SOMETIMES", "RRULE: "),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;INTERVAL=0", "RRULE: INTERVAL is less than 1"),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYMONTH=13", "RRULE: it never names a date"),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nEXDATE:x", "EXDATE: "),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nRECURRENCE-ID:x", "RECURRENCE-ID: "),
        ("SUMMARY:Never\nDTSTART;VALUE=DATE:20261224\nhello", "a line: "),
    ],
)
def test_one_bad_event_is_not_passed_over(write: Write, lines: str, why: str) -> None:
    """The message has the file, the line where the event begins, its name and UID, why, and what to do."""
    file = write(CHRISTMAS, f"UID:7@example.org\n{lines}")
    said = refused(file)
    assert said.startswith(f"{file}:12: the event 'Never' (UID 7@example.org) cannot be read: ")
    assert why in said
    assert said.endswith("; correct or remove it")


def test_what_is_not_looked_at_may_be_wrong(write: Write) -> None:
    """A bad place on earth does not make a holiday unusable."""
    assert days(write("DTSTART;VALUE=DATE:20261224\nGEO:nowhere")) == {"2026-12-24": "a holiday"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n", "there is no event in it"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "there is no event in it"),
        ("<!doctype html>\n<p>Please log in</p>\n", "not an iCalendar file (Content line could not be parsed"),
        ("END:VCALENDAR\n", "not an iCalendar file (END encountered"),
        (calendar(CHRISTMAS)[:-20], "1 events begin and 0 end; the file is cut off"),
        (calendar(CHRISTMAS) + calendar(CHRISTMAS)[:120], "2 events begin and 1 end; the file is cut off"),
    ],
)
def test_what_is_no_calendar_is_refused(write: Write, text: str, why: str) -> None:
    """A login page, an empty file or half a download is told as such, with the file's name."""
    file = write(text=text)
    assert refused(file).startswith(f"{file}: {why}")


def test_a_file_of_one_line_is_not_taken_for_the_name_of_another(write: Write, tmp_path: Path) -> None:
    """Only the configured file is read."""
    other = tmp_path / "other.ics"
    other.write_text(calendar(CHRISTMAS))
    assert "not an iCalendar file" in refused(write(text=f"{other}"))


def test_a_missing_or_unreadable_file_is_told(tmp_path: Path) -> None:
    """With its name, and where it is configured."""
    assert refused(tmp_path / "gone.ics") == (
        f"{tmp_path}/gone.ics: the calendar 'a' cannot be read (No such file or directory); correct [calendars]"
    )
    assert "Is a directory" in refused(tmp_path)
    latin = tmp_path / "latin.ics"
    latin.write_bytes(calendar("DTSTART;VALUE=DATE:20261224\nSUMMARY:Mariä").encode("latin-1"))
    assert refused(latin).endswith("; give an .ics file in UTF-8")


def test_a_file_is_read_anew_only_when_it_or_the_year_has_changed(write: Write) -> None:
    """Every tick asks for the days; a new file, and a new year, are seen at once."""
    file = write(CHRISTMAS)
    calendars = Calendars({"a": file})
    first = calendars.days(NOW)["a"]
    assert calendars.days(NOW + 86_400)["a"] is first
    assert max(calendars.days(NOW + 60 * 86_400)["a"]) == date(2029, 12, 25)
    file = write(CHRISTMAS.replace("1225", "1224").replace("1226", "1225"))
    os.utime(file, ns=(1, 1))
    assert min(calendars.days(NOW)["a"]) == date(2025, 12, 24)


def test_without_the_library_the_message_says_what_to_install(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; without calendars it is not even asked for."""
    monkeypatch.setitem(sys.modules, "icalendar", None)
    assert refused(write(CHRISTMAS)).endswith('pip install "email-digest[calendars]"')
    assert Calendars({}).days(NOW) == {}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mangled_file_is_read_or_refused(write: Write, data: st.DataObject) -> None:
    """Changing a few characters breaks the reader by ConfigError only, and gives no days out of range."""
    text = calendar(CHRISTMAS, "UID:2\nDTSTART:20261221T090000Z\nRRULE:FREQ=WEEKLY;COUNT=9\nEXDATE:20261228T090000Z")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:at]
            + data.draw(st.text(":;=,\n\r -0129ATZé\x00", max_size=3))
            + text[at + data.draw(st.integers(0, 3)) :]
        )
    try:
        found = Calendars({"a": write(text=text or "\n")}).days(NOW)["a"]
    except ConfigError as fault:
        assert "days.ics" in str(fault)  # noqa: PT017  # refused or read, both are right
        return
    assert all(
        date(2025, 1, 1) <= day < date(2025, 1, 1) + timedelta(days=4 * 366) and name for day, name in found.items()
    )
