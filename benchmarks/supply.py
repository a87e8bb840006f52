"""What million.py needs beside Digest, each a program of its own: the crowd, the listings, and others to stand beside.

    python benchmarks/supply.py STEP FOLDER ARGUMENT...

It prints what it did as one line of JSON.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from crowd import listing, readers
from matching import load
from peers import loop
from peers import matching as peers

from digest.app import opened
from digest.model import Subscriber
from digest.store import entries

CHANGED = 1_000
"""How many change their profiles between the first plan and the second."""
_TRIED, _MOST = 10, 20_000
"""Subscribers with whom an engine shows how quick it is, and at most."""
MATCHERS: dict[str, peers.Peer] = {
    "SQLite FTS5": peers.fts5,
    "scikit-learn TF-IDF": peers.tfidf,
    "tantivy": peers.tantivy,
    "substring counting": peers.substrings,
}


def people(folder: Path, listings: str, count: str, days: str, distinct: str) -> dict[str, Any]:
    """Write a crowd as people.csv, and as changes.csv some of them, each with the profiles of the next one."""
    texts = _texts(listings)
    _write(folder / "people.csv", readers(int(count), texts, days, int(distinct)))
    some = islice(readers(int(count), texts, days, int(distinct)), CHANGED + 1)
    _write(folder / "changes.csv", (replace(one, profiles=other.profiles) for one, other in pairwise(some)))
    return {"done": int(count)}


def _texts(listings: str) -> list[str]:
    return [f"{entry.title} {entry.abstract}" for entry in load([Path(listings)])]


def _write(file: Path, some: Iterable[Subscriber]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        write = csv.writer(out).writerow
        write(("email", "zone", "send_at", "days", "profile", "keywords"))
        for one in some:
            at = f"{one.cadence.send_at:%H:%M}" if one.cadence.send_at else ""
            for profile in one.profiles:
                keywords = "\n".join((*profile.keywords, ""))
                write((one.email, one.cadence.zone, at, one.cadence.days, profile.name, keywords))


def day(folder: Path, listings: str, count: str, number: str) -> dict[str, Any]:
    """Write the listings of one day (from 0): on the first one the real files, if they hold no more, then others."""
    source, wanted, first = Path(listings), int(count), int(count) * int(number)
    sample, real = load([source]), 0
    if not first and len(sample) <= wanted:
        real = len(sample)
        for file in sorted(source.iterdir()):
            shutil.copy(file, folder / "listings")
    (folder / "listings" / f"day-{number}.jsonl").write_text(listing(sample, wanted - real, first))
    return {"done": wanted, "real": real}


def matcher(folder: Path, name: str, listings: str, seconds: str, distinct: str) -> dict[str, Any]:
    """Match as many readers as an engine can do in so many seconds, or a few, with the entries in the database."""
    crowd = readers(_MOST, _texts(listings), "daily", int(distinct))
    everybody = ([peers.plain(word).lower() for each in one.profiles for word in each.keywords] for one in crowd)
    with opened(folder / "digest.toml") as app, app.store.read() as connection:
        window = [f"{entry.title} {entry.abstract}" for entry in entries.window(connection, 0)]
    engine, some = MATCHERS[name], list(islice(everybody, _TRIED))
    engine(window, some[:1])  # its libraries are loaded
    _, trial = engine(window, some)
    count = max(_TRIED, min(_MOST, int(_TRIED * float(seconds) / trial)))
    some += islice(everybody, count - _TRIED)
    once, each = engine(window, some)
    return {"done": count, "once": once, "each": each}


def plain(folder: Path, way: str, port: str, count: str) -> dict[str, Any]:
    """A step of the plain loop."""
    return {"done": loop.WAYS[way](folder, int(port), int(count))}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {step.__name__: step for step in (people, day, matcher, plain)}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
