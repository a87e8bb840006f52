"""Programs that million.py runs: commands of Digest, its other steps, and what stands beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from growth import Cost

_HERE = Path(__file__).resolve().parent
_BLOCK = 512  # octets, as Linux counts what is written


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program took, and what it said."""

    cost: Cost
    said: str

    @property
    def told(self) -> dict[str, Any]:
        """What it said, as JSON."""
        told: dict[str, Any] = json.loads(self.said)
        return told


def spend(folder: Path, *command: str, faults: int = 0) -> Spent:
    """Run a Python program to its end; `faults` is the exit code that is allowed beside 0.

    This program must stay small: a child begins with the peak of its parent.
    """
    start, environment = perf_counter(), {"PYTHONPATH": str(_HERE.parent)} | os.environ
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, cwd=folder, env=environment) as process:
        assert process.stdout
        said = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, faults):
        raise subprocess.CalledProcessError(process.returncode, command)
    seconds, cpu = perf_counter() - start, used.ru_utime + used.ru_stime
    return Spent(Cost(seconds, cpu, used.ru_maxrss / 1024, used.ru_oublock * _BLOCK / 1e6), said)


def digest(folder: Path, *arguments: str, faults: int = 0) -> Spent:
    """Run a command of Digest."""
    return spend(folder, "-c", "from digest.cli import main; main()", *arguments, faults=faults)


def step(folder: Path, name: str, *arguments: object) -> Spent:
    """Run one of steps.py."""
    return spend(folder, str(_HERE / "steps.py"), name, ".", *map(str, arguments))


def supply(folder: Path, name: str, *arguments: object) -> Spent:
    """Run one of supply.py."""
    return spend(folder, str(_HERE / "supply.py"), name, ".", *map(str, arguments))
