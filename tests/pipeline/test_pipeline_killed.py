"""SIGKILL at any instant: the next run does what was not done, and all that shows is a mail that came twice."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from workplace import DAY, NOON, Mails, Workplace, paper, subscriber

from digest.model import State
from digest.store.schema import contents, editions

pytestmark = pytest.mark.slow
CONNECTIONS = 2
PEOPLE = [f"reader{n}@example.org" for n in range(6)]


def at(now: int) -> str:
    """A time as `--now` takes it."""
    return datetime.fromtimestamp(now, UTC).isoformat()


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_run_is_made_up_for_by_the_next(place: Workplace, mails: Mails, seed: int) -> None:
    """Everybody has every day's mail; one that came twice was unknown, and is the same to the last byte.

    Half of the kills fall at a random time, half just after a mail was taken and before its sender was told.
    """
    chance = random.Random(seed)
    place.configure(*map(subscriber, PEOPLE), smtp=f"connections = {CONNECTIONS}")
    for day in range(5):
        now = NOON + day * DAY
        place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}, run {day * 7919}")])
        before = len(mails.kept)
        if day % 2 == seed % 2:
            _kill_at_mail(place.start("run", "--now", at(now)), mails, before + chance.randint(1, len(PEOPLE)))
        else:
            _start_and_kill(place, chance.uniform(0, 0.25), "run", "--now", at(now))
        unsure = _sending(place)
        place.run(now)
        got = mails.kept[before:]
        assert {email for email, _ in got} == set(PEOPLE)
        assert len(set(got)) == len(PEOPLE), "a mail came twice with other bytes"
        assert {email for email in PEOPLE if [to for to, _ in got].count(email) > 1} <= unsure
        assert place.states() == {State.SENT: (day + 1) * len(PEOPLE)}


def _start_and_kill(place: Workplace, seconds: float, *command: str) -> None:
    """Kill a command so many seconds after it has taken the lock, which is where its work begins."""
    lock = place.folder / f"{place.database}.lock"
    lock.unlink(missing_ok=True)
    process = place.start(*command)
    while not lock.exists():
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


def _kill_at_mail(process: subprocess.Popen[str], mails: Mails, count: int) -> None:
    def kill() -> None:
        if len(mails.kept) == count:
            process.send_signal(signal.SIGKILL)
            process.wait()

    mails.on_mail = kill
    process.communicate(timeout=30)
    mails.on_mail = None
    assert process.returncode == -signal.SIGKILL


def _sending(place: Workplace) -> set[str]:
    with place.opened() as app, app.store.read() as connection:
        unsure = select(contents.c.email).join(editions).where(editions.c.state == State.SENDING)
        return set(connection.execute(unsure).scalars())


def test_a_killed_load_leaves_what_an_undisturbed_one_does(place: Workplace) -> None:
    """Row by row, in every table."""
    chance = random.Random(7)
    for number in range(5):
        some = [paper(f"Paper {number} {n} {n * 7919}", "Many words about models. " * 20) for n in range(300)]
        place.listing(f"{number}.jsonl", [*some, paper("In every file")])
    command = ("load", "--now", at(NOON))
    assert place.command(*command).returncode == 0
    undisturbed = place.dump()
    assert len(undisturbed["entries"]) == 1_501
    place.database = "other.db"
    place.configure()
    for _ in range(5):
        _start_and_kill(place, chance.uniform(0, 0.4), *command)
    assert place.command(*command).returncode == 0
    assert place.dump() == undisturbed
