"""Runs over several days, through a real SMTP server: nothing missed, nothing twice, and always a reason."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest import look, press
from digest.model import Edition, Outcome, State
from digest.store import subscribers
from digest.store.store import Store

HOUR = 3_600
MONDAY = int(datetime(2026, 11, 16, tzinfo=UTC).timestamp())


def test_a_listing_becomes_a_mail_and_only_once(place: Workplace, mails: Mails) -> None:
    """The mail holds what matched, and a second run says why it sends nothing."""
    place.listing("a.jsonl", [paper("A reward model for robots"), paper("Cooking")])
    report = place.run()
    assert report.counts() | {"seconds": 0} == {
        "loaded": 2,
        "planned": 1,
        "sent": 1,
        "deferred": 0,
        "failed": 0,
        "unknown": 0,
        "empty": 0,
        "suppressed": 0,
        "left": 0,
        "relay_error": "",
        "refused": False,
        "seconds": 0,
        "reason": "",
    }
    (text,) = mails.texts(ADA)
    assert "A reward model for robots" in text
    assert "Cooking" not in text
    again = place.run(NOON + HOUR)
    assert again.counts()["sent"] == again.counts()["planned"] == 0
    assert "nobody is due" in again.reason
    assert "the next is due at 2026-11-21 00:00 UTC" in again.reason
    assert len(mails.kept) == 1


def test_the_next_day_brings_only_what_is_new(place: Workplace, mails: Mails) -> None:
    """An entry listed again the next day is not sent again."""
    place.listing("a.jsonl", [paper("The first reward model")])
    place.run()
    place.listing("b.jsonl", [paper("The second reward model"), paper("The first reward model")])
    assert place.run(NOON + DAY).counts()["sent"] == 1
    assert "The second reward model" in mails.texts(ADA)[1]
    assert "The first reward model" not in mails.texts(ADA)[1]


def test_a_late_subscriber_gets_the_last_days(place: Workplace, mails: Mails) -> None:
    """As many as first_days, whatever others had."""
    for day in range(10):
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}")])
        place.run(NOON + day * DAY)
    place.configure(subscriber(), subscriber(BAO), extra="[editions]\nfirst_days = 3")
    place.run(NOON + 9 * DAY + HOUR)
    assert len(mails.to(ADA)) == 10
    (text,) = mails.texts(BAO)
    assert sorted(set(re.findall(r"model of day (\d)", text))) == ["7", "8", "9"]


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_missed_and_nothing_comes_twice(place: Workplace, mails: Mails, seed: int) -> None:
    """Ten days of random loads and runs: each subscriber gets what a naive reading of the rules gives."""
    chance = random.Random(seed)
    wanted = {ADA: "alpha", BAO: "beta", "chidi@example.org": "gamma"}
    place.configure(*(subscriber(email, [word]) for email, word in wanted.items()))
    model = {email: _Reader(word) for email, word in wanted.items()}
    listed: list[str] = []
    with place.opened() as app:
        for hour in range(0, 240, 6):
            place.clock.at = MONDAY + hour * HOUR
            if chance.random() < 0.3:
                fresh = [_title(chance, len(listed) + n) for n in range(chance.randint(1, 4))]
                listed += fresh
                place.listing(f"{hour:03}.jsonl", [paper(title) for title in fresh])
            if chance.random() < 0.5:
                app.run()
                for reader in model.values():
                    reader.run(listed, place.clock.at // DAY)
    for email, reader in model.items():
        got = [set(re.findall(r"Paper \d+", text)) for text in mails.texts(email)]
        assert got == reader.editions
        assert sum(map(len, got)) == len(set().union(*got)), "an entry came twice"


class _Reader:
    """A naive subscriber: at most one mail a day, with every title since the last mail that has the word."""

    def __init__(self, word: str) -> None:
        self.word, self.seen, self.last = word, 0, -1
        self.editions: list[set[str]] = []

    def run(self, listed: list[str], day: int) -> None:
        """What a run at a day gives, if anything."""
        found = {" ".join(title.split()[:2]) for title in listed[self.seen :] if self.word in title.split()}
        if found and day != self.last:
            self.editions.append(found)
            self.seen, self.last = len(listed), day


def _title(chance: random.Random, number: int) -> str:
    words = chance.sample(("alpha", "beta", "gamma", "delta"), 2)
    return f"Paper {number} on {words[0]} with {words[1]} number {number * 7919}"


def test_an_empty_edition_gives_way_on_the_same_day(place: Workplace, mails: Mails) -> None:
    """Without a send time, what comes in the afternoon is sent in the afternoon, and then no more that day."""
    place.listing("a.jsonl", [paper("Cooking")])
    report = place.run()
    assert (report.counts()["empty"], report.counts()["planned"]) == (1, 0)
    assert report.reason == "no new entry matched (new entries: 1, subscribers due: 1)"
    place.listing("b.jsonl", [paper("A reward model")])
    assert place.run(NOON + HOUR).counts()["sent"] == 1
    place.listing("c.jsonl", [paper("Another reward model")])
    assert place.run(NOON + 2 * HOUR).counts()["sent"] == 0
    assert place.states() == {State.SENT: 1}
    assert len(mails.to(ADA)) == 1


def test_without_a_new_file_the_reason_says_so(place: Workplace) -> None:
    """And names where files are looked for."""
    report = place.run()
    assert report.reason == f"no new file in {place.listings} (new entries: 0, subscribers due: 1)"
    assert not report.failed


def test_without_subscribers_the_reason_says_how_to_add_one(place: Workplace) -> None:
    """That is not an error."""
    place.configure()
    report = place.run()
    assert "there are no subscribers" in report.reason
    assert "digest subscribers add" in report.reason
    assert not report.failed


def test_a_send_time_is_waited_for(place: Workplace, mails: Mails) -> None:
    """Before it the reason says until when; after it the mail goes, even hours late."""
    place.configure(subscriber(send_at="18:00", zone="Europe/Berlin"))
    place.listing("a.jsonl", [paper("A reward model")])
    report = place.run(NOON)
    assert (report.counts()["loaded"], report.counts()["planned"]) == (1, 0)
    assert "had today's edition" not in report.reason
    assert "the next is due at 2026-11-20 17:00 UTC" in report.reason
    assert place.run(NOON + 5 * HOUR - 1).counts()["sent"] == 0
    assert place.run(NOON + 9 * HOUR).counts()["sent"] == 1
    assert mails.parsed(ADA)[0]["Date"].datetime.isoformat() == "2026-11-20T22:00:00+01:00"


def test_an_empty_edition_at_a_send_time_is_the_only_one_of_that_day(place: Workplace, mails: Mails) -> None:
    """Who asked for one fixed time gets mail at no other; the entry comes the next day."""
    place.configure(subscriber(send_at="08:00"))
    place.run()
    place.listing("a.jsonl", [paper("A reward model")])
    assert place.run(NOON + HOUR).counts()["sent"] == 0
    assert place.run(NOON + DAY).counts()["sent"] == 1
    assert "A reward model" in mails.texts(ADA)[0]


def test_each_zone_has_its_own_date(place: Workplace, mails: Mails) -> None:
    """A run each hour over three days sends one mail for each local date, in the hour of the send time there."""
    zones = {"auckland": "Pacific/Auckland", "berlin": "Europe/Berlin", "honolulu": "Pacific/Honolulu"}
    people = (subscriber(f"{name}@example.org", send_at="07:30", zone=zone) for name, zone in zones.items())
    place.configure(*people)
    with place.opened() as app:
        for hour in range(72):
            place.listing(f"{hour:02}.jsonl", [paper(f"Reward model of hour {hour} and {hour * 7919}")])
            place.clock.at = MONDAY + hour * HOUR
            app.run()
    for name in zones:
        dates = [mail["Date"].datetime for mail in mails.parsed(f"{name}@example.org")]
        # The first slot of one who subscribes after today's send time has passed is at once.
        assert [(at.hour, at.minute) for at in dates[1:]] == [(8, 0)] * len(dates[1:]), name
        days = [at.date() for at in dates]
        assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
        assert len(days) in (3, 4)


def test_a_changed_profile_sees_the_entries_of_the_week(place: Workplace, mails: Mails) -> None:
    """As long as no edition has used them up; entries older than first_days are out of sight."""
    place.listing("a.jsonl", [paper("Old robot grasping")])
    place.run()
    place.listing("b.jsonl", [paper("Fresh robot grasping")])
    place.run(NOON + 5 * DAY)
    place.run(NOON + 8 * DAY)
    place.configure(subscriber(keywords=["robot grasping"]))
    assert place.run(NOON + 8 * DAY + HOUR).counts()["sent"] == 1
    assert "Fresh robot grasping" in mails.texts(ADA)[0]
    assert "Old robot grasping" not in mails.texts(ADA)[0]


def test_a_long_outage_is_made_up_in_one_mail(place: Workplace, mails: Mails) -> None:
    """Three weeks without a run, files piling up: one merged edition."""
    place.listing("0.jsonl", [paper("Reward model of week 0")])
    place.run()
    for week in (1, 2, 3):
        place.listing(f"{week}.jsonl", [paper(f"Reward model of week {week}")])
    assert place.run(NOON + 21 * DAY).counts()["sent"] == 1
    assert sorted(set(re.findall(r"of week (\d)", mails.texts(ADA)[1]))) == ["1", "2", "3"]


def test_who_leaves_between_plan_and_delivery_gets_nothing(place: Workplace, mails: Mails) -> None:
    """Suppressed, and counted as that; the others get theirs."""
    place.configure(subscriber(), subscriber(BAO))
    place.listing("a.jsonl", [paper("A reward model")])
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
        with app.store.write() as connection:
            assert subscribers.remove(connection, ADA)
    place.configure(subscriber(BAO))
    report = place.run()
    assert (report.counts()["sent"], report.counts()["suppressed"]) == (1, 1)
    assert [recipient for recipient, _ in mails.kept] == [BAO]
    assert place.states() == {State.SENT: 1, State.SUPPRESSED: 1}


@dataclass
class _Leaver:
    """Unsubscribes Bao as soon as the first mail has gone."""

    store: Store
    expected: int = 0
    told: int = 0

    def expect(self, editions: int) -> None:
        """Note how many there are to be."""
        self.expected = editions

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        """The first mail has gone."""
        if not self.told:
            with self.store.write() as connection:
                subscribers.remove(connection, BAO)
        self.told += outcome.state is State.SENT


def test_who_leaves_during_a_delivery_gets_nothing(place: Workplace, mails: Mails) -> None:
    """Even after the run has begun to send, up to the grant, a few mails ahead of MAIL FROM; the report counts it."""
    others = [subscriber(f"reader{number}@example.org") for number in range(30)]
    place.configure(*others, subscriber(BAO), smtp="connections = 1")
    place.listing("a.jsonl", [paper("A reward model")])
    with place.opened() as app:
        leaver = _Leaver(app.store)
        report = app.run(leaver)
    assert (leaver.expected, leaver.told) == (31, 30)
    assert (report.counts()["sent"], report.counts()["suppressed"]) == (30, 1)
    assert mails.to(BAO) == []


def test_preview_shows_what_a_run_sends(place: Workplace, mails: Mails) -> None:
    """The same bytes, whatever other subscribers with older windows are there."""
    for day in range(3):
        place.listing(
            f"{day}.jsonl", [paper(f"Reward model of day {day}", f"Abstract {day} " * 9 * day), paper(f"Cat {day}")]
        )
        place.configure(
            subscriber(), subscriber(BAO, ["reward model", "abstract"]), subscriber("idle@example.org", ["zebra"])
        )
        if day < 2:
            place.run(NOON + day * DAY)
    place.clock.at = NOON + 2 * DAY
    shown = {}
    with place.opened() as app, app.rehearsal() as rehearsed:
        rehearsed.pipeline.load()
        for email in (ADA, BAO):
            with rehearsed.store.read() as connection:
                person = subscribers.find(connection, email)
            assert person
            edition = look.preview(rehearsed.store, person, rehearsed.clock(), 7)
            assert edition
            shown[email] = app.press.message(edition, press.listed(rehearsed.store, edition))
    place.run()
    assert {email: mails.to(email)[-1] for email in shown} == shown


def test_the_url_of_the_database_is_the_only_difference(place: Workplace, mails: Mails, database: str) -> None:
    """Load, plan, deliver, rehearse and look, on SQLite as on PostgreSQL."""
    place.configure(subscriber(), subscriber(BAO, ["zebra"]), subscriber("chidi@example.org", send_at="18:00"))
    place.config.write_text(place.config.read_text().replace(f"sqlite:///{place.database}", database))
    place.listing("a.jsonl", [paper("A reward model"), paper("Cooking")])
    shown = place.invoke("preview", ADA, "--format", "eml", "--now", "2026-11-20T12:00+00:00")
    assert shown.returncode == 0
    assert place.invoke("run", "--dry-run").returncode == 0
    assert place.run().counts() | {"seconds": 0} == {
        "loaded": 2,
        "planned": 1,
        "sent": 1,
        "deferred": 0,
        "failed": 0,
        "unknown": 0,
        "empty": 1,
        "suppressed": 0,
        "left": 0,
        "relay_error": "",
        "refused": False,
        "seconds": 0,
        "reason": "",
    }
    # PostgreSQL does not give a number again that a rehearsal took, so the id of a new subscriber differs.
    same = re.compile(rb"Message-ID: .*")
    assert [same.sub(b"", mail) for mail in mails.to(ADA)] == [same.sub(b"", shown.output)]
    assert place.run(NOON + 6 * HOUR).counts()["sent"] == 1
    assert place.invoke("subscribers", "list").stdout.splitlines()[-1] == "3 subscribers"
    assert place.invoke("status").returncode == 0
