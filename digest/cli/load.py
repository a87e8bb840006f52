"""`digest load`: take in new listing files, and say what was made of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.alarms import utc
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
from digest.cli.progress import reading
from digest.errors import UsageError
from digest.model import Rejection
from digest.pipeline import unhindered
from digest.report import Loaded, LoadedFile, rejected
from digest.store import browse
from digest.store.browse import Rejected


def load(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, folders or globs, in place of those configured.")
    ] = None,
    config: ConfigOption = CONFIG,
    list_rejected: Annotated[
        bool, typer.Option("--rejected", help="Load nothing; list the records that were not loaded, newest file first.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of them, at most.")] = 50,
    fetch: Annotated[
        bool | None,
        typer.Option("--fetch/--no-fetch", help="Ask every source with a url, due or not; or none (default: the due)."),
    ] = None,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Load new listing files."""
    if list_rejected:
        if paths:
            raise UsageError("--rejected lists what was not loaded before, from any file; leave the paths out")
        _list_rejected(config, limit, json=json)
        return
    with opened(config, clock(now)) as configured, reading() as watch:
        app = configured.reading(paths) if paths else configured.fetching(fetch)
        with app.lock():
            loaded = app.pipeline.load(unhindered, watch)
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
            "updated": file.updated,
            "rejected": len(file.rejected),
            "notes": list(file.notes),
            "warnings": [*file.warnings, *([file.fault] if file.fault else [])],
        }
        for file in loaded.files
    ]
    fetched = [
        {"source": one.source, "path": str(one.path) if one.path else None, "bytes": one.size, "fault": one.fault}
        for one in loaded.fetched
    ]
    return {"files": files, "new_entries": loaded.new_entries} | ({"fetched": fetched} if fetched else {})


def described(loaded: Loaded) -> Iterator[str]:
    """A line for each file that was loaded, with how it was read where that was guessed; and one line for all."""
    for one in loaded.fetched:
        if not one.fault:
            yield f"{one.source}: {f'{one.size:,} bytes fetched' if one.path else 'nothing new to fetch'}"
    good = [file for file in loaded.files if not file.fault]
    for file in good:
        yield f"{shown(file.path)}: {', '.join(_made(file))}"
        yield from (f"  {note}" for note in file.notes)
    yield f"{plural(loaded.new_entries, 'new entry', 'new entries')} from {plural(len(good), 'new file')}"


def _made(file: LoadedFile) -> Iterator[str]:
    """What was made of a file."""
    yield file.format
    yield plural(file.entries, "entry", "entries")
    yield f"{file.new:,} new"
    if file.updated:
        yield f"{file.updated:,} updated"
    if file.rejected:
        yield f"{len(file.rejected):,} rejected"


def _list_rejected(config: Path, limit: int, *, json: bool) -> None:
    with opened(config) as app, app.store.read() as connection:
        found = browse.rejected_last(connection, limit)
    if json:
        as_json([_facts(one) for one in found])
        return
    for one in found:
        say(f"{utc(one.loaded_at)}  {rejected(shown(Path(one.path)), Rejection(one.line, one.reason, one.excerpt))}")
    if not found:
        say("Every record was loaded.")


def _facts(one: Rejected) -> dict[str, Any]:
    return {
        "path": one.path,
        "line": one.line,
        "reason": one.reason,
        "excerpt": one.excerpt,
        "loaded_at": utc(one.loaded_at),
    }
