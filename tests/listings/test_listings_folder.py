"""Which files are found, which wait, and which are a problem."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.listings import folder
from digest.listings.folder import Found, Problem, Waiting, scan

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


def put(path: Path, content: bytes = b"x", age: float = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW.timestamp() - age,) * 2)
    return path


def look(*paths: Path, max_bytes: int = 1000, known: folder.Known | None = None) -> list[Found | Waiting | Problem]:
    extra: dict[str, folder.Known] = {"known": known} if known else {}
    return list(scan(paths, 10, NOW, max_bytes, **extra))


def names(*paths: Path) -> list[str]:
    return [one.path.name for one in look(*paths) if isinstance(one, Found)]


def test_a_file_is_found_with_its_bytes_digest_and_time(tmp_path: Path) -> None:
    """A file that has settled comes with content, SHA-256 and the UTC time of its last change."""
    path = put(tmp_path / "a.txt", b"hello")
    [found] = look(tmp_path)
    assert isinstance(found, Found)
    assert (found.path, found.content, found.digest) == (path, b"hello", hashlib.sha256(b"hello").hexdigest())
    assert found.modified == NOW - timedelta(seconds=60)


def test_folders_are_walked_in_order_and_unfinished_files_passed_over(tmp_path: Path) -> None:
    """Sub-folders are walked by name; dot files, backups and unfinished downloads are not taken."""
    for name in ("b.txt", "a/2.json", "a/1", ".hidden", ".git/x", "c.part", "d.tmp", "e.CRDOWNLOAD", "f.txt~"):
        put(tmp_path / name)
    assert names(tmp_path) == ["1", "2.json", "b.txt"]


def test_globs_and_files_are_taken_as_given(tmp_path: Path) -> None:
    """A glob takes what it matches, a file named outright is taken whatever its name, and no match is no problem."""
    for name in ("a.txt", "b.json", "s/c.txt", ".d"):
        put(tmp_path / name)
    assert names(tmp_path / "*.txt", tmp_path / "**" / "c.*", tmp_path / ".d") == ["a.txt", "c.txt", ".d"]
    assert look(tmp_path / "*.csv") == []


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    """A link to a folder above does not make the walk endless, nor any file come twice from it."""
    put(tmp_path / "a" / "x.txt")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert names(tmp_path) == ["x.txt"]


@pytest.mark.parametrize(("age", "kind"), [(5, Waiting), (-5, Waiting), (11, Found), (-3600, Found)])
def test_a_fresh_file_waits(tmp_path: Path, age: float, kind: type) -> None:
    """A file modified a moment ago waits; a clock far ahead does not make it wait for ever."""
    put(tmp_path / "a.txt", age=age)
    assert [type(one) for one in look(tmp_path)] == [kind]


def test_a_file_that_grows_while_it_is_read_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose size or time changes between the first look and the last is not half-loaded."""
    path = put(tmp_path / "a.txt", b"one")
    status = path.stat()
    path.write_bytes(b"one two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    monkeypatch.setattr(Path, "stat", lambda self, **_: status)
    assert look(path) == [Waiting(path)]


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A file over the limit is a problem that names both sizes, and its bytes never come into memory."""
    put(tmp_path / "a.txt", b"x" * 5_000_000)
    tracemalloc.start()
    [problem] = look(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(problem, Problem)
    assert (problem.permanent, "5,000,000" in problem.reason, "1,000" in problem.reason) == (True, True, True)
    assert peak < 1_000_000


def test_what_the_caller_knows_is_not_read(tmp_path: Path) -> None:
    """The caller is asked by path, size and time, and what it knows is passed over."""
    path = put(tmp_path / "a.txt", b"hello")
    about = (path, 5, path.stat().st_mtime_ns)
    assert look(tmp_path, known=lambda *asked: asked == about) == []


def missing(root: Path) -> Path:
    return root / "nothing"


def broken_link(root: Path) -> Path:
    (root / "broken.txt").symlink_to(root / "gone")
    return root


def named_like_a_file(root: Path) -> Path:
    put(root / "x.json" / "inside.txt")
    return root


def pipe(root: Path) -> Path:
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing, "no such file or folder"),
        (broken_link, "a link to a file that does not exist"),
        (named_like_a_file, "a folder, though it has the name of a file"),
        (pipe, "not a regular file"),
    ],
)
def test_what_cannot_be_loaded_is_a_problem(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    """Each thing that is no readable file is told in a clear line."""
    [problem] = look(make(tmp_path))
    assert isinstance(problem, Problem)
    assert words in problem.reason


@pytest.mark.parametrize(
    ("error", "words", "permanent"),
    [
        (PermissionError(13, "Permission denied"), "no permission", True),
        (FileNotFoundError(2, "gone"), "vanished", False),
        (OSError(5, "Input/output error"), "Input/output error", False),
    ],
)
def test_a_file_that_cannot_be_opened_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str, permanent: bool
) -> None:
    """A file that is forbidden, vanishes or fails is told apart, and the others are loaded."""
    put(tmp_path / "a.txt")
    put(tmp_path / "b.txt")
    real = Path.open

    def opened(self: Path, mode: str = "r") -> object:
        if self.name == "a.txt":
            raise error
        return real(self, mode)

    monkeypatch.setattr(Path, "open", opened)
    problem, found = look(tmp_path)
    assert isinstance(problem, Problem)
    assert isinstance(found, Found)
    assert (words in problem.reason, problem.permanent) == (True, permanent)


def test_files_come_one_at_a_time(tmp_path: Path) -> None:
    """The second file is not read before the first has been taken."""
    put(tmp_path / "a.txt", b"1")
    later = put(tmp_path / "b.txt", b"2")
    found = scan([tmp_path], 10, NOW, 1000)
    next(found)
    put(later, b"3")
    second = next(found)
    assert isinstance(second, Found)
    assert second.content == b"3"
