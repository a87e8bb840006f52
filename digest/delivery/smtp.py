"""One open connection to a relay: messages in, a `Result` for each out. `opening.connect` makes it.

Rules
-----
1. `dialogue.py` says what goes when and what a reply means; here are the transport and the clock. What one packet
   allows goes out in one write.
2. A reply has one deadline for all of it, from when the one before it was complete, so a byte a second does not help.
3. A relay that takes nothing of what waits to be written for `block` to twice `block` seconds is given up. (What
   TLS holds back cannot be seen; there the other deadlines count.)
4. A message larger than the relay's SIZE is settled without a word to it, as is an address that it cannot take.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from digest.delivery.address import envelope_address
from digest.delivery.check import Checked
from digest.delivery.dialogue import ClosingError, Dialogue, Done, Transaction
from digest.delivery.message import Envelope
from digest.delivery.relay import Relay
from digest.delivery.replies import ReplyError, ReplyParser, words
from digest.delivery.verdict import Phase, Result
from digest.errors import MessageError

_HIGH_WATER = 1 << 20  # octets waiting to be written before no more messages are taken


class Connection(asyncio.Protocol):
    """A session with a relay, on a transport that has been greeted, secured and logged in.

    `on_free` is called when there may be more room, and when the connection is lost; always after the results.
    `extensions` is what the relay offered to EHLO or LHLO: keyword in small letters → parameters.
    """

    def __init__(self, relay: Relay, transport: asyncio.Transport, extensions: Mapping[str, str]) -> None:
        self.on_free: Callable[[], None] | None = None
        self.extensions = extensions
        self._transport, self._loop = transport, asyncio.get_running_loop()
        self._commands = _Commands(extensions)
        self._dialogue = Dialogue(
            pipelining=relay.pipelining and "pipelining" in extensions,
            chunking=relay.chunking and "chunking" in extensions,
            depth=relay.depth,
            lmtp=relay.protocol == "lmtp",
        )
        self._replies = ReplyParser()
        self._reading = self._paused = self._is_lost = False
        self._farewell: asyncio.Future[None] | None = None
        self._limits = limits = relay.limits
        self._limit = {
            Phase.MAIL: limits.command, Phase.RCPT: limits.command, Phase.DATA: limits.data, Phase.BODY: limits.dot,
        }  # fmt: skip
        self._shortest = min(limits.block, *self._limit.values())
        self._timer: asyncio.TimerHandle | None = None
        self._reply_by = self._taken_by = 0.0
        self._written = self._taken = 0  # octets given to the transport, and those it had passed on
        transport.set_write_buffer_limits(high=_HIGH_WATER)

    @property
    def is_open(self) -> bool:
        """Whether another message can be sent here, now or when there is room."""
        return not (self._is_lost or self._farewell)

    @property
    def free(self) -> int:
        """How many messages may be handed over now."""
        if self._is_lost or self._paused or self._farewell:
            return 0
        return self._dialogue.room - len(self._dialogue.hand)

    def send(self, envelope: Envelope, message: Checked, done: Done) -> None:
        """Take a message over; `free` must not be 0. `done` is called once, from the loop, when it is settled."""
        if not self.is_open:
            self._settle_soon(done, Result(Phase.MAIL, 0, "the connection is closed", lost=True))
            return
        try:
            mail, rcpt = self._commands.of(envelope, len(message))
        except MessageError as error:
            self._settle_soon(done, Result(Phase.ADDRESS, 0, words(str(error))))
        except _TooLargeError as error:
            self._settle_soon(done, Result(Phase.MAIL, 552, str(error)))
        else:
            self._take(Transaction(mail, rcpt, message, done))

    async def sent(self, envelope: Envelope, message: Checked) -> Result:
        """Send one message and wait for its result. Cancelled, it closes the connection."""
        result: asyncio.Future[Result] = self._loop.create_future()
        self.send(envelope, message, lambda settled: None if result.done() else result.set_result(settled))
        try:
            return await result
        except asyncio.CancelledError:
            self.abort()
            raise

    async def close(self) -> None:
        """Say QUIT, if nothing is in hand, and wait a little for the answer; then close."""
        if self.is_open and not self._dialogue.hand:
            self._farewell = self._loop.create_future()
            self._transport.write(b"QUIT\r\n")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.farewell):
                    await self._farewell
        self.abort()

    def abort(self) -> None:
        """Close at once; all that is in hand is lost."""
        self._lose("closed by us")

    def data_received(self, data: bytes) -> None:
        """Take replies, tell the results, and write what may go now."""
        if self._farewell:
            _finish(self._farewell)
        elif not self._is_lost:
            self._reading = True
            try:
                self._read(data)
            finally:
                self._reading = False
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle what is in hand."""
        self._lose(str(exc or "") or "the relay closed it")

    def pause_writing(self) -> None:
        """Take no more messages."""
        self._paused = True

    def resume_writing(self) -> None:
        """Take messages again."""
        self._paused = False
        self._tell()

    def _take(self, transaction: Transaction) -> None:
        hand = self._dialogue.hand
        hand.append(transaction)
        if len(hand) == 1:
            self._await_reply()
        if not self._reading:
            self._dialogue.begin()
            self._flush()

    def _read(self, data: bytes) -> None:
        dialogue, complete = self._dialogue, False
        try:
            for reply in self._replies.feed(data):
                dialogue.answer(reply)
                complete = True
        except ReplyError as error:
            self._lose(str(error), doubt=not isinstance(error, ClosingError))
            return
        if complete:
            self._tell()
            dialogue.begin()
            if dialogue.hand:
                self._await_reply()

    def _flush(self) -> None:
        # A transport that is closing drops what it is given; not given, it is known not to have left.
        if (out := self._dialogue.out) and not self._transport.is_closing():
            self._written += sum(map(len, out))
            self._transport.writelines(out)
            self._dialogue.left()

    def _settle_soon(self, done: Done, result: Result) -> None:
        def settle() -> None:
            self._dialogue.settled.append((done, result))
            self._tell()

        self._loop.call_soon(settle)

    def _tell(self) -> None:
        """Call whoever waits for a result, then whoever waits for room."""
        settled, self._dialogue.settled = self._dialogue.settled, []
        for done, result in settled:
            done(result)
        if self.on_free and (self._is_lost or self.free):
            self.on_free()

    def _lose(self, reason: str, *, doubt: bool = False) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        if self._timer:
            self._timer.cancel()
        if self._farewell:
            _finish(self._farewell)
        self._transport.abort()
        self._dialogue.lose(reason, doubt=doubt)
        self._tell()

    # The clock

    def _await_reply(self) -> None:
        now = self._loop.time()
        self._reply_by = now + self._limit[self._dialogue.hand[0].awaited]
        if self._timer is None:
            self._taken, self._taken_by = self._written, now + self._limits.block
            self._wake_at(now)

    def _wake_at(self, now: float) -> None:
        # No deadline set after now is sooner than the shortest limit allows, so one timer at a time is enough.
        self._timer = self._loop.call_at(min(self._reply_by, self._taken_by, now + self._shortest), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if not self._dialogue.hand:
            return
        now = self._loop.time()
        waiting = self._transport.get_write_buffer_size()
        if not waiting or self._written - waiting > self._taken:
            self._taken, self._taken_by = self._written - waiting, now + self._limits.block
        if now >= min(self._reply_by, self._taken_by):
            self._lose("the time is up" if now >= self._reply_by else "the relay takes no more")
        else:
            self._wake_at(now)


class _TooLargeError(Exception):
    """The message is larger than the relay takes."""


class _Commands:
    """MAIL and RCPT as this relay takes them."""

    def __init__(self, extensions: Mapping[str, str]) -> None:
        self._smtputf8, self._eight_bit = "smtputf8" in extensions, "8bitmime" in extensions
        self._sizes = "size" in extensions
        limit = extensions.get("size", "").strip()
        self._largest = int(limit) if limit.isdecimal() and limit.isascii() else 0  # 0 has no limit (RFC 1870 4)
        self._sender, self._mail = "", b""

    def of(self, envelope: Envelope, size: int) -> tuple[bytes, bytes]:
        """Both commands for a message of so many octets. Raises MessageError or _TooLargeError."""
        if envelope.mail_from != self._sender:
            self._mail = f"MAIL FROM:<{envelope_address(envelope.mail_from, smtputf8=False)}>".encode()
            self._sender = envelope.mail_from
        recipient = envelope_address(envelope.recipient, self._smtputf8)
        if 0 < self._largest < size:
            raise _TooLargeError(f"5.3.4 ours has {size} octets, this relay takes {self._largest}")
        mail = self._mail + b" SIZE=%d" % size if self._sizes else self._mail
        if not recipient.isascii():
            mail += b" BODY=8BITMIME SMTPUTF8" if self._eight_bit else b" SMTPUTF8"
        return mail + b"\r\n", f"RCPT TO:<{recipient}>\r\n".encode()


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
