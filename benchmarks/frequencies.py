"""Makes the built-in table of word frequencies from our own sample listings.

    python benchmarks/frequencies.py

The table serves until a store has counted entries of its own; it must be text that we may ship.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from digest.listings import Origin, read
from digest.matching import Frequencies
from digest.model import Entry

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "digest" / "samples" / "listings"
TABLE = ROOT / "digest" / "matching" / "frequencies.json"
_ANY_DAY = Origin(date(2026, 1, 1))
"""Listings without a year need one; the words do not depend on it."""


def table() -> str:
    """The text of the table: each entry counts once, however many listings hold it."""
    kept: list[Entry] = []
    known: set[str] = set()
    for path in sorted(SAMPLES.iterdir()):
        for entry in read(path.read_bytes(), _ANY_DAY).entries:
            if known.isdisjoint(entry.keys):
                kept.append(entry)
            known.update(entry.keys)
    counted = Frequencies.count(kept)
    content = {"entries": counted.entries, "by_stem": dict(sorted(counted.by_stem.items()))}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
