"""A relay with its connections: opened as they are needed and as the relay bears them, replaced when they are lost.

Rules
-----
1. There are as many connections as mails for them, as `Concurrency` allows, and `relay.connections` at most. Those over
   that get no more mails, and are closed when they are idle.
2. An attempt to connect that failed is a failure, and so is the loss of connections of which none had settled
   anything; what fails together is one. While the last was one, attempts come one at a time, after `pauses`; so many
   running open the breaker. A relay with an open breaker and no connection is out of reach for now. One that is
   failing, or slow to answer, is not `sound`: another may be used meanwhile.
3. A relay with a limit takes no more mails than that, in this run and those after it.
4. A relay that refuses us (login, certificate, 5xx at MAIL) is not tried again in this run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from time import monotonic

from digest.delivery.opening import UnreachableError, connect
from digest.delivery.pace import Breaker, Concurrency, Throttles
from digest.delivery.relay import Relay
from digest.delivery.smtp import Connection
from digest.errors import RelayError

_PATIENCE_SECONDS = 5.0


class Line:
    """One relay as the sender uses it. `on_room` is called when a connection may have room, or is lost."""

    def __init__(
        self,
        relay: Relay,
        throttles: Throttles,
        clock: Callable[[], float],
        pauses: Sequence[float],
        on_room: Callable[[], None],
    ) -> None:
        self.relay, self.taken = relay, 0  # mails handed over
        self._throttles, self._clock = throttles, clock
        self.refused, self.fault = False, ""  # whether it refuses us; why it is out of reach
        self._concurrency, self._breaker = Concurrency(relay.connections), Breaker(random.random)
        self._pauses, self._on_room = pauses, on_room
        self._connections: list[Connection] = []
        self._proven: set[Connection] = set()  # those on which something was settled
        self._depth = 1  # mails that a connection takes at once
        self._opening: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._tried_at = 0.0  # when the first of those that are opening began
        self._failures = 0

    @property
    def hopeless(self) -> bool:
        """Whether nothing can be sent here for now."""
        return self.refused or (not (self._connections or self._opening) and self._breaker.is_open(monotonic()))

    @property
    def sound(self) -> bool:
        """Whether there is a connection, or the attempt to get one has neither failed nor taken long so far."""
        if any([connection.is_open for connection in self._connections]):  # noqa: C419 - a list is faster here
            return True
        return not (self._failures or (self._opening and monotonic() > self._tried_at + _PATIENCE_SECONDS))

    @property
    def share(self) -> float:
        """How much it has taken, by its weight."""
        return self.taken / self.relay.weight

    def free(self) -> Connection | None:
        """A connection that takes another mail."""
        for connection in self._connections[: self._concurrency.limit]:
            if connection.free > 0:
                return connection if self._may_send() else None
        return None

    def room(self) -> int:
        """How many mails its connections take now."""
        used = self._connections[: self._concurrency.limit]
        return sum([connection.free for connection in used]) if self._may_send() else 0

    def take(self, connection: Connection) -> int:
        """Note that a mail goes there next; return how many are then under way on that connection."""
        self.taken += 1
        if self.relay.per_minute:
            self._throttles.take("relay", str(self.relay), self._clock())
        return self._depth - connection.free + 1

    def tend(self, wanted: int) -> None:
        """Part with connections that are lost or too many, and open others, for so many mails."""
        self._part_with_lost()
        for connection in self._connections[self._concurrency.limit :]:
            if connection.free == self._depth:
                self._leave(connection)
        most = min(wanted, self._concurrency.limit)
        while not self.refused and len(self._connections) + len(self._opening) < most and self._may_open():
            self._tried_at = self._tried_at if self._opening else monotonic()
            task = asyncio.create_task(self._open(self._failures))
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def settled(self, connection: Connection, seconds: float, under_way: int) -> None:
        """The relay has judged a mail, so many seconds after it was handed over as the last of so many."""
        if connection not in self._proven:
            self._proven.add(connection)
            self._breaker.worked()
            self._failures = 0
        self._concurrency.settled(seconds, under_way)

    def pushed_back(self) -> None:
        """The relay has too much to do."""
        self._concurrency.pushed_back(monotonic())

    def refuse(self, words: str) -> None:
        """The relay refuses us."""
        self.refused, self.fault = True, words

    async def close(self) -> None:
        """Take leave of the relay."""
        for task in self._opening:
            task.cancel()
        # One that had just got its answer ends with a connection all the same: `wait_for` may swallow the cancelling.
        await asyncio.gather(*self._opening, return_exceptions=True)
        closing = [connection.close() for connection in self._connections]
        await asyncio.gather(*self._leaving, *closing, return_exceptions=True)

    def _part_with_lost(self) -> None:
        lost = {connection for connection in self._connections if not connection.is_open}
        if not lost:
            return
        self._connections = [connection for connection in self._connections if connection not in lost]
        if not lost & self._proven:
            self._failed(f"{self.relay} dropped every connection before it had judged a mail; it may do later")
        self._proven -= lost

    def _leave(self, connection: Connection) -> None:
        self._connections.remove(connection)
        self._proven.discard(connection)
        task = asyncio.create_task(connection.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _may_send(self) -> bool:
        if not self.relay.per_minute:
            return True
        now = self._clock()
        return self._throttles.ready_at("relay", str(self.relay), now) <= now

    def _may_open(self) -> bool:
        if self._failures and self._opening:
            return False
        now = monotonic()
        return self._breaker.ready_at(now) <= now

    async def _open(self, failures: int) -> None:
        if failures:
            await asyncio.sleep(self._pauses[min(failures, len(self._pauses)) - 1])
        try:
            connection = await connect(self.relay)
        except UnreachableError as error:
            if self._failures == failures:
                self._failed(str(error))
        except RelayError as error:
            self.refuse(str(error))
        else:
            connection.on_free = self._on_room
            self._depth = connection.free
            self._connections.append(connection)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.refuse(f"{self.relay} cannot be used: {error}")
        self._on_room()

    def _failed(self, words: str) -> None:
        self._failures += 1
        self.fault = words
        self.pushed_back()
        if not self._connections:
            self._breaker.failed(monotonic())
