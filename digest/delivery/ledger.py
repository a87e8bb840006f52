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

from digest.model import Delivery, Outcome, Throttle

T = TypeVar("T")


class Ledger(Protocol):
    """The sender's view of the store."""

    def claim(self, after: int, limit: int) -> Sequence[Delivery]:
        """Return editions that may go now and whose id is above `after`, in the order of their ids; mark nothing."""

    def commit(self, sending: Sequence[int], outcomes: Sequence[Outcome], throttles: Sequence[Throttle]) -> set[int]:
        """In one transaction, store outcomes and throttles, mark `sending` as SENDING; return the ids really granted.

        An edition taken by another sender, or whose recipient is suppressed by now, is not granted. An outcome may
        be stored a second time after a commit that failed.
        """


class LedgerWriter:
    """Gathers outcomes into commits (rule 2). `throttles` gives those that changed since it was last asked."""

    def __init__(self, ledger: Ledger, throttles: Callable[[], Sequence[Throttle]]) -> None:
        self._ledger, self._throttles = ledger, throttles
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self.outcomes: list[Outcome] = []

    async def claim(self, after: int, limit: int) -> Sequence[Delivery]:
        """Fetch the next editions."""
        return await self._call(lambda: self._ledger.claim(after, limit))

    async def commit(self, sending: Sequence[int]) -> set[int]:
        """Commit these editions as SENDING and all outcomes that wait; return the editions that may be sent.

        Raises what the ledger raised; the outcomes then still wait.
        """
        outcomes, self.outcomes = self.outcomes, []
        throttles = self._throttles()
        try:
            return await self._call(lambda: self._ledger.commit(sending, outcomes, throttles))
        except BaseException:
            self.outcomes = outcomes + self.outcomes
            raise

    async def close(self) -> None:
        """Write what is left; after a failed commit the outcomes are tried once more, for they tell what was sent."""
        with suppress(Exception):
            if self.outcomes:
                await self.commit(())
        self._thread.shutdown()

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)


class Feed:
    """The editions to send, fetched a few at a time, so that memory stays flat however many wait."""

    def __init__(self, writer: LedgerWriter, chunk: int) -> None:
        self._writer, self._chunk = writer, chunk
        self._waiting: deque[Delivery] = deque()
        self._last = 0
        self._ended = False

    @property
    def more(self) -> bool:
        """Whether there are editions to send, here or perhaps in the ledger."""
        return bool(self._waiting) or not self._ended

    async def fill(self) -> None:
        """Fetch the next editions if few wait."""
        if len(self._waiting) < self._chunk // 2 and not self._ended:
            found = await self._writer.claim(self._last, self._chunk)
            self._ended = len(found) < self._chunk
            self._waiting.extend(found)
            self._last = found[-1].edition.id if found else self._last

    def next(self) -> Delivery | None:
        """Take the next edition; None: none waits here."""
        return self._waiting.popleft() if self._waiting else None

    def again(self, delivery: Delivery) -> None:
        """Put one back, to be taken next."""
        self._waiting.appendleft(delivery)

    def __len__(self) -> int:
        """How many wait here; more may wait in the ledger."""
        return len(self._waiting)
