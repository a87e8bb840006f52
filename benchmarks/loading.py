"""Seconds and megabytes for `digest load` of very many papers, and how fast each format is read beside other readers.

    python benchmarks/loading.py [--entries 100000] [--format NAME …] [--records 2000] [--json]

Each format is loaded into a new database by a program of its own: a first time, and then the same papers in the next
format, of which none may be new. `CPU` is seconds of the processor, which other programs of the machine do not change;
`peak` is the most memory the program ever had.

Reading is measured in rounds in which Digest and every peer take their turn on the same bytes; CPU time, medians of
three rounds. `ratio` is Digest's rate to the peer's. A peer does less (see peers/parsing.py).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from bulk import FORMATS, write
from peers.parsing import PEERS, Peer

from digest.listings import Origin, read

DIGEST = "Digest"
LOADED = ("jsonl", "rss", "csv", "bibtex", "arxiv-mail")
ROUNDS = 3
_ROOT = str(Path(__file__).resolve().parents[1])
_ANY_DAY = Origin(date(2026, 1, 1))
_CONFIG = """\
[store]
url = "sqlite:///loading.db"
[listings]
paths = ["listings"]
settle_seconds = 0
max_megabytes = 2000
[sender]
address = "digest@example.org"
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One `digest load`: what came of it, in seconds and megabytes."""

    format: str
    time: str
    entries: int
    new: int
    size: float
    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Read:
    """How fast a format is read, in records a second of the CPU."""

    format: str
    reader: str
    rate: float
    ratio: float


def loads(names: Sequence[str], count: int) -> Iterator[Load]:
    """Load each format first, and then the same papers in the next one that there is."""
    known = list(FORMATS)
    for name in names:
        with TemporaryDirectory() as folder:
            home = Path(folder)
            (home / "listings").mkdir()
            (home / "digest.toml").write_text(_CONFIG)
            yield _load(home, name, "first", count)
            yield _load(home, known[(known.index(name) + 1) % len(known)], "second", count)


def _load(home: Path, name: str, time: str, count: int) -> Load:
    file = home / "listings" / f"{time}.{name}"
    write(file, name, count)
    said, *cost = _run(home, "load", "--json")
    (loaded,) = said["files"]
    new = count if time == "first" else 0
    if (loaded["entries"], loaded["new"]) != (count, new):
        sys.exit(f"{name}: {new:,} of {count:,} entries are new, but digest says {loaded}")
    return Load(name, time, count, new, file.stat().st_size / 1e6, *cost)


def _run(home: Path, *arguments: str) -> tuple[Any, float, float, float]:
    """What `digest` says, its seconds, those of the CPU, and its peak of memory in megabytes."""
    start = perf_counter()
    command = [sys.executable, "-c", "from digest.cli import main; main()", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=home, env=os.environ | {"PYTHONPATH": _ROOT}) as process:
        assert process.stdout
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return json.loads(said), perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def reads(count: int) -> Iterator[Read]:
    """Every reader of every format on the same bytes."""
    with TemporaryDirectory() as folder:
        for name, peers in PEERS.items():
            file = Path(folder) / name
            write(file, name, count)
            yield from _compared(name, file.read_bytes(), peers)


def _compared(name: str, content: bytes, peers: Sequence[tuple[str, Peer]]) -> Iterator[Read]:
    readers = {DIGEST: _by_digest} | {peer: by for peer, by in peers if _installed(peer, by)}
    rounds = [{reader: _rate(by, content) for reader, by in readers.items()} for _ in range(ROUNDS)]
    for reader in readers:
        ratio = median(one[DIGEST] / one[reader] for one in rounds)
        yield Read(name, reader, median(one[reader] for one in rounds), ratio)


def _by_digest(content: bytes) -> int:
    return len(read(content, _ANY_DAY).entries)


def _installed(name: str, peer: Peer) -> bool:
    try:
        peer(b"")
    except ImportError:
        print(f"{name}: left out, it is not installed", file=sys.stderr)
        return False
    except Exception:  # noqa: BLE001 - what it thinks of an empty file does not matter
        return True
    return True


def _rate(by: Peer, content: bytes) -> float:
    start = process_time()
    return by(content) / (process_time() - start)


def report(loaded: Iterable[Load], compared: Iterable[Read]) -> None:
    """Say every figure as soon as it is there."""
    print(f"{'load':12}{'':8}{'entries':>10}{'new':>10}{'file, MB':>10}{'seconds':>10}{'CPU, s':>10}{'peak, MB':>10}")
    for one in loaded:
        figures = f"{one.entries:10,}{one.new:10,}{one.size:10,.0f}{one.seconds:10.1f}{one.cpu:10.1f}{one.peak:10,.0f}"
        print(f"{one.format:12}{one.time:8}{figures}", flush=True)
    print(f"\n{'read':12}{'reader':20}{'records/s':>12}{'ratio':>8}")
    for row in compared:
        print(f"{row.format:12}{row.reader:20}{row.rate:12,.0f}{row.ratio:8.2f}", flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000, metavar="N", help="to load; 0: load none")
    parser.add_argument("--format", nargs="+", choices=FORMATS, default=LOADED, metavar="NAME")
    parser.add_argument("--records", type=int, default=2_000, metavar="N", help="to read beside others; 0: none")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    loaded = loads(options.format, options.entries) if options.entries else iter(())
    compared = reads(options.records) if options.records else iter(())
    if options.json:
        print(json.dumps({"loads": [*map(asdict, loaded)], "reads": [*map(asdict, compared)]}, indent=2))
    else:
        report(loaded, compared)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
