"""What the operator hears: one mail when something breaks, one when it is over, and none because much is to do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest.app import App
from digest.delivery.sender import Terms
from digest.model import Throttle
from digest.store import incidents, runs, suppressions, throttles
from digest.watchdog import too_many_complaints

OPS = "ops@example.org"
ALARMS = f'[alarms]\nto = ["{OPS}"]\noverdue_minutes = 30\nrelay_minutes = 15\nfailures_percent = 20\nstale_days = 4\n'
MINUTE = 60


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts to connect."""
    monkeypatch.setattr("digest.app.Terms", partial(Terms, pauses=(0.0, 0.0)))


def subjects(mails: Mails) -> list[str]:
    """The subjects of what the operator was sent."""
    return [str(mail["Subject"]) for mail in mails.parsed(OPS)]


def ran(app: App, at: int, **report: object) -> None:
    """Note a run with these figures."""
    figures = {"sent": 0, "failed": 0, "deferred": 0, "unknown": 0, "relay_error": ""}
    with app.store.write() as connection:
        runs.finish(connection, runs.begin(connection, at), at, figures | report)


def broken(app: App) -> list[str]:
    """The kinds of what is broken after a look at everything."""
    app.watchdog.after_run()
    with app.store.read() as connection:
        return [incident.kind for incident in incidents.open_(connection)]


def look(place: Workplace, at: int) -> tuple[str, ...]:
    """What the daemon's look says at a time."""
    place.clock.at = at
    with place.opened() as app:
        return app.look()


def test_a_run_that_hangs_is_told_once_and_its_end_once(place: Workplace, mails: Mails) -> None:
    """It began and got no further; a later run ends the incident."""
    place.configure(subscriber(), extra=ALARMS)
    with place.opened() as app, app.store.write() as connection:
        runs.begin(connection, NOON)
    assert look(place, NOON + 30 * MINUTE) == ()
    for minute in (31, 32, 60):
        (words,) = look(place, NOON + minute * MINUTE)
        assert words.startswith("No run has done anything since 2026-11-20 12:00 UTC.")
    place.run(NOON + 61 * MINUTE)
    assert look(place, NOON + 62 * MINUTE) == ()
    assert subjects(mails) == ["[Digest] broken: runs are overdue", "[Digest] over: runs are overdue"]


def test_a_run_that_is_busy_is_not_overdue(place: Workplace, mails: Mails) -> None:
    """However long it takes, as long as it gets on."""
    place.configure(subscriber(), extra=ALARMS)
    with place.opened() as app:
        with app.store.write() as connection:
            number = runs.begin(connection, NOON)
        for minute in range(0, 600, 20):
            with app.store.write() as connection:
                runs.progress(connection, number, NOON + minute * MINUTE)
            assert look(place, NOON + (minute + 19) * MINUTE) == ()
    assert mails.kept == []


def test_a_run_notes_that_it_gets_on(place: Workplace, mails: Mails) -> None:
    """While it sends, before it has ended."""
    place.configure(*(subscriber(f"reader{number}@example.org") for number in range(3)), smtp="connections = 1")
    place.listing("a.jsonl", [paper("A reward model")])
    seen = []

    def later() -> None:
        place.clock.at += 10 * MINUTE
        end = time.monotonic() + 20
        with place.opened() as app:
            while _noted(app) != place.clock.at and time.monotonic() < end:
                time.sleep(0.02)
            seen.append(_noted(app))

    mails.on_mail = later
    place.run()
    assert seen == [NOON + minutes * MINUTE for minutes in (10, 20, 30)]


def _noted(app: App) -> int | None:
    with app.store.read() as connection:
        return runs.last_progress(connection)


@pytest.mark.usefixtures("_no_pauses")
def test_a_relay_that_is_down_is_told_when_it_is_back(place: Workplace, mails: Mails) -> None:
    """In one mail, for no other could go; a blip is none at all, and every edition has arrived."""
    up = mails.port
    place.configure(subscriber(), extra=ALARMS)
    place.listing("a.jsonl", [paper("A reward model")])
    place.port = 1
    place.configure(subscriber(), extra=ALARMS)
    for minute in range(0, 60, 10):
        place.run(NOON + minute * MINUTE)
    place.port = up
    place.configure(subscriber(), extra=ALARMS)
    place.run(NOON + 60 * MINUTE)
    place.run(NOON + 61 * MINUTE)
    assert subjects(mails) == ["[Digest] over: the relay takes no mail"]
    assert "There was no mail about its beginning." in mails.texts(OPS)[0]
    assert len(mails.to(ADA)) == 1


@pytest.mark.usefixtures("_no_pauses")
def test_a_blip_of_the_relay_is_no_incident(place: Workplace, mails: Mails) -> None:
    """Ten minutes without it are nothing to write about."""
    place.listing("a.jsonl", [paper("A reward model")])
    up = mails.port
    for place.port, minute in ((1, 0), (1, 10), (up, 11)):
        place.configure(subscriber(), extra=ALARMS)
        place.run(NOON + minute * MINUTE)
    assert [recipient for recipient, _ in mails.kept] == [ADA]


def test_failures_over_the_limit_are_told(place: Workplace, mails: Mails) -> None:
    """One of two is over 20 %; a day later it is over."""
    place.configure(subscriber(), subscriber(BAO), extra=ALARMS)
    mails.refused = {BAO}
    place.listing("a.jsonl", [paper("A reward model")])
    place.run()
    place.run(NOON + MINUTE)
    place.run(NOON + DAY + 5 * MINUTE)
    assert subjects(mails) == ["[Digest] broken: too many editions fail", "[Digest] over: too many editions fail"]


def test_a_source_that_falls_silent_is_told(place: Workplace, mails: Mails) -> None:
    """After alarms.stale_days, and again when it is back."""
    place.configure(subscriber(), extra=ALARMS)
    place.listing("a.jsonl", [paper("A reward model")])
    for day in range(7):
        place.run(NOON + day * DAY)
    assert [subject[:32] for subject in subjects(mails)] == ["[Digest] broken: no entries from"]
    place.listing("b.jsonl", [paper("Another reward model")])
    place.run(NOON + 7 * DAY)
    assert [subject[:30] for subject in subjects(mails)[1:]] == ["[Digest] over: no entries from"]


def test_several_programs_tell_once(place: Workplace, mails: Mails) -> None:
    """Eight that look at the same moment send one mail."""
    place.configure(subscriber(), extra=ALARMS)
    with place.opened() as app, app.store.write() as connection:
        runs.begin(connection, NOON)
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: look(place, NOON + DAY), range(8)))
    assert all(len(words) == 1 for words in seen)
    assert subjects(mails) == ["[Digest] broken: runs are overdue"]


def test_without_an_address_nobody_is_told_and_nothing_is_kept_for_later(place: Workplace, mails: Mails) -> None:
    """Who gives an address later hears of what breaks from then on."""
    place.configure(subscriber(), extra=ALARMS.replace(f'"{OPS}"', ""))
    (place.listings / "a.json").write_text("[]")
    place.run()
    place.configure(subscriber(), extra=ALARMS)
    place.run(NOON + MINUTE)
    assert subjects(mails) == []


def test_a_relay_that_refuses_us_is_broken_at_once(place: Workplace, mails: Mails) -> None:
    """And as long as it takes nothing; a blip after it has worked again is none."""
    place.configure(subscriber(), extra=ALARMS)
    with place.opened() as app:
        ran(app, NOON, relay_error="535 no", refused=True)
        assert broken(app) == ["relay"]
        ran(app, NOON + MINUTE, relay_error="no answer")
        assert broken(app) == ["relay"]
        ran(app, NOON + 2 * MINUTE, sent=1)
        assert broken(app) == []
        ran(app, NOON + 3 * MINUTE, relay_error="no answer")
        assert broken(app) == []
    assert subjects(mails) == ["[Digest] over: the relay takes no mail"]


def test_a_domain_that_refuses_our_configuration_is_told(place: Workplace, mails: Mails) -> None:
    """Once, with what it said; and once when its pause is over."""
    place.configure(subscriber(), extra=ALARMS)
    slowed = Throttle("domain", "example.com", 0.0, NOON + DAY, 3, "421 4.7.0 too fast")
    refused = Throttle("domain", "example.net", 0.0, NOON + 60 * MINUTE, 0, "550 5.7.26 no SPF")
    with place.opened() as app:
        with app.store.write() as connection:
            throttles.save(connection, [slowed, refused], NOON)
        for place.clock.at in (NOON, NOON + MINUTE, NOON + 60 * MINUTE):
            app.watchdog.after_run()
    told = "our configuration is refused by example.net"
    assert subjects(mails) == [f"[Digest] broken: {told}", f"[Digest] over: {told}"]
    assert "It said: 550 5.7.26 no SPF" in " ".join(mails.texts(OPS)[0].split())


def test_complaints_are_told_and_then_pause_sending(place: Workplace, mails: Mails) -> None:
    """Each in a mail of its own, and both are over when a month has passed."""
    place.configure(subscriber(), extra=ALARMS.replace("stale_days = 4", "stale_days = 0"))
    with place.opened() as app:
        ran(app, NOON, sent=2_000)
        seen = []
        for number in range(1, 8):
            with app.store.write() as connection:
                suppressions.add(connection, f"reader{number}@example.org", "complaint", "", NOON)
            seen.append((broken(app), bool(too_many_complaints(app.store, app.clock))))
        assert seen == [([], False)] * 2 + [(["complaints"], False)] * 4 + [(["complaints", "paused"], True)]
        assert too_many_complaints(app.store, app.clock).startswith("7 complaints about 2,000 mails in 30 days")
        place.clock.at = NOON + 30 * DAY + 1
        assert broken(app) == []
        assert too_many_complaints(app.store, app.clock) == ""
    words = ("too many recipients complain", "sending is paused for complaints")
    assert subjects(mails) == [f"[Digest] {stage}: {what}" for stage in ("broken", "over") for what in words]


def test_what_is_no_listing_among_listings_is_no_alarm(place: Workplace) -> None:
    """A paper in the folder has its own line, once; a listing that gives nothing is an alarm, and stays one."""
    place.listing("a.jsonl", [paper("A reward model")])
    (place.listings / "paper.pdf").write_bytes(b"%PDF-1.7\0\0\0\0")
    assert place.run().loaded.drifted == ()
    (place.listings / "notes.txt").write_text("Ask Bao about the models.\n")
    report = place.run(NOON + MINUTE)
    assert [file.path.name for file in report.loaded.files if file.fault] == ["notes.txt"]
    assert (report.loaded.drifted, look(place, NOON + MINUTE)) == ((), ())
    (place.listings / "b.json").write_text("[]")
    [words] = place.run(NOON + 2 * MINUTE).loaded.drifted
    assert "format drift? The newest file, loaded 2026-11-20 12:02 UTC, gave no entries" in words
    (place.listings / "other.txt").write_text("Ask Ada about the models.\n")
    assert place.run(NOON + 3 * MINUTE).loaded.drifted == ()
    assert look(place, NOON + 3 * MINUTE) == (words,)
