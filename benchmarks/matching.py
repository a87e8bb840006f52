"""Subscribers matched per second, beside other engines in the same run.

    python benchmarks/matching.py [--listings PATH ...] [--sizes N ...] [--json]

Every subscriber has ten keywords, in one profile or two, and gets the ten best entries. Without --listings, the files
in ../shared/listings are read. Each engine runs in a process of its own; peers get as many subscribers as they can do
in seconds, since their time is per subscriber. What is done once per window or keyword (index, parse, evaluate; tell,
the text of reasons) is shown apart from what is done for each subscriber (rank, with the reasons of every card); "in
all" counts both. Rates are by the clock, stages are CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray
from peers import matching as peers

from digest.listings import Origin, read
from digest.matching import Crowd, Frequencies, Selector
from digest.model import Entry

SHARED = Path(__file__).resolve().parents[2] / "shared" / "listings"
SIZES = (10_000, 100_000, 1_000_000)
EACH, MOST_DISTINCT = 10, 200_000
PEERS: dict[str, tuple[peers.Peer, int, str]] = {
    "SQLite FTS5": (peers.fts5, 2_000, "sqlite3"),
    "scikit-learn TF-IDF": (peers.tfidf, 20_000, "scikit-learn"),
    "tantivy": (peers.tantivy, 2_000, "tantivy"),
    "substring counting": (peers.substrings, 200, "python"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one engine: seconds spent once and for all subscribers, these by stage, and its process's peak in MB."""

    engine: str
    subscribers: int
    once: float
    each: float
    megabytes: float
    stages: dict[str, float]

    @property
    def rate(self) -> float:
        """Subscribers per second once all is ready."""
        return self.subscribers / self.each

    @property
    def rate_in_all(self) -> float:
        """Subscribers per second with what is done once."""
        return self.subscribers / (self.once + self.each)


class Stages:
    """Seconds by stage: `cpu` of this process, `wall` by the clock."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done in here belongs to this stage."""
        cpu, wall = process_time(), perf_counter()
        yield
        self.cpu[name] = self.cpu.get(name, 0.0) + process_time() - cpu
        self.wall[name] = self.wall.get(name, 0.0) + perf_counter() - wall


def ours(entries: Sequence[Entry], subscribers: int, profiles: int, *, reasons: bool) -> Stages:
    """All stages; `rank` is spent on each subscriber, the others once per window, keyword or pair of both."""
    texts = [f"{entry.title} {entry.abstract}" for entry in entries]
    known = peers.keywords(texts, min(MOST_DISTINCT, subscribers * 5))
    frequencies = Frequencies.count(entries)
    done = Stages()
    with done.stage("index"):
        selector = Selector(entries, lambda _: frequencies)
    with done.stage("parse"):
        rows = np.array(selector.table.add([(keyword, "near", True) for keyword in known]), dtype=np.int32)
    with done.stage("evaluate"):
        selector.table.evaluated()
    told: set[int] = set()
    for numbers in peers.choices(len(known), subscribers, EACH):
        with done.stage("rank"):
            cards, more = (EACH, 0) if reasons else (0, EACH)
            chosen = list(selector.choose(_crowd(rows[numbers], profiles, cards), more))
        with done.stage("tell"):
            for some in chosen:
                pairs = np.unique(some.row.astype(np.int64) * len(entries) + some.columns[some.card])
                new = np.array([pair for pair in pairs.tolist() if pair not in told], dtype=np.int64)
                told.update(new.tolist())
                selector.told(*(part.astype(np.int32) for part in np.divmod(new, len(entries))))
    return done


def _crowd(rows: NDArray[np.int32], profiles: int, cards: int) -> Crowd:
    """Subscribers (the rows) whose keywords are parted into so many profiles, all as long as they can be."""
    size, each = rows.shape
    bounds = np.append(np.add.outer(np.arange(size) * each, np.arange(profiles) * each // profiles), size * each)
    owner, nothing = np.repeat(np.arange(size), profiles), np.zeros(size, dtype=np.int64)
    return Crowd(rows.ravel(), bounds, owner, nothing, np.full(size, cards), nothing.astype(bool))


def measure_ours(entries: Sequence[Entry], subscribers: int, profiles: int, reasons: bool) -> Figure:
    done = ours(entries, subscribers, profiles, reasons=reasons)
    name = "ours" + (f", {profiles} profiles" if profiles > 1 else "") + (", reasons" if reasons else "")
    once = sum(done.wall.values()) - done.wall["rank"]
    return _figure(name, subscribers, once, done.wall["rank"], done.cpu)


def measure_peer(name: str, entries: Sequence[Entry]) -> Figure:
    engine, subscribers, _ = PEERS[name]
    texts = [f"{entry.title} {entry.abstract}" for entry in entries]
    known = [peers.plain(keyword).lower() for keyword in peers.keywords(texts, MOST_DISTINCT)]
    rows = (row for some in peers.choices(len(known), subscribers, EACH) for row in some.tolist())
    everyone = [[known[number] for number in row] for row in rows]
    once, each = engine(texts, everyone)
    return _figure(name, subscribers, once, each, {"index": once, "query": each})


def _figure(name: str, subscribers: int, once: float, each: float, stages: dict[str, float]) -> Figure:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figure(name, subscribers, once, each, peak, stages)


def apart(rounds: int, task: Callable[..., Figure], *arguments: object) -> Figure:
    """The round with the median rate, each in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        figures = [pool.submit(task, *arguments).result() for _ in range(rounds)]
    middle = median(figure.rate for figure in figures)
    return min(figures, key=lambda figure: abs(figure.rate - middle))


def load(paths: Sequence[Path]) -> list[Entry]:
    """The distinct entries of some listing files, numbered."""
    files = [file for path in paths for file in (sorted(path.glob("*")) if path.is_dir() else [path]) if file.is_file()]
    if not files:
        sys.exit(f"No listing in {', '.join(map(str, paths))}. Name some files: --listings PATH ...")
    found: dict[str, Entry] = {}
    for file in files:
        modified = datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
        found |= {entry.key: entry for entry in read(file.read_bytes(), Origin(modified)).entries}
    return [_numbered(entry, number) for number, entry in enumerate(found.values(), start=1)]


def _numbered(entry: Entry, number: int) -> Entry:
    return Entry(entry.keys, entry.title, entry.abstract, source=entry.source, number=number)


def run(entries: Sequence[Entry], sizes: Sequence[int]) -> list[Figure]:
    figures = []
    for name, (_, _, package) in PEERS.items():
        try:
            figures.append(apart(3, measure_peer, name, entries))
        except ModuleNotFoundError:
            print(f"{name}: left out, the package {package} is not installed", file=sys.stderr)
    for size in sizes:
        rounds = 3 if size <= 100_000 else 1
        figures += [apart(rounds, measure_ours, entries, size, *how) for how in ((1, False), (1, True), (2, True))]
    return figures


def report(figures: Sequence[Figure], entries: int) -> None:
    others = [figure for figure in figures if figure.engine in PEERS]
    best, best_in_all = max(one.rate for one in others), max(one.rate_in_all for one in others)
    print(f"{entries} entries, {EACH} keywords a subscriber, the best {peers.TOP} for each; × is to the best peer\n")
    heads = {
        "subscribers": 12,
        "once, s": 9,
        "each, /s": 12,
        "× each": 8,
        "in all, /s": 12,
        "× in all": 9,
        "peak, MB": 10,
    }
    print(f"{'engine':22}" + "".join(f"{head:>{width}}" for head, width in heads.items()))
    for one in figures:
        print(
            f"{one.engine:22}{one.subscribers:12,}{one.once:9.2f}{one.rate:12,.0f}{one.rate / best:8.1f}"
            f"{one.rate_in_all:12,.0f}{one.rate_in_all / best_in_all:9.1f}{one.megabytes:10,.0f}"
        )
    for one in figures:
        if one.engine not in PEERS:
            stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in one.stages.items())
            print(f"{one.engine}, {one.subscribers:,} subscribers: {stages}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=next(islice((__doc__ or "").splitlines(), 1)))
    parser.add_argument("--listings", nargs="+", type=Path, default=[SHARED], metavar="PATH")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, metavar="N")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    entries = load(options.listings)
    figures = run(entries, options.sizes)
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))
    else:
        report(figures, len(entries))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
