"""`digest load`: what it says of each file, what was rejected, and how far it is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from workplace import Workplace, paper, subscriber

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
            "fault": "",
            "rejections": [{"line": 7, "reason": "a record needs a title", "excerpt": '{"abstract": "x"}'}],
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
    assert place.invoke("load", "--rejected").stdout == "Every file and record was loaded.\n"
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


def test_whole_files_that_were_not_loaded_are_listed_too(place: Workplace) -> None:
    """In their place among the records, with why, and without a line."""
    reject(place, "a.jsonl", 2)
    (place.listings / "b.txt").write_text("")
    place.invoke("load")
    reject(place, "c.jsonl", 1)
    lines = [line.split(" UTC  ")[1] for line in place.invoke("load", "--rejected").stdout.splitlines()]
    assert [line.split(": ")[0] for line in lines] == ["listings/c.jsonl:1", "listings/b.txt", "listings/a.jsonl:2"]
    assert lines[1].startswith("listings/b.txt: not loaded: ")
    told = json.loads(place.invoke("load", "--rejected", "--limit", "2", "--json").stdout)
    assert [(one["path"], one["line"]) for one in told] == [
        (str(place.listings / "c.jsonl"), 1),
        (str(place.listings / "b.txt"), 0),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rejected", "--limit", "0"),
        ("--rejected", "a.jsonl"),
        ("--rejected", "--fetch"),
        ("--rejected", "--no-fetch"),
        ("--limit", "3"),
    ],
)
def test_a_load_and_a_list_of_what_was_rejected_are_two_things(place: Workplace, arguments: tuple[str, ...]) -> None:
    """What belongs to one is refused with the other; a list has a line at least."""
    place.listing("a.jsonl", [paper("First")])
    assert place.invoke("load", *arguments).returncode == 2
    assert "1 new entry from" in place.invoke("load").stdout


def test_a_file_given_by_name_is_told_of_though_it_is_known(place: Workplace) -> None:
    """When it was loaded, under which name, and what came of it; a folder is not searched for such files."""
    first = place.listing("a.jsonl", [paper("First"), paper("Second")])
    (place.listings / "bad.txt").write_text("Ask Bao.\n")
    place.invoke("load", "--now", "2026-11-20T12:00+00:00")
    copy = place.folder / "copy.jsonl"
    copy.write_bytes(first.read_bytes())
    ended = place.invoke("load", "listings/a.jsonl", "copy.jsonl", "listings/bad.txt", "listings")
    assert (ended.returncode, ended.stderr) == (0, "")
    one, other, bad, last = ended.stdout.splitlines()
    assert one == "listings/a.jsonl: loaded already on 2026-11-20 12:00 UTC, 2 entries"
    assert other == "copy.jsonl: loaded already on 2026-11-20 12:00 UTC as listings/a.jsonl, 2 entries"
    assert bad.startswith("listings/bad.txt: not loaded on 2026-11-20 12:00 UTC: unknown format: ")
    assert last == "0 new entries from 0 new files"
    [told] = json.loads(place.invoke("load", "listings/a.jsonl", "--json").stdout)["known"]
    assert (told["path"], told["entries"], told["fault"]) == (str(first), 2, "")


def test_a_glob_that_fits_nothing_is_told(place: Workplace) -> None:
    """As a failure if it was given by name; a configured one may wait for its first file."""
    ended = place.invoke("load", "team/*.xyz")
    assert (ended.returncode, ended.stderr) == (1, "no file fits team/*.xyz\n")
    place.configure(subscriber(), extra='[[sources]]\nname = "team"\npath = "team/*.xyz"\n')
    ended = place.invoke("load")
    assert (ended.returncode, ended.stderr) == (0, "no file fits team/*.xyz\n")


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


def test_a_file_that_the_settings_refused_is_tried_again_when_they_change(place: Workplace) -> None:
    """Once told it is not told again; neither its content nor its time has changed since."""
    table = place.listings / "a.csv"
    table.write_text(
        "Titel,Zusammenfassung\nPlain sailing,With words.\nHeavy weather,With more words.\n", encoding="utf-8"
    )

    def configured(abstract: str) -> None:
        columns = f'columns = {{ title = "Titel", abstract = "{abstract}" }}'
        place.configure(subscriber(), extra=f'[[sources]]\nname = "team"\npath = "listings/a.csv"\n{columns}\n')

    configured("Nope")
    first, second = place.invoke("load"), place.invoke("load")
    assert ("Nope" in first.stderr, first.returncode) == (True, 1)
    assert ("Nope" in second.stderr, second.returncode) == (False, 0)
    configured("Zusammenfassung")
    assert "a.csv: csv, 2 entries, 2 new" in place.invoke("load").stdout
