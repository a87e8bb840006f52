"""A relay that fails by seed, in a process of its own, so that it survives whom it serves.

Arguments: the file to log to. It writes its port and then, for each order (a line of JSON) on standard input, a line
when it has taken it. The end of standard input ends it.

Rules
-----
1. A message is in the log, a line of JSON, before its 250 leaves; a second line says that the 250 has left.
2. A refusal for good (5xx) of a recipient or a message is logged, too, and so is what no client may say.
3. Calm weather has no faults. Recipients named `nobody` are refused in every weather.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import sys
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

EVENTS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot", "kept", "reply")
"""What happens in a session, in order. `kept`: in the log, and the sender not told; `reply`: told."""


class Fault(Enum):
    """What can go wrong at an event; REFUSE is for good, CLOSE is 421."""

    NONE = auto()
    DELAY = auto()
    DROP = auto()
    DEFER = auto()
    CLOSE = auto()
    REFUSE = auto()


_ANY = {Fault.DELAY: 4, Fault.DROP: 3, Fault.DEFER: 3, Fault.CLOSE: 2, Fault.REFUSE: 1}
_MUTE = {Fault.DELAY: 1, Fault.DROP: 1}  # where no reply is due
_WEIGHTS = dict.fromkeys(EVENTS, _ANY) | dict.fromkeys(("body", "kept", "reply"), _MUTE)
_WEIGHTS["EHLO"] = {fault: weight for fault, weight in _ANY.items() if fault is not Fault.REFUSE}
_CODES = {Fault.DEFER: b"451 4.3.0 not now", Fault.CLOSE: b"421 4.3.2 closing", Fault.REFUSE: b"554 5.0.0 never"}
_MOST_BYTES = 1 << 24


class Weather:
    """Which faults come, how slow the relay is, and what it offers, all by seed."""

    def __init__(
        self, seed: int, *, calm: bool, lag: float = 0.0, rate: float = 0.0, takes_nothing: bool = False
    ) -> None:
        self.chance = random.Random(seed)
        self.takes_nothing = takes_nothing
        self.rate = 0.0 if calm else rate or self.chance.choice((0.0, 0.005, 0.02, 0.05))
        self.lag = lag if calm else self.chance.choice((0.0, 0.001, 0.005))
        offers = random.Random(seed)
        self.offers = [name for name in (b"PIPELINING", b"CHUNKING", b"SIZE 30000000") if offers.random() < 0.7]

    def fault(self, event: str) -> Fault:
        """What goes wrong at an event."""
        if self.takes_nothing and event == "RCPT":
            return Fault.DEFER
        if self.chance.random() >= self.rate:
            return Fault.NONE
        weights = _WEIGHTS[event]
        return self.chance.choices(list(weights), list(weights.values()))[0]


@dataclass(slots=True)
class Strike:
    """A signal to send to a process, when an event ("any": of whatever kind) happens for the `count`th time."""

    pid: int
    signal: int
    event: str
    count: int

    def heard(self, event: str) -> bool:
        """Take note of an event; True when the signal was sent."""
        self.count -= self.event in (event, "any")
        if self.count > 0:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, self.signal)
        return True


@dataclass(slots=True)
class Relay:
    """What all sessions share."""

    log: int
    weather: Weather = field(default_factory=lambda: Weather(0, calm=True))
    strike: Strike | None = None
    kept: int = 0

    def note(self, **facts: Any) -> None:
        """Append a line to the log, in one write."""
        os.write(self.log, json.dumps(facts).encode() + b"\n")

    def happened(self, event: str) -> None:
        """Strike, if it is time."""
        if self.strike and self.strike.heard(event):
            self.strike = None

    def order(self, line: str) -> None:
        """Take an order: another `weather`, or a `strike` (none: forget it)."""
        wanted = json.loads(line)
        if "weather" in wanted:
            self.weather = Weather(**wanted["weather"])
        else:
            self.strike = Strike(**wanted["strike"]) if wanted["strike"] else None

    def keep(self, recipient: str, message: bytes) -> int:
        """Log a message; return its number."""
        self.kept += 1
        packed = base64.b64encode(zlib.compress(message, 1)).decode()
        self.note(kind="mail", number=self.kept, to=recipient, message=packed)
        return self.kept


class GoneError(Exception):
    """The session ends here."""


class Session:
    """One connection."""

    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.relay, self.reader, self.writer = relay, reader, writer
        self.mail, self.recipient, self.chunks = False, "", b""

    async def run(self) -> None:
        """Greet, and answer until one of the two leaves."""
        with suppress(GoneError, ConnectionError, asyncio.IncompleteReadError):
            if not await self.passed("connect"):
                return
            self.say(b"220 relay.example ESMTP")
            while True:
                await self.command(await self.reader.readuntil(b"\r\n"))
        self.writer.transport.abort()

    async def command(self, line: bytes) -> None:
        """Answer one command."""
        verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
        answers: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self.ehlo,
            "MAIL": self.mail_from,
            "RCPT": self.rcpt_to,
            "DATA": self.data,
            "BDAT": self.bdat,
            "RSET": self.rset,
            "QUIT": self.quit,
        }
        answer = answers.get(verb.upper(), self.strange)
        await answer(argument if answer != self.strange else line.decode("utf-8", "replace"))

    async def ehlo(self, _: str) -> None:
        if await self.passed("EHLO"):
            lines = [b"relay.example", *self.relay.weather.offers]
            self.say(b"\r\n".join([*(b"250-" + one for one in lines[:-1]), b"250 " + lines[-1]]))

    async def mail_from(self, _: str) -> None:
        if self.mail:
            await self.strange("MAIL inside a transaction")
        elif await self.passed("MAIL"):
            self.mail = True
            self.say(b"250 2.1.0 ok")

    async def rcpt_to(self, argument: str) -> None:
        recipient = argument.partition("<")[2].partition(">")[0]
        if self.recipient:
            await self.strange("a second RCPT")
        elif not self.mail:
            self.say(b"503 5.5.1 MAIL first")
        elif recipient.startswith("nobody"):
            self.relay.note(kind="refused", to=recipient)
            self.say(b"550 5.1.1 nobody of that name")
        elif await self.passed("RCPT", recipient):
            self.recipient = recipient
            self.say(b"250 2.1.5 ok")

    async def data(self, _: str) -> None:
        if not self.recipient:
            self.say(b"503 5.5.1 RCPT first")
        elif await self.passed("DATA", self.recipient):
            self.say(b"354 go on")
            await self.passed("body")
            end = b"\r\n.\r\n"
            await self.end_of_message((await self.reader.readuntil(end))[: 2 - len(end)])

    async def bdat(self, argument: str) -> None:
        size, _, last = argument.partition(" ")
        if self.recipient and int(size) > 1:
            await self.passed("body")
        chunk = await self.reader.readexactly(int(size))
        if not self.recipient:
            self.say(b"503 5.5.1 RCPT first")
        elif last.upper() == "LAST":
            await self.end_of_message(self.chunks + chunk)
        elif await self.passed("DATA", self.recipient):
            self.chunks += chunk
            self.say(b"250 2.0.0 go on")
        else:
            self.clear()

    async def end_of_message(self, message: bytes) -> None:
        recipient = self.recipient
        self.clear()
        await asyncio.sleep(self.relay.weather.lag)
        if not await self.passed("dot", recipient):
            return
        number = self.relay.keep(recipient, message)
        await self.passed("kept")
        reply = b"250 2.0.0 kept"
        if self.relay.weather.fault("reply") is Fault.DROP:
            self.writer.write(reply[: self.relay.weather.chance.randrange(len(reply))])
            raise GoneError
        self.say(reply)
        self.relay.note(kind="replied", number=number)
        await self.passed("reply")

    async def rset(self, _: str) -> None:
        self.clear()
        self.say(b"250 2.0.0 ok")

    async def quit(self, _: str) -> None:
        self.say(b"221 2.0.0 bye")
        with suppress(ConnectionError):
            await self.writer.drain()
        raise GoneError

    async def strange(self, line: str) -> None:
        """What a client in step would not say."""
        self.relay.note(kind="strange", line=line[:200])
        self.say(b"503 5.5.1 out of step")

    def clear(self) -> None:
        self.mail, self.recipient, self.chunks = False, "", b""

    def say(self, reply: bytes) -> None:
        self.writer.write(reply + b"\r\n")

    async def passed(self, event: str, recipient: str = "") -> bool:
        """Whether an event goes well; if not, it has been answered."""
        self.relay.happened(event)
        weather = self.relay.weather
        fault = weather.fault(event)
        if fault is Fault.DELAY:
            await asyncio.sleep(weather.chance.uniform(0, 0.05))
        if fault is Fault.DROP:
            if event == "body":
                await self.reader.read(weather.chance.randrange(1, 30_000))
            raise GoneError
        if fault not in _CODES:
            return True
        if fault is Fault.REFUSE and recipient:
            self.relay.note(kind="refused", to=recipient)
        self.say(_CODES[fault])
        if fault is Fault.CLOSE or event == "connect":
            await self.writer.drain()
            raise GoneError
        return False


async def main(log: str) -> None:
    """Serve until standard input ends."""
    relay = Relay(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Session(relay, reader, writer).run()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_MOST_BYTES)
    os.write(sys.stdout.fileno(), b"%d\n" % server.sockets[0].getsockname()[1])
    while line := await orders.readline():
        relay.order(line.decode())
        os.write(sys.stdout.fileno(), b"taken\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
