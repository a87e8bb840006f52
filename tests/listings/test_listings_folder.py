"""Which files are found, which wait, and which are a problem."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
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


def unknown(_path: Path, _size: int, _mtime_ns: int) -> bool:
    return False


def look(*paths: Path, max_bytes: int = 1000, known: folder.Known = unknown) -> list[Found | Waiting | Problem]:
    return list(scan(paths, 10, NOW, max_bytes, known))


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


def ear(root: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "ear"))
    return root


def device(root: Path) -> Path:
    return Path(os.devnull)


def loop(root: Path) -> Path:
    (root / "a.txt").symlink_to(root / "b.txt")
    (root / "b.txt").symlink_to(root / "a.txt")
    return root / "a.txt"


def packed_folder(root: Path) -> Path:
    put(root / "all.ZIP" / "inside.txt")
    return root


def endless_name(root: Path) -> Path:
    return root / ("x" * 300)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (missing, "no such file or folder"),
        (broken_link, "a link to a file that does not exist"),
        (named_like_a_file, "a folder, though it has the name of a file"),
        (packed_folder, "a folder, though it has the name of a file"),
        (pipe, "not a regular file"),
        (ear, "not a regular file"),
        (device, "not a regular file"),
        (loop, "a link that leads to itself"),
        (endless_name, "no such file or folder"),
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


def test_what_is_forbidden_is_a_problem_and_the_others_are_found() -> None:
    """A file, a folder, a link into it, and a path below it, are told of where they may not be read."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as afterwards:
        root = Path(name)
        for path in (put(root / "a.txt"), put(root / "b" / "c.txt").parent):
            path.chmod(0)
        afterwards.callback((root / "b").chmod, 0o700)
        put(root / "ok.txt")
        (root / "l").symlink_to(root / "b" / "c.txt")
        if os.geteuid() == 0:  # whom nothing is forbidden
            root.chmod(0o755)
            os.seteuid(65534)
            afterwards.callback(os.seteuid, 0)
        found = look(root, root / "b" / "c.txt", root / "b" / "none")
    told = [(one.path.name, "no permission" in one.reason) for one in found if isinstance(one, Problem)]
    assert told == [(name, True) for name in ("a.txt", "b", "l", "c.txt", "none")]
    assert [one.path.name for one in found if isinstance(one, Found)] == ["ok.txt"]


def test_a_large_file_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    """Of 200 MB not one byte is read; what is in the file need not even be on the disk."""
    path = put(tmp_path / "a.json")
    os.truncate(path, 200_000_000)
    os.utime(path, (NOW.timestamp() - 60,) * 2)
    tracemalloc.start()
    [problem] = look(tmp_path, max_bytes=50_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(problem, Problem)
    assert problem.reason == "too large: 200,000,000 bytes, and the limit is 50,000,000; split the file"
    assert peak < 1_000_000


def test_a_file_that_vanishes_meanwhile_is_told_of(tmp_path: Path) -> None:
    """What is listed and then gone is a problem that may pass, and the next file is found."""
    for name in "abc":
        put(tmp_path / name)
    found = scan([tmp_path], 10, NOW, 1000, unknown)
    next(found)
    (tmp_path / "b").unlink()
    problem, last = found
    assert problem == Problem(tmp_path / "b", "it vanished while the folder was read", permanent=False)
    assert last.path.name == "c"


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    """Linux allows any bytes in a name; the file is found all the same."""
    name = os.fsdecode(b"\xff\xfe.txt")
    put(tmp_path / name)
    assert names(tmp_path) == [name]


def test_folders_may_be_nested_deeper_than_calls(tmp_path: Path) -> None:
    """A tree of any depth is walked to its end."""
    before = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(600):
            Path("d").mkdir()
            os.chdir("d")
        put(Path("x.txt"))
    finally:
        os.chdir(before)
    assert names(tmp_path) == ["x.txt"]


def test_files_come_one_at_a_time(tmp_path: Path) -> None:
    """The second file is not read before the first has been taken."""
    put(tmp_path / "a.txt", b"1")
    later = put(tmp_path / "b.txt", b"2")
    found = scan([tmp_path], 10, NOW, 1000, unknown)
    next(found)
    put(later, b"3")
    second = next(found)
    assert isinstance(second, Found)
    assert second.content == b"3"
