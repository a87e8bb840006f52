"""docs/reliability.md names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"([\w./-]+\.py)::(\w+)", PAGE)))
FILES = sorted(set(re.findall(r"\b(?:tests|benchmarks|digest|docs)/[\w./-]+\.\w+", PAGE)))


@cache
def names_in(file: Path) -> frozenset[str]:
    """The test functions of a file."""
    found = ast.parse(file.read_text(encoding="utf-8")).body
    return frozenset(one.name for one in found if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    """In the file that it is said to be in."""
    assert name in names_in(TESTS / file.removeprefix("tests/"))


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_named_is_there(file: str) -> None:
    """Below the root of the repository."""
    assert (ROOT / file).is_file()


def test_every_row_has_a_test() -> None:
    """But for the tables of figures, which are not claims."""
    claims, _, _ = PAGE.partition("## A thousand kills")
    rows = [line for line in claims.splitlines() if line.startswith("| ") and not line.endswith("| Test |")]
    assert len(rows) > 50
    assert [row for row in rows if not re.search(r"\.py::test_\w+` \|$", row)] == []


def test_every_number_of_the_checklist_is_there() -> None:
    """Those that come later are named as well."""
    _, _, checklist = PAGE.partition("## Checklist")
    numbers = [int(number) for first in re.findall(r"(?m)^\| ([\d, ]+) \|", checklist) for number in first.split(", ")]
    assert numbers == [*range(1, 21), *range(26, 39)]
