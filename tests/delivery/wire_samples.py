"""What the tests of one connection share: a message, the three ways of a transaction, and relays that speak them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scripted_relay import Script, ScriptedRelay

from digest.delivery.check import Checked
from digest.delivery.message import Envelope
from digest.delivery.opening import connect
from digest.delivery.relay import Limits, Relay
from digest.delivery.smtp import Connection
from digest.delivery.verdict import Result

MESSAGE = Checked(
    b"Subject: x\r\n\r\n" + b"seventy letters or so make up a line of the message, as they do here\r\n" * 30
)
SERIAL, PIPELINED, CHUNKED = "one command at a time", "pipelining", "chunking"
EHLO = {
    SERIAL: "250-scripted\r\n250 8BITMIME",
    PIPELINED: "250-scripted\r\n250 PIPELINING",
    CHUNKED: "250-scripted\r\n250-PIPELINING\r\n250 CHUNKING",
}
LONG = Limits(greeting=10, command=10, data=10, block=10, dot=10, farewell=1)
SHORT = Limits(greeting=0.15, command=0.15, data=0.15, block=0.15, dot=0.15, farewell=0.15)


def envelope(number: int = 1) -> Envelope:
    """An envelope to a reader of that number."""
    return Envelope("digest@example.org", f"reader{number}@example.com")


def relay_at(server: ScriptedRelay, limits: Limits = LONG) -> Relay:
    """The configuration for such a server."""
    return Relay("127.0.0.1", server.port, "none", local_hostname="me", limits=limits)


@dataclass(frozen=True)
class Told:
    """What a run showed: the results by number, the server, and whether the connection lived at the end."""

    results: list[Result]
    server: ScriptedRelay
    is_open: bool


def told(
    way: str, script: Script, count: int = 1, limits: Limits = LONG, path: Path | None = None, **settings: object
) -> Told:
    """Send so many messages, each as soon as there is room, to a server that offers what the way needs."""

    async def run() -> Told:
        async with ScriptedRelay({"EHLO": EHLO.get(way, way)} | dict(script), path=path) as server:
            relay = replace(relay_at(server, limits), socket=str(path or ""), **settings)  # type: ignore[arg-type]  # any
            connection = await connect(relay)
            try:
                results = await send_all(connection, count)
                await asyncio.sleep(0)
                return Told(results, server, connection.is_open)
            finally:
                await connection.close()

    return asyncio.run(run())


async def send_all(connection: Connection, count: int, message: Checked = MESSAGE) -> list[Result]:
    """Hand over messages 1 to `count` as there is room; those for which there never was any have no result."""
    results: dict[int, Result] = {}
    handed, over = 0, asyncio.Event()

    def settled(number: int, result: Result) -> None:
        assert number not in results, "told twice"
        results[number] = result

    def hand_over() -> None:
        nonlocal handed
        while handed < count and connection.free > 0:
            handed += 1
            connection.send(envelope(handed), message, lambda result, number=handed: settled(number, result))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        if len(results) == handed and (handed == count or not connection.is_open):
            over.set()

    connection.on_free = hand_over
    hand_over()
    async with asyncio.timeout(30):
        await over.wait()
    return [results[number] for number in sorted(results)]


class Wire:
    """A transport in memory: `writes` are what one write each carried; a test gives the replies to the connection."""

    def __init__(self, extensions: Mapping[str, str], **settings: object) -> None:
        self.writes: list[bytes] = []
        self.closed = False
        relay = replace(Relay("127.0.0.1", 25, "none", limits=LONG), **settings)  # type: ignore[arg-type]  # any
        self.connection = Connection(relay, self, extensions)  # type: ignore[arg-type]  # it does all that is used

    def writelines(self, lines: list[bytes]) -> None:
        self.writes.append(b"".join(lines))

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True
