"""Several processes that share one delivery: each sends the editions whose id modulo their number is its own.

Rules
-----
1. They are started anew for each delivery, and build the program from the same configuration file.
2. They send in the name of the run that started them: its number is their fencing token, so when a later run begins,
   they stop, too.
3. Each has a pipe to the process that started it, and shares nothing else with it or the others: whoever is killed
   holds up nobody. Each stops when something comes through the pipe, or its other end is gone.
4. Limits of relays and domains, and connections, are divided between them.
"""

from __future__ import annotations

import math
import signal
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

from digest.delivery.sender import Report, Terms
from digest.errors import DigestError
from digest.model import Edition, Outcome
from digest.pipeline import Going
from digest.report import Watch

_LOOK_SECONDS = 0.2
_AT_ONCE = 100


class Share(NamedTuple):
    """One process's part of a delivery: the run, which share of how many, and how it hears and tells."""

    run: int
    number: int
    of: int
    going: Going
    watch: Watch | None


Deliver = Callable[[Share], Report]
"""Sends a share, in the process in which it is called."""


@dataclass(frozen=True, slots=True)
class Processes:
    """A crew (`pipeline.Crew`) of so many processes."""

    count: int
    deliver: Deliver

    def __call__(self, run: int, watch: Watch | None, going: Going) -> Report:
        """Deliver. Raises what one of them raised, or DigestError if one was killed, when all have ended."""
        members = [_Member(self.deliver, (run, number, self.count), watch) for number in range(self.count)]
        try:
            while at_work := [member for member in members if member.ended is None]:
                if not going():
                    for member in at_work:
                        member.stop()
                for pipe in wait([member.pipe for member in at_work], _LOOK_SECONDS):
                    next(member for member in at_work if member.pipe is pipe).hear()
        finally:
            for member in members:
                member.close()
        return _together([member.report() for member in members])


def divided(terms: Terms, shares: int) -> Terms:
    """The terms of one of several processes (rule 4)."""
    relays = tuple(
        replace(relay, connections=max(1, relay.connections // shares), per_minute=math.ceil(relay.per_minute / shares))
        for relay in terms.relays
    )
    per_minute = {name: rate / shares for name, rate in terms.per_minute.items()}
    return replace(terms, relays=relays, per_minute=per_minute)


def _together(reports: Sequence[Report]) -> Report:
    """The report of all: what any of them met of relays and limits holds."""
    return replace(
        sum(reports, Report()),
        relay_error=next((report.relay_error for report in reports if report.relay_error), ""),
        refusals=list(dict.fromkeys(words for report in reports for words in report.refusals)),
        kept_until=min((report.kept_until for report in reports if report.kept_until), default=0.0),
        seconds=max(report.seconds for report in reports),  # they worked side by side
    )


class _Member:
    """One of the processes, as the one that started it sees it."""

    def __init__(self, deliver: Deliver, share: tuple[int, int, int], watch: Watch | None) -> None:
        context = get_context("spawn")  # a fork would share connections to the database
        self.pipe, theirs = context.Pipe()
        self._watch, self._stopped = watch, False
        self._process = context.Process(target=_work, args=(theirs, deliver, *share, watch is not None))
        self._process.start()
        theirs.close()
        self.ended: Report | Exception | None = None

    def stop(self) -> None:
        """Tell it to grant nothing more."""
        if not self._stopped:
            self._stopped = True
            with suppress(OSError):
                self.pipe.send(None)

    def hear(self) -> None:
        """Pass on what it tells, or note how it has ended."""
        try:
            told = self.pipe.recv()
        except (EOFError, OSError):
            # It cannot tell any more what it did, but every edition is in the database.
            self.ended = Report() if self._stopped else DigestError(_KILLED)
        else:
            if not isinstance(told, list):
                self.ended = told
            elif self._watch:
                for outcome in told:
                    self._watch.outcome(*outcome)

    def close(self) -> None:
        """Wait for its end; if it is still at work, it stops."""
        self.pipe.close()
        self._process.join()

    def report(self) -> Report:
        """What it did. Raises what it raised."""
        if isinstance(self.ended, Report):
            return self.ended
        raise self.ended or DigestError(_KILLED)


_KILLED = "a process that sent mails was ended from outside; nothing is lost, and the next run sends what is left"


def _work(pipe: Connection, deliver: Deliver, run: int, number: int, of: int, tells: bool) -> None:
    """What a process of a crew does."""
    for ours in (signal.SIGINT, signal.SIGTERM):  # they reach all; the first process tells the others
        signal.signal(ours, signal.SIG_IGN)
    teller = _Teller(pipe) if tells else None
    ended: Report | Exception
    try:
        ended = deliver(Share(run, number, of, lambda: not pipe.poll(), teller))
    except Exception as error:  # noqa: BLE001 (it is raised again where somebody hears it)
        error.add_note(traceback.format_exc())
        ended = error
    if teller:
        teller.flush()
    with suppress(OSError):
        pipe.send(ended)


class _Teller:
    """Tells outcomes to the process that started this one, some at a time (report.Watch)."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._told: list[tuple[Edition, Outcome, float]] = []

    def expect(self, editions: int) -> None:
        """Known to the other process already."""

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        """Take note of what became of an edition; what is in it nobody asks."""
        self._told.append((replace(edition, matches=(), more=()), outcome, seconds))
        if len(self._told) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Tell what is not yet told; if the other one is gone, there is nobody to hear it."""
        with suppress(OSError):
            self._pipe.send(self._told)
        self._told = []
