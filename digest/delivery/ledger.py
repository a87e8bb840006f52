"""Where editions and their states are kept, as the sender sees it, and the one way in which it writes there.

Rules
-----
1. Nothing is sent unless its SENDING was committed. A commit that fails ends all sending.
2. Whatever waits to be written goes into one commit: while one runs, the next gathers.
3. The ledger is called from one thread only, never twice at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

from digest.model import Edition, Outcome

T = TypeVar("T")


class Ledger(Protocol):
    """The sender's view of the store."""

    def claim(self, after: int, limit: int) -> Sequence[Edition]:
        """Return editions that may go now and whose id is above `after`, in the order of their ids; mark nothing."""

    def commit(self, sending: Sequence[int], outcomes: Sequence[Outcome]) -> set[int]:
        """In one transaction, store the outcomes and mark `sending` as SENDING; return the ids really granted.

        An edition taken by another sender, or whose recipient is suppressed by now, is not granted. An outcome may
        be stored a second time after a commit that failed. State PLANNED in an outcome gives the edition back.
        """


class LedgerWriter:
    """Gathers grants and outcomes into commits (rule 2)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._grants: dict[int, asyncio.Future[bool]] = {}
        self._outcomes: list[Outcome] = []
        self._commits: asyncio.Task[None] | None = None
        self.failure: Exception | None = None

    async def claim(self, after: int, limit: int) -> Sequence[Edition]:
        """Fetch the next editions."""
        return await self._call(lambda: self._ledger.claim(after, limit))

    async def grant(self, edition: int) -> bool:
        """Commit the edition as SENDING; False if it must not be sent. Raises what the commit raised."""
        if self.failure:
            raise self.failure
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._grants[edition] = granted
        self._wake()
        return await granted

    def record(self, outcome: Outcome) -> None:
        """Store an outcome with the next commit."""
        self._outcomes.append(outcome)
        self._wake()

    async def close(self) -> None:
        """Write what is left. After a failed commit the outcomes are tried once more, for they tell what was sent."""
        if self._commits:
            await self._commits
        if self.failure and self._outcomes:
            with suppress(Exception):
                await self._call(lambda: self._ledger.commit((), self._outcomes))
        self._thread.shutdown()

    def _wake(self) -> None:
        if not self.failure and (self._commits is None or self._commits.done()):
            self._commits = asyncio.create_task(self._commit_all())

    async def _commit_all(self) -> None:
        while self._grants or self._outcomes:
            grants, self._grants = self._grants, {}
            outcomes, self._outcomes = self._outcomes, []
            try:
                granted = await self._call(lambda: self._ledger.commit(tuple(grants), outcomes))  # noqa: B023 - called at once
            except Exception as error:  # noqa: BLE001 - whatever it is, it ends the sending and is raised from `grant`
                self._fail(error, grants | self._grants, outcomes)
                return
            for edition, waiting in grants.items():
                if not waiting.done():
                    waiting.set_result(edition in granted)

    def _fail(self, error: Exception, grants: dict[int, asyncio.Future[bool]], outcomes: list[Outcome]) -> None:
        self.failure = error
        self._outcomes = outcomes + self._outcomes
        self._grants = {}
        for waiting in grants.values():
            if not waiting.done():
                waiting.set_exception(error)

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)


class Feed:
    """The editions to send, fetched a few at a time, so that memory stays flat however many wait."""

    def __init__(self, writer: LedgerWriter, chunk: int) -> None:
        self._writer, self._chunk = writer, chunk
        self._waiting: deque[Edition] = deque()
        self._last, self._ended = 0, False
        self._lock = asyncio.Lock()

    async def fill(self) -> int:
        """Fetch the next editions if none waits; return how many wait now."""
        async with self._lock:
            if not self._waiting and not self._ended:
                self._waiting.extend(await self._writer.claim(self._last, self._chunk))
                self._ended = not self._waiting
                self._last = self._waiting[-1].id if self._waiting else self._last
            return len(self._waiting)

    async def next(self) -> Edition | None:
        """Take the next edition; None: there is no more."""
        while await self.fill():
            if self._waiting:
                return self._waiting.popleft()
        return None
