"""One run at a time: a run that was silent for too long is taken for dead, and changes nothing when it wakes up."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing

import pytest
from workplace import BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest.errors import BusyError
from digest.model import State
from digest.store import runs
from digest.store.ledger import StoreLedger

PEOPLE = [f"reader{number}@example.org" for number in range(8)]


@pytest.fixture(autouse=True)
def _listing(place: Workplace) -> None:
    place.listing("a.jsonl", [paper("A reward model")])


def begun(place: Workplace) -> int:
    """The number of a run that begins now."""
    with place.opened() as app, app.store.write() as connection:
        return runs.begin(connection, place.clock.at)


def test_a_run_that_was_overtaken_plans_nothing(place: Workplace) -> None:
    """Another has begun since: it stops with a message, and all is as it was."""
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.enrol()
        stale = begun(place)
        begun(place)
        before = place.dump()
        with pytest.raises(BusyError, match=f"run {stale} was silent for so long that another has taken over"):
            app.pipeline.plan(run=stale)
    assert place.dump() == before


def test_a_run_that_was_overtaken_recovers_nothing(place: Workplace) -> None:
    """Or it would call unknown what the other is sending."""
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
        stale, newest = begun(place), begun(place)
        StoreLedger(app.store, app.clock, newest).commit([1], [], [])
        before = place.dump()
        with pytest.raises(BusyError):
            app.pipeline.recover(app.dispatch, stale)
    assert place.dump() == before


def test_a_run_that_was_overtaken_sends_nothing(place: Workplace, mails: Mails) -> None:
    """Not one mail, and every edition is as it was."""
    place.configure(subscriber(), subscriber(BAO))
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()
        stale = begun(place)
        begun(place)
        before = place.dump()
        with pytest.raises(BusyError):
            app.pipeline.deliver(app.press, app.dispatch, StoreLedger(app.store, app.clock, stale))
    assert mails.kept == []
    assert place.dump() == before


def test_a_run_that_is_overtaken_while_it_sends_stops_there(place: Workplace, mails: Mails) -> None:
    """What is in flight ends and is known; nothing more is granted; the next run sends the others, and nobody two."""
    place.configure(*map(subscriber, PEOPLE), smtp="connections = 1\ndepth = 1")

    def overtake() -> None:
        if len(mails.kept) == 1:
            begun(place)

    mails.on_mail = overtake
    with pytest.raises(BusyError):
        place.run()
    sent = len(mails.kept)
    assert 1 <= sent < len(PEOPLE)
    assert place.states()[State.SENT] == sent
    assert place.run(NOON + 60).counts()["sent"] == len(PEOPLE) - sent
    assert sorted(email for email, _ in mails.kept) == sorted(PEOPLE)


def test_a_lock_is_left_to_a_run_that_gets_on(place: Workplace) -> None:
    """For store.lease_seconds after it was last heard of; then another takes over."""
    text = place.config.read_text()
    place.config.write_text(text.replace("wait_seconds = 5", "wait_seconds = 0\nlease_seconds = 300"))
    with place.opened() as first, first.lock():
        number = begun(place)
        for place.clock.at in (NOON + 250, NOON + 300):
            with pytest.raises(BusyError, match="another run is at work"):
                place.run()
        with first.store.write() as connection:
            runs.progress(connection, number, NOON + 290)
        with pytest.raises(BusyError):
            place.run(NOON + 590)
        assert place.run(NOON + 591).counts()["sent"] == 1


def test_a_lock_without_a_run_is_never_abandoned(place: Workplace) -> None:
    """Whoever holds it does something else, as a rehearsal does, or has ended a run just now."""
    place.run()
    text = place.config.read_text()
    place.config.write_text(text.replace("wait_seconds = 5", "wait_seconds = 0"))
    with place.opened() as first, first.lock(), pytest.raises(BusyError):
        place.run(NOON + DAY)


def stop_between_commits(place: Workplace, process: subprocess.Popen[str]) -> set[str]:
    """Stop a process while it is not writing, as nobody else could then write; return to whom it was sending."""
    sending = "SELECT email FROM editions JOIN contents ON edition = id WHERE state = 'sending'"
    while True:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        with closing(sqlite3.connect(place.folder / place.database, timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return {email for (email,) in connection.execute(sending)}
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.001)


@pytest.mark.slow
def test_a_run_that_was_stopped_and_wakes_up_changes_nothing(place: Workplace, mails: Mails) -> None:
    """SIGSTOP in the middle, another run does the rest, SIGCONT: each mail once, but for those that were in flight."""
    place.configure(*map(subscriber, PEOPLE), smtp="connections = 1\ndepth = 1")
    place.config.write_text(place.config.read_text().replace("[store]\n", "[store]\nlease_seconds = 2\n"))
    stopped, unsure = place.start("run"), set[str]()

    def stop() -> None:
        if len(mails.kept) == 2:
            unsure.update(stop_between_commits(place, stopped))

    mails.on_mail = stop
    while not unsure:
        assert stopped.poll() is None, stopped.communicate()
    mails.on_mail = None
    ended = place.command("run", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["sent"] == len(PEOPLE) - 2 + len({email for email, _ in mails.kept[:2]} & unsure)
    stopped.send_signal(signal.SIGCONT)
    _, errors = stopped.communicate(timeout=60)
    assert (stopped.returncode, "another has taken over" in errors) == (1, True), errors
    assert place.states() == {State.SENT: len(PEOPLE)}
    counted = Counter(email for email, _ in mails.kept)
    assert set(counted) == set(PEOPLE)
    assert {email for email, times in counted.items() if times > 1} <= unsure
    assert max(counted.values()) <= 2
    assert len(set(mails.kept)) == len(PEOPLE), "a mail came twice with other bytes"
