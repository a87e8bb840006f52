"""One database with its readers, its relay and the runs over it; and what was in doubt after each of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ledger_view
from capture import FaultyRelay, faulty_relay
from days import Days
from judged import Judged, judge, sent_unknown_to
from ledger_view import Attempt
from victims import Victim, Victims, victims
from workplace import Workplace

from digest.model import State
from digest.settings import Smtp

HOUR = 3_600
CONNECTIONS = 4
_MOST_ROUNDS = 40
_CRASH = re.compile(r"^Traceback .*\n(?: .*\n|\n)*(\S.*)", re.MULTILINE)


def at(now: int) -> str:
    """A time as `--now` takes it."""
    return datetime.fromtimestamp(now, UTC).isoformat()


@dataclass(slots=True)
class World:
    """A workplace with all that belongs to it. `faults`: what broke the promise on the way, in words."""

    place: Workplace
    relay: FaultyRelay
    victims: Victims
    days: Days
    chance: random.Random
    in_doubt: set[Attempt] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The file."""
        return self.place.folder / self.place.database

    def configure(self, extra: str = "") -> None:
        """Write the configuration, with more tables."""
        self.days.configure(CONNECTIONS, extra)

    def note(self) -> None:
        """Take note of what is in doubt now: called between two runs, or the next would clear it up unseen."""
        now = ledger_view.unsure(self.database)
        self.in_doubt |= now.keys()
        sending = sum(state is State.SENDING for state in now.values())
        if sending > in_flight():
            self.faults.append(f"{sending} editions were in flight at once, of {in_flight()} at most")

    def trust(self) -> None:
        """Take the ledger's word for what was in doubt, where nobody could look between two runs."""
        for row in ledger_view.editions(self.database):
            if row.doubtful:
                self.in_doubt |= {Attempt(row.id, number) for number in range(1, row.attempts)}

    def start(self, now: int, patches: Mapping[str, Any] | None = None) -> Victim:
        """A run at a time."""
        return self.victims.start(self.place, "run", "--now", at(now), patches=patches)

    def run(self, now: int, patches: Mapping[str, Any] | None = None) -> int:
        """The same, undisturbed to its end; its exit code."""
        code = self.start(now, patches).code()
        self.note()
        return code

    def complete(self, now: int) -> None:
        """Calm runs, from a time on, until nothing waits."""
        self.relay.calm()
        for round_ in range(_MOST_ROUNDS):
            self.run(now + round_ * 6 * HOUR)
            if not self.waiting():
                break

    def waiting(self) -> int:
        """How many editions are on their way."""
        states = ledger_view.states(self.database)
        return sum(states[state] for state in (State.PLANNED, State.SENDING, State.DEFERRED))

    def said(self) -> str:
        """All that the program wrote so far."""
        return (self.place.folder / "victims.log").read_text(errors="replace")

    def check_commits(self) -> None:
        """Note mails that were sent though the ledger did not know of it."""
        self.faults += sent_unknown_to(ledger_view.editions(self.database), self.relay.log())

    def judged(self) -> Judged:
        """The figures, now that all is over."""
        wanted = {email: tokens for email, tokens in self.days.wanted.items() if not email.startswith("nobody")}
        judged = judge(wanted, ledger_view.editions(self.database), self.relay.log(), self.in_doubt)
        crashes = [f"a run crashed: {error}" for error in _CRASH.findall(self.said())]
        judged.faults = [*self.faults, *crashes, *judged.faults]
        return judged


def in_flight() -> int:
    """As many editions may be SENDING at once: on the wire, and as many again of which a commit is under way."""
    return 2 * CONNECTIONS * int(Smtp.model_fields["depth"].default)


@contextmanager
def world(
    folder: Path, seed: int, *, readers: int = 24, nobody: bool = False, database: str = "digest.db"
) -> Iterator[World]:
    """A workplace with a relay and victims, which are gone at the end."""
    chance = random.Random(seed)
    with faulty_relay(folder / "relay.log") as relay, victims(folder) as from_server:
        place = Workplace(folder, relay.port, database=database)
        days = Days(place, chance, readers, nobody)
        here = World(place, relay, from_server, days, chance)
        here.configure()
        yield here
