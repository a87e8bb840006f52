"""Looks for what is broken, and tells the operator: one mail when an incident begins, and one when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from digest import alarms
from digest.alarms import Condition, Incident, Limits, Watched
from digest.delivery import notice
from digest.delivery.message import Sender
from digest.delivery.relay import Relay
from digest.errors import DigestError, RelayError
from digest.rendering.quoted import encode
from digest.store import incidents, runs, sources, suppressions, throttles
from digest.store.store import Store

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Watchdog:
    """What it looks at, and whom it tells."""

    store: Store
    clock: Callable[[], int]
    limits: Limits
    sources: tuple[Watched, ...]
    relays: tuple[Relay, ...]
    sender: Sender
    to: tuple[str, ...]

    def after_run(self) -> str:
        """Look at everything; return why the operator could not be told of it ("": told, or nothing to tell).

        While the relay takes nothing it is not tried again for that.
        """
        now = self.clock()
        with self.store.read() as connection:
            recent = runs.since(connection, now - _DAY)
            sent, failed = (sum(report[name] for report in recent) for name in ("sent", "failed"))
            error, failing_since = runs.relay_failing(connection)
            failing = runs.since(connection, max(failing_since, now - _DAY)) if failing_since is not None else []
            refused = any(report.get("refused") for report in failing)
            found = [
                *alarms.sources(sources.states(connection, self.sources), now, self.limits),
                *alarms.failures(sent, failed, now, self.limits),
                *alarms.relay(error, failing_since, now, self.limits, refused=refused),
                *alarms.setup(throttles.paused(connection, now), now),
                *alarms.complaints(*suppressions.complaints(connection, now - alarms.COMPLAINT_DAYS * _DAY), now),
            ]
        self._observe(alarms.KINDS, found, now)
        return "" if error else self._tell()

    def look(self) -> tuple[str, ...]:
        """Look whether runs are overdue; return in words what is broken."""
        now = self.clock()
        with self.store.read() as connection:
            found = alarms.overdue(runs.last_progress(connection), now, self.limits)
        self._observe(("overdue",), found, now)
        self._tell()
        with self.store.read() as connection:
            return tuple(incident.words for incident in incidents.open_(connection))

    def _observe(self, kinds: Collection[str], found: Sequence[Condition], now: int) -> None:
        """Note what is broken now; most times there is nothing to note, and others may write meanwhile."""
        with self.store.read() as connection:
            known = {one[1:4] for one in incidents.open_(connection) if one.kind in kinds}
        if known != {condition[:3] for condition in found}:
            with self.store.write() as connection:
                incidents.observe(connection, kinds, found, now)

    def _tell(self) -> str:
        """Mail what is untold; what cannot be mailed stays untold."""
        with self.store.read() as connection:
            untold = incidents.untold(connection)
        for incident in untold:
            with self.store.write() as connection:
                mine = incidents.claim(connection, incident)
            if not (mine and self.to):
                continue
            try:
                self._mail(incident)
            except DigestError as error:
                with self.store.write() as connection:
                    incidents.unclaim(connection, incident)
                return str(error)
        return ""

    def _mail(self, incident: Incident) -> None:
        now = self.clock()
        mails = {to: notice.compose(incident, self.sender, to, now, encode) for to in self.to}
        failure: RelayError | None = None
        for relay in sorted(self.relays, key=lambda relay: -relay.priority):
            try:
                asyncio.run(notice.send(relay, self.sender.address, mails))
            except RelayError as error:
                failure = failure or error
            else:
                return
        if failure:
            raise failure


def too_many_complaints(store: Store, clock: Callable[[], int]) -> str:
    """Why nothing may be sent for now, and what to do ("": it may)."""
    now = clock()
    with store.read() as connection:
        figures = suppressions.complaints(connection, now - alarms.COMPLAINT_DAYS * _DAY)
    return next((found.words for found in alarms.complaints(*figures, now) if found.kind == "paused"), "")
