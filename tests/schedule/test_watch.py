"""The watch on real folders. Every wait is for a condition; none measures time."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import watchfiles
from structlog.testing import capture_logs

from digest.schedule.watch import FolderWatch


class Bell:
    """Counts rings."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard(self) -> None:
        """Wait for a ring, and forget it."""
        await asyncio.wait_for(self._rung.wait(), 30)
        self._rung.clear()

    async def quiet(self) -> bool:
        """Whether it stays silent for longer than the watch gathers changes."""
        await asyncio.sleep(0.8)
        return not self._rung.is_set()


async def heard_of(bell: Bell, write: Callable[[], object]) -> None:
    """Write until it is heard: the system may begin to watch a little after it was asked to."""
    for _ in range(80):
        write()
        try:
            await asyncio.wait_for(bell.heard(), 0.7)
        except TimeoutError:
            continue
        return
    pytest.fail("the bell did not ring")


def watching(test: Callable[[FolderWatch, Bell], Awaitable[None]]) -> None:
    async def whole() -> None:
        bell = Bell()
        watch = FolderWatch(bell.ring, 0.0)
        try:
            await test(watch, bell)
        finally:
            await watch.close()

    asyncio.run(whole())


def test_a_new_file_rings(tmp_path: Path) -> None:
    """Also one that is moved in, and one in a folder made later."""

    async def test(watch: FolderWatch, bell: Bell) -> None:
        inbox = tmp_path / "listings"
        inbox.mkdir()
        await watch.look_at([inbox])
        await heard_of(bell, lambda: (inbox / "a.txt").write_text("a"))
        (tmp_path / "b.txt").write_text("b")
        (tmp_path / "b.txt").rename(inbox / "b.txt")
        await bell.heard()
        (inbox / "later").mkdir()
        await bell.heard()
        (inbox / "later" / "c.txt").write_text("c")
        await bell.heard()

    watching(test)


def test_what_is_no_listing_does_not_ring(tmp_path: Path) -> None:
    """Dot files, what SQLite writes beside a database, and what goes away."""

    async def test(watch: FolderWatch, bell: Bell) -> None:
        (tmp_path / "old.txt").write_text("a")
        await watch.look_at([tmp_path])
        await heard_of(bell, lambda: (tmp_path / "new.txt").write_text("a"))
        for name in (".hidden", "digest.db-wal", "digest.db-shm", "digest.db.lock"):
            (tmp_path / name).write_text("a")
        (tmp_path / "old.txt").unlink()
        assert await bell.quiet()

    watching(test)


def test_other_folders_are_watched_from_then_on(tmp_path: Path) -> None:
    """And those before no longer."""

    async def test(watch: FolderWatch, bell: Bell) -> None:
        before, after = tmp_path / "before", tmp_path / "after"
        before.mkdir()
        after.mkdir()
        await watch.look_at([before])
        await heard_of(bell, lambda: (before / "a.txt").write_text("a"))
        await watch.look_at([before, after])
        await heard_of(bell, lambda: (after / "a.txt").write_text("a"))
        await watch.look_at([after])
        await heard_of(bell, lambda: (after / "b.txt").write_text("a"))
        (before / "b.txt").write_text("a")
        assert await bell.quiet()

    watching(test)


@pytest.mark.parametrize("go", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("gone"))])
def test_a_folder_that_went_and_came_is_watched_again(tmp_path: Path, go: Callable[[Path], object]) -> None:
    """Removed or renamed; a missing folder is no error."""

    async def test(watch: FolderWatch, bell: Bell) -> None:
        inbox = tmp_path / "listings"
        inbox.mkdir()
        await watch.look_at([inbox])
        await heard_of(bell, lambda: (inbox / "a.txt").write_text("a"))
        go(inbox)
        inbox.mkdir()

        async def look() -> None:
            while True:
                await watch.look_at([inbox])
                await asyncio.sleep(0.1)

        looking = asyncio.create_task(look())
        await heard_of(bell, lambda: (inbox / "a.txt").write_text("a"))
        looking.cancel()
        shutil.rmtree(inbox)
        await asyncio.gather(looking, return_exceptions=True)
        await watch.look_at([inbox])

    watching(test)


def test_folders_that_cannot_be_watched_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a limit of the system's; it is tried again and again, and works when it can."""

    def no_more(*arguments: object) -> object:
        raise OSError("OS file watch limit reached")

    async def test(watch: FolderWatch, bell: Bell) -> None:
        with monkeypatch.context() as limited, capture_logs() as lines:
            limited.setattr(watchfiles.main, "RustNotify", no_more)
            for _ in range(3):
                await watch.look_at([tmp_path])
                await asyncio.sleep(0.05)
        assert [line["reason"] for line in lines] == ["OSError: OS file watch limit reached"]
        await watch.look_at([tmp_path])
        await heard_of(bell, lambda: (tmp_path / "a.txt").write_text("a"))

    watching(test)
