"""`digest load`: take in new listing files, and say what was made of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from digest.alarms import utc
from digest.app import App, opened
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
from digest.intake import written
from digest.listings import folder
from digest.model import Rejection
from digest.pipeline import unhindered
from digest.report import Fetched, Loaded, LoadedFile, rejected
from digest.store import browse
from digest.store.browse import Rejected

_LISTED = 50


class Known(NamedTuple):
    """A file given by name, and what was loaded with this content before."""

    path: Path
    file: browse.LoadedFile

    @property
    def words(self) -> str:
        """What came of it then."""
        name, at = shown(self.path), utc(self.file.loaded_at)
        if not self.file.format:
            return f"{name}: not loaded on {at}: {self._fault}"
        other = "" if self.file.path == written(self.path) else f" as {shown(Path(self.file.path))}"
        return f"{name}: loaded already on {at}{other}, {plural(self.file.entries, 'entry', 'entries')}"

    @property
    def facts(self) -> dict[str, object]:
        """The same for `--json`."""
        file = self.file
        told = {"path": str(self.path), "loaded_at": utc(file.loaded_at), "loaded_as": file.path}
        return {**told, "entries": file.entries, "fault": self._fault}

    @property
    def _fault(self) -> str:
        return "" if self.file.format else "".join(self.file.warnings[-1:])


def load(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, folders or globs, in place of those configured.")
    ] = None,
    config: ConfigOption = CONFIG,
    list_rejected: Annotated[
        bool,
        typer.Option(
            "--rejected", help="Load nothing; list the files and records that were not loaded, newest file first."
        ),
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help=f"How many of them, at most (default: {_LISTED}).")
    ] = None,
    fetch: Annotated[
        bool | None,
        typer.Option("--fetch/--no-fetch", help="Ask every source with a url, due or not; or none (default: the due)."),
    ] = None,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Load new listing files."""
    if list_rejected:
        if paths or fetch is not None:
            raise UsageError("--rejected lists what was not loaded before, from any source; leave the rest out")
        _list_rejected(config, limit or _LISTED, json=json)
        return
    if limit:
        raise UsageError("--limit is how many --rejected lists; a load takes every new file")
    with opened(config, clock(now)) as configured, reading() as watch:
        app = configured.reading(paths) if paths else configured.fetching(fetch)
        with app.lock():
            loaded = app.pipeline.load(unhindered, watch)
        known = known_before(app, loaded)
        unfit = [path for path in app.pipeline.intake.paths if folder.fits_nothing(path)]
    if json:
        as_json(figures(loaded, known))
    else:
        for line in described(loaded, known):
            say(line)
    warn(loaded.troubles(shown))
    warn(f"no file fits {shown(path)}" for path in unfit)
    raise typer.Exit(int(loaded.troubled or bool(paths and unfit)))


def known_before(app: App, loaded: Loaded) -> list[Known]:
    """The files given by name that this load passed over, as their content had been loaded before."""
    new = {file.path for file in loaded.files}.union(loaded.waiting)
    given = [path for path in app.given if path not in new and path.is_file()]
    with app.store.read() as connection:
        found = [(path, browse.loaded_before(connection, written(path), _digest(path))) for path in given]
    return [Known(path, file) for path, file in found if file]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def figures(loaded: Loaded, known: Sequence[Known] = ()) -> dict[str, object]:
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
            "fault": file.fault,
            "rejections": [{"line": one.line, "reason": one.reason, "excerpt": one.excerpt} for one in file.rejected],
        }
        for file in loaded.files
    ]
    fetched = [
        {"source": one.source, "path": str(one.path) if one.path else None, "bytes": one.size, "fault": one.fault}
        for one in loaded.fetched
    ]
    outcomes = [{"name": one.source, "url": one.address, "outcome": _outcome(one)} for one in loaded.fetched]
    told = {"fetched": fetched, "sources": outcomes, "known": [one.facts for one in known]}
    return {"files": files, "new_entries": loaded.new_entries} | {key: value for key, value in told.items() if value}


def _outcome(fetched: Fetched) -> str:
    if fetched.fault:
        return "failed"
    return "new" if fetched.path else "nothing new"


def described(loaded: Loaded, known: Iterable[Known] = ()) -> Iterator[str]:
    """A line for each file that was loaded, with how it was read where that was guessed; and one line for all."""
    for one in loaded.fetched:
        if not one.fault:
            yield f"{one.source}: {f'{one.size:,} bytes fetched' if one.path else 'nothing new to fetch'}"
    good = [file for file in loaded.files if not file.fault]
    for file in good:
        yield f"{shown(file.path)}: {', '.join(_made(file))}"
        yield from (f"  {note}" for note in file.notes)
    yield from (one.words for one in known)
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
        say("Every file and record was loaded.")


def _facts(one: Rejected) -> dict[str, Any]:
    return {
        "path": one.path,
        "line": one.line,
        "reason": one.reason,
        "excerpt": one.excerpt,
        "loaded_at": utc(one.loaded_at),
    }
