"""Fetch: what stands at the addresses of sources becomes listing files. `intake` then loads them.

Rules
-----
1. A source is asked when its time has come (see `fetching.waits`), or as soon as its address is another. Those that
   were not asked for longest come first; what does not fit into the time of one fetch is left to the next.
2. What may pass (no connection, a server in trouble) is tried twice more at once, all within a minute for each source.
3. The file is there before the database knows of it: a kill in between costs one more fetch, and loses nothing.
4. A source that fails is told, and keeps nobody else from anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from digest.errors import FetchError, UsageError
from digest.fetching import files, waits
from digest.fetching.address import masked
from digest.report import Fetched
from digest.store import fetches
from digest.store.fetches import Fetch
from digest.store.store import Store

if TYPE_CHECKING:
    from digest.fetching.http import Answer, Wanted

_AT_ONCE = 8
_LOOK_SECONDS = 0.25
_CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True)
class Remote:
    """A source with an address: what to fetch, where to keep it, and how often. `headers` are not for other hosts."""

    name: str
    url: str
    folder: Path
    every_seconds: int
    max_bytes: int
    allow_private: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for one source, for all together, and before the second try and each further one."""

    source: float = 60.0
    all: float = 150.0
    pauses: tuple[float, ...] = (1.0, 3.0)


PATIENCE = Patience()


def prove(remotes: Sequence[Remote]) -> None:
    """Raises UsageError if there is something to fetch and no library to do it with."""
    if remotes and not find_spec("httpx2"):
        raise UsageError(
            f'the source {remotes[0].name!r} has a url, which needs httpx2: pip install "email-digest[fetch]"'
        )


def fetch(
    store: Store,
    remotes: Sequence[Remote],
    clock: Callable[[], int],
    going: Callable[[], bool],
    *,
    early: bool = False,
    patience: Patience = PATIENCE,
) -> tuple[Fetched, ...]:
    """Fetch every source that is due, for as long as `going` says so; `early`: all, due or not. In the order given."""
    if not remotes:
        return ()
    prove(remotes)
    with store.read() as connection:
        known = fetches.load(connection)
    now = clock()
    asked = [(remote, _known(known, remote)) for remote in remotes]
    due = [(remote, last) for remote, last in asked if early or not last.tried_at <= now < last.next_at]
    due.sort(key=lambda pair: pair[1].tried_at)
    if not due:
        return ()
    done = asyncio.run(_Round(store, clock, patience).all(due, going))
    return tuple(done[remote.name] for remote in remotes if remote.name in done)


def _known(known: Mapping[str, Fetch], remote: Remote) -> Fetch:
    """What is known of a source; nothing if it had another address."""
    last = known.get(remote.name)
    return last if last and last.url == remote.url else Fetch(remote.name, remote.url)


class _Round:
    """One fetch of several sources."""

    def __init__(self, store: Store, clock: Callable[[], int], patience: Patience) -> None:
        self._store, self._clock, self._patience = store, clock, patience
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def all(self, due: Sequence[tuple[Remote, Fetch]], going: Callable[[], bool]) -> dict[str, Fetched]:
        """Several at once; those that are not done in time, or when there is no going on, are left as they were."""
        waiting = {asyncio.create_task(self._one(remote, last)) for remote, last in due}
        done: dict[str, Fetched] = {}
        end = time.monotonic() + self._patience.all
        try:
            while waiting and time.monotonic() < end and going():
                ended, waiting = await asyncio.wait(waiting, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for fetched, state in [task.result() for task in ended]:
                    with self._store.write() as connection:
                        fetches.save(connection, state)
                    done[fetched.source] = fetched
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return done

    async def _one(self, remote: Remote, last: Fetch) -> tuple[Fetched, Fetch]:
        """One source: what came of it, and what is then known of it."""
        async with self._gate:
            try:
                async with asyncio.timeout(self._patience.source):
                    answer = await _patiently(_wanted(remote, last), self._patience.pauses)
                return self._taken(remote, last, answer)
            except TimeoutError:
                words = f"it was not done in {self._patience.source:g} seconds; see whether the server is well"
                return self._failed(remote, last, FetchError(words, passing=True))
            except FetchError as error:
                return self._failed(remote, last, error)

    def _taken(self, remote: Remote, last: Fetch, answer: Answer) -> tuple[Fetched, Fetch]:
        now, path = self._clock(), None
        digest = last.digest if answer.content is None else sha256(answer.content).hexdigest()
        if answer.content is not None and digest != last.digest:
            path = files.save(remote.folder, answer.content, answer.kind, now)
        state = Fetch(
            *(remote.name, remote.url, answer.etag, answer.modified, digest),
            tried_at=now,
            fetched_at=now,
            next_at=waits.regular(now, remote.every_seconds),
        )
        return Fetched(remote.name, masked(remote.url), path, len(answer.content or b"") if path else 0), state

    def _failed(self, remote: Remote, last: Fetch, error: FetchError) -> tuple[Fetched, Fetch]:
        now, failures, words = self._clock(), last.failures + 1, str(error)
        if (asked := waits.asked_for(error.retry_after, now)) is not None:
            next_at = now + asked
        elif error.lasting:
            next_at = waits.regular(now, remote.every_seconds)
        else:
            next_at = now + waits.after_failures(failures, _CHANCE.random())
        state = replace(last, tried_at=now, next_at=next_at, failures=failures, words=words)
        return Fetched(remote.name, masked(remote.url), fault=words), state


async def _patiently(wanted: Wanted, pauses: Sequence[float]) -> Answer:
    """What stands at an address, tried again where that may help. Raises FetchError."""
    from digest.fetching.http import get  # noqa: PLC0415 (its library is an extra)

    for pause in pauses:
        try:
            return await get(wanted)
        except FetchError as error:
            if not error.passing or error.retry_after:
                raise
        await asyncio.sleep(pause)
    return await get(wanted)


def _wanted(remote: Remote, last: Fetch) -> Wanted:
    from digest.fetching.http import Wanted  # noqa: PLC0415 (as above)

    return Wanted(remote.url, remote.max_bytes, remote.allow_private, remote.headers, last.etag, last.modified)
