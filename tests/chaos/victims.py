"""Commands to be killed: forked from a process that has imported the program, for a start of Python takes a second.

As a script this is that process. A line of JSON on standard input asks for a child (`folder`, `arguments`, `patches`)
and is answered with its process id; `reap` asks for the exit status of one that has ended. Nothing is reaped unasked,
so a process id stays with its process until the test has done with it.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from unittest.mock import patch

if TYPE_CHECKING:
    from workplace import Workplace

PATIENCE = 120
_TRACE_SECONDS = 0.1
_PHASES = (  # the first that is found in the stack, top to bottom, is the phase
    ("recover", r" in recover$"),
    ("load", r"/digest/(intake|listings/\w+)\.py"),
    ("render", r"/digest/(press|rendering/\w+)\.py.* in (?!__init__)"),
    ("deliver", r"/digest/delivery/|/asyncio/"),
    ("plan", r"/digest/(planning|matching/\w+)\.py"),
    ("between", r"/digest/(pipeline|app|watchdog|faults|config)\.py"),
)
"""The program is asked where it is by its stack alone, so it needs no hook for this."""
_PRELOADED = (
    "digest.cli.commands",
    "digest.cli.run",
    "digest.cli.serve",
    "digest.schedule.daemon",
    "alembic.command",
    "email.policy",
)


class Victim:
    """A command under way. `reap` gives its exit code when it has ended, negative for a signal."""

    def __init__(self, pid: int, reap: Callable[[int], int], trace: Path | None = None) -> None:
        self.pid, self._reap, self._trace = pid, reap, trace
        self._handle = os.pidfd_open(pid)
        self._code: int | None = None

    def ended(self, seconds: float) -> bool:
        """Whether it has ended, or does so within that time."""
        return self._code is not None or bool(select.select([self._handle], [], [], seconds)[0])

    def code(self, patience: float = PATIENCE) -> int:
        """Wait for the end, and return the exit code."""
        if self._code is None:
            if not self.ended(patience):
                self.signal(signal.SIGKILL)
                raise AssertionError(f"{self.phase()}: it does not end")
            self._code = self._reap(self.pid)
            os.close(self._handle)
        return self._code

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> int:
        """End it as it stands; return the exit code, which is not -9 if it was quicker."""
        self.signal(signal.SIGKILL)
        return self.code()

    def phase(self) -> str:
        """What it is doing, in a word."""
        if not self._trace:
            return "process"
        self._trace.write_bytes(b"")
        self.signal(signal.SIGUSR1)
        end = time.monotonic() + _TRACE_SECONDS
        while not self.ended(0.0002) and time.monotonic() < end:
            if self._trace.stat().st_size:
                break
        return phase_of(self._trace.read_text(errors="replace"))


def phase_of(stack: str) -> str:
    """The phase that a stack shows."""
    return next((name for name, sign in _PHASES if re.search(sign, stack, re.MULTILINE)), "start")


class Victims:
    """Starts victims in a workplace."""

    def __init__(self, server: subprocess.Popen[str], trace: Path) -> None:
        self._server, self._trace = server, trace

    def start(self, place: Workplace, *arguments: str, patches: Mapping[str, Any] | None = None) -> Victim:
        """Run a command in a forked child; `patches` are names in the program and what they are to be."""
        order = {"folder": str(place.folder), "arguments": arguments, "patches": dict(patches or {})}
        return Victim(self._ask(order), lambda pid: self._ask({"reap": pid}), self._trace)

    def _ask(self, order: Mapping[str, Any]) -> int:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


def executed(place: Workplace, *arguments: str) -> Victim:
    """The same command by a real start of Python, as cron does it."""
    from workplace import DIGEST

    with (place.folder / "victims.log").open("ab") as log:
        process = subprocess.Popen(
            [*DIGEST, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=place.environment(),
            cwd=place.folder,
        )
    return Victim(process.pid, lambda _: process.wait())


@contextmanager
def victims(folder: Path) -> Iterator[Victims]:
    """A process to fork from, for the length of a `with` block; the folder holds the traces."""
    from workplace import REPOSITORY

    trace = folder / "trace"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, __file__, str(trace)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True) as server:
        try:
            yield Victims(server, trace)
        finally:
            assert server.stdin
            server.stdin.close()
            server.wait(PATIENCE)


def _serve(trace: str) -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    living = set[int]()
    # Before any fork, or a victim just born would die of the question where it is.
    with Path(trace).open("ab", buffering=0) as file:
        faulthandler.register(signal.SIGUSR1, file, all_threads=False)
        for line in sys.stdin:
            order = json.loads(line)
            if "reap" in order:
                living.remove(order["reap"])
                answer = os.waitstatus_to_exitcode(os.waitpid(order["reap"], 0)[1])
            elif answer := os.fork():
                living.add(answer)
            else:
                _become(**order)
            os.write(sys.stdout.fileno(), b"%d\n" % answer)
    for pid in living:  # of a test that failed
        os.kill(pid, signal.SIGKILL)


def _become(folder: str, arguments: list[str], patches: dict[str, Any]) -> NoReturn:
    """Be the command, and end."""
    code = 70
    try:
        os.chdir(folder)
        log = os.open("victims.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for old, new in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(old, new)
        code = _run(["digest", *arguments], patches)
    except BaseException:  # noqa: BLE001 (whatever it is: a child must not go on as its parent)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(argv: list[str], patches: dict[str, Any]) -> int:
    from digest.cli import main

    sys.argv = argv
    for name, value in patches.items():
        patch(name, value).start()
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
