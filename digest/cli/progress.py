"""How far a load or a delivery is, for a person who looks on."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

from digest.cli.options import watched
from digest.model import Edition, Outcome, State
from digest.report import Reading, Watch, unwatched

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

_TOLD = (State.SENT, State.DEFERRED, State.FAILED, State.UNKNOWN)
_EVERY = 0.1
"""Seconds between two looks of the bar."""
_PATIENCE = 1.0
"""Seconds that a load may take without a bar."""


@contextmanager
def progress() -> Iterator[Watch | None]:
    """A bar with rate, counts and the time left, where somebody looks on."""
    if not watched():
        yield None
        return
    from rich import progress as rich  # noqa: PLC0415 (nothing of it is needed under cron)
    from rich.console import Console  # noqa: PLC0415

    columns = (
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[counts]}"),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, bar.add_task("", total=None, counts="", rate=""))


@contextmanager
def reading() -> Iterator[Reading]:
    """A bar with the file and its entries, where somebody looks on and it takes longer than a moment."""
    if not sys.stderr.isatty():
        yield unwatched
        return
    from rich import progress as rich  # noqa: PLC0415 (nothing of it is needed under cron)
    from rich.console import Console  # noqa: PLC0415

    name: ProgressColumn = rich.TextColumn("{task.description}", markup=False)
    columns = (name, rich.BarColumn(), rich.MofNCompleteColumn(), rich.TimeRemainingColumn())
    bar = rich.Progress(*columns, console=Console(stderr=True), transient=True)
    patience = Timer(_PATIENCE, bar.start)
    patience.start()
    try:
        yield _Reading(bar)
    finally:
        patience.cancel()
        patience.join()
        bar.stop()


def pace(mails: int, seconds: float) -> str:
    """How long so many mails took: "12 s, 240 a second"."""
    rate = f", {mails / seconds:,.0f} a second" if seconds >= 1 else ""
    return f"{seconds:,.{0 if seconds >= 10 else 1}f} s{rate}"


class _Reading:
    """Shows the file that is being loaded (report.Reading)."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[Path, TaskID] = {}

    def __call__(self, file: Path, done: int, total: int) -> None:
        if file not in self._tasks:
            for over in self._tasks.values():
                self._bar.remove_task(over)
            self._tasks = {file: self._bar.add_task(file.name, total=None)}
        self._bar.update(self._tasks[file], completed=done, total=total or None)


class _Bar:
    """Shows what it is told (report.Watch), some times a second."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task, self._next = bar, task, 0.0
        self._states: Counter[State] = Counter()

    def expect(self, editions: int) -> None:
        self._bar.update(self._task, total=editions)

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 (every one is a step)
        self._states[outcome.state] += 1
        if monotonic() >= self._next:
            self._next = monotonic() + _EVERY
            self._show()

    def _show(self) -> None:
        counts = ", ".join(f"{self._states[state]:,} {state}" for state in _TOLD if self._states[state])
        speed = self._bar.tasks[0].speed
        rate = f"{speed:,.0f} a second" if speed else ""
        self._bar.update(self._task, completed=self._states.total(), counts=counts, rate=rate)
