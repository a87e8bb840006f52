"""`digest load`: take in new listing files, and say what was made of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from digest.app import opened
from digest.cli.options import (
    CONFIG,
    ConfigOption,
    JsonOption,
    NowOption,
    as_json,
    clock,
    plural,
    say,
    shown,
    warn,
)
from digest.report import Loaded


def load(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, folders or globs, in place of those configured.")
    ] = None,
    config: ConfigOption = CONFIG,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Load new listing files."""
    with opened(config, clock(now)) as configured:
        app = configured.reading(paths) if paths else configured
        with app.lock():
            loaded = app.pipeline.load()
    if json:
        as_json(figures(loaded))
    else:
        for line in described(loaded):
            say(line)
    warn(loaded.troubles(shown))
    raise typer.Exit(int(loaded.troubled))


def figures(loaded: Loaded) -> dict[str, object]:
    """What `--json` prints."""
    files = [
        {
            "path": str(file.path),
            "format": file.format,
            "entries": file.entries,
            "new": file.new,
            "rejected": len(file.rejected),
            "warnings": [*file.warnings, *([file.fault] if file.fault else [])],
        }
        for file in loaded.files
    ]
    return {"files": files, "new_entries": loaded.new_entries}


def described(loaded: Loaded) -> Iterator[str]:
    """A line for each file that was loaded, and one for all."""
    good = [file for file in loaded.files if not file.fault]
    for file in good:
        yield f"{shown(file.path)}: {file.format}, {plural(file.entries, 'entry', 'entries')}, {file.new:,} new"
    yield f"{plural(loaded.new_entries, 'new entry', 'new entries')} from {plural(len(good), 'new file')}"
