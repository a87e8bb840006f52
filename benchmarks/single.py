"""What one subscriber pays for a program that is made for a million: `digest run` as cron calls it.

    python benchmarks/single.py [--entries 300] [--rounds 5] [--json]

Three runs, each a process of its own on a folder of its own, with a relay on loopback that takes every mail:

first     there is no database yet, and there are listings: tables are made, and a mail is sent
day       the database is there, and new listings: a mail is sent
nothing   the same again: nothing is new

Medians. `CPU` is seconds of the processor, which other programs of the machine do not change; `peak` is the most memory
that the run ever had. `imports` are seconds in a further run of the day under `python -X importtime`, which makes them
a little slower than they are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from crowd import listing
from sink import sink

from digest.listings import Origin, read

_ROOT = Path(__file__).resolve().parents[1]
SAMPLES = _ROOT / "digest" / "samples" / "listings"
_ANY_DAY = Origin(date(2026, 1, 1))
_RUN = ("-c", "from digest.cli import main; main()", "run", "--json")
_SELF = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)
_CONFIG = """\
[listings]
paths = ["listings"]
settle_seconds = 0
[smtp]
port = {port}
tls = "none"
[sender]
address = "digest@example.org"
[[subscribers]]
email = "ada@example.org"
keywords = ["language models", "reinforcement learning", "diffusion", "retrieval", "agents"]
"""


class Run(NamedTuple):
    """One process: how many mails it sent, its seconds, those of the CPU, and its peak of memory in megabytes."""

    sent: int
    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Case:
    """Medians of several runs."""

    name: str
    seconds: float
    cpu: float
    peak: float
    imports: float | None


def measure(count: int, rounds: int, port: int) -> Iterator[Case]:
    """Each of the three, with so many entries."""
    with TemporaryDirectory() as folder:
        home = _Home(Path(folder), count, port)
        runs: dict[str, list[Run]] = {"first": [], "day": [], "nothing": []}
        home.first()  # once for nothing: Python writes down what it compiled
        for _ in range(rounds):
            runs["first"].append(home.first())
            runs["day"].append(home.day())
            runs["nothing"].append(home.run())
        imports = median(home.imports() for _ in range(rounds))
    for name, found in runs.items():
        if {run.sent for run in found} != {int(name != "nothing")}:
            sys.exit(f"{name}: the runs sent {[run.sent for run in found]} mails")
        seconds, cpu, peak = (median(run[place] for run in found) for place in (1, 2, 3))
        yield Case(name, seconds, cpu, peak, imports if name == "day" else None)


class _Home:
    """The folder of one operator."""

    def __init__(self, folder: Path, count: int, port: int) -> None:
        self._folder, self._listing = folder, folder / "listings" / "papers.jsonl"
        self._listing.parent.mkdir()
        (folder / "digest.toml").write_text(_CONFIG.format(port=port))
        sample = [one for file in sorted(SAMPLES.iterdir()) for one in read(file.read_bytes(), _ANY_DAY).entries]
        self._papers = listing(sample, count)
        self._variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._variables |= {"PYTHONPATH": str(_ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}

    def first(self) -> Run:
        """With nothing but the configuration and listings."""
        self._forget()
        self._listing.write_text(self._papers)
        return self.run()

    def day(self) -> Run:
        """With a database that is up to date, and new listings."""
        self._prepare()
        return self.run()

    def run(self) -> Run:
        """As it is."""
        start = perf_counter()
        with self._started(*_RUN, stdout=subprocess.PIPE) as process:
            assert process.stdout
            said = process.stdout.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, _RUN)
        seconds = perf_counter() - start
        return Run(json.loads(said)["sent"], seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def imports(self) -> float:
        """Seconds that a day's run spends in imports."""
        self._prepare()
        with self._started("-X", "importtime", *_RUN, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr
            told = process.stderr.read().decode()
        return sum(map(int, _SELF.findall(told))) / 1e6

    def _prepare(self) -> None:
        """A database without entries, and a listing."""
        self._forget()
        self.run()
        self._listing.write_text(self._papers)

    def _forget(self) -> None:
        self._listing.unlink(missing_ok=True)
        for file in self._folder.glob("digest.db*"):
            file.unlink()

    def _started(self, *arguments: str, stdout: int, stderr: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )


def report(cases: Sequence[Case]) -> None:
    """A table."""
    print(f"{'run':10}{'seconds':>9}{'CPU':>7}{'peak MB':>9}{'imports':>9}")
    for case in cases:
        imports = f"{case.imports:9.2f}" if case.imports else ""
        print(f"{case.name:10}{case.seconds:9.2f}{case.cpu:7.2f}{case.peak:9.0f}{imports}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300, help="how many a listing has")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(arguments)
    with sink() as port:
        cases = list(measure(asked.entries, asked.rounds, port))
    if asked.json:
        print(json.dumps([asdict(case) for case in cases], indent=2))
    else:
        report(cases)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
