"""Several processes that share a delivery: together they do what one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from workplace import NOON, Mails, Workplace, paper, subscriber

from digest import look
from digest.app import opened, plan_share
from digest.crew import Processes, Share, divided
from digest.delivery.relay import Relay
from digest.delivery.sender import Report, Terms
from digest.errors import DigestError, StoreError
from digest.model import Edition, Outcome, State
from digest.pipeline import Going, unhindered
from digest.report import Planned
from digest.store import runs

PEOPLE = [f"reader{number}@example.org" for number in range(30)]
TODAY = date(2026, 11, 20)
MADE = Edition(1, 1, PEOPLE[0], "", TODAY, TODAY, "UTC", 0, 0, (), (), 1, 1)


@pytest.fixture(autouse=True)
def _listing(place: Workplace) -> None:
    place.listing("a.jsonl", [paper("A reward model")])


def crew(place: Workplace, processes: int, more: str = "", smtp: str = "") -> None:
    """Thirty subscribers, and so many processes."""
    place.configure(*map(subscriber, PEOPLE), extra=f"[delivery]\nprocesses = {processes}\n{more}", smtp=smtp)


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that send for a run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            command = (stat.parent / "cmdline").read_bytes()
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == process.pid and b"spawn_main" in command:
            found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_every_mail_goes_once_and_the_report_counts_them_all(place: Workplace, mails: Mails, processes: int) -> None:
    """Whoever sent it."""
    crew(place, processes)
    ended = place.command("run", "--json")
    told = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (told["planned"], told["sent"], told["relay_error"]) == (30, 30, "")
    assert sorted(email for email, _ in mails.kept) == sorted(PEOPLE)
    assert place.states() == {State.SENT: 30}


def _slowly(mails: Mails, count: int, then: Callable[[], None]) -> None:
    """Do something at a mail, and take the later ones slowly, so that there is time to hear of it."""

    def on_mail() -> None:
        if len(mails.kept) == count:
            then()
        elif len(mails.kept) > count:
            time.sleep(0.05)

    mails.on_mail = on_mail


def _made_up_for(place: Workplace, mails: Mails, most_twice: int) -> None:
    """The next run sends what is left: everybody has the mail, and one that came twice is the same."""
    mails.on_mail = None
    assert place.command("run").returncode == 0
    counted = Counter(email for email, _ in mails.kept)
    assert set(counted) == set(PEOPLE)
    assert counted.total() - len(PEOPLE) <= most_twice
    assert len(set(mails.kept)) == len(PEOPLE)
    assert place.states() == {State.SENT: len(PEOPLE)}


@pytest.mark.slow
def test_all_of_them_stop_when_told_to(place: Workplace, mails: Mails) -> None:
    """SIGTERM to the first: what is in flight ends, none is in doubt, and the exit code is 0."""
    crew(place, 2, smtp="connections = 2\ndepth = 1")
    process = place.start("run", "--json")
    _slowly(mails, 3, process.terminate)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    told = json.loads(output)
    assert told["sent"] == len(mails.kept) < len(PEOPLE)
    assert told["sent"] + told["left"] == len(PEOPLE)
    assert place.states() == {State.SENT: told["sent"], State.PLANNED: told["left"]}
    _made_up_for(place, mails, 0)


@pytest.mark.slow
def test_a_killed_one_loses_nothing(place: Workplace, mails: Mails) -> None:
    """The others end their shares, the run says what happened, and the next one sends what is left."""
    crew(place, 2, smtp="connections = 2\ndepth = 1")
    process = place.start("run")
    _slowly(mails, 3, lambda: os.kill(children(process)[0], signal.SIGKILL))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a process of this run was ended" in errors
    assert "Traceback" not in errors
    assert len(mails.kept) >= len(PEOPLE) // 2
    _made_up_for(place, mails, 2)


@pytest.mark.slow
def test_when_the_first_is_killed_the_others_stop(place: Workplace, mails: Mails) -> None:
    """And the next run does not wait for them: they are fenced off."""
    crew(place, 2, smtp="connections = 2\ndepth = 1")
    process = place.start("run")
    _slowly(mails, 3, process.kill)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    _made_up_for(place, mails, 4)


@dataclass
class _Watch:
    """Counts what it is told."""

    expected: int = 0
    told: Counter[tuple[str, State]] = field(default_factory=Counter)

    def expect(self, editions: int) -> None:
        """How many there are to be."""
        self.expected = editions

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        """What became of one."""
        assert seconds >= 0
        self.told[edition.email, outcome.state] += 1


def test_who_looks_on_hears_of_every_mail(place: Workplace, mails: Mails) -> None:
    """Once, whichever process sent it."""
    crew(place, 2)
    watch = _Watch()
    with opened(place.config) as app:
        report = app.run(watch)
    assert (watch.expected, report.counts()["sent"]) == (30, 30)
    assert watch.told == {(email, State.SENT): 1 for email in PEOPLE}


def _nobody(now: int, share: Share) -> Planned:
    """Nobody is due."""
    raise AssertionError(now, share)


def _plan_but_die(now: int, share: Share, file: Path) -> Planned:
    """The first of them is killed when it has done its part, and can tell nobody."""
    done = plan_share(file, now, share)
    if share.number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done


@pytest.mark.parametrize("dies", [False, True])
def test_everybody_is_planned_once_by_whichever_process(place: Workplace, dies: bool) -> None:
    """As by one; if one of them is killed, the run ends with an error, and the next one plans what is left."""
    crew(place, 2)
    plan = partial(_plan_but_die, file=place.config) if dies else partial(plan_share, place.config)
    with opened(place.config) as app:
        app.pipeline.load()
        app.pipeline.enrol()
        with app.store.write() as connection:
            number = runs.begin(connection, app.clock())
        if dies:
            with pytest.raises(DigestError, match="ended from outside"):
                Processes(2, _by_share, plan).plan(number, app.clock(), unhindered)
        else:
            done = Processes(2, _by_share, plan).plan(number, app.clock(), unhindered)
            assert (done.due, done.planned, done.window) == (30, 30, 1)
        assert app.pipeline.plan().due == 0
        waiting = list(look.waiting(app.store, app.clock()))
    assert sorted(one.email for one in waiting) == sorted(PEOPLE)
    assert {one.matches[0].reasons[0].keyword for one in waiting} == {"reward model"}


def test_processes_plan_where_very_many_are_due(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """For fewer, one makes the window ready; they are told the run and the moment."""
    crew(place, 2)
    asked: list[tuple[int, int]] = []

    class Crew:
        def plan(self, run: int, now: int, going: Going) -> Planned:
            asked.append((run, now))
            return Planned(due=30 if going() else 0)

        def deliver(self, run: int, watch: object, going: Going) -> Report:
            raise AssertionError(run, watch, going)

    with opened(place.config, lambda: NOON) as app:
        app.pipeline.load()
        monkeypatch.setattr("digest.pipeline._MANY", 30)
        assert app.pipeline.plan(run=7, crew=Crew()) == Planned(due=30)
        monkeypatch.setattr("digest.pipeline._MANY", 31)
        assert app.pipeline.plan(run=0, crew=Crew()).planned == 30
    assert asked == [(7, NOON)]


def _by_share(share: Share) -> Report:
    """What each of three processes has to tell."""
    told = [
        Report(Counter({State.SENT: 5}), relay_error="the relay refuses us", refusals=["the relay refuses us"]),
        Report(Counter({State.SENT: 6, State.DEFERRED: 1}), kept_until=70.0, seconds=2.5),
        Report(Counter({State.FAILED: 2}), ungranted=3, kept_until=60.0, seconds=1.5),
    ]
    return told[share.number]


def test_the_report_keeps_what_any_of_them_met() -> None:
    """A relay that refuses one of them, and the first moment at which a mail may go that a limit keeps back."""
    report = Processes(3, _by_share, _nobody).deliver(7, None, unhindered)
    assert report.states == {State.SENT: 11, State.DEFERRED: 1, State.FAILED: 2}
    assert (report.ungranted, report.relay_error) == (3, "the relay refuses us")
    assert report.refusals == ["the relay refuses us"]
    assert (report.kept_until, report.seconds) == (60.0, 2.5)


def _first_fails(share: Share) -> Report:
    if share.number == 0:
        raise StoreError("the disk is full")
    return _tells_much(share)


def _first_dies(share: Share) -> Report:
    if share.number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return _tells_much(share)


def _tells_much(share: Share) -> Report:
    """More than a pipe holds, after the other one has gone."""
    time.sleep(0.5)
    assert share.watch
    for number in range(3_000):
        share.watch.outcome(MADE, Outcome(number, State.SENT, 250, "queued as " + "x" * 50), 0.1)
    return Report(Counter({State.SENT: 3_000}))


@pytest.mark.parametrize(("deliver", "said"), [(_first_fails, "the disk is full"), (_first_dies, "was ended")])
def test_what_one_of_them_met_ends_the_run_when_all_have_ended(deliver: Callable[[Share], Report], said: str) -> None:
    """As an error of ours; and the other is heard to its end."""
    watch = _Watch()
    with pytest.raises(DigestError, match=said):
        Processes(2, deliver, _nobody).deliver(7, watch, unhindered)
    assert watch.told.total() == 3_000


def test_limits_and_connections_are_divided() -> None:
    """So that together they keep to them; each has at least one connection, and what is unlimited stays so."""
    relays = Relay("127.0.0.1", 25, connections=8, per_minute=100), Relay("127.0.0.1", 26, connections=2)
    terms = Terms(relays, "a@example.org", per_minute={("domain", "example.net"): 60.0})
    share = divided(terms, 3)
    assert [(relay.connections, relay.per_minute) for relay in share.relays] == [(2, 34), (1, 0)]
    assert share.per_minute == {("domain", "example.net"): 20.0}
    assert divided(terms, 1) == terms
