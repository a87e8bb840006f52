"""Several processes that share one plan or delivery: each has the subscribers or editions of some numbers.

Rules
-----
1. They are started anew for each, and build the program from the same configuration file. Each takes the editions whose
   number modulo that of the processes is its own, or every so-manieth block of subscribers (`store.dues.Share`).
2. They work in the name of the run that started them: its number is their fencing token, so when a later run begins,
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
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Generic, NamedTuple, TypeVar

from digest.delivery.sender import Report, Terms
from digest.errors import DigestError
from digest.model import Edition, Outcome
from digest.pipeline import Going
from digest.report import Planned, Watch

_LOOK_SECONDS = 0.2
_AT_ONCE = 100


class Share(NamedTuple):
    """One process's part: the run, which share of how many, and how it hears and tells."""

    run: int
    number: int
    of: int
    going: Going
    watch: Watch | None


Done = TypeVar("Done", Report, Planned)
"""What a process did. One that was killed cannot tell."""


@dataclass(frozen=True, slots=True)
class Processes:
    """A crew (`pipeline.Crew`) of so many processes; what does a share is called in the process that has it.

    Both raise what one of them raised, or DigestError if one was killed, when all have ended.
    """

    count: int
    deliver_share: Callable[[Share], Report]
    plan_share: Callable[[int, Share], Planned]

    def deliver(self, run: int, watch: Watch | None, going: Going) -> Report:
        """Send every edition that is waiting."""
        return _together(self._all(self.deliver_share, Report(), run, watch, going))

    def plan(self, run: int, now: int, going: Going) -> Planned:
        """Plan everybody's edition who is due."""
        return sum(self._all(partial(self.plan_share, now), Planned(), run, None, going), Planned())

    def _all(
        self, work: Callable[[Share], Done], nothing: Done, run: int, watch: Watch | None, going: Going
    ) -> Sequence[Done]:
        """What each did."""
        members = [_Member(work, nothing, (run, number, self.count), watch) for number in range(self.count)]
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
        return [member.report() for member in members]


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


class _Member(Generic[Done]):
    """One of the processes, as the one that started it sees it."""

    def __init__(
        self, work: Callable[[Share], Done], nothing: Done, share: tuple[int, int, int], watch: Watch | None
    ) -> None:
        context = get_context("spawn")  # a fork would share connections to the database
        self.pipe, theirs = context.Pipe()
        self._nothing: Done = nothing
        self._watch, self._stopped = watch, False
        self._process = context.Process(target=_work, args=(theirs, work, *share, watch is not None))
        self._process.start()
        theirs.close()
        self.ended: Done | Exception | None = None

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
            self.ended = self._nothing if self._stopped else DigestError(_KILLED)
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

    def report(self) -> Done:
        """What it did. Raises what it raised."""
        if self.ended is None or isinstance(self.ended, Exception):
            raise self.ended or DigestError(_KILLED)
        return self.ended


_KILLED = "a process of this run was ended from outside; nothing is lost, and the next run does what is left"


def _work(pipe: Connection, work: Callable[[Share], object], run: int, number: int, of: int, tells: bool) -> None:
    """What a process of a crew does."""
    for ours in (signal.SIGINT, signal.SIGTERM):  # they reach all; the first process tells the others
        signal.signal(ours, signal.SIG_IGN)
    teller = _Teller(pipe) if tells else None
    ended: object
    try:
        ended = work(Share(run, number, of, lambda: not pipe.poll(), teller))
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
