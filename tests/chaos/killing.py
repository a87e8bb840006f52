"""A seeded run of kills: a program that is killed at random instants and simply started again, day after day.

Some kills fall at any time, the others where it hurts: when the database's log changes, in a phase that was picked, or
at the instant at which the relay sees a command, a message or its end.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import ledger_view
from faulty_relay import EVENTS
from judged import Judged
from victims import Victim, executed
from workplace import DAY, NOON
from world import HOUR, World, at

_EXECUTED = 0.03
"""The share of real starts of Python."""
_REFUSED, _COMPLETED = 0.15, 0.7
"""The shares of days on which the relay takes nothing, so that their editions are overtaken; and, of the others, of
those that end with a calm run."""
_STARTS_A_DAY = 16
_MOST_BACKLOG = 800
"""Entries that may wait before no more are listed: of more, a mail only counts those for which it has no room."""
_LONG = 0.4
"""Seconds that a run takes that is not killed."""
_SHORT_PHASES = "load", "plan", "recover", "render"
_FEW = 8
"""Changes of the database's log while a run begins, loads and plans."""


@dataclass(slots=True)
class Killing:
    """Days of kills. `jumps`: the clock goes back and forth between them; `hold`: what is in doubt is not resent."""

    world: World
    jumps: bool = False
    hold: bool = False
    kills: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    seconds: float = 0.0
    _writes: int = _FEW

    def run(self, kills: int) -> Judged:
        """Kill so many times, over as many days as it takes; then judge."""
        began = time.monotonic()
        if self.hold:
            self.world.configure('[delivery]\non_unknown = "hold"\n')
        day = last = 0
        while self.kills.total() < kills:
            self._day(NOON + day * DAY)
            last = max(last, day)
            day = max(0, day + self.world.chance.choice((1, 1, 2, 3, -1, -2))) if self.jumps else day + 1
        self.world.days.listing()
        self.world.complete(NOON + (last + 2) * DAY)
        self.seconds = time.monotonic() - began
        judged = self.world.judged()
        if self.hold and judged.duplicates:
            judged.faults.append(f"{judged.duplicates} mails came twice, though what is in doubt is held")
        return judged

    def _day(self, noon: int) -> None:
        chance, relay = self.world.chance, self.world.relay
        if chance.random() < 0.1:
            self._list()  # nothing runs on this day
            return
        for _ in range(chance.randint(1, 3)):
            self._list()
        weather = relay.take_nothing if chance.random() < _REFUSED else relay.storm
        for start in range(chance.randint(2, _STARTS_A_DAY)):
            weather(chance.getrandbits(32))
            if not self._killed(noon + start * HOUR // 3) and not self.world.waiting():
                break
        if weather == relay.storm and chance.random() < _COMPLETED:
            relay.calm(chance.getrandbits(32))
            self.world.run(noon + 10 * HOUR)

    def _list(self) -> None:
        if ledger_view.backlog(self.world.database) < _MOST_BACKLOG:
            self.world.days.listing()

    def _killed(self, now: int) -> bool:
        """Start the program, and whether it could be killed before its end."""
        chance, place = self.world.chance, self.world.place
        arguments = "run", "--now", at(now)
        self.starts += 1
        if chance.random() < _EXECUTED:
            phase = self._at_a_time(executed(place, *arguments), 1.0)
        else:
            victim = self.world.victims.start(place, *arguments)
            ways = self._at_a_time, self._at_a_write, self._in_a_phase, self._at_an_event
            phase = chance.choices(ways, (1, 2, 2, 2))[0](victim)
        self.world.note()
        self.kills.update([phase] if phase else [])
        return bool(phase)

    def _at_a_time(self, victim: Victim, more: float = 0.0) -> str:
        victim.ended(self.world.chance.uniform(0, _LONG + more))
        return _kill(victim)

    def _at_a_write(self, victim: Victim) -> str:
        """Kill when the database's log has changed for the nth time, or shortly after."""
        chance, log = self.world.chance, Path(f"{self.world.database}-wal")
        left, seen = chance.randint(1, chance.choice((_FEW, self._writes))), _changed(log)
        while left and not victim.ended(0.0003):
            left, seen = left - (seen != (now := _changed(log))), now
        self._writes = max(_FEW, self._writes - 1) if left else self._writes + 1
        victim.ended(chance.choice((0.0, chance.uniform(0, 0.05))))
        return _kill(victim)

    def _in_a_phase(self, victim: Victim) -> str:
        chance = self.world.chance
        picked, left = chance.choice(_SHORT_PHASES), chance.randint(1, 4)
        while left and not victim.ended(0.001):
            left -= victim.phase() == picked
        return _kill(victim)

    def _at_an_event(self, victim: Victim) -> str:
        """Kill when the relay sees a command for the nth time, at that very instant."""
        chance, relay = self.world.chance, self.world.relay
        event = chance.choice(("any", *EVENTS[1:]))
        relay.strike(victim.pid, signal.SIGKILL, event, chance.randint(1, 60 if event == "any" else 20))
        code = victim.code()
        relay.spare()
        return "deliver" if code == -signal.SIGKILL else ""


def _kill(victim: Victim) -> str:
    """Kill it; return its phase, or "" if it was quicker."""
    phase = "" if victim.ended(0) else victim.phase()
    return phase if victim.kill() == -signal.SIGKILL else ""


def _changed(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
