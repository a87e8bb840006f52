"""Golden cases: a folder each, with an input file and what must come of it. DIGEST_RECORD=1 writes what comes of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from digest import listings

RECORD = os.environ.get("DIGEST_RECORD") == "1"  # read at once, for no test sees our variables
CASES = sorted((Path(__file__).parent / "golden").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    """A listing file gives exactly the listing that is kept beside it."""
    [source] = case.glob("input.*")
    listing = listings.read(source.read_bytes(), listings.Origin(date(2026, 2, 1)))
    found = json.dumps(asdict(listing), ensure_ascii=False, indent=1, default=str) + "\n"
    expected = case / "expected.json"
    if RECORD:
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")
