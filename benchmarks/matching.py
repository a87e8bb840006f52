"""Subscribers matched per second, beside other engines in the same run.

    python benchmarks/matching.py [--listings PATH ...] [--sizes N ...] [--json]

Every subscriber has ten keywords and gets the ten best entries. Without --listings, the files in ../shared/listings are
read. Each engine runs in a process of its own; peers get as many subscribers as they can do in seconds, since their
time is per subscriber. What is done once per window or keyword (index, parse, evaluate) is shown apart from what is
done for each subscriber; "in all" counts both.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

from peers import matching as peers

from digest.listings import Origin, read
from digest.matching import Frequencies, Reader, Selector
from digest.matching.rank import rank_rows
from digest.model import Entry, Profile

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


def ours(entries: Sequence[Entry], subscribers: int, *, reasons: bool = False) -> dict[str, float]:
    """Seconds by stage; `rank` is spent on each subscriber, the others once per window or when keywords change."""
    known = peers.keywords(
        [f"{entry.title} {entry.abstract}" for entry in entries], min(MOST_DISTINCT, subscribers * 5)
    )
    frequencies = Frequencies.count(entries)
    stages = dict.fromkeys(("index", "parse", "evaluate", "rank"), 0.0)
    clock = partial(_add, stages)
    start = perf_counter()
    selector = Selector(entries, lambda _: frequencies)
    clock("index", start)
    for rows in peers.choices(len(known), subscribers, EACH):
        readers = [
            Reader((Profile("keywords", tuple([known[number] for number in row])),), most=EACH) for row in rows.tolist()
        ]
        start = perf_counter()
        numbers = [[selector.table.numbers(profile) for profile in reader.profiles] for reader in readers]
        start = clock("parse", start)
        selector.table.matrix()
        start = clock("evaluate", start)
        if reasons:
            for _ in selector.select(readers, more=0):
                pass
        else:
            rank_rows(selector.table, numbers, readers, EACH)
        clock("rank", start)
    return stages


def _add(stages: dict[str, float], stage: str, start: float) -> float:
    now = perf_counter()
    stages[stage] += now - start
    return now


def measure_ours(entries: Sequence[Entry], subscribers: int, reasons: bool) -> Figure:
    stages = ours(entries, subscribers, reasons=reasons)
    name = "ours, with reasons" if reasons else "ours"
    return _figure(name, subscribers, sum(stages.values()) - stages["rank"], stages["rank"], stages)


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
    figures += [apart(3 if size <= 100_000 else 1, measure_ours, entries, size, False) for size in sizes]
    return [*figures, apart(1, measure_ours, entries, sorted(sizes)[len(sizes) // 2], True)]


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
