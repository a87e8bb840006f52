"""The whole program: load, plan, deliver. Each may be killed and run again; each says what it did.

load      new listing files → entries
plan      entries × profiles → one edition per subscriber and slot
deliver   editions → mails

`run` does all three, once. It is what cron calls, and what every tick of the daemon calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from digest import intake, planning
from digest.delivery import sender
from digest.delivery.relay import Relay
from digest.intake import Intake
from digest.planning import Policy, Ready
from digest.press import Listed, Press
from digest.report import Loaded, Planned, Recovered, RunReport, Watch
from digest.store import editions, runs, subscribers
from digest.store.ledger import StoreLedger
from digest.store.store import Store
from digest.store.subscribers import Named

Clock = Callable[[], int]
"""Gives epoch seconds."""
Going = Callable[[], bool]
"""Asked between two steps of work: whether to take the next."""
_PROGRESS_SECONDS = 5


def unhindered() -> bool:
    """Go on to the end."""
    return True


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How editions are handed to the relay, and tried again."""

    relay: Relay
    retry_seconds: int
    resend_unknown: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The three verbs on one database. `people`: those who stand in the configuration."""

    store: Store
    clock: Clock
    intake: Intake
    people: Sequence[Named]
    policy: Policy
    ready: Ready = field(default_factory=Ready)

    def run(self, press: Press, dispatch: Dispatch, watch: Watch | None = None, going: Going = unhindered) -> RunReport:
        """Load, plan and deliver, for as long as `going` says so; what is then in flight still ends."""
        number = self._begin()
        going = self._noting_progress(number, going)
        loaded = self.load(going)
        planned = self.plan(going)
        recovered = self.recover(dispatch)
        if watch:
            watch.expect(self.waiting())
        delivered = asyncio.run(self.deliver(press, dispatch, watch, going))
        left = 0 if going() else self.waiting()
        return RunReport(number, loaded, planned, delivered, recovered, left)

    def load(self, going: Going = unhindered) -> Loaded:
        """Load new listing files; one that is still being written gets a moment to settle."""
        loaded = intake.load(self.store, self.intake, self._now(), going)
        if not (loaded.waiting and going()):
            return loaded
        time.sleep(self.intake.settle_seconds + 1)  # the clock counts whole seconds
        return loaded.then(intake.load(self.store, self.intake, self._now(), going))

    def enrol(self) -> None:
        """Bring the database's subscribers into step with those of the configuration."""
        with self.store.write() as connection:
            subscribers.put(connection, self.people, self.clock(), self.policy.first_days, configured=True)
            subscribers.drop_configured(connection, [one.identity for one in self.people])

    def plan(self, going: Going = unhindered) -> Planned:
        """Plan the edition of everybody who is due."""
        self.enrol()
        return planning.plan(self.store, self.clock(), self.policy, going, self.ready)

    def recover(self, dispatch: Dispatch) -> Recovered:
        """Take up what a killed run left behind, and end what nobody wants any more."""
        now = self.clock()
        with self.store.write() as connection:
            left = editions.recover(connection, now)
            if dispatch.resend_unknown:
                editions.resend_unknown(connection, now, dispatch.retry_seconds)
            held = 0 if dispatch.resend_unknown else left
            return Recovered(held, editions.suppress_unwanted(connection, now))

    async def deliver(
        self, press: Press, dispatch: Dispatch, watch: Watch | None = None, going: Going = unhindered
    ) -> sender.Report:
        """Send every edition that is waiting."""
        known = Listed(self.store)
        return await sender.deliver(
            StoreLedger(self.store, self.clock, dispatch.retry_seconds),
            lambda edition: press.message(edition, known.of(edition)),
            dispatch.relay,
            press.sender.address,
            going=going,
            on_outcome=watch.outcome if watch else None,
        )

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
            return editions.count_waiting(connection, self.clock())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)
