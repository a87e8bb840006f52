"""The faulty relay as a test sees it: it is given orders, and its log is read."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import IO

_SCRIPT = Path(__file__).with_name("faulty_relay.py")


@dataclass(frozen=True, slots=True)
class Captured:
    """A message that the relay took, and whether it said so."""

    to: str
    message: bytes
    replied: bool


@dataclass(frozen=True, slots=True)
class Log:
    """All that the relay noted: messages, refusals for good by recipient, and what no client may say."""

    mails: list[Captured] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)


class FaultyRelay:
    """A relay in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log
        self._orders, self._answers = _pipe(process.stdin), _pipe(process.stdout)
        self.port = int(self._answers.readline())

    def storm(self, seed: int, rate: float = 0.0) -> None:
        """From now on, fail as this seed has it; at such a share of events, if given."""
        self._order(weather={"seed": seed, "calm": False, "rate": rate})

    def calm(self, seed: int = 0, lag: float = 0.0) -> None:
        """From now on, do not fail; offer what this seed has, and take so many seconds for each message."""
        self._order(weather={"seed": seed, "calm": True, "lag": lag})

    def take_nothing(self, seed: int) -> None:
        """From now on, defer every recipient."""
        self._order(weather={"seed": seed, "calm": True, "takes_nothing": True})

    def strike(self, pid: int, number: int, event: str, count: int) -> None:
        """Send a signal to a process when an event happens for the `count`th time from now."""
        self._order(strike={"pid": pid, "signal": number, "event": event, "count": count})

    def spare(self) -> None:
        """Forget the strike: the process may be gone."""
        self._order(strike=None)

    def kept(self) -> int:
        """How many messages it took so far."""
        return sum(line.startswith(b'{"kind": "mail"') for line in self._lines())

    def is_quiet(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for a while."""
        before = self._log.stat().st_size
        time.sleep(seconds)
        return self._log.stat().st_size == before

    def log(self) -> Log:
        """All of its log."""
        found, told = list[tuple[int, str, bytes]](), set[int]()
        log = Log()
        for line in self._lines():
            match json.loads(line):
                case {"kind": "mail", "number": number, "to": to, "message": message}:
                    found.append((number, to, zlib.decompress(base64.b64decode(message))))
                case {"kind": "replied", "number": number}:
                    told.add(number)
                case {"kind": "refused", "to": to}:
                    log.refused[to] += 1
                case {"kind": "strange", "line": said}:
                    log.strange.append(said)
        log.mails.extend(Captured(to, message, number in told) for number, to, message in found)
        return log

    def _lines(self) -> list[bytes]:
        return self._log.read_bytes().splitlines() if self._log.exists() else []

    def _order(self, **order: object) -> None:
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        assert self._answers.readline() == "taken\n", "the relay has ended"


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream
    return stream


@contextmanager
def faulty_relay(log: Path) -> Iterator[FaultyRelay]:
    """A relay that runs while its `with` block does."""
    command = [sys.executable, str(_SCRIPT), str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield FaultyRelay(process, log)
        finally:
            _pipe(process.stdin).close()
            process.wait(10)


def parsed(message: bytes) -> EmailMessage:
    """A message, read strictly: a defect raises."""
    return message_from_bytes(message, policy=policy.strict)
