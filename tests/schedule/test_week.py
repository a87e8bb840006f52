"""A week of many programs on one database: two daemons and cron, and one of them killed now and then.

It has the mails of the same week of one program alone, to the last byte. Time is simulated, an hour at a step, and a
step ends when every program has done a run that began in it. Processes, database and inbox are real.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select
from week_worker import Process
from workplace import DAY, Mails, Workplace, paper, subscriber

from digest.cadence import between, local_date
from digest.delivery.inbox import Inbox
from digest.model import State
from digest.store.schema import contents, editions

pytestmark = pytest.mark.slow
PATIENCE = 60
HOUR = 3_600
# Clocks are set back in Europe at its first hour, and in North America at its last.
START = int(datetime(2026, 10, 25, tzinfo=UTC).timestamp())
END = START + 7 * DAY + 8 * HOUR
DROPS = [START + hour * HOUR for hour in (5, 16, 21, 34, 40, 47, 52, 90, 97, 110, 115, 121, 135, 141, 150, 158, 170)]
KILLS = frozenset(random.Random(3).sample(range(4, 60, 8), 5))
"""How many mails there are when whoever sent the last is killed."""
TOPICS = ("reward model", "agent", "quantization", "video generation", "retrieval")
PEOPLE: list[dict[str, Any]] = [
    {"email": "ada@example.org", "zone": "Europe/Berlin", "send_at": "07:00"},
    {"email": "bao@example.org", "zone": "Europe/Berlin", "send_at": "02:30"},
    {"email": "chidi@example.org", "zone": "America/New_York", "send_at": "01:30"},
    {"email": "dina@example.org", "zone": "America/New_York", "send_at": "08:00", "days": "weekdays"},
    {"email": "emre@example.org", "zone": "Asia/Kolkata", "send_at": "18:30", "days": "mon-thu"},
    {"email": "fay@example.org", "zone": "Asia/Kathmandu", "send_at": "07:15", "days": "weekly friday"},
    {"email": "gil@example.org", "zone": "UTC"},
    {"email": "hana@example.org", "zone": "Pacific/Kiritimati"},
    {"email": "ivo@example.org", "zone": "Australia/Lord_Howe", "send_at": "12:00", "min_matches": 4},
    {"email": "joy@example.org", "zone": "Pacific/Chatham", "send_at": "07:45", "paused_until": "2026-10-29"},
    {"email": "kai@example.org", "zone": "Asia/Tokyo", "send_at": "09:00", "skip": ["2026-10-27", "2026-10-29"]},
    {"email": "lea@example.org", "zone": "America/St_Johns", "send_at": "23:30", "max_entries": 1},
    {"email": "max@example.org", "zone": "Europe/London", "send_at": "10:00", "days": "last day"},
]  # fmt: skip

Rows = list[dict[str, Any]]
Mail = tuple[str, bytes]
Unsure = set[tuple[str, date]]


class Week(NamedTuple):
    """What came of a week: mails and editions."""

    mails: list[Mail]
    editions: Rows


class Team:
    """Two daemons and cron on one place."""

    def __init__(self, place: Workplace) -> None:
        self._told: Queue[tuple[Process, str]] = Queue()
        self._clock = place.folder / "clock"
        self._holder = place.folder / "holder"
        self._rung = self.kills = 0
        self._set(START)
        self.daemons = [Process(f"daemon {n}", "serve", place, self._told) for n in (1, 2)]
        self.cron = Process("cron", "run", place, self._told)
        self.all = (*self.daemons, self.cron)

    def _set(self, now: int) -> None:
        new = self._clock.with_name("clock.new")
        new.write_text(str(now))
        new.replace(self._clock)

    def round(self, now: int) -> None:
        """Set the clock, and wait until each has done a run that began later; cron goes every other hour."""
        self._set(now)
        self._rung += 1
        wanted = {*self.daemons} if now // HOUR % 2 else {*self.daemons, self.cron}
        for process in wanted:
            process.ring(self._rung)
        while wanted:
            process, line = self._told.get(timeout=PATIENCE)
            if not line:
                self._start_again(process)
                if process in wanted:
                    process.ring(self._rung)
            elif int(line) == self._rung:
                wanted.discard(process)

    def _start_again(self, process: Process) -> None:
        assert process.end() == -signal.SIGKILL
        process.start()

    def kill_sender(self, unsure: Callable[[], Unsure]) -> Unsure:
        """Kill whoever has the lock; return what is unsure in the last moment of its life."""
        pid = int(self._holder.read_text())
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        found = unsure()
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        return found

    def end(self) -> list[int]:
        """End all, and return their exit codes."""
        return [process.end() for process in self.all]

    def kill(self) -> None:
        """End all that are left, and show what they had to say."""
        for process in self.all:
            process.popen.kill()
            process.end()
            sys.stdout.write(f"{process.errors.name}:\n{process.errors.read_text()}")


@contextmanager
def team(place: Workplace) -> Iterator[Team]:
    """The programs, ended in any case; pytest shows what they said if the test fails."""
    there = Team(place)
    try:
        yield there
    finally:
        there.kill()


def configure(place: Workplace, url: str = "") -> None:
    """Write everybody's wishes."""
    people = [subscriber(keywords=[*TOPICS[n % 5 : n % 5 + 2]], **wishes) for n, wishes in enumerate(PEOPLE)]
    place.configure(*people, extra='[serve]\nport = 0\nlogs = "json"\n')
    text = place.config.read_text().replace("wait_seconds = 5", f"wait_seconds = {PATIENCE}\nlease_seconds = {DAY}")
    place.config.write_text(text.replace("sqlite:///digest.db", url or "sqlite:///digest.db"))


def drop(place: Workplace, now: int) -> None:
    """A new listing file, whole at once."""
    chance = random.Random(now)
    topics = chance.choices(TOPICS, k=chance.randint(1, 5))
    papers = [paper(f"On {topic} {now + n}", f"Number {n * 7919} of {topic}.") for n, topic in enumerate(topics)]
    file = place.listing(".new", papers)
    os.utime(file, (now, now))
    file.replace(place.listings / f"{now}.jsonl")


def live(place: Workplace, round_: Callable[[int], Any]) -> None:
    """Let the week pass. A file comes when all is done that the clock asked for."""
    for now in range(START, END, HOUR):
        round_(now)
        if now in DROPS:
            drop(place, now)
            round_(now)


def rows(place: Workplace) -> Rows:
    """Every edition and what is in it, without the numbers by chance."""
    columns = [column for column in (*editions.c, *contents.c) if column.name not in ("id", "run", "edition")]
    statement = (
        select(*columns).select_from(editions.outerjoin(contents)).order_by(editions.c.subscriber, editions.c.slot)
    )
    with place.opened() as app, app.store.read() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


@cache
def week_alone() -> Week:
    """The same week of one program, lived once for all tests."""
    mails = Mails()
    with TemporaryDirectory() as folder, Inbox(mails.receive) as inbox:
        place = Workplace(Path(folder), inbox.port)
        configure(place)
        with place.opened() as app:

            def run(now: int) -> None:
                place.clock.at = now
                assert not app.run().failed

            live(place, run)
        return Week(mails.kept, rows(place))


@pytest.fixture
def alone() -> Week:
    return week_alone()


def slot(mail: Mail) -> tuple[str, date]:
    """Whom a mail is to, and the slot in its Message-ID."""
    found = re.search(rb"^Message-ID: <(\d{4})(\d\d)(\d\d)\.", mail[1], re.MULTILINE)
    assert found
    return mail[0], date(*map(int, found.groups()))


def test_the_week_is_worth_the_trouble(place: Workplace, alone: Week) -> None:
    """Alone, every slot of everybody has a row, at its moment; mails, and each kind of silence, are among them."""
    configure(place)
    with place.opened() as app:
        people = [table.subscriber(20) for table in app.config.subscribers]
    for number, person in enumerate(people, start=1):
        first = local_date(START, person.cadence.zone)
        slots = [slot for slot in between(first, date(2026, 11, 2), person.cadence) if slot.due_at < END]
        mine = [row for row in alone.editions if row["subscriber"] == number]
        assert [(row["slot"], row["due_at"]) for row in mine] == slots
        at_once = person.cadence.send_at is None
        assert at_once or all(row["planned_at"] == max(-(-row["due_at"] // HOUR) * HOUR, START) for row in mine)
    assert {row["state"] for row in alone.editions} == {State.SENT, State.EMPTY}
    sent = [(row["email"], row["slot"]) for row in alone.editions if row["state"] == State.SENT]
    assert sorted(map(slot, alone.mails)) == sorted(sent)
    assert len(sent) > max(KILLS)
    reasons = " ".join(row["reason"] for row in alone.editions)
    silences = ("paused until", "skipped", "wait for the next", "no new entry matched", "no new file")
    assert [silence for silence in silences if silence not in reasons] == []


def test_two_daemons_and_cron_have_the_mails_of_one(place: Workplace, mails: Mails, alone: Week) -> None:
    """The same bytes and the same rows; none comes twice, and nobody complains."""
    configure(place)
    with team(place) as three:
        live(place, three.round)
        assert three.end() == [0, 0, 0]
        assert levels(three) == {"info"}
    assert sorted(map(slot, mails.kept)) == sorted(map(slot, alone.mails))
    assert sorted(mails.kept) == sorted(alone.mails)
    assert rows(place) == alone.editions


def test_one_that_is_killed_while_sending_is_made_up_for(
    place: Workplace, mails: Mails, database: str, alone: Week
) -> None:
    """Whoever sends is killed when the inbox has a mail and its sender no word of it; nothing else comes twice."""
    configure(place, database)
    unsure: Unsure = set()
    sure_to_come_twice: set[Mail] = set()
    with team(place) as three:

        def kill() -> None:
            if len(mails.kept) in KILLS:
                unsure.update(three.kill_sender(lambda: sending(place)))
                sure_to_come_twice.add(mails.kept[-1])

        mails.on_mail = kill
        live(place, three.round)
        assert three.end() == [0, 0, 0]
        assert three.kills == len(KILLS)
        assert levels(three) == {"info"}
    assert sorted(set(mails.kept)) == sorted(alone.mails)
    twice = {mail for mail, count in Counter(mails.kept).items() if count > 1}
    assert sure_to_come_twice <= twice
    assert set(map(slot, twice)) <= unsure
    assert tried_once(rows(place)) == tried_once(alone.editions)


def levels(three: Team) -> set[str]:
    """Of all lines that the daemons have logged; cron has nothing to say."""
    assert three.cron.errors.read_text() == ""
    return {json.loads(line)["level"] for daemon in three.daemons for line in daemon.errors.read_text().splitlines()}


def tried_once(rows: Rows) -> Rows:
    """The same editions, as if each had been sent at once."""
    return [row | {"attempts": min(row["attempts"], 1), "doubtful": False} for row in rows]


def sending(place: Workplace) -> Unsure:
    """The editions on their way."""
    statement = select(contents.c.email, editions.c.slot).join(editions).where(editions.c.state == State.SENDING)
    with place.opened() as app, app.store.read() as connection:
        return {(email, day) for email, day in connection.execute(statement)}
