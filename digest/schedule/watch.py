"""Rings when something is written into a listing folder, so that a new file need not wait for the next minute.

It is a convenience: where folders cannot be watched (a limit of the system, a network drive), the minute's tick finds
the file. A folder that was removed and made again is a new one and is watched anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import Change, awatch

from digest.schedule.logs import logger

_log = logger("digest.watch")
_DEBOUNCE_MS, _STEP_MS = 400, 200
_NOT_LISTINGS = ("-wal", "-shm", "-journal", ".lock")
"""What SQLite and our own lock write beside a database; a run that rang its own bell would never end."""

Identity = tuple[Path, int, int]


class FolderWatch:
    """Watches folders until they are others, or it is closed; rings no more than once in `pause_seconds`."""

    def __init__(self, ring: Callable[[], None], pause_seconds: float = 2.0) -> None:
        self._ring, self._pause_seconds = ring, pause_seconds
        self._watched: tuple[Identity, ...] = ()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._said = ""

    async def look_at(self, folders: Sequence[Path]) -> None:
        """Watch these folders from now on; nothing happens if they are watched already."""
        wanted = tuple(identity for folder in folders if (identity := _identity(folder)))
        if wanted == self._watched and self._task and not self._task.done():
            return
        await self.close()
        self._watched = wanted
        if wanted:
            self._stop = asyncio.Event()
            watching = self._watch([folder for folder, _, _ in wanted], self._stop)
            self._task = asyncio.create_task(watching)

    async def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._task:
            await self._task
        self._task = None

    async def _watch(self, folders: list[Path], stop: asyncio.Event) -> None:
        try:
            watching = awatch(*folders, watch_filter=None, debounce=_DEBOUNCE_MS, step=_STEP_MS, stop_event=stop)
            async for changes in watching:
                if any(_tells(change, path) for change, path in changes):
                    _log.debug("a listing folder has changed")
                    self._ring()
                    await asyncio.sleep(self._pause_seconds)  # what changes meanwhile is told of afterwards
                if any(change is Change.deleted and Path(path) in folders for change, path in changes):
                    return
        except Exception as error:  # noqa: BLE001 (of whatever kind: the tick goes on alone)
            reason = f"{type(error).__name__}: {error}"
            if reason != self._said:
                _log.warning("folders are not watched; new files wait for the next minute", reason=reason)
            self._said = reason
        else:
            self._said = ""


def _tells(change: Change, path: str) -> bool:
    """Whether a change may mean a new listing file."""
    name = Path(path).name
    return change is not Change.deleted and not name.startswith(".") and not name.endswith(_NOT_LISTINGS)


def _identity(folder: Path) -> Identity | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return folder, status.st_dev, status.st_ino
