"""The steps of million.py that are no commands of Digest, each a program of its own: STEP FOLDER ARGUMENT...

It prints what it did as one line of JSON. The folder holds the configuration and the database; times are epoch seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts import Parts
from sqlalchemy import update

from digest.app import opened
from digest.model import Edition, Outcome, State
from digest.pipeline import Clock
from digest.store import runs
from digest.store.ledger import StoreLedger
from digest.store.schema import editions

_TENTHS = 10
PLAN_PARTS = {
    "digest.store.dues:due": "read profiles",
    "digest.store.dues:due_in": "read profiles",
    "digest.store.queries:by_number": "read keywords",
    "digest.store.entries:window": "read entries",
    "digest.matching.select:Selector.__init__": "index",
    "digest.matching.table:Table.add": "parse",
    "digest.matching.table:Table.evaluated": "evaluate",
    "digest.matching.rank:Ranker.rank": "rank",
    "digest.matching.select:reasons": "reasons",
    "digest.matching.select:Selector.told": "reasons",
    "digest.choosing:fillings": "fill editions",
    "digest.store.store:Store.write": "write editions",
}
"""Which function of a plan belongs to which part of it."""


def _standing(now: str) -> Clock:
    """A clock that shows always the same."""
    return lambda: int(now)


def plan(folder: Path, now: str) -> dict[str, Any]:
    """Plan everybody who is due."""
    parts = Parts()
    untimed = parts.keep(PLAN_PARTS)
    with opened(folder / "digest.toml", _standing(now)) as app:
        planned = app.pipeline.plan()
    return {"done": planned.due, "planned": planned.planned, "parts": parts.all(), "untimed": untimed}


@dataclass(slots=True)
class Watch:
    """Notes the memory of this program, in megabytes, at every tenth of a delivery, and when it is enough."""

    most: int
    sent: int = 0
    memory: list[float] = field(default_factory=list)

    def expect(self, editions: int) -> None:
        """Known."""

    def outcome(self, _edition: Edition, outcome: Outcome, _seconds: float) -> None:
        """One more."""
        self.sent += outcome.state is State.SENT
        if self.sent >= self.most * (len(self.memory) + 1) // _TENTHS and len(self.memory) < _TENTHS:
            self.memory.append(_resident())

    def going(self) -> bool:
        """Whether there are still too few."""
        return self.sent < self.most


def _resident() -> float:
    """The memory that this program holds now, in megabytes (0: this system does not say)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def deliver(folder: Path, now: str, most: str) -> dict[str, Any]:
    """Send what waits: so many, or a few more."""
    with opened(folder / "digest.toml", _standing(now)) as app:
        waiting = app.pipeline.waiting()
        watch = Watch(min(waiting, int(most)))
        with app.store.write() as connection:
            share = StoreLedger(app.store, app.clock, runs.begin(connection, app.clock()))
        report = app.pipeline.deliver(app.press, app.dispatch, share, watch, watch.going)
    if report.relay_error or set(report.states) - {State.SENT}:
        sys.exit(f"the mails could not be delivered: {report}")
    return {"done": report.states[State.SENT], "waiting": waiting, "memory": watch.memory}


def settle(folder: Path) -> dict[str, Any]:
    """Say of every planned edition that it was sent."""
    with opened(folder / "digest.toml") as app, app.store.write() as connection:
        planned = update(editions).where(editions.c.state == State.PLANNED)
        return {"done": connection.execute(planned.values(state=State.SENT)).rowcount}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {step.__name__: step for step in (plan, deliver, settle)}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
