"""The built-in table of word frequencies."""

from __future__ import annotations

import runpy
from pathlib import Path

from digest.matching import built_in

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_what_the_script_makes() -> None:
    """The file in the package is made from the sample listings as they are now."""
    made = runpy.run_path(str(ROOT / "benchmarks" / "frequencies.py"))
    assert made["TABLE"].read_text(encoding="utf-8") == made["table"]()


def test_it_is_read() -> None:
    """Common words are common in it, and no stem is in more entries than there are."""
    table = built_in()
    assert table.by_stem["the"].entries > table.entries / 2
    assert all(0 < count.entries <= min(table.entries, count.occurrences) for count in table.by_stem.values())
