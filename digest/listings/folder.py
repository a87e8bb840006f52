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

import glob
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_UNFINISHED = (".part", ".tmp", ".crdownload", "~")
_FILE_NAMES = frozenset(
    (".txt", ".json", ".jsonl", ".ndjson", ".xml", ".rss", ".atom", ".csv", ".bib", ".eml", ".mbox")
)
_GLOB_SIGNS = frozenset("*?[")

Known = Callable[[Path, int, int], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was read: its bytes, their SHA-256 in hex, and when it was modified (UTC; ns for `known`)."""

    path: Path
    content: bytes
    digest: str
    modified: datetime
    mtime_ns: int


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
    known: Known = lambda path, size, mtime_ns: False,  # noqa: ARG005 - the names say what it is given
) -> Iterator[Found | Waiting | Problem]:
    """Every listing file under these paths, one at a time, so that only one file's content is in memory.

    `known` is asked with path, size in bytes and time of modification in nanoseconds; what it knows is passed over.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for found in _files(path, seen):
            if isinstance(found, Problem):
                yield found
            elif (outcome := _load(found, settle_seconds, now, max_bytes, known)) is not None:
                yield outcome


def _files(path: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem]:
    """The files that a configured path stands for."""
    if path.is_dir():
        yield from _walk(path, seen)
    elif os.path.lexists(path):
        yield path
    elif _GLOB_SIGNS & set(str(path)):
        for name in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - an absolute pattern is no Path.glob
            if not _passed_over(Path(name).name):
                yield from _inside(Path(name), seen)
    else:
        yield Problem(
            path, "there is no such file or folder; create it, or correct listings.paths in the configuration"
        )


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem]:
    try:
        status = folder.stat()
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are wanted, in order
    except OSError as error:
        yield _problem(folder, error)
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for name in names:
        if not _passed_over(name):
            yield from _inside(folder / name, seen)


def _inside(path: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem]:
    if not path.is_dir():
        yield path
    elif path.suffix.lower() in _FILE_NAMES:
        yield Problem(path, "this is a folder, though it has the name of a file; rename it or move its files")
    else:
        yield from _walk(path, seen)


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
    return Found(path, content, hashlib.sha256(content).hexdigest(), modified, before.st_mtime_ns)


def _problem(path: Path, error: Exception) -> Problem:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return Problem(path, "a link to a file that does not exist; remove it or restore its target")
    if isinstance(error, FileNotFoundError):
        return Problem(path, "it vanished while the folder was read", permanent=False)
    if isinstance(error, PermissionError):
        return Problem(path, "no permission to read it; give the user that runs digest the right to")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(path, f"cannot be read: {reason}", permanent=False)
