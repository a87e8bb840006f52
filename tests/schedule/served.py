"""A daemon in a process of its own: started, watched and ended. Waits are for conditions, not for times."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from workplace import ADA, DIGEST, Workplace, subscriber

PATIENCE = 60
PEOPLE = [f"reader{n}@example.org" for n in range(6)]


TICK = (
    "import digest.schedule.daemon as it; made = it.CronTrigger;"
    "it.CronTrigger = lambda **_: made({when}, timezone='UTC'); from digest.cli import main; main()"
)
EVERY_SECOND = (sys.executable, "-c", TICK.format(when="second='*'"))
NEVER = (sys.executable, "-c", TICK.format(when="year=2999"))


def until(condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"waited in vain: {what}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Served:
    """A daemon in a process of its own, with what it logs."""

    def __init__(self, place: Workplace, port: int, process: subprocess.Popen[str]) -> None:
        self.place, self.port, self.process = place, port, process
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr
        self.errors.extend(iter(self.process.stderr.readline, ""))

    def _read_on(self) -> None:
        self._reader.join(PATIENCE)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [json.loads(line) for line in self.errors[:]]

    def logged(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait for the nth line with this event."""

        def found() -> dict[str, Any] | None:
            lines = [line for line in self.lines if line["event"] == event]
            return lines[count - 1] if len(lines) >= count else None

        line: dict[str, Any] = until(found, f"{event} in {self.errors}")
        return line

    def ask(self, path: str) -> tuple[int, str]:
        """A page of the endpoint (0: nobody listens)."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except ConnectionError:
                return 0, ""

    def figure(self, name: str) -> float:
        """One sample of /metrics, written as there."""
        found = [line for line in self.ask("/metrics")[1].splitlines() if line.startswith(f"{name} ")]
        return float(found[0].split()[-1]) if found else 0.0

    def ran(self, result: str = "ok", count: int = 1) -> None:
        """Wait until so many runs have ended so."""
        until(lambda: self.figure(f'digest_runs_total{{result="{result}"}}') >= count, f"{result} in {self.errors}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(PATIENCE)
        self._read_on()
        return code

    def stop(self) -> int:
        """Stop it as systemd would."""
        self.signal(signal.SIGTERM)
        return self.ended()


class Site:
    """A workplace, and the daemons that were started on it."""

    def __init__(self, place: Workplace) -> None:
        self.place, self.started = place, list[Served]()
        self.port = free_port()

    def configure(self, *emails: str, serve: str = "", more: str = "", smtp: str = "") -> None:
        extra = f'[serve]\nport = {self.port}\nlogs = "json"\n{serve}\n{more}'
        people = [subscriber(email) for email in emails or (ADA,)]
        self.place.configure(*people, extra=extra, smtp=smtp)

    def start(self, program: tuple[str, ...] = DIGEST) -> Served:
        process = subprocess.Popen(
            [*program, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.place.environment(),
            cwd=self.place.folder,
            text=True,
        )
        self.started.append(Served(self.place, self.port, process))
        return self.started[-1]


@contextmanager
def opened(place: Workplace) -> Iterator[Site]:
    """A site whose daemons are gone at the end."""
    there = Site(place)
    there.configure()
    yield there
    for served in there.started:
        if served.process.poll() is None:
            served.process.kill()
        served.ended()
        assert served.process.stderr
        served.process.stderr.close()
