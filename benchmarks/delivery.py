"""Mails per second, Digest's and other senders', side by side in one run.

    python benchmarks/delivery.py [--rounds 3] [--seconds 2] [--only NAME …] [--no-sinks] [--delays [MS …]]
                                  [--waiting [EDITIONS]] [--json FILE]

Every sender hands the same message, an edition of ten entries, to Postfix's smtp-sink and to a leaner sink of our own,
over CONNECTIONS connections. In a round all take their turn, so that a machine that slows down slows all of them;
medians of the rounds are shown. Connecting is not counted. `ratio` is to the round's smtp-source, Postfix's load
generator, which is written in C and sends many messages over a connection. `ms` are client CPU milliseconds per 1,000
messages.

With --delays, a proxy makes loopback as slow as a relay that is so many milliseconds of round trip away (default: 20
and 80), and `share` is the rate × delay / connections: 1 where each connection sends one message a round trip.
With --waiting, Digest in full sends so many editions (default: 100,000), and says how much memory it took.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Timer
from time import perf_counter

import backlog
import ready
import sink
from delay import delayed
from lean import Sink, lean_sink
from peers import nodemailer
from rows import COLD, REFERENCE, ROWS, Row
from sending import Cost, Load

CONNECTIONS = 8
DISTANT_CONNECTIONS = (16, 64)
ROUND_TRIPS = 40
"""At least so many fit into a measurement: the first and the last of them carry no message to its end."""
PATIENCE = 300
"""Seconds after which a sender is stuck."""

Taker = Callable[[], AbstractContextManager[Sink]]
"""What starts a sink."""


@dataclass(frozen=True, slots=True)
class Result:
    """A row of a table: medians of the rounds."""

    table: str
    name: str
    rate: float
    ratio: float
    ms: float


def spend(command: Sequence[str]) -> Cost:
    """Run a sender: its own account of what it took, or ours if it gives none."""
    start = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=nodemailer.environment()) as process:
        guard = Timer(PATIENCE, process.kill)
        guard.start()
        assert process.stdout
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        guard.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    if said:
        return Cost(**json.loads(said))
    return Cost(perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@contextmanager
def postfix() -> Iterator[Sink]:
    """Postfix's smtp-sink."""
    with sink.sink() as port:
        yield Sink(port)


@contextmanager
def far(milliseconds: float) -> Iterator[Sink]:
    """The lean sink, so many milliseconds away."""
    with lean_sink() as lean, delayed(lean.port, milliseconds) as proxy:
        lean.port = proxy
        yield lean


@dataclass(slots=True)
class Bench:
    """One table: the sink, the number of connections, and what each row did in each round."""

    title: str
    sink: Taker
    connections: int
    folder: Path
    seconds: float

    def once(self, row: Row, count: int) -> Cost:
        """Send so many messages."""
        if row.planned:
            backlog.plan(self.folder, count + backlog.DISTINCT)
        with self.sink() as taker:
            cost = spend(row.command(Load(taker.port, self.connections, count, self.folder)))
        assert taker.messages is None or taker.messages >= count, f"{row.name}: {taker.messages} of {count} arrived"
        return cost

    def enough(self, row: Row) -> int:
        """How many messages take so many seconds; 0 if the sender does not work."""
        count = 4 * self.connections
        try:
            while (cost := self.once(row, count)).seconds < self.seconds / 8:
                count *= 8
        except subprocess.CalledProcessError as error:
            print(f"{row.name} is left out: {error}", file=sys.stderr)
            return 0
        return max(self.connections, round(count / cost.seconds * self.seconds))

    def rounds(self, rows: Sequence[Row], number: int) -> list[dict[str, tuple[float, float]]]:
        """For each round, each row's rate and its client CPU seconds a message."""
        counts = {row: count for row in rows if (count := self.enough(row))}
        return [
            {row.name: (count / cost.seconds, cost.cpu / count) for row, count, cost in self._round(counts)}
            for _ in range(number)
        ]

    def _round(self, counts: dict[Row, int]) -> Iterator[tuple[Row, int, Cost]]:
        for row, count in counts.items():
            yield row, count, self.once(row, count)


def measure(bench: Bench, rows: Sequence[Row], number: int, unit: float | None = None) -> list[Result]:
    """The rows' medians; ratios to the unit, or to the first row if there is none."""
    rounds = bench.rounds(rows, number)
    results = []
    for name in rounds[0]:
        rate = median(each[name][0] for each in rounds)
        ratio = median(each[name][0] / (unit or each[rows[0].name][0]) for each in rounds)
        cpu = median(each[name][1] for each in rounds)
        results.append(Result(bench.title, name, rate, ratio, cpu * 1e6))
    return results


def show(title: str, results: Sequence[Result], last: str) -> None:
    """One table."""
    print(f"\n{title:<56}{'a second':>10}{last:>8}{'ms':>8}")
    for one in results:
        print(f"  {one.name:<54}{one.rate:>10,.0f}{one.ratio:>8.2f}{one.ms:>8,.0f}", flush=True)


def near(options: argparse.Namespace, folder: Path, rows: Sequence[Row]) -> list[Result]:
    """The tables without a delay."""
    sinks: dict[str, Taker] = {"smtp-sink": postfix} if sink.SINK else {}
    sinks["lean sink"] = lean_sink
    found = []
    for name, start in sinks.items():
        able = [row for row in rows if not row.chunking or name == "lean sink"]
        bench = Bench(name, start, CONNECTIONS, folder, options.seconds)
        results = measure(bench, [REFERENCE, *able], options.rounds)
        show(f"{name}, {CONNECTIONS} connections", results, "ratio")
        found += results
    return found


def distant(options: argparse.Namespace, folder: Path, rows: Sequence[Row]) -> list[Result]:
    """The tables with a delay."""
    found = []
    for milliseconds in options.delays:
        for connections in DISTANT_CONNECTIONS:
            title = f"{milliseconds:g} ms away, {connections} connections"
            seconds = max(options.seconds, ROUND_TRIPS * milliseconds / 1_000)
            bench = Bench(title, partial(far, milliseconds), connections, folder, seconds)
            results = measure(bench, rows, options.rounds, connections / milliseconds * 1_000)
            show(title, results, "share")
            found += results
    return found


def remember(waiting: int, folder: Path) -> None:
    """What memory Digest in full takes, with few and with many editions that wait."""
    print()
    bench = Bench("", lean_sink, CONNECTIONS, folder, 0.0)
    for count in (1_000, waiting):
        cost = bench.once(COLD, count)
        rate, most = count / cost.seconds, cost.megabytes
        print(f"{count:>9,} editions wait: {rate:,.0f} a second from a cold start, at most {most:,.0f} MB of memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="rows with one of these in their names")
    parser.add_argument("--sinks", action=argparse.BooleanOptionalAction, default=True, help="the tables without delay")
    parser.add_argument("--delays", type=float, nargs="*", metavar="MS")
    parser.add_argument("--waiting", type=int, nargs="?", const=100_000, default=0, metavar="EDITIONS")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.delays = [] if options.delays is None else options.delays or [20.0, 80.0]
    rows = [row for row in ROWS if any(word in row.name for word in options.only)]
    if reason := nodemailer.ready():
        print(f"without nodemailer: {reason}")
        rows = [row for row in rows if "nodemailer" not in row.name]
    with TemporaryDirectory() as name:
        size = ready.write(Path(name))
        print(f"{size:,} octets a message; medians of {options.rounds} rounds of about {options.seconds:g} s")
        results = near(options, Path(name), rows) if options.sinks else []
        results += distant(options, Path(name), [row for row in (REFERENCE, *rows) if row.distant])
        if options.waiting:
            remember(options.waiting, Path(name))
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1))


if __name__ == "__main__":
    main()
