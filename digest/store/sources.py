"""What came from each configured path: its newest file, and when the last one with entries was loaded.

A path stands for the file of that name, for everything under the folder of that name, and as a glob for every file
and folder that it matches (`**`: any number of folders), as in `listings.folder`. Nothing is looked up on the disk, for
what was loaded yesterday may be gone today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from digest.alarms import SourceState
from digest.store.schema import files, runs

_AT_ONCE = 200
"""Rows fetched together: the wanted ones are among the newest as a rule."""
_GLOB_SIGNS = frozenset("*?[")


class _File(NamedTuple):
    path: str
    loaded_at: int
    entries: int
    warnings: list[str]


def states(connection: Connection, paths: Sequence[str]) -> list[SourceState]:
    """The state of each path; paths are absolute, and written as those of files are."""
    watched_since = connection.execute(select(runs.c.started_at).order_by(runs.c.id).limit(1)).scalar()
    return [_state(connection, path, watched_since) for path in paths]


def _state(connection: Connection, path: str, watched_since: int | None) -> SourceState:
    newest = _newest_first(connection, path)
    last = next(newest, None)
    if last is None:
        return SourceState(path, watched_since=watched_since)
    newest_at = last.loaded_at if last.entries else next((file.loaded_at for file in newest if file.entries), None)
    fault = last.warnings[-1] if last.warnings else ""
    return SourceState(path, newest_at, last.entries, last.path, last.loaded_at, fault, watched_since)


def _newest_first(connection: Connection, path: str) -> Iterator[_File]:
    """The files of a path, the newest first, fetched as they are asked for."""
    which, is_wanted = _selection(path)
    columns = (files.c[name] for name in _File._fields)
    statement = select(*columns).where(which).order_by(files.c.id.desc()).execution_options(yield_per=_AT_ONCE)
    with connection.execute(statement) as result:
        yield from (_File(*row) for row in result if is_wanted(row.path))


def _selection(path: str) -> tuple[ColumnElement[bool], Callable[[str], bool]]:
    """Which files to fetch, and which of those are really of the path."""
    parts = path.split("/")
    fixed = next((number for number, part in enumerate(parts) if _GLOB_SIGNS & set(part)), None)
    if fixed is None:
        return (files.c.path == path) | _under(path), lambda _: True
    # Signs may also be meant as they stand: "/papers [old]" is a folder, too.
    return _under(
        "/".join(parts[:fixed])
    ), lambda name: f"{name}/".startswith(f"{path}/") or _matches(name.split("/"), parts)


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
