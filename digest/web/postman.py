"""Sends letters beside the pages, for as long as they are served: claimed, handed to a relay, settled.

Rules
-----
1. Several postmen may be at work, here and in other processes: a claim gives a letter to one of them. It takes less
   time over what it claimed than a claim lasts, so none is sent twice while all goes well.
2. The relays are tried in order; a letter goes to the next one unless this one has judged it. One whose connection was
   lost before its body left goes over another one first, TRIES times in all.
3. A letter that is pushed back, or may have arrived, is tried again after five minutes or more, one that no relay was
   there for sooner, and none after its link has ended. Waits double (`delivery.pace`).
4. A suppressed address gets none; who has left by themselves does, for so they come back.
5. No address gets into the log, and no fault ends the postman.
"""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NamedTuple

from digest.delivery.address import identity
from digest.delivery.check import Checked
from digest.delivery.message import Envelope
from digest.delivery.opening import connect
from digest.delivery.pace import retry_at
from digest.delivery.relay import Relay
from digest.delivery.settling import TRIES
from digest.delivery.smtp import Connection
from digest.delivery.verdict import Blame, Result, verdict
from digest.errors import MessageError, RelayError, TemplateError
from digest.letters import Letters, ends_at
from digest.model import State
from digest.store import letters, rates, suppressions
from digest.store.letters import CLAIMED, Letter
from digest.store.store import Store

LOOK_SECONDS = 5.0
"""How long a letter waits at most that nobody rang for, as another process wrote it."""
_ROUNDS, _AT_ONCE = 4, 10  # connections at once, and letters over each
_ROUND_SECONDS = CLAIMED - 60
_PUSHED_BACK_SECONDS, _OUT_OF_REACH_SECONDS = 300, 30
_TIDY_SECONDS = 3600.0
_log = logging.getLogger("digest.web")


class _Mail(NamedTuple):
    letter: Letter
    message: Checked
    tries: int = 1


class Postman:
    """Sends what waits in the store through relays, in the order of their priority."""

    def __init__(
        self, store: Store, clock: Callable[[], int], made: Letters, relays: Sequence[Relay], mail_from: str
    ) -> None:
        self._store, self._clock, self._letters, self._mail_from = store, clock, made, mail_from
        self._relays = sorted(relays, key=lambda relay: -relay.priority)
        self._wake: Callable[[], object] = lambda: None

    def ring(self) -> None:
        """Tell that a letter waits; from any thread."""
        with suppress(RuntimeError):  # the loop has ended; the letter waits for the next one
            self._wake()

    async def run(self) -> None:
        """Work until cancelled. What is under way then stays claimed, and is sent when the claim is over."""
        rung = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, rung.set)
        rounds = min(_ROUNDS, max(relay.connections for relay in self._relays))
        await asyncio.gather(self._tidy(), *(self._work(rung) for _ in range(rounds)))

    async def _work(self, rung: asyncio.Event) -> None:
        while True:
            if not await _undisturbed(self._round):
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await rung.wait()
                rung.clear()

    async def _tidy(self) -> None:
        while True:
            await _undisturbed(partial(asyncio.to_thread, self._forget_old))
            await asyncio.sleep(_TIDY_SECONDS)

    def _forget_old(self) -> bool:
        now = self._clock()
        with self._store.write() as connection:
            letters.forget_old(connection, now)
            rates.forget_old(connection, now)
        return True

    async def _round(self) -> bool:
        """Send some of the letters that wait; False: none does."""
        claimed = await asyncio.to_thread(self._claimed)
        mails = [mail for letter in claimed if (mail := await asyncio.to_thread(self._composed, letter))]
        left = {mail.letter.id: mail for mail in mails}
        with suppress(TimeoutError):
            async with asyncio.timeout(_ROUND_SECONDS):
                for relay in self._relays:
                    await self._hand_over(relay, left)
        for mail in left.values():
            await asyncio.to_thread(self._put_off, mail.letter, 0, "no relay took it", _OUT_OF_REACH_SECONDS)
        return bool(claimed)

    async def _hand_over(self, relay: Relay, left: dict[int, _Mail]) -> None:
        """Give a relay what is left; what it judges is left no more. Over a new connection after one that was lost."""
        waiting = deque(left.values())
        try:
            while waiting:
                async with _session(relay) as connection:
                    if not await self._hand_in(connection, waiting, left):
                        return
        except RelayError as error:
            _log.warning("letters wait: %s", error)

    async def _hand_in(self, connection: Connection, waiting: deque[_Mail], left: dict[int, _Mail]) -> bool:
        """The same over one connection, until it is lost; False: the relay would have no more."""
        while waiting and connection.is_open:
            letter, message, tries = waiting.popleft()
            result = await connection.sent(Envelope(self._mail_from, letter.email), message)
            judged = verdict(result)
            if judged.blame not in (Blame.RELAY, Blame.US) or judged.state is State.UNKNOWN:
                del left[letter.id]
                await asyncio.to_thread(self._settle, letter, judged.state, result)
                continue
            _log.warning("letter %s waits: %s at %s", letter.id, result.code or "connection lost", result.phase)
            if not result.lost:
                return False
            if tries < TRIES:
                waiting.append(_Mail(letter, message, tries + 1))
        return True

    def _claimed(self) -> list[Letter]:
        now = self._clock()
        with self._store.read() as connection:
            moment = letters.next_moment(connection)
        if moment is None or moment > now:  # most looks end here, and do not wait for whoever writes
            return []
        with self._store.write() as connection:
            return letters.claim(connection, now, _AT_ONCE)

    def _composed(self, letter: Letter) -> _Mail | None:
        """A letter's mail; None: it is not to be sent, and that is noted."""
        reason = "its link has ended" if self._clock() >= ends_at(letter) else ""
        try:
            reason = reason or self._suppressed(letter)
            message = None if reason else self._letters.message(letter)
        except (MessageError, TemplateError) as error:
            reason, message = str(error), None
        if message is None:
            self._end(letter, State.FAILED, 0, reason)
            return None
        return _Mail(letter, message)

    def _suppressed(self, letter: Letter) -> str:
        with self._store.read() as connection:
            found = suppressions.find(connection, identity(letter.email))
        return f"suppressed: {found.words}" if found and found.kind != suppressions.LEFT else ""

    def _settle(self, letter: Letter, state: State, result: Result) -> None:
        if state in (State.SENT, State.FAILED):
            self._end(letter, state, result.code, result.reply)
        else:
            self._put_off(letter, result.code, result.reply, _PUSHED_BACK_SECONDS)

    def _put_off(self, letter: Letter, code: int, reason: str, seconds: float) -> None:
        chance = random.random()  # noqa: S311 - jitter is no secret
        next_at = retry_at(self._clock(), letter.attempts, seconds, chance)
        if next_at >= ends_at(letter):
            self._end(letter, State.FAILED, code, reason)
            return
        with self._store.write() as connection:
            letters.settle(connection, letter.id, State.PLANNED, code, reason, next_at)

    def _end(self, letter: Letter, state: State, code: int, reason: str) -> None:
        with self._store.write() as connection:
            letters.settle(connection, letter.id, state, code, reason, 0)
            if state is State.FAILED:
                letters.give_back(connection, identity(letter.email))
        _log.info("letter %s, to %s: %s", letter.id, letter.kind, state)


@asynccontextmanager
async def _session(relay: Relay) -> AsyncIterator[Connection]:
    """A connection that is parted with politely, or at once if the work is cancelled, even in the middle of that."""
    connection = await connect(relay)
    try:
        yield connection
        await connection.close()
    finally:
        connection.abort()


async def _undisturbed(work: Callable[[], Awaitable[object]]) -> bool:
    """Whether some work did something; a fault in it is logged without data."""
    try:
        return bool(await work())
    except Exception as error:  # noqa: BLE001 (a fault now, as of the database, is none of later)
        place = traceback.extract_tb(error.__traceback__)[-1]
        _log.error("letters wait: %s at %s:%s", type(error).__name__, place.filename, place.lineno)
        return False
