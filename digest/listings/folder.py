"""Which listing files are there: folders, files and globs to contents. The only place in this room that reads files.

Rules
-----
1. A folder is walked to its end, in the order of names; a folder reached twice, as through a link, is walked once.
2. Dot files, backups (`~`) and unfinished downloads (.part, .tmp, .crdownload) are passed over in folders and globs.
3. A file modified a moment ago, or changing while it is read, waits for the next time; that is no failure.
4. What the caller knows already, by path, size and time of modification, is not read again. Nor is what is too large.
5. Everything else that is not loaded is a Problem.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from digest.listings.packed.part import SUFFIXES

_UNFINISHED = (".part", ".tmp", ".crdownload", "~")
_GLOB_SIGNS = frozenset("*?[")

Known = Callable[[Path, int, int], bool]


@dataclass(slots=True)
class Found:
    """A file that was read: its bytes, their SHA-256 in hex, and when it was modified (UTC; ns for `known`)."""

    path: Path
    content: bytes
    digest: str
    size: int
    modified: datetime
    mtime_ns: int

    def take(self) -> bytes:
        """The bytes, which are no longer here then: a large file must not stay in memory while it is read."""
        content, self.content = self.content, b""
        return content


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is still being written."""

    path: Path


@dataclass(frozen=True, slots=True)
class Problem:
    """A path that could not be loaded. `permanent`: until somebody changes the file or the configuration."""

    path: Path
    reason: str
    permanent: bool = True

    @property
    def changed_ns(self) -> int:
        """When the path itself was last changed (0: not known)."""
        try:
            return self.path.lstat().st_ctime_ns
        except OSError:
            return 0


def scan(
    paths: Sequence[Path],
    settle_seconds: float,
    now: datetime,
    max_bytes: int,
    known: Known,
    seen: set[tuple[int, int]] | None = None,
) -> Iterator[Found | Waiting | Problem]:
    """Every listing file under these paths, one at a time, so that only one file's content is in memory.

    `known` is asked with path, size in bytes and time of modification in nanoseconds; what it knows is passed over.
    `seen` are folders that were walked before, by device and number; those of this walk are added.
    """
    seen = set() if seen is None else seen
    for path in paths:
        for found in _files(path, seen):
            if isinstance(found, Problem):
                yield found
            elif (outcome := _load(found, settle_seconds, now, max_bytes, known)) is not None:
                yield outcome


def fits_nothing(path: Path) -> bool:
    """Whether a path is a glob that no file or folder fits."""
    if os.path.lexists(path) or not _GLOB_SIGNS & set(str(path)):
        return False
    return not any(glob.iglob(str(path), recursive=True))  # noqa: PTH207 - as in _files


def _files(path: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem]:
    """The files that a configured path stands for."""
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above is forbidden
        yield from _walk(path, seen)
    elif os.path.lexists(path):
        yield path
    elif _GLOB_SIGNS & set(str(path)):
        for name in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - an absolute pattern is no Path.glob
            if not _passed_over(os.path.basename(name)):  # noqa: PTH119 - the same name, without a Path
                found = _entry(Path(name), is_folder=os.path.isdir(name))  # noqa: PTH112 - as above
                yield from _walk(found.path, seen) if isinstance(found, _Folder) else (found,)
    else:
        yield _missing(path)


def _missing(path: Path) -> Problem:
    try:
        path.lstat()
    except PermissionError as error:
        return _problem(path, error)
    except (OSError, ValueError):
        pass
    return Problem(path, "there is no such file or folder; create it, or correct its path in the configuration")


class _Folder(NamedTuple):
    """A folder that is to be walked."""

    path: Path


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem]:
    """The files in a folder and in those below, without recursion: folders may be nested deeper than calls."""
    opened = [_entries(folder, seen)]
    while opened:
        found = next(opened[-1], None)
        if found is None:
            opened.pop()
        elif isinstance(found, _Folder):
            opened.append(_entries(found.path, seen))
        else:
            yield found


def _entries(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem | _Folder]:
    """What stands in a folder, in the order of names; nothing if it was seen before."""
    try:
        status = folder.stat()
        with os.scandir(folder) as found:  # it knows already what is a folder
            entries = sorted(found, key=attrgetter("name"))
    except OSError as error:
        yield _problem(folder, error)
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        if not _passed_over(entry.name):
            yield _entry(folder / entry.name, is_folder=_is_folder(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself, or to where it is forbidden to look; it is told of when it is read
        return False


def _entry(path: Path, *, is_folder: bool) -> Path | Problem | _Folder:
    if not is_folder:
        return path
    if path.suffix.lower() in SUFFIXES:
        return Problem(path, "this is a folder, though it has the name of a file; rename it or move its files")
    return _Folder(path)


def _passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def _load(
    path: Path, settle_seconds: float, now: datetime, max_bytes: int, known: Known
) -> Found | Waiting | Problem | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Problem(path, "this is not a regular file")
        if known(path, status.st_size, status.st_mtime_ns):
            return None
        if abs(now.timestamp() - status.st_mtime) < settle_seconds:  # a clock ahead by more must not wait for ever
            return Waiting(path)
        if status.st_size > max_bytes:
            return Problem(path, f"too large: {status.st_size:,} bytes, and the limit is {max_bytes:,}; split the file")
        return _read(path, status)
    except (OSError, OverflowError, ValueError) as error:
        return _problem(path, error)


def _read(path: Path, before: os.stat_result) -> Found | Waiting:
    with path.open("rb") as file:
        content = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    if len(content) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        return Waiting(path)
    modified = datetime.fromtimestamp(before.st_mtime, UTC)
    return Found(path, content, hashlib.sha256(content).hexdigest(), len(content), modified, before.st_mtime_ns)


def _problem(path: Path, error: Exception) -> Problem:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return Problem(path, "a link to a file that does not exist; remove it or restore its target")
    if isinstance(error, FileNotFoundError):
        return Problem(path, "it vanished while the folder was read", permanent=False)
    if isinstance(error, PermissionError):
        return Problem(path, "no permission to read it; give the user that runs digest the right to")
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return Problem(path, "a link that leads to itself; remove it or correct its target")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(path, f"cannot be read: {reason}", permanent=False)
