"""A relay and its connections: as many as it bears, replaced when they are lost, given up when all are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from time import monotonic

import pytest
from delivery_samples import CHECKED, LIMITS, MemoryLedger, deliver_to, delivered, editions, relay_at, restart
from scripted_relay import DROP, SILENCE, Script, ScriptedRelay
from wire_samples import CHUNKED, EHLO, PIPELINED, SERIAL, envelope

from digest.delivery.line import Line
from digest.delivery.opening import connect
from digest.delivery.pace import Throttles
from digest.delivery.relay import Relay
from digest.delivery.smtp import Connection
from digest.model import State


def with_line(
    test: Callable[[Line, ScriptedRelay], Awaitable[None]], script: Script | None = None, connections: int = 2
) -> None:
    """Run a test on a line to such a relay."""

    async def run() -> None:
        async with ScriptedRelay({"EHLO": EHLO[CHUNKED]} | dict(script or {})) as server:
            line = Line(relay_at(server, connections=connections), Throttles({}), lambda: 0.0, (0.0,), lambda: None)
            try:
                await test(line, server)
            finally:
                await line.close()
                await asyncio.sleep(0.002)

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def opened(line: Line, wanted: int) -> int:
    """How much room there is when all connections for so many mails are open."""
    line.tend(wanted)
    await until(lambda: not line._opening)
    return line.room()


def test_it_begins_with_two_connections_and_grows() -> None:
    """Twice as many after each round of accepted mails, up to what is configured."""

    async def test(line: Line, server: ScriptedRelay) -> None:
        assert await opened(line, 100) == 2 * 4
        connection = line.free()
        assert connection
        for grown in (4, 5):
            for _ in range(4):
                line.settled(connection, 0.001, 1)
            assert await opened(line, 100) == grown * 4
        assert server.connections == 5

    with_line(test, connections=5)


def test_there_are_no_more_connections_than_mails() -> None:
    """One mail needs one."""

    async def test(line: Line, server: ScriptedRelay) -> None:
        assert await opened(line, 1) == 4
        assert server.connections == 1

    with_line(test, connections=5)


def test_a_push_back_halves_the_connections() -> None:
    """Those over the limit take nothing more, and are closed when what they have in hand is settled."""

    async def test(line: Line, server: ScriptedRelay) -> None:
        await opened(line, 100)
        busy = line._connections[1]
        results: list[object] = []
        busy.send(envelope(), CHECKED, results.append)
        line.pushed_back()
        line.tend(100)
        assert line.room() == 4
        assert busy in line._connections
        await until(lambda: bool(results))
        line.tend(100)
        assert busy not in line._connections
        await until(lambda: "QUIT" in server.commands)

    with_line(test, connections=2)


def test_a_mail_knows_how_many_are_under_way_with_it() -> None:
    """So that waiting in a pipeline is not taken for a slow relay."""

    async def test(line: Line, server: ScriptedRelay) -> None:
        await opened(line, 1)
        for under_way in (1, 2, 3, 4):
            connection = line.free()
            assert connection
            assert line.take(connection) == under_way
            connection.send(envelope(), CHECKED, lambda result: None)
        assert line.free() is None
        assert line.taken == 4

    with_line(test, {"BDAT": SILENCE}, connections=1)


def test_connections_are_many_when_there_is_much_to_do() -> None:
    """A long delivery gets more than it began with."""
    ledger = MemoryLedger(editions(400))
    report, server = delivered(ledger, {}, SERIAL, connections=8)
    assert report.states == {State.SENT: 400}
    assert 2 < server.connections <= 8


@pytest.mark.parametrize("way", [SERIAL, PIPELINED, CHUNKED])
def test_a_relay_that_takes_one_connection_gets_everything_over_it(way: str) -> None:
    """It turns the others away with 421; they are tried again only now and then."""
    ledger = MemoryLedger(editions(200))
    script = {"CONNECT": ["", *["421 4.7.0 too many connections"] * 1000]}
    report, server = delivered(ledger, script, way, connections=8, pauses=(0.2,))
    assert (report.states, report.relay_error) == ({State.SENT: 200}, "")
    assert server.connections < 20


@pytest.mark.parametrize("script", [{"MAIL": DROP}, {"RCPT": DROP}, {"EHLO": DROP}, {"CONNECT": "421 4.3.2 closed"}])
def test_a_relay_that_drops_every_connection_is_given_up_after_three(script: Script) -> None:
    """Nothing is lost or blamed on a recipient, and the report says why nothing was sent."""
    ledger = MemoryLedger(editions(30))
    report, server = delivered(ledger, script, connections=1)
    assert server.connections == 3
    assert report.relay_error
    assert not report.refusals
    assert set(ledger.counts()) <= {State.PLANNED, State.DEFERRED}
    assert all(outcome.next_at == 0 for outcome in ledger.last.values())


def test_a_relay_that_drops_after_each_mail_goes_on_getting_mails() -> None:
    """A connection that has taken a mail is no failure, so the next is opened without a pause."""
    ledger = MemoryLedger(editions(12))
    end = monotonic() + 20
    report, server = delivered(
        ledger, {"MAIL": ["", DROP] * 11}, connections=1, pauses=(60.0,), going=lambda: monotonic() < end
    )
    assert report.states[State.SENT] + report.states[State.DEFERRED] == 12
    assert server.connections > 6


def test_a_relay_that_opens_slowly_is_waited_for() -> None:
    """Two attempts fail, the third works, within the same delivery."""
    ledger = MemoryLedger(editions(5))
    report, server = delivered(ledger, {"CONNECT": ["421 starting", DROP]}, connections=1, pauses=(0.05, 0.05))
    assert (report.states, server.connections) == ({State.SENT: 5}, 3)


@pytest.mark.parametrize("way", [SERIAL, PIPELINED, CHUNKED])
def test_a_restart_of_the_relay_is_outlived(way: str) -> None:
    """All arrive in the same delivery, but for what was out without an answer when it stopped: that is unknown."""

    async def run(ledger: MemoryLedger) -> int:
        told = count(1)
        restarts: list[asyncio.Task[None]] = []
        async with ScriptedRelay({"EHLO": EHLO[way]}) as server:

            def on_outcome(*_: object) -> None:
                if next(told) == 50:
                    restarts.append(asyncio.create_task(restart(server, 0.3)))

            relay = relay_at(server, connections=3)
            await deliver_to(ledger, (relay,), pauses=(0.2, 0.4), on_outcome=on_outcome)
            await restarts[0]
            return len(set(server.accepted))

    ledger = MemoryLedger(editions(200))
    arrived = asyncio.run(run(ledger))
    assert set(ledger.counts()) <= {State.SENT, State.UNKNOWN}
    assert ledger.count(State.UNKNOWN) <= 3 * {SERIAL: 1, PIPELINED: 2, CHUNKED: 4}[way]
    assert ledger.count(State.SENT) <= arrived <= 200


def test_a_connection_that_opens_while_all_are_closed_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling may come too late to stop it, and nothing may stay open."""

    async def unstoppable(relay: Relay) -> Connection:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
        return await connect(relay)

    async def test(line: Line, server: ScriptedRelay) -> None:
        line.tend(1)
        await asyncio.sleep(0)
        await line.close()
        assert server.commands[-1] == "QUIT"
        assert not any(connection.is_open for connection in line._connections)

    monkeypatch.setattr("digest.delivery.line.connect", unstoppable)
    with_line(test)


def test_a_host_that_cannot_be_one_is_told() -> None:
    """What nobody foresaw in connecting ends the delivery with its reason, and not never."""
    ledger = MemoryLedger(editions(3))
    relay = Relay("a..b", 25, "starttls", local_hostname="me", limits=LIMITS)
    report = asyncio.run(deliver_to(ledger, (relay,)))
    assert report.relay_error.startswith("a..b:25 cannot be used: ")
    assert ledger.counts() == {State.PLANNED: 3}
