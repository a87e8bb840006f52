"""Keeps the entries of the last days indexed, so that no visitor waits for it: 10,000 of them take some seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool

from digest.backtest import Trials
from digest.errors import DigestError

EVERY_SECONDS = 5.0
_log = logging.getLogger("digest.web")


class Warmth:
    """Looks for new entries for as long as the pages are served."""

    def __init__(self, trials: Trials, clock: Callable[[], int]) -> None:
        self._trials, self._clock = trials, clock

    async def run(self) -> None:
        """Index what is new, now and every few seconds."""
        while True:
            try:
                await run_in_threadpool(self._trials.prepare, self._clock())
            except DigestError as error:  # the database is away; visitors are told so themselves
                _log.warning("entries cannot be indexed: %s", error)
            await asyncio.sleep(EVERY_SECONDS)
