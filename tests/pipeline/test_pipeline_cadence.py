"""Slots in the pipeline: one row each with its reason, and one merged edition after days without any."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from workplace import ADA, DAY, NOON, Mails, Workplace, paper, subscriber

from digest.cadence import between, canonical, local_date
from digest.model import Cadence, Profile, State, Subscriber
from digest.planning import LONGEST_WAIT, Policy, plan
from digest.store import subscribers
from digest.store.schema import editions as table
from digest.store.store import Store
from digest.store.subscribers import Named

MORNING = NOON - 4 * 3_600  # 2026-11-20 08:00 UTC, a Friday
ALWAYS = Policy(first_days=7, stale_seconds=0, skip=(), calendars=lambda _: {})


class Row(NamedTuple):
    """An edition as it stands in the database."""

    slot: str
    since: str
    state: str
    reason: str


def rows(place: Workplace) -> list[Row]:
    """All editions, by slot."""
    with place.opened() as app, app.store.read() as connection:
        columns = table.c.slot, table.c.since, table.c.state, table.c.reason
        found = connection.execute(select(*columns).order_by(table.c.slot)).all()
        return [Row(str(slot), str(since), row, "" if row == "sent" else why) for slot, since, row, why in found]


def listed(place: Workplace, *days: int) -> None:
    """Load a file on each of these days, in one run that mails nobody."""
    people = place.config.read_text()
    place.configure()
    for day in days:
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}")])
        place.run(MORNING - 3_600 + day * DAY)
    place.config.write_text(people)


def test_after_a_week_of_downtime_there_is_one_merged_mail(place: Workplace, mails: Mails) -> None:
    """Best first over the whole gap, labelled with its range; every slot in it has a row that says where it went."""
    place.configure(subscriber(send_at="08:00"))
    place.listing("0.jsonl", [paper("Reward model of day 0")])
    place.run(MORNING)
    for day in range(1, 7):
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}", "reward model " * day)])
    place.run(MORNING + 6 * DAY)
    assert rows(place) == [
        Row("2026-11-20", "2026-11-20", "sent", ""),
        *(
            Row(f"2026-11-{day}", "2026-11-21", "empty", "missed; in the edition of 2026-11-26")
            for day in range(21, 26)
        ),
        Row("2026-11-26", "2026-11-21", "sent", ""),
    ]
    _, merged = mails.parsed(ADA)
    assert "21–26 Nov" in str(merged["Subject"])
    text = mails.texts(ADA)[1]
    assert all(text.count(f"Reward model of day {day}\r\n") == 1 for day in range(1, 7))
    place.run(MORNING + 7 * DAY)
    assert rows(place)[-1] == Row("2026-11-27", "2026-11-27", "empty", "no new file")


def test_nobody_is_mailed_in_a_pause_and_its_entries_come_after_it(place: Workplace, mails: Mails) -> None:
    """Each paused slot has a row that says so."""
    place.configure(subscriber(send_at="08:00", paused_until="2026-11-22"))
    for day in range(3):
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}")])
        place.run(MORNING + day * DAY)
        assert len(mails.kept) == int(day == 2)
    assert rows(place) == [
        Row("2026-11-20", "2026-11-20", "empty", "paused until 2026-11-22"),
        Row("2026-11-21", "2026-11-20", "empty", "paused until 2026-11-22"),
        Row("2026-11-22", "2026-11-20", "sent", ""),
    ]
    assert all(f"Reward model of day {day}\r\n" in mails.texts(ADA)[0] for day in range(3))


def test_a_pause_that_ends_early_ends_at_once(place: Workplace, mails: Mails) -> None:
    """Where no time is set, the next run mails, even on a date whose row says paused."""
    place.configure(subscriber(paused_until="2026-12-24"))
    place.listing("a.jsonl", [paper("A reward model")])
    assert place.run().counts()["empty"] == 1
    place.configure(subscriber())
    assert place.run(NOON + 60).counts()["sent"] == 1
    assert rows(place) == [Row("2026-11-20", "2026-11-20", "sent", "")]


def test_skipped_days_are_made_up_for_on_the_next(place: Workplace, mails: Mails) -> None:
    """Dates and ranges of one's own, and days of a calendar that holds for everybody, with their names."""
    (place.folder / "feasts.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART;VALUE=DATE:20261121\r\nSUMMARY:Feast of Papers\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        newline="",
    )
    extra = '[editions]\nskip = ["feasts"]\n[calendars]\nfeasts = "feasts.ics"\n'
    place.configure(subscriber(send_at="08:00", skip=["2026-11-20", "2026-11-22/2026-11-23"]), extra=extra)
    for day in range(5):
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}")])
        place.run(MORNING + day * DAY)
    assert rows(place) == [
        Row("2026-11-20", "2026-11-20", "empty", "skipped: a day to skip"),
        Row("2026-11-21", "2026-11-20", "empty", "skipped: Feast of Papers"),
        Row("2026-11-22", "2026-11-20", "empty", "skipped: a day to skip"),
        Row("2026-11-23", "2026-11-20", "empty", "skipped: a day to skip"),
        Row("2026-11-24", "2026-11-20", "sent", ""),
    ]
    assert all(f"Reward model of day {day}\r\n" in mails.texts(ADA)[0] for day in range(5))


def test_too_few_matches_wait_and_merge(place: Workplace, mails: Mails) -> None:
    """Until there are as many as the subscriber asked for, however many days that takes."""
    place.configure(subscriber(send_at="08:00", min_matches=3))
    for day in range(12):
        titles = [f"Cooking, part {day}"] + ([f"Reward model of day {day}"] if day in (0, 1, 11) else [])
        place.listing(f"{day}.jsonl", [paper(title) for title in titles])
        place.run(MORNING + day * DAY)
    assert [row.state for row in rows(place)] == ["empty"] * 11 + ["sent"]
    assert rows(place)[1].reason == "2 of at least 3 matches; they wait for the next"
    assert rows(place)[-1].since == "2026-11-20"
    assert all(f"Reward model of day {day}\r\n" in mails.texts(ADA)[0] for day in (0, 1, 11))
    place.listing("next.jsonl", [paper("Cooking again")])
    place.run(MORNING + 12 * DAY)
    assert rows(place)[-1].reason == "no new entry matched"


def test_too_few_matches_do_not_wait_for_ever(place: Workplace, mails: Mails) -> None:
    """After LONGEST_WAIT days they go as they are."""
    place.configure(subscriber(send_at="08:00", min_matches=3))
    place.listing("a.jsonl", [paper("A reward model")])
    for day in range(LONGEST_WAIT + 1):
        place.run(MORNING + day * DAY)
    assert mails.kept == []
    place.run(MORNING + (LONGEST_WAIT + 1) * DAY)
    assert "A reward model" in mails.texts(ADA)[0]


def test_silence_says_why(place: Workplace) -> None:
    """No match, no new file, or a source that has gone stale."""
    place.configure(subscriber(send_at="08:00"), extra="[alarms]\nstale_days = 3")
    place.listing("a.jsonl", [paper("Cooking")])
    for day in range(5):
        place.run(MORNING + day * DAY)
    assert [row.reason for row in rows(place)] == [
        "no new entry matched",
        *["no new file"] * 3,
        "stale source: nothing new since 2026-11-20",
    ]


def test_files_without_anything_new_are_no_missing_files(place: Workplace) -> None:
    """What they told was told the day before."""
    place.configure(subscriber(send_at="08:00"))
    for day, more in enumerate(({}, {"links": "x"}, None)):
        if more is not None:
            place.listing(f"{day}.jsonl", [paper("Cooking", "Soup.", **more)])
        place.run(MORNING + day * DAY)
    assert [row.reason for row in rows(place)] == [
        "no new entry matched",
        "nothing new in the new files",
        "no new file",
    ]


def test_a_weekly_edition_holds_the_week_and_says_so(place: Workplace, mails: Mails) -> None:
    """Mondays only, also when the run of a Monday comes on Wednesday."""
    place.configure(subscriber(send_at="08:00", days="weekly"))
    for day in range(14):
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}")])
        if day != 10:  # Monday, 30 November
            place.run(MORNING + day * DAY)
    assert rows(place) == [
        Row("2026-11-23", "2026-11-23", "sent", ""),
        Row("2026-11-30", "2026-11-24", "sent", ""),
    ]
    assert "24–30 Nov" in str(mails.parsed(ADA)[1]["Subject"])


def test_who_joins_looks_back_as_configured(place: Workplace, mails: Mails) -> None:
    """A first edition covers editions.first_days."""
    listed(place, *range(6))
    place.configure(subscriber(), extra="[editions]\nfirst_days = 3")
    place.run(MORNING - 3_600 + 6 * DAY)
    text = mails.texts(ADA)[0]
    assert [day for day in range(6) if f"Reward model of day {day}\r\n" in text] == [3, 4, 5]


def test_calendars_that_are_not_configured_are_told(place: Workplace, mails: Mails) -> None:
    """Those of subscribers in the database, too; their mail goes all the same."""
    place.configure(extra="")
    with place.opened() as app, app.store.write() as connection:
        person = Subscriber(ADA, (Profile("Digest", ("reward model",)),), skip=("gone",))
        subscribers.put(connection, [Named(ADA, person)], NOON, 7, configured=False)
    place.listing("a.jsonl", [paper("A reward model")])
    report = place.run()
    assert report.failed
    assert "no [calendars] entry of that name" in "\n".join(report.troubles())
    assert len(mails.kept) == 1


def test_a_holiday_file_that_cannot_be_read_stops_a_run_before_anything_is_done(place: Workplace, mails: Mails) -> None:
    """Exit code 2, and the file by its name."""
    place.configure(subscriber(), extra='[calendars]\nfeasts = "feasts.ics"\n')
    place.listing("a.jsonl", [paper("A reward model")])
    ended = place.invoke("run")
    assert ended.returncode == 2
    assert "feasts.ics" in ended.stderr
    assert mails.kept == []


def planned(store: Store, now: int) -> None:
    """Plan everybody who is due."""
    plan(store, now, ALWAYS, lambda: True)


ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Cairo", "Asia/Kathmandu")
cadences = st.builds(
    Cadence,
    days=st.just("daily"),
    send_at=st.none() | st.sampled_from((time(0, 0), time(0, 30), time(2, 30), time(12, 0), time(23, 45))),
    zone=st.sampled_from(ZONES),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 72 * 3_600), cadences), min_size=1, max_size=6),
    st.sampled_from((datetime(2026, 3, 1), datetime(2026, 4, 20), datetime(2026, 10, 24), datetime(2026, 10, 30))),
    st.integers(1, 30),
)
def test_a_changed_preference_neither_skips_nor_doubles_a_slot(
    store: Store, changes: list[tuple[int, Cadence]], start: datetime, hours: int
) -> None:
    """Whatever is changed and when, and however seldom a run comes: each local date from the first on has one row."""
    now = int(start.replace(tzinfo=UTC).timestamp())
    person = Subscriber(ADA, (Profile("Digest", ("reward model",)),))
    with store.rehearsal() as rehearsed:
        for wait, cadence in changes:
            named = Named(ADA, Subscriber(ADA, person.profiles, cadence=cadence))
            with rehearsed.write() as connection:
                subscribers.put(connection, [named], now, 7, configured=False)
            for moment in range(now, now + wait, hours * 3_600):
                planned(rehearsed, moment)
            now += wait
        now += 3 * DAY
        planned(rehearsed, now)
        with rehearsed.read() as connection:
            slots = list(connection.execute(select(table.c.slot).order_by(table.c.slot)).scalars())
    assert slots == [slots[0] + timedelta(days=offset) for offset in range(len(slots))]
    last = changes[-1][1]
    assert slots[-1] >= local_date(now, last.zone) - timedelta(days=1)


@pytest.mark.parametrize("days", ["weekdays", "mon, thu", "monthly on 31", "first monday", "last day"])
def test_every_slot_of_a_rule_has_its_row(place: Workplace, days: str) -> None:
    """Over a quarter, with runs that come and fail to come by chance."""
    chance = random.Random(days)
    place.configure(subscriber(send_at="08:00", days=days))
    start, end = date(2026, 11, 20), date(2027, 2, 28)
    for day in range((end - start).days + 1):
        if chance.random() < 0.3 or day in (0, (end - start).days):
            place.run(MORNING + day * DAY)
    wanted = [str(slot.date) for slot in between(start, end, Cadence(canonical(days), time(8)))]
    found = rows(place)
    assert [row.slot for row in found] == wanted
    reasons = Counter(row.reason.partition(";")[0] for row in found)
    assert set(reasons) <= {"missed", "no new file"}
    assert all(row.state == State.EMPTY for row in found)
