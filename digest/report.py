"""What a run did, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from digest.delivery.sender import Report
from digest.model import Edition, Outcome, Rejection, State

Reading = Callable[[Path, int, int], object]
"""Is told how far the load of a file is: entries in the database, of how many (0: not known yet)."""


def unwatched(_file: Path, _done: int, _total: int) -> None:
    """Nobody looks on."""


_SHOWN = 10
"""Rejected records of one file that are told; the count is always whole."""


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What was made of one file. A `fault` means that nothing was.

    Of the `entries`, `new` were never seen before, and `updated` came in a new version. `notes` say how it was read.
    """

    path: Path
    format: str = ""
    entries: int = 0
    new: int = 0
    rejected: tuple[Rejection, ...] = ()
    warnings: tuple[str, ...] = ()
    fault: str = ""
    updated: int = 0
    notes: tuple[str, ...] = ()

    def troubles(self, name: str) -> Iterator[str]:
        """A line for each thing that could not be loaded, or looks odd."""
        if self.fault:
            yield f"{name}: not loaded: {self.fault}"
        yield from (f"{name}: {warning}" for warning in self.warnings)
        yield from (rejected(name, record) for record in self.rejected[:_SHOWN])
        if len(self.rejected) > _SHOWN:
            yield f"{name}: {len(self.rejected) - _SHOWN:,} more records were not loaded"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came from a source's address: a file of so many bytes, nothing new (no path), or a `fault`."""

    source: str
    address: str
    path: Path | None = None
    size: int = 0
    fault: str = ""


def rejected(name: str, record: Rejection) -> str:
    """A line for a record that was not loaded, with the name of its file."""
    place = f"{name}:{record.line}" if record.line else name
    return f"{place}: not loaded: {record.reason}{f': {record.excerpt}' if record.excerpt else ''}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: the new files, paths that gave trouble, and files still being written.

    `fetched` is what came from addresses; `drifted` are words about sources whose new files have no entries.
    """

    files: tuple[LoadedFile, ...] = ()
    waiting: tuple[Path, ...] = ()
    fetched: tuple[Fetched, ...] = ()
    drifted: tuple[str, ...] = ()

    @property
    def new_entries(self) -> int:
        """How many entries nobody had seen before."""
        return sum(file.new for file in self.files)

    @property
    def troubled(self) -> bool:
        """Whether a file or a record could not be loaded, or a source not be fetched."""
        return any(one.fault for one in self.fetched) or any(file.fault or file.rejected for file in self.files)

    def then(self, later: Loaded) -> Loaded:
        """This load and a second look, which met the same troubles again."""
        faults = {file.path for file in self.files if file.fault}
        files = (*self.files, *(file for file in later.files if file.path not in faults))
        drifted = tuple(dict.fromkeys((*self.drifted, *later.drifted)))
        return Loaded(files, later.waiting, (*self.fetched, *later.fetched), drifted)

    def troubles(self, shown: Callable[[Path], str] = str) -> Iterator[str]:
        """Lines for what went wrong; `shown` writes a path."""
        for one in self.fetched:
            if one.fault:
                yield f"{one.source} ({one.address}): not fetched: {one.fault}"
        for file in self.files:
            yield from file.troubles(shown(file.path))
        yield from self.drifted
        yield from (f"{shown(path)}: still being written; the next run takes it" for path in self.waiting)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan did: how many editions will be mailed, and which are empty or failed.

    `due` counts subscribers; `missed`, earlier slots whose entries are in these editions; `window`, entries looked at.
    `silent` counts the reasons of empty ones. `unknown`: calendars that subscribers name and that are not configured.
    """

    due: int = 0
    planned: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    window: int = 0
    unknown: frozenset[str] = frozenset()

    @property
    def empty(self) -> int:
        """How many editions have nothing in them."""
        return self.silent.total()

    def __add__(self, other: Planned) -> Planned:
        """Both together; the window is one."""
        return Planned(
            self.due + other.due,
            self.planned + other.planned,
            self.silent + other.silent,
            self.missed + other.missed,
            self.failed + other.failed,
            self.window or other.window,
            self.unknown | other.unknown,
        )


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a run found: editions newly UNKNOWN that are held as configured, and editions that nobody wants any more."""

    held: int = 0
    suppressed: int = 0


class Watch(Protocol):
    """Somebody who looks on while a run delivers."""

    def expect(self, editions: int) -> None:
        """Take note of how many editions there are to send."""

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        """Take note of what became of one, and how long the relay took."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did, and why nothing was sent if nothing was. `left`: editions that wait, for the run had to stop.

    `untold`: why the operator could not be told what is broken.
    """

    id: int
    loaded: Loaded
    planned: Planned
    delivered: Report = field(default_factory=Report)
    recovered: Recovered = field(default_factory=Recovered)
    left: int = 0
    reason: str = ""
    untold: str = ""

    @property
    def failed(self) -> bool:
        """Whether something went wrong that somebody should hear of."""
        unsent = any(self.delivered.states[state] for state in (State.DEFERRED, State.FAILED, State.UNKNOWN))
        delivered = self.delivered
        lost = self.recovered.held or delivered.relay_error or delivered.refusals or delivered.paused
        return bool(
            self.loaded.troubled or self.planned.failed or self.planned.unknown or unsent or lost or self.untold
        )

    def counts(self) -> dict[str, int | float | str]:
        """The figures of `digest run --json`."""
        states = self.delivered.states
        return {
            "loaded": self.loaded.new_entries,
            "planned": self.planned.planned,
            "sent": states[State.SENT],
            "deferred": states[State.DEFERRED],
            "failed": states[State.FAILED] + len(self.planned.failed),
            "unknown": states[State.UNKNOWN] + self.recovered.held,
            "empty": self.planned.empty,
            "suppressed": self.recovered.suppressed + self.delivered.ungranted,
            "left": self.left,
            "relay_error": self.delivered.relay_error,
            "refused": bool(self.delivered.refusals),
            "seconds": round(self.delivered.seconds, 1),
            "reason": self.reason,
        }

    def troubles(self, shown: Callable[[Path], str] = str) -> Iterator[str]:
        """Lines for what went wrong."""
        yield from self.loaded.troubles(shown)
        yield from (f"{email}: no edition could be made: {reason}" for email, reason in self.planned.failed)
        for name in sorted(self.planned.unknown):
            yield f"subscribers skip the days of {name!r}, but no [calendars] entry of that name is configured"
        if self.recovered.held:
            yield f"held, for the last run was ended while sending: {_editions(self.recovered.held)}"
        for problem in self.delivered.problems:
            code = f"{problem.code} " if problem.code else ""
            yield f"{problem.email}: {problem.state}: {code}{problem.reply}"
        if self.delivered.paused:
            yield self.delivered.paused
        if not self.delivered.relay_error:
            yield from self.delivered.refusals  # by some of several relays
        else:
            yield f"the relay could not be used: {self.delivered.relay_error}"
            yield "every edition is kept, and the next run sends what is left"
        if self.untold:
            yield f"no mail to [alarms] to could be sent: {self.untold}"


def _editions(count: int) -> str:
    return "1 edition" if count == 1 else f"{count:,} editions"
