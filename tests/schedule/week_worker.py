"""A program of the simulated week: the real `digest serve`, or `digest run` at each hour of cron, by a clock in a file.

Arguments: the command, the file that holds the time, and the file that is to name the process that has the lock. A line
on standard input is a number and rings. After each run goes out the last number heard before it began. The end of
standard input ends the program.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from digest.app import App
from digest.cli import main, serve
from digest.report import RunReport
from digest.schedule import daemon
from digest.store import store

if TYPE_CHECKING:
    from workplace import Workplace

_PATIENCE = 60
_run, _lock, _every_minute = App.run, App.lock, daemon.every_minute


class Bell:
    """The last number heard. A daemon hears of it beside the tick of the real minute, which goes on."""

    heard = 0

    def every_minute(self, ring: Callable[[], Any]) -> Any:
        """What the daemon asks for; and the loop listens to standard input as well."""
        loop = asyncio.get_running_loop()

        def hear() -> None:
            if lines := os.read(sys.stdin.fileno(), 4096).split():
                self.heard = int(lines[-1])
                self.ringing = asyncio.ensure_future(ring())
            else:
                loop.remove_reader(sys.stdin.fileno())
                signal.raise_signal(signal.SIGTERM)

        loop.add_reader(sys.stdin.fileno(), hear)
        return _every_minute(ring)

    def cron(self) -> None:
        """A command for each line; one that fails ends the program."""
        for line in sys.stdin:
            self.heard = int(line)
            try:
                main()
            except SystemExit as ended:
                if ended.code:
                    raise


def work(command: str, clock: Path, holder: Path) -> None:
    """Be that command until standard input ends."""
    bell = Bell()

    def now() -> int:
        return int(clock.read_text())

    def run(app: App, *arguments: Any) -> RunReport:
        heard = bell.heard
        report = _run(app, *arguments)
        os.write(sys.stdout.fileno(), b"%d\n" % heard)
        return report

    @contextmanager
    def lock(app: App) -> Iterator[None]:
        with _lock(app):
            holder.write_text(str(os.getpid()))
            yield

    sys.argv = ["digest", command]
    with (
        patch.object(App, "run", run),
        patch.object(App, "lock", lock),
        patch("digest.app.system_clock", now),
        patch.object(serve, "system_clock", now),
        patch.object(daemon, "every_minute", bell.every_minute),
        patch.object(store, "_POLL_SECONDS", 0.005),
    ):
        bell.cron() if command == "run" else main()


class Process:
    """One program, as its parent sees it: a queue is told what it writes, and of its end by an empty line."""

    def __init__(self, name: str, command: str, place: Workplace, told: Queue[tuple[Process, str]]) -> None:
        self.errors = place.folder / f"{name}.stderr"
        self._arguments = [__file__, command, "clock", "holder"]
        self._place, self._told = place, told
        self.start()

    def start(self) -> None:
        with self.errors.open("ab") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._place.environment(),
                cwd=self._place.folder,
                text=True,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout
        with self.popen.stdout as lines:
            for line in lines:
                self._told.put((self, line.strip()))
        self._told.put((self, ""))

    def ring(self, number: int) -> None:
        assert self.popen.stdin
        with suppress(BrokenPipeError):  # it was killed; its end is on the way
            self.popen.stdin.write(f"{number}\n")
            self.popen.stdin.flush()

    def end(self) -> int:
        """Tell it to end, wait, and return the exit code."""
        assert self.popen.stdin
        with suppress(BrokenPipeError):
            self.popen.stdin.close()
        self._reader.join(_PATIENCE)
        return self.popen.wait(_PATIENCE)


if __name__ == "__main__":
    work(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
