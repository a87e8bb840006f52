"""Seconds and megabytes of every step for very many subscribers, how they grow, and what others take.

    python benchmarks/million.py [--subscribers 10000 100000 1000000] [--entries 1000 300 10000] [--days 1 7]
                                 [--deliver 200000] [--sink lean|postfix] [--peers SECONDS] [--listings PATH]
                                 [--folder PATH] [--json FILE] [--quick]

Each subscriber has one to three profiles with 5 to 20 keywords, drawn from 200,000 by Zipf's law, a tenth of them
boolean, phrases, prefixes or exclusions, and lives in one of all time zones. Everybody is due at once. Listings of the
first day are real where there are some, and then of the same words.

Every step is a program of its own: `digest subscribers import`, `digest load`, a plan, a delivery; then the same with a
thousand changed subscribers and one more day of entries, and once more when nobody is due. `seconds` and `CPU` include
the start of the program. Each number grows while the others stay at the first one given (subscribers: the middle one).
Others match, or do all of it in a plain loop, for so many seconds; ≈ marks what is reckoned from that.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import Any

from growth import Beside, Case, Cost, Figure, beside, growth, heads, lines, whole
from lean import lean_sink
from programs import Spent, digest, step, supply
from sink import sink

_HERE = Path(__file__).resolve().parent
SHARED = _HERE.parents[1] / "shared" / "listings"
QUICK: Mapping[str, Any] = {
    "subscribers": [700, 1_400],
    "entries": [40],
    "days": [1],
    "deliver": 400,
    "peers": 0.05,
    "distinct": 3_000,
}
MATCHERS = ("SQLite FTS5", "scikit-learn TF-IDF", "tantivy", "substring counting")
MATCHING = ("index", "parse", "evaluate", "rank", "reasons")
_DAY = 86_400
_PLAN, _NEXT = 8 * _DAY, 15 * _DAY
"""After the import: everybody's slot is once a week, on the day three days after it, so one slot is before each."""
_LOOP = 20_000, 1_000
"""Subscribers whom the plain loop imports; for whom it plans and delivers."""
_CONFIG = """\
[store]
url = "sqlite:///million.db"
[listings]
paths = ["listings"]
settle_seconds = 0
max_megabytes = 2000
[sender]
address = "digest@example.org"
[web]
url = "https://digest.example.org"
secrets = ["a secret to measure with"]
"""


@dataclass(slots=True)
class Bench:
    """All that is measured; `figures` and `others` fill as it runs."""

    root: Path
    options: argparse.Namespace
    figures: list[Figure] = field(default_factory=list)
    others: list[Beside] = field(default_factory=list)

    def run(self, cases: Sequence[Case]) -> None:
        """Measure every case, those of equally many subscribers on copies of one database."""
        for count in dict.fromkeys(case.subscribers for case in cases):
            mine = [case for case in cases if case.subscribers == count]
            home = self.root / str(count)
            home.mkdir()
            imported, begun = self._import(home, mine[0])
            for case in mine:
                one = Run(_copied(home, self.root / "run"), case, begun, self.options)
                self._note(case, chain([replace(imported, case=case)], one.steps()))
                if self.options.peers and case.subscribers == cases[0].subscribers:
                    self.others += one.matchers()
                if self.options.peers and case == cases[0]:
                    self.others += one.loop()
                shutil.rmtree(one.folder)
            shutil.rmtree(home)

    def _note(self, case: Case, measured: Iterable[Figure]) -> None:
        """Keep each figure, and say it as soon as it is there."""
        print(heads(case), flush=True)
        mine = []
        for one in measured:
            mine.append(one)
            print("\n".join(lines(one)), flush=True)
        print(whole(mine), flush=True)
        self.figures += mine

    def _import(self, home: Path, case: Case) -> tuple[Figure, int]:
        """Make a crowd and import it; return when that was, too."""
        (home / "listings").mkdir()
        (home / "digest.toml").write_text(_CONFIG)
        begun = int(time())
        slot = datetime.fromtimestamp(begun, UTC) + timedelta(days=3)
        supply(home, "people", self.options.listings, case.subscribers, f"{slot:%a}".lower(), self.options.distinct)
        took = digest(home, "subscribers", "import", "people.csv", faults=1)
        return _imported(case, "import", took, home), begun


def _imported(case: Case, name: str, took: Spent, folder: Path) -> Figure:
    counts = re.search(r"([\d,]+) added, ([\d,]+) changed, ([\d,]+) refused", took.said)
    assert counts, took.said
    added, changed, refused = (int(number.replace(",", "")) for number in counts.groups())
    if refused:
        print(f"{refused:,} subscribers were refused", file=sys.stderr)
    return Figure(case, name, took.cost, added + changed, database=_size(folder))


def _size(folder: Path) -> float:
    """Of the database, in megabytes."""
    return (folder / "million.db").stat().st_size / 1e6


def _copied(home: Path, folder: Path) -> Path:
    shutil.copytree(home, folder)
    return folder


@dataclass(frozen=True, slots=True)
class Run:
    """One case, in a folder of its own."""

    folder: Path
    case: Case
    begun: int
    options: argparse.Namespace

    def steps(self) -> Iterator[Figure]:
        """What a day takes, and the next one."""
        yield self._load("load", range(self.case.days), self.begun)
        yield self._plan("plan", self.begun + _PLAN)
        yield self._deliver()
        step(self.folder, "settle")
        changed = digest(self.folder, "subscribers", "import", "changes.csv", faults=1)
        yield _imported(self.case, "import of changes", changed, self.folder)
        days = self.case.days
        yield self._load("load of the next day", range(days, days + 1), self.begun + _PLAN)
        yield self._plan("plan of the next slot", self.begun + _NEXT)
        yield self._plan("plan, nobody is due", self.begun + _NEXT)

    def _load(self, name: str, days: range, since: int) -> Figure:
        """Load the listings of some days, each by a program of its own, a day apart."""
        took = []
        for apart, number in enumerate(days):
            supply(self.folder, "day", self.options.listings, self.case.entries, number)
            now = datetime.fromtimestamp(since + apart * _DAY, UTC)
            took.append(digest(self.folder, "load", "--json", "--now", now.isoformat(timespec="seconds")))
        done = sum(one.told["new_entries"] for one in took)
        cost = sum((one.cost for one in took), Cost())
        return Figure(self.case, name, cost, done, database=_size(self.folder))

    def _plan(self, name: str, now: int) -> Figure:
        took = step(self.folder, "plan", now)
        told = took.told
        if told["untimed"]:
            print(f"not there, so timed with the rest: {', '.join(told['untimed'])}", file=sys.stderr)
        parts = told["parts"] if told["done"] else {}
        return Figure(self.case, name, took.cost, told["done"], database=_size(self.folder), parts=parts)

    def _deliver(self) -> Figure:
        with self._sink() as port:
            (self.folder / "digest.toml").write_text(f'{_CONFIG}[smtp]\nport = {port}\ntls = "none"\nconnections = 8\n')
            took = step(self.folder, "deliver", self.begun + _PLAN, self.options.deliver)
        told = took.told
        done, waiting, size = told["done"], told["waiting"], _size(self.folder)
        return Figure(self.case, "deliver", took.cost, done, waiting, size, memory=told["memory"])

    @contextmanager
    def _sink(self) -> Iterator[int]:
        if self.options.sink == "postfix":
            with sink() as port:
                yield port
        else:
            with lean_sink() as lean:
                yield lean.port

    def matchers(self) -> Iterator[Beside]:
        """Engines that match, and do no more."""
        wanted = self.options.peers, self.options.distinct
        for name in MATCHERS:
            try:
                took = supply(self.folder, "matcher", name, self.options.listings, *wanted)
            except subprocess.CalledProcessError:
                print(f"{name}: left out, it does not run", file=sys.stderr)
                continue
            told = took.told
            yield Beside(f"{name}, matching", self.case, told["done"], told["once"], told["each"], took.cost.peak)

    def loop(self) -> Iterator[Beside]:
        """The plain loop, step by step."""
        with self._sink() as port:
            for way, most in zip(("import", "plan", "deliver"), (_LOOP[0], _LOOP[1], _LOOP[1]), strict=True):
                count = min(self.case.subscribers, most)
                took = supply(self.folder, "plain", way, port, count)
                yield Beside(f"a plain loop, {way}", self.case, count, 0.0, took.cost.seconds, took.cost.peak)


def cases(subscribers: Sequence[int], entries: Sequence[int], days: Sequence[int]) -> list[Case]:
    """Each number once with each of the others at its standard, which comes first."""
    middle = sorted(subscribers)[len(subscribers) // 2]
    standard = Case(middle, entries[0], days[0])
    varied = [standard._replace(entries=each) for each in entries] + [standard._replace(days=each) for each in days]
    return list(dict.fromkeys([standard, *varied, *(standard._replace(subscribers=each) for each in subscribers)]))


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    with TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(Path(folder), options)
        bench.run(cases(options.subscribers, options.entries, options.days))
    for line in (*growth(bench.figures), *beside(bench.others, bench.figures, MATCHING)):
        print(line)
    if options.json:
        told = {"figures": [*map(asdict, bench.figures)], "others": [*map(asdict, bench.others)]}
        options.json.write_text(json.dumps(told, indent=1))
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], metavar="N")
    parser.add_argument("--entries", type=int, nargs="+", default=[1_000, 300, 10_000], metavar="N", help="a day")
    parser.add_argument("--days", type=int, nargs="+", default=[1, 7], metavar="N", help="that one plan looks at")
    parser.add_argument("--deliver", type=int, default=200_000, metavar="N", help="editions, at most")
    parser.add_argument("--sink", choices=("lean", "postfix"), default="lean")
    parser.add_argument("--peers", type=float, default=5.0, metavar="SECONDS", help="for each; 0: leave them out")
    parser.add_argument("--distinct", type=int, default=200_000, metavar="N", help="keywords to choose from")
    parser.add_argument("--listings", type=Path, default=SHARED, metavar="PATH", help="a folder")
    parser.add_argument("--folder", type=Path, help="where databases go (default: a temporary folder)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it works")
    options = parser.parse_args(arguments)
    if options.quick:
        parser.set_defaults(**QUICK)
        options = parser.parse_args(arguments)
    options.listings = options.listings.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
