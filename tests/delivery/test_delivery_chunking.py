"""CHUNKING (RFC 3030): whole transactions in one write, several on their way, and what is known when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from scripted_relay import DROP, ScriptedRelay
from wire_samples import CHUNKED, EHLO, MESSAGE, Wire, envelope, relay_at, send_all, told

from digest.delivery.check import Checked
from digest.delivery.opening import connect
from digest.delivery.verdict import Phase, Result, verdict
from digest.model import State

SENT = Result(Phase.BODY, 250, "2.0.0 kept")
OFFERS = {"pipelining": "", "chunking": ""}


def transaction(number: int) -> bytes:
    """All that is written for a message."""
    mail = f"MAIL FROM:<digest@example.org>\r\nRCPT TO:<reader{number}@example.com>\r\n"
    return f"{mail}BDAT {len(MESSAGE)} LAST\r\n".encode() + MESSAGE


def on_wire(steps: Callable[[Wire, list[Result]], None], **settings: object) -> tuple[list[bytes], list[Result]]:
    """The writes and results of what `steps` does with a connection in memory."""

    async def run() -> tuple[list[bytes], list[Result]]:
        wire, results = Wire(OFFERS, **settings), list[Result]()
        steps(wire, results)
        return wire.writes, results

    return asyncio.run(run())


def test_a_transaction_is_one_write_and_up_to_depth_are_on_their_way() -> None:
    """Behind one that is not answered RSET goes first, for its recipient may yet be refused."""

    def steps(wire: Wire, results: list[Result]) -> None:
        for number in (1, 2, 3):
            assert wire.connection.free == 4 - number
            wire.connection.send(envelope(number), MESSAGE, results.append)
        assert wire.connection.free == 0
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n250 2.0.0 kept\r\n")
        assert wire.connection.free == 1
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n250 ok\r\n250 2.0.0 kept\r\n" * 2)
        wire.connection.send(envelope(4), MESSAGE, results.append)

    writes, results = on_wire(steps, depth=3)
    assert writes == [transaction(1), b"RSET\r\n" + transaction(2), b"RSET\r\n" + transaction(3), transaction(4)]
    assert results == [SENT] * 3


def test_the_octets_arrive_as_they_are() -> None:
    """The size is in octets, and what looks like the end of DATA is none: nothing is stuffed, nothing cut."""
    odd = Checked(b"Subject: x\r\n\r\n.\r\n..\r\nMAIL FROM:<x@y.co>\r\n\xc3\xbc\r\n")

    async def run() -> ScriptedRelay:
        async with ScriptedRelay({"EHLO": EHLO[CHUNKED]}) as server:
            connection = await connect(relay_at(server))
            assert {result.code for result in await send_all(connection, 6, odd)} == {250}
            await connection.close()
            return server

    server = asyncio.run(run())
    assert server.messages == [odd] * 6
    assert server.accepted == [envelope(number).recipient for number in range(1, 7)]


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize(
    ("step", "reply", "phase"),
    [
        ("MAIL", "451 4.3.0 later", Phase.MAIL),
        ("RCPT", "450 4.2.1 later", Phase.RCPT),
        ("RCPT", "550 5.1.1 no", Phase.RCPT),
        ("BDAT", "452 4.3.1 later", Phase.BODY),
        ("BDAT", "554 5.6.0 no", Phase.BODY),
    ],
)
def test_a_refusal_among_many_is_told_for_its_message_alone(step: str, reply: str, phase: Phase, number: int) -> None:
    """All others arrive, each to its own recipient, though the server forbids a MAIL within a transaction."""
    usual = "250 2.0.0 kept" if step == "BDAT" else "250 ok"
    run = told(CHUNKED, {step: [*[usual] * (number - 1), reply]}, 6)
    expected = [SENT] * 6
    expected[number - 1] = Result(phase, int(reply[:3]), reply[4:])
    assert run.results == expected
    others = [envelope(n).recipient for n in range(1, 7) if n != number]
    assert run.server.accepted == others
    assert run.is_open


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "BDAT"])
def test_a_drop_leaves_unknown_what_was_on_its_way(step: str) -> None:
    """All bodies were out, so all in hand are unknown, and no more than `depth`."""
    run = told(CHUNKED, {step: ["250 2.0.0 kept", DROP]}, 8, depth=3)
    lost = [result for result in run.results if result.lost]
    assert [verdict(result).state for result in lost] == [State.UNKNOWN] * len(lost)
    assert 1 <= len(lost) <= 3
    assert run.results[0] == SENT
    assert not run.is_open


@pytest.mark.parametrize(("step", "phase"), [("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT), ("BDAT", Phase.BODY)])
def test_421_settles_one_and_leaves_the_others_unknown(step: str, phase: Phase) -> None:
    """The bodies behind it were out; what was accepted before it in the same packet was accepted."""
    run = told(CHUNKED, {step: ["250 2.0.0 kept", "421 4.3.2 closing"]}, 4)
    assert run.results[:2] == [SENT, Result(phase, 421, "4.3.2 closing")]
    assert [verdict(result).state for result in run.results[2:]] == [State.UNKNOWN] * 2


@pytest.mark.parametrize("in_hand", [1, 2])
def test_421_casts_no_doubt_on_what_came_with_it(in_hand: int) -> None:
    """In one packet an acceptance and 421: the first stands, whether another message waits or none."""

    def steps(wire: Wire, results: list[Result]) -> None:
        for number in range(in_hand):
            wire.connection.send(envelope(number), MESSAGE, results.append)
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n250 2.0.0 kept\r\n421 4.3.2 closing\r\n")
        assert wire.closed

    _, results = on_wire(steps)
    assert results == [SENT, Result(Phase.MAIL, 421, "4.3.2 closing")][:in_hand]


@pytest.mark.parametrize(
    "replies",
    [
        b"250 stray\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n",  # 2.1.5 is no answer to BDAT
        b"250 stray\r\n250 ok\r\n250 ok\r\n250 kept\r\n",  # one too many in one packet
        b"250 ok\r\n550 no\r\n250 kept\r\n",  # accepted without a recipient
        b"250 ok\r\n250 ok\r\n354 go\r\n",
    ],
)
def test_what_may_be_a_stray_acceptance_is_unknown(replies: bytes) -> None:
    """Nothing keeps BDAT in step as 354 keeps DATA: what cannot be told from a stray reply does not count as sent."""

    def steps(wire: Wire, results: list[Result]) -> None:
        wire.connection.send(envelope(1), MESSAGE, results.append)
        wire.connection.data_received(replies)
        assert wire.closed

    _, [result] = on_wire(steps)
    assert (result.phase, result.code, result.lost) == (Phase.BODY, 0, True)


def test_what_was_handed_over_but_not_written_is_not_out() -> None:
    """A message taken in a callback and never flushed is lost before its body."""

    def steps(wire: Wire, results: list[Result]) -> None:
        connection = wire.connection
        connection.send(envelope(1), MESSAGE, results.append)

        def hand_over_and_abort() -> None:
            connection.on_free = None
            connection.send(envelope(2), MESSAGE, results.append)
            connection.abort()

        connection.on_free = hand_over_and_abort
        connection.data_received(b"250 ok\r\n250 ok\r\n250 2.0.0 kept\r\n")

    writes, results = on_wire(steps)
    assert writes == [transaction(1)]
    assert [(r.phase, r.lost) for r in results] == [(Phase.BODY, False), (Phase.MAIL, True)]


def test_without_pipelining_each_command_waits() -> None:
    """MAIL, wait, RCPT, wait, BDAT; and a refused recipient's body never leaves."""
    run = told("250-me\r\n250 CHUNKING", {"RCPT": ["550 5.1.1 no"]}, 2)
    assert [line.split()[0] for line in run.server.commands] == [
        "EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "BDAT", "QUIT",
    ]  # fmt: skip
    assert run.results == [Result(Phase.RCPT, 550, "5.1.1 no"), SENT]
    assert run.server.messages == [MESSAGE]


@pytest.mark.parametrize(("step", "phase"), [("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT), ("BDAT", Phase.BODY)])
def test_without_pipelining_a_drop_is_unknown_only_at_bdat(step: str, phase: Phase) -> None:
    """The body is out when BDAT is."""
    run = told("250-me\r\n250 CHUNKING", {step: DROP})
    assert [(r.phase, r.lost) for r in run.results] == [(phase, True)]


def test_chunking_can_be_turned_off() -> None:
    """Though offered, DATA is used."""
    run = told(CHUNKED, {}, 3, chunking=False)
    assert [line for line in run.server.commands if line.startswith("BDAT")] == []
    assert run.results == [SENT] * 3
