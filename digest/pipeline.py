"""The whole program: load, plan, deliver. Each may be killed and run again; each says what it did.

load      what sources with an address have → new listing files → entries
plan      entries × profiles → one edition per subscriber and slot
deliver   editions → mails

`run` does all three, once. It is what cron calls, and what every tick of the daemon calls.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from digest import fetch, intake, planning
from digest.choosing import Ready
from digest.delivery import sender
from digest.fetch import Remote
from digest.intake import Intake
from digest.planning import Policy
from digest.press import Listed, Press
from digest.report import Loaded, Planned, Reading, Recovered, RunReport, Watch, unwatched
from digest.store import dues, ledger, runs, subscribers, throttles
from digest.store.dues import Share
from digest.store.ledger import StoreLedger
from digest.store.store import Store
from digest.store.subscribers import Named
from digest.watchdog import too_many_complaints

Clock = Callable[[], int]
"""Gives epoch seconds."""
Going = Callable[[], bool]
"""Asked between two steps of work: whether to take the next."""
_PROGRESS_SECONDS = 5
_MANY = 50_000
"""Subscribers from whom on a plan goes by numbers, and processes share it: each makes the window ready for itself."""


def unhindered() -> bool:
    """Go on to the end."""
    return True


class Crew(Protocol):
    """Several processes that share the work of a run, which has this number."""

    def plan(self, run: int, now: int, going: Going) -> Planned:
        """Plan the edition of everybody who is due."""

    def deliver(self, run: int, watch: Watch | None, going: Going) -> sender.Report:
        """Send every edition that is waiting."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How editions are handed to relays: on what terms, and what becomes of those that nobody knows of.

    `crew` delivers in place of this process, if there is one, and plans where very many are due.
    """

    terms: sender.Terms
    resend_unknown: bool
    crew: Crew | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The three verbs on one database. `people`: those who stand in the configuration.

    `remotes` are sources to be fetched when they are due, or even `early`.
    """

    store: Store
    clock: Clock
    intake: Intake
    people: Sequence[Named]
    policy: Policy
    remotes: Sequence[Remote] = ()
    early: bool = False
    ready: Ready = field(default_factory=Ready)

    def run(
        self,
        press: Press,
        dispatch: Dispatch,
        watch: Watch | None = None,
        going: Going = unhindered,
        patience: float = 0.0,
    ) -> RunReport:
        """Load, plan and deliver, for as long as `going` says so; what is then in flight still ends.

        `patience`: for how many seconds to wait for what our own limits keep back.
        """
        number = self._begin()
        going = self._noting_progress(number, going)
        loaded = self.load(going)
        planned = self.plan(going, number, dispatch.crew)
        recovered = self.recover(dispatch, number)
        if watch:
            watch.expect(self.waiting())
        delivered = self._deliver_patiently(press, dispatch, number, watch, going, self.clock() + patience)
        left = 0 if going() else self.waiting()
        return RunReport(number, loaded, planned, delivered, recovered, left)

    def load(self, going: Going = unhindered, reading: Reading = unwatched) -> Loaded:
        """Fetch what is due, and load new listing files; one that is still being written gets a moment to settle."""
        fetched = fetch.fetch(self.store, self.remotes, self.clock, going, early=self.early)
        loaded = replace(intake.load(self.store, self.intake, self._now(), going, reading), fetched=fetched)
        if not (loaded.waiting and going()):
            return loaded
        time.sleep(self.intake.settle_seconds + 1)  # the clock counts whole seconds
        return loaded.then(intake.load(self.store, self.intake, self._now(), going, reading))

    def enrol(self) -> None:
        """Bring the database's subscribers into step with those of the configuration."""
        with self.store.write() as connection:
            subscribers.put(connection, self.people, self.clock(), self.policy.first_days, configured=True)
            subscribers.drop_configured(connection, [one.identity for one in self.people])

    def plan(self, going: Going = unhindered, run: int = 0, crew: Crew | None = None) -> Planned:
        """Plan the edition of everybody who is due, in the run of this number (0: in none)."""
        self.enrol()
        now = self.clock()
        if not self._many_due(now):
            return self.plan_share(now, going, run, self.ready)
        return crew.plan(run, now, going) if crew else self.plan_share(now, going, run, self.ready, Share(0, 1))

    def plan_share(self, now: int, going: Going, run: int, ready: Ready, share: Share | None = None) -> Planned:
        """Plan for those who are due, where very many are for those of a share."""
        with _rare_collections():
            return planning.plan(self.store, now, self.policy, going, ready, run, share)

    def _many_due(self, now: int) -> bool:
        with self.store.read() as connection:
            return dues.count_due(connection, now) >= _MANY

    def recover(self, dispatch: Dispatch, run: int) -> Recovered:
        """Take up what a killed run left behind, and end what nobody wants any more."""
        now = self.clock()
        with self.store.write() as connection:
            runs.fence(connection, run)
            left = ledger.recover(connection, now)
            if dispatch.resend_unknown:
                ledger.resend_unknown(connection, now, dispatch.terms.retry_seconds)
            held = 0 if dispatch.resend_unknown else left
            return Recovered(held, ledger.suppress_unwanted(connection, now))

    def deliver(
        self,
        press: Press,
        dispatch: Dispatch,
        share: StoreLedger,
        watch: Watch | None = None,
        going: Going = unhindered,
    ) -> sender.Report:
        """Send every edition of a share that is waiting."""
        known = Listed(self.store)
        with self.store.read() as connection:
            slowed = throttles.load(connection)
        with _rare_collections(), asyncio.Runner(loop_factory=_fastest_loop()) as runner:
            return runner.run(
                sender.deliver(
                    share,
                    lambda delivery: press.message(delivery.edition, known.of(delivery.edition), delivery.room),
                    dispatch.terms,
                    self.clock,
                    throttles=slowed,
                    going=going,
                    on_outcome=watch.outcome if watch else None,
                )
            )

    def _deliver_patiently(
        self, press: Press, dispatch: Dispatch, run: int, watch: Watch | None, going: Going, until: float
    ) -> sender.Report:
        """Deliver, and again when our own limits let go what they keep back, if that is soon enough."""
        if paused := too_many_complaints(self.store, self.clock):
            return sender.Report(paused=paused)
        done = sender.Report()
        while True:
            if dispatch.crew and self.waiting():  # to start processes takes longer than to look
                done += dispatch.crew.deliver(run, watch, going)
            else:
                done += self.deliver(press, dispatch, StoreLedger(self.store, self.clock, run), watch, going)
            if not 0 < done.kept_until <= until or done.relay_error:
                return done
            if not _waited(done.kept_until - self.clock(), going):
                return done

    def finish(self, report: RunReport) -> None:
        """Note what a run did."""
        with self.store.write() as connection:
            runs.finish(connection, report.id, self.clock(), report.counts())

    def _begin(self) -> int:
        with self.store.write() as connection:
            return runs.begin(connection, self.clock())

    def _noting_progress(self, number: int, going: Going) -> Going:
        """The same, noting in the database every few seconds that the run gets on."""
        noted = self.clock()

        def asked() -> bool:
            nonlocal noted
            now = self.clock()
            if now >= noted + _PROGRESS_SECONDS:
                noted = now
                with self.store.write() as connection:
                    runs.progress(connection, number, now)
            return going()

        return asked

    def waiting(self) -> int:
        """How many editions may be sent now."""
        with self.store.read() as connection:
            return ledger.count_waiting(connection, self.clock())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles of garbage less often: we make few, and every look goes over all cards and entries in memory."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _waited(seconds: float, going: Going) -> bool:
    """Wait for so long; False: there was no going on."""
    end = time.monotonic() + seconds
    while going():
        if time.monotonic() >= end:
            return True
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))
    return False


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of uvloop where it is installed (None: that of the standard library)."""
    try:
        import uvloop  # noqa: PLC0415 (an optional extra)
    except ImportError:
        return None
    return uvloop.new_event_loop
