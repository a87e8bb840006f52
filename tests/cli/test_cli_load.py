"""`digest load`: what it says of each file, what was rejected, and how far it is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from workplace import Workplace, paper

from digest.cli import progress
from digest.cli.load import described, figures
from digest.model import Rejection
from digest.report import Loaded, LoadedFile, rejected

BAD = Rejection(7, "a record needs a title", '{"abstract": "x"}')


def test_what_was_made_of_each_file_is_told() -> None:
    """With what is worth telling only; how it was read stands below."""
    files = (
        LoadedFile(Path("papers.csv"), "csv", 60, 58, (BAD,), updated=1, notes=("columns: title = Paper",)),
        LoadedFile(Path("one.bib"), "bibtex", 1, 0),
        LoadedFile(Path("odd.pdf"), fault="unknown format"),
    )
    assert list(described(Loaded(files))) == [
        "papers.csv: csv, 60 entries, 58 new, 1 updated, 1 rejected",
        "  columns: title = Paper",
        "one.bib: bibtex, 1 entry, 0 new",
        "58 new entries from 2 new files",
    ]
    told = figures(Loaded(files[:1]))["files"]
    assert told == [
        {
            "path": "papers.csv",
            "format": "csv",
            "entries": 60,
            "new": 58,
            "updated": 1,
            "rejected": 1,
            "notes": ["columns: title = Paper"],
            "warnings": [],
        }
    ]


def test_a_record_is_placed_by_its_line() -> None:
    """If it has one: what was not unpacked has none."""
    assert rejected("a.json", BAD) == 'a.json:7: not loaded: a record needs a title: {"abstract": "x"}'
    assert rejected("a.zip", Rejection(0, "b.txt: it is too large")) == "a.zip: not loaded: b.txt: it is too large"


def reject(place: Workplace, name: str, *lines: int) -> None:
    """Load a file that has bad records at these lines."""
    records = [paper("" if number in lines else f"{name} {number}") for number in range(1, max(lines) + 2)]
    place.listing(name, records)
    assert place.invoke("load").returncode == 1


def test_rejected_records_can_be_listed_later(place: Workplace) -> None:
    """Those of the newest file first, in its order; as many as asked for; nothing is loaded by that."""
    assert place.invoke("load", "--rejected").stdout == "Every record was loaded.\n"
    reject(place, "a.jsonl", 2)
    reject(place, "b.jsonl", 1, 3)
    place.listing("c.jsonl", [paper("Third")])
    before = place.dump()
    ended = place.invoke("load", "--rejected")
    lines = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split(": not loaded: ")[0].split(" UTC  ")[1] for line in lines] == [
        "listings/b.jsonl:1",
        "listings/b.jsonl:3",
        "listings/a.jsonl:2",
    ]
    assert len(place.invoke("load", "--rejected", "--limit", "2").stdout.splitlines()) == 2
    told = json.loads(place.invoke("load", "--rejected", "--limit", "1", "--json").stdout)
    assert [list(one) for one in told] == [["path", "line", "reason", "excerpt", "loaded_at"]]
    assert (told[0]["path"], told[0]["line"]) == (str(place.listings / "b.jsonl"), 1)
    assert place.dump() == before


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("a.jsonl",)])
def test_a_list_of_rejected_records_takes_no_paths(place: Workplace, arguments: tuple[str, ...]) -> None:
    """And it has a line at least."""
    assert place.invoke("load", "--rejected", *arguments).returncode == 2


def test_nobody_looks_on_where_standard_error_is_no_terminal(place: Workplace) -> None:
    """Nothing is written there."""
    with progress.reading() as watch:
        watch(place.config, 1, 2)
    ended = place.command("load")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (60.0, False)])
def test_a_terminal_shows_the_file_and_its_entries(place: Workplace, patience: float, shown: bool) -> None:
    """On standard error, and only where it takes a while; what was made of it is on standard output as ever."""
    place.listing("[b]old.jsonl", [paper(f"Paper number {number}") for number in range(30)])
    slowly = f"from digest.cli import main, progress; progress._PATIENCE = {patience}; {_SLOW}; main()"
    main, other = pty.openpty()
    ended = subprocess.run(
        [sys.executable, "-c", slowly, "load"],
        stdout=subprocess.PIPE,
        stderr=other,
        env=place.environment() | {"COLUMNS": "100", "TERM": "xterm"},
        cwd=place.folder,
        timeout=60,
        check=False,
    )
    os.close(other)
    assert b"30 entries, 30 new" in ended.stdout
    assert (b"[b]old.jsonl" in written(main)) is shown


_SLOW = (
    "import time; from digest import intake; save = intake.filing.save;"
    "intake.filing.save = lambda *given: (time.sleep(0.3), save(*given))[1]"
)


def written(terminal: int) -> bytes:
    """All that was written to a terminal that is closed on the other side."""
    parts = []
    try:
        while part := os.read(terminal, 4096):
            parts.append(part)
    except OSError:  # so Linux says that there is no more
        pass
    os.close(terminal)
    return b"".join(parts)
