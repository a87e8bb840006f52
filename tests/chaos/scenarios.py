"""Disturbances other than kills. Each ends in calm and is judged like all the others."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import ledger_view
from judged import Judged
from victims import PATIENCE, Victim, executed
from workplace import DAY, NOON
from world import HOUR, World, in_flight, world

from digest.model import State

_BUSY = "digest.store.store._BUSY_SECONDS"
"""How long a transaction waits for others; as it is, half a minute, a test would take too long."""
_WAITING = State.PLANNED, State.DEFERRED
_LAG = 0.01
_GRACE = 10
"""Seconds within which processes are to notice that the one that started them is gone."""


class Disturbed(NamedTuple):
    """How often the disturbance was felt, what came of it, and what was wrong with how it was met."""

    felt: int
    judged: Judged
    faults: list[str]


class MountError(Exception):
    """This process may not mount."""


@contextmanager
def tiny_disk(folder: Path, megabytes: int = 4) -> Iterator[Path]:
    """A file system with little room. Raises MountError if that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MountError(str(getattr(error, "stderr", "") or error).strip()) from None
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def full_disk(folder: Path, seed: int, rounds: int) -> Disturbed:
    """The disk that holds the database is full before a run, or fills while it sends."""
    felt = 0
    with world(folder, seed, database="disk/digest.db") as here, tiny_disk(folder / "disk") as disk:
        here.run(NOON)
        for day in range(1, rounds + 1):
            now = NOON + day * DAY
            here.days.listing()
            here.relay.calm(day, _LAG)
            if day % 2:
                _fill(disk, leave=here.chance.choice((0, 1, 2, 4, 8, 16, 32, 64)) * 4096)
                victim = here.start(now)
            else:
                victim = _started_until_sending(here, now)
                _fill(disk)
            felt += victim.code() != 0
            (disk / "ballast").unlink()
            here.note()
            here.check_commits()
            here.run(now + HOUR)
        here.complete(NOON + (rounds + 2) * DAY)
        return Disturbed(felt, here.judged(), [])


def locked_database(folder: Path, seed: int, rounds: int, busy: float = 1.0) -> Disturbed:
    """Another process holds the database: from the start, or while it sends, for less or more than a run waits."""
    felt, patches = 0, {_BUSY: busy}
    with world(folder, seed) as here:
        here.run(NOON)
        for day in range(1, rounds + 1):
            now, long = NOON + day * DAY, day % 4 >= 2
            here.days.listing()
            here.relay.calm(day, _LAG)
            if day % 2:
                with ledger_view.locked(here.database):
                    victim = here.start(now, patches)
                    victim.ended(PATIENCE if long else busy / 4)
            else:
                victim = _started_until_sending(here, now, patches)
                with ledger_view.locked(here.database):
                    victim.ended(PATIENCE if long else busy / 4)
            felt += bool(victim.code()) is long
            here.note()
            here.check_commits()
            here.run(now + HOUR)
        here.complete(NOON + (rounds + 2) * DAY)
        return Disturbed(felt, here.judged(), [])


def two_schedulers(folder: Path, seed: int, runs: int = 4) -> Disturbed:
    """Two daemons and several runs of cron at once, by the real clock: each mail goes out once."""
    with world(folder, seed) as here:
        here.configure("[serve]\nport = 0\n")
        here.days.listing()
        here.relay.calm(seed, _LAG)
        daemons = [here.victims.start(here.place, "serve") for _ in range(2)]
        others = list[Victim]()
        for _ in range(runs):
            time.sleep(here.chance.uniform(0, 0.3))
            others.append(here.victims.start(here.place, "run"))
        codes = [victim.code() for victim in others]
        _until(lambda: here.relay.kept() and not here.waiting())
        for daemon in daemons:
            daemon.signal(signal.SIGTERM)
        codes += [daemon.code() for daemon in daemons]
        here.note()
        judged = here.judged()
        if judged.duplicates or judged.in_doubt:
            judged.faults.append(f"{judged.duplicates} mails came twice, {judged.in_doubt} were in doubt")
        collisions = [line for line in here.said().splitlines() if "constraint" in line]
        codes_of_none = [f"exit code {code}" for code in codes if code not in (0, 1)]
        return Disturbed(runs + len(daemons), judged, codes_of_none + collisions)


def stopped_and_resumed(folder: Path, seed: int, rounds: int) -> Disturbed:
    """A run is stopped while it sends; another takes over when the lease has expired; the first wakes up.

    In every second round the other is killed, so that there are editions which the first could take.
    """
    felt, faults = 0, list[str]()
    with world(folder, seed) as here:
        for day in range(rounds):
            now = NOON + day * DAY
            here.days.listing()
            here.relay.calm(day, _LAG)
            sleeper = _stopped_when_sending(here, now)
            here.note()
            before = here.relay.kept()
            faults += _taken_over(here, now + 2 * HOUR, killed=bool(day % 2))
            felt += here.relay.kept() > before
            faults += _woken(here, sleeper)
            here.relay.calm(day)
            here.run(now + 4 * HOUR)
        here.complete(NOON + (rounds + 1) * DAY)
        return Disturbed(felt, here.judged(), faults)


def _taken_over(here: World, now: int, *, killed: bool) -> Iterator[str]:
    """Another run; what is wrong with how it took over."""
    victim = here.start(now)
    if killed:
        here.relay.strike(victim.pid, signal.SIGKILL, "kept", here.chance.randint(1, 3))
    code = victim.code()
    here.relay.spare()
    here.note()
    states = ledger_view.states(here.database)
    if not killed and (left := states[State.PLANNED] + states[State.SENDING]):
        yield f"the run that takes over ended with {code}, and {left} editions are as they were"


def _woken(here: World, sleeper: Victim) -> Iterator[str]:
    """Wake it up, to a relay that fails; what it changed of what was not its own any more."""
    before = {row.id: row for row in ledger_view.editions(here.database)}
    here.relay.storm(len(before), rate=0.3)
    sleeper.signal(signal.SIGCONT)
    sleeper.code()
    here.note()
    here.check_commits()
    for row in ledger_view.editions(here.database):
        was = before[row.id]
        taken, settled = row.attempts != was.attempts, was.state is not row.state and was.state not in _WAITING
        if taken or settled:
            yield f"a run that woke up made of {was}: {row}"


def killed_crew(folder: Path, seed: int) -> Disturbed:
    """A run by several processes, of which only the first is killed, and started again at once."""
    with world(folder, seed) as here:
        here.configure("[delivery]\nprocesses = 2\n")
        here.days.listing()
        here.relay.calm(seed, _LAG)
        first = executed(here.place, "run")
        here.relay.strike(first.pid, signal.SIGKILL, "kept", here.chance.randint(1, 12))
        killed = first.code() == -signal.SIGKILL
        executed(here.place, "run").code()
        faults = [f"process {pid} is left behind" for pid in _left_behind(folder)]
        here.trust()
        judged = here.judged()
        if judged.duplicates > in_flight():
            faults.append(f"{judged.duplicates} mails came twice, of {in_flight()} in flight at most")
        return Disturbed(int(killed), judged, faults)


def _left_behind(folder: Path) -> list[int]:
    """Give those a while that work in a folder, and end those that still do then."""
    end = time.monotonic() + _GRACE
    while (left := [pid for pid in _pids() if _works_in(pid) == folder]) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def _pids() -> Iterator[int]:
    return (int(process.name) for process in Path("/proc").glob("[0-9]*"))


def _works_in(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:  # it has just ended
        return None


def _fill(disk: Path, leave: int = 0) -> None:
    """Leave so many bytes of room."""
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while ballast.write(bytes(4096)):
                pass
        except OSError:
            ballast.truncate(max(0, ballast.tell() - leave))


def _started_until_sending(here: World, now: int, patches: dict[str, float] | None = None) -> Victim:
    """A run, when the relay has taken some mails from it."""
    enough = here.relay.kept() + here.chance.randint(1, 10)
    victim = here.start(now, patches)
    _until(lambda: here.relay.kept() >= enough or victim.ended(0))
    return victim


def _stopped_when_sending(here: World, now: int) -> Victim:
    """A run, stopped when the relay has the nth end of a message from it.

    But not inside a transaction: SQLite lets nobody write while one who writes sleeps, and no lease can help that.
    """
    victim = here.start(now)
    here.relay.strike(victim.pid, signal.SIGSTOP, "dot", here.chance.randint(1, 6))
    _until(lambda: victim.ended(0) or _is_stopped(victim.pid))
    while ledger_view.is_locked(here.database) and not victim.ended(0):
        victim.signal(signal.SIGCONT)
        victim.signal(signal.SIGSTOP)
        _until(lambda: victim.ended(0) or _is_stopped(victim.pid))
    here.relay.spare()
    _until(here.relay.is_quiet)
    return victim


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)
