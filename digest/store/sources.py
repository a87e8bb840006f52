"""What came from each configured source: its newest file, and when the last one with entries was loaded.

A path stands for the file of that name, for everything under the folder of that name, and as a glob for every file
and folder that it matches (`**`: any number of folders), as in `listings.folder`. Nothing is looked up on the disk, for
what was loaded yesterday may be gone today. A file belongs to the first source that has it, but a folder is not stale
while new files come to a source within it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from digest.alarms import SourceState, Watched
from digest.store import fetches
from digest.store.fetches import Fetch
from digest.store.schema import files, runs

_AT_ONCE = 200
"""Rows fetched together: the wanted ones are among the newest as a rule."""
_GLOB_SIGNS = frozenset("*?[")


class _File(NamedTuple):
    path: str
    loaded_at: int
    entries: int
    format: str
    warnings: list[str]


def states(connection: Connection, watched: Sequence[Watched]) -> list[SourceState]:
    """The state of each source; paths are absolute, and written as those of files are."""
    since = connection.execute(select(runs.c.started_at).order_by(runs.c.id).limit(1)).scalar()
    fetched = fetches.load(connection)
    return [
        _state(connection, one, [before.path for before in watched[:place]], since, fetched.get(one.name))
        for place, one in enumerate(watched)
    ]


def covers(path: str, file: str) -> bool:
    """Whether the file, or a folder, is of the path."""
    return f"{file}/".startswith(f"{path.removesuffix('/')}/") or _matches(file.split("/"), path.split("/"))


def _state(
    connection: Connection, source: Watched, others: Sequence[str], watched_since: int | None, fetch: Fetch | None
) -> SourceState:
    fetched = (fetch.fetched_at, fetch.words) if fetch and source.address else (None, "")
    full = (file.loaded_at for file in _newest_first(connection, source.path) if file.entries)
    own = _newest_first(connection, source.path, others)
    last = next((file for file in own if source.counts(file.path, file.format)), None)
    newest_at = next(full, None)
    if last is None:
        return SourceState(source, newest_at, None, "", 0, "", watched_since, *fetched)
    fault = last.warnings[-1] if last.warnings else ""
    return SourceState(source, newest_at, last.entries, last.path, last.loaded_at, fault, watched_since, *fetched)


def _newest_first(connection: Connection, path: str, others: Sequence[str] = ()) -> Iterator[_File]:
    """The files of a path that are not of others, the newest first, fetched as they are asked for."""
    which, is_wanted = _selection(path)
    globs = [other for other in others if _GLOB_SIGNS & set(other)]
    but = (~_of(other) for other in others if other not in globs)
    columns = (files.c[name] for name in _File._fields)
    statement = select(*columns).where(which, *but).order_by(files.c.id.desc()).execution_options(yield_per=_AT_ONCE)
    with connection.execute(statement) as result:
        found = (_File(*row) for row in result if is_wanted(row.path))
        yield from (file for file in found if not any(covers(other, file.path) for other in globs))


def _selection(path: str) -> tuple[ColumnElement[bool], Callable[[str], bool]]:
    """Which files to fetch, and which of those are really of the path."""
    parts = path.split("/")
    fixed = next((number for number, part in enumerate(parts) if _GLOB_SIGNS & set(part)), None)
    if fixed is None:
        return _of(path), lambda _: True
    # Signs may also be meant as they stand: "/papers [old]" is a folder, too.
    return _under("/".join(parts[:fixed])), lambda name: covers(path, name)


def _of(path: str) -> ColumnElement[bool]:
    """The file of that name, and all under the folder of that name."""
    return (files.c.path == path) | _under(path)


def _under(folder: str) -> ColumnElement[bool]:
    """Not LIKE: its wildcards may stand in a path, and SQLite's does not tell capitals apart."""
    prefix = f"{folder.removesuffix('/')}/"
    return func.substr(files.c.path, 1, len(prefix)) == prefix


def _matches(name: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path, or of a folder above it, match those of a glob."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_matches(name[start:], pattern[1:]) for start in range(len(name) + 1))
    return bool(name) and fnmatchcase(name[0], pattern[0]) and _matches(name[1:], pattern[1:])
