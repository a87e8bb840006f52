"""One connection against a relay that does what the test says: how far each message got, in all three ways."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from scripted_relay import DROP, ENDLESS, SILENCE, TARPIT, ScriptedRelay
from wire_samples import CHUNKED, EHLO, LONG, MESSAGE, PIPELINED, SERIAL, SHORT, envelope, relay_at, told

from digest.delivery.check import Checked
from digest.delivery.message import Envelope
from digest.delivery.opening import UnreachableError, connect
from digest.delivery.relay import Relay
from digest.delivery.verdict import Blame, Phase, Result, verdict
from digest.errors import RelayError, UsageError
from digest.model import State

WAYS = [SERIAL, PIPELINED, CHUNKED]
STEPS = [
    *((way, step, phase) for way in WAYS for step, phase in (("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT))),
    *((way, "DATA", Phase.DATA) for way in (SERIAL, PIPELINED)),
    *((way, ".", Phase.BODY) for way in (SERIAL, PIPELINED)),
    (CHUNKED, "BDAT", Phase.BODY),
]
"""Every command of every way, and the phase at which a fault of its reply is told."""


@pytest.mark.parametrize("way", WAYS)
def test_the_relay_gets_the_bytes_that_were_checked(way: str) -> None:
    """What follows DATA or BDAT is the message to the last octet, for each of several messages on one connection."""
    run = told(way, {}, 5)
    assert run.results == [Result(Phase.BODY, 250, "2.0.0 kept")] * 5
    assert run.server.messages == [MESSAGE] * 5
    assert run.server.accepted == [envelope(number).recipient for number in range(1, 6)]
    assert (run.server.connections, run.is_open) == (1, True)


FAULTS = [DROP, ENDLESS, "nonsense", "399 what", "25", "250-x\r\n\r\n250 y", "250-x\r\n550 y", "2" * 3000]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("way", "step", "phase"), STEPS)
def test_a_fault_before_the_body_defers_and_after_it_is_unknown(way: str, step: str, phase: Phase, fault: str) -> None:
    """Whatever goes wrong, the connection ends, and only a fault when the body is out leaves the question open."""
    run = told(way, {step: fault})
    assert_lost(run.results, way, phase)
    assert not run.is_open


@pytest.mark.parametrize("fault", [SILENCE, TARPIT])
@pytest.mark.parametrize(("way", "step", "phase"), STEPS)
def test_each_step_has_a_deadline_for_all_of_it(way: str, step: str, phase: Phase, fault: str) -> None:
    """Neither silence nor a byte now and then keeps a step alive, and the step's own limit is what ends it."""
    name = {Phase.DATA: "data", Phase.BODY: "dot"}.get(phase, "command")
    run = told(way, {step: fault}, limits=replace(LONG, **{name: 0.1}))
    assert_lost(run.results, way, phase)
    assert "the time is up" in run.results[0].reply


def assert_lost(results: list[Result], way: str, phase: Phase) -> None:
    [result] = results
    phase = Phase.BODY if way == CHUNKED else phase  # there the body is out from the beginning
    assert (result.phase, result.code, result.lost) == (phase, 0, True)
    assert result.reply.startswith(f"connection lost at {phase}: ")
    expected = State.UNKNOWN if phase is Phase.BODY else State.DEFERRED
    assert (verdict(result).state, verdict(result).blame) == (expected, Blame.RELAY)


@pytest.mark.parametrize(
    "reply", ["451 4.3.0 later", "450 4.2.1 greylisted", "550 5.1.1 nobody here", "552 5.3.4 too big", "554 5.6.0 no"]
)
@pytest.mark.parametrize(("way", "step", "phase"), STEPS)
def test_a_refusal_is_told_as_it_was_and_the_next_message_goes(way: str, step: str, phase: Phase, reply: str) -> None:
    """The same connection takes the next message after a refusal at any step, with its own bytes and recipient."""
    run = told(way, {step: [reply]}, 3)
    assert run.results == [Result(phase, int(reply[:3]), reply[4:]), *[Result(Phase.BODY, 250, "2.0.0 kept")] * 2]
    assert run.server.accepted == ["reader2@example.com", "reader3@example.com"]
    assert (run.server.connections, run.is_open) == (1, True)


@pytest.mark.parametrize("way", WAYS)
def test_an_accepted_forward_is_accepted(way: str) -> None:
    """251 at RCPT is a yes (RFC 5321 3.4)."""
    assert told(way, {"RCPT": "251 will forward"}).results[0].code == 250


@pytest.mark.parametrize(("way", "step", "phase"), STEPS)
def test_421_is_a_refusal_and_closes(way: str, step: str, phase: Phase) -> None:
    """421 settles its transaction at any step, also behind the dot, where nothing is left unknown by it."""
    run = told(way, {step: "421 4.7.0 enough for now"})
    assert run.results == [Result(phase, 421, "4.7.0 enough for now")]
    assert not run.is_open


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", ["500 what?", "421 later", DROP])
def test_a_relay_that_cannot_reset_is_left(way: str, answer: str) -> None:
    """When RSET fails, the connection is closed rather than used half-way, and the next message is not sent."""
    run = told(way, {"RCPT": "550 no", "RSET": answer}, 2, depth=1)
    assert run.results[0] == Result(Phase.RCPT, 550, "no")
    assert run.results[1].code == (421 if answer.startswith("421") else 0)
    assert (run.server.accepted, run.is_open) == ([], False)


@pytest.mark.parametrize("way", WAYS)
def test_no_reset_is_said_where_none_is_needed(way: str) -> None:
    """A refusal of MAIL or of the body leaves no transaction open; of the recipient, it does."""
    for step, resets in (("MAIL", 0), ("." if way != CHUNKED else "QUIT", 0), ("RCPT", 1)):
        run = told(way, {step: ["550 no"]}, 4, depth=1)
        assert run.server.commands.count("RSET") == resets


STRAY = [
    (SERIAL, "MAIL", "250 ok\r\n250 stray"),
    (SERIAL, "RCPT", "250 ok\r\n250 stray"),
    (SERIAL, "DATA", "354 go\r\n250 stray"),
    (SERIAL, ".", "250 kept\r\n250 stray"),
    (PIPELINED, "MAIL", "250 ok\r\n250 stray"),
    (PIPELINED, "RCPT", "250 ok\r\n250 stray"),
    (PIPELINED, "DATA", "354 go\r\n250 stray"),
    (PIPELINED, ".", "250 kept\r\n250 stray"),
    (PIPELINED, "MAIL", "550 no\r\n250 stray"),
    (PIPELINED, "RCPT", "550 no\r\n250 stray\r\n250 stray"),
    (CHUNKED, "MAIL", "250 ok\r\n250 stray"),
    (CHUNKED, "RCPT", "250 ok\r\n250 stray"),
    (CHUNKED, "MAIL", "550 no\r\n250 stray"),
    (CHUNKED, "BDAT", "250 kept\r\n250 stray"),
]


@pytest.mark.parametrize(("way", "step", "answer"), STRAY)
def test_a_stray_reply_is_never_taken_for_an_acceptance(way: str, step: str, answer: str) -> None:
    """However a relay answers twice, no mail counts as sent that it did not keep, and the connection is left."""
    run = told(way, {step: [answer], "RSET": "250 2.0.0 ok"}, 3)
    kept = set(run.server.accepted)
    for number, result in enumerate(run.results, 1):
        assert result.code != 250 or envelope(number).recipient in kept
    assert not run.is_open


def test_a_reply_of_any_octets_can_be_stored() -> None:
    """Octets beyond UTF-8, control characters and length are tamed."""
    [result] = told(SERIAL, {"RCPT": "550 caf\udce9 \x1b[31m" + "x" * 2000}).results
    assert result.code == 550
    assert result.reply.encode().isascii()
    assert "\x1b" not in result.reply
    assert len(result.reply) <= 500


@pytest.mark.parametrize("way", WAYS)
def test_a_recipient_beyond_ascii_needs_smtputf8(way: str) -> None:
    """Without it nothing is said to the relay and the recipient fails; with it MAIL asks for it, and for 8 bits."""

    async def run(offers: str) -> tuple[list[Result], list[str], list[str]]:
        async with ScriptedRelay({"EHLO": EHLO[way].replace("250 ", "250-") + offers}) as server:
            connection = await connect(relay_at(server))
            addresses = ["ü@bücher.example", "ada@bücher.example"]
            results = [await connection.sent(Envelope("digest@example.org", to), MESSAGE) for to in addresses]
            await connection.close()
            return results, [line for line in server.commands if line.startswith("MAIL")], server.accepted

    results, commands, accepted = asyncio.run(run("\r\n250 HELP"))
    assert (results[0].phase, results[0].code, results[0].lost) == (Phase.ADDRESS, 0, False)
    assert (results[1].code, commands, accepted) == (
        250,
        ["MAIL FROM:<digest@example.org>"],
        ["ada@xn--bcher-kva.example"],
    )
    results, commands, accepted = asyncio.run(run("\r\n250-8BITMIME\r\n250 SMTPUTF8"))
    assert [result.code for result in results] == [250, 250]
    assert commands == ["MAIL FROM:<digest@example.org> BODY=8BITMIME SMTPUTF8", "MAIL FROM:<digest@example.org>"]
    assert accepted[0] == "ü@xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["a b@example.com", "a\r\nRCPT TO:<x@y.co>@example.com", f"{'a' * 65}@example.com"])
def test_an_address_that_cannot_stand_in_a_command_fails_alone(address: str) -> None:
    """The connection says nothing of it, and takes the next message."""

    async def run() -> tuple[list[Result], list[str]]:
        async with ScriptedRelay({}) as server:
            connection = await connect(relay_at(server))
            results = [
                await connection.sent(Envelope("digest@example.org", to), MESSAGE)
                for to in (address, "ada@example.com")
            ]
            await connection.close()
            return results, server.commands

    (failed, sent), commands = asyncio.run(run())
    assert (failed.phase, failed.code, failed.lost, sent.code) == (Phase.ADDRESS, 0, False, 250)
    assert [line for line in commands if line.startswith("RCPT")] == ["RCPT TO:<ada@example.com>"]


@pytest.mark.parametrize("way", WAYS)
def test_the_size_is_told_and_the_relays_limit_kept(way: str) -> None:
    """MAIL names the octets where SIZE is offered; what is larger than the limit is settled without a word."""
    size = len(MESSAGE)
    fits = told(EHLO[way].replace("250 ", "250-") + f"\r\n250 SIZE {size}", {})
    assert fits.results[0].code == 250
    assert fits.server.commands[1] == f"MAIL FROM:<digest@example.org> SIZE={size}"
    large = told(EHLO[way].replace("250 ", "250-") + f"\r\n250 SIZE {size - 1}", {}, 2)
    assert [(r.phase, r.code, r.reply[:5]) for r in large.results] == [(Phase.MAIL, 552, "5.3.4")] * 2
    assert verdict(large.results[0]).blame is Blame.SIZE
    assert large.server.commands == ["EHLO me", "QUIT"]


@pytest.mark.parametrize("limit", ["", " 0", " many"])
def test_a_size_without_a_limit_limits_nothing(limit: str) -> None:
    """SIZE alone, or 0, says that no limit is known (RFC 1870 4)."""
    assert told(f"250-me\r\n250 SIZE{limit}", {}).results[0].code == 250


def test_a_body_that_the_relay_does_not_take_is_given_up() -> None:
    """When nothing of what waits to be written is taken for the block limit, the message is lost, its fate unknown."""
    big = Checked(MESSAGE * 16000)

    async def run() -> Result:
        stopped = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hi\r\n")
            for answer in ("250 hi", "250 ok", "250 ok", "354 go"):
                await reader.readline()
                writer.write(f"{answer}\r\n".encode())
            await stopped.wait()  # and reads no more
            writer.transport.abort()

        async with await asyncio.start_server(serve, "127.0.0.1", 0, limit=1000) as server:
            port = server.sockets[0].getsockname()[1]
            limits = replace(LONG, block=0.2)
            connection = await connect(Relay("127.0.0.1", port, "none", local_hostname="me", limits=limits))
            result = await connection.sent(envelope(), big)
            assert connection.free == 0
            stopped.set()
            return result

    result = asyncio.run(run())
    assert (result.phase, result.lost) == (Phase.BODY, True)
    assert result.reply.endswith("the relay takes no more")


@pytest.mark.parametrize("greeting", [DROP, SILENCE, TARPIT, "421 busy", "nonsense"])
def test_a_relay_that_does_not_greet_may_later(greeting: str) -> None:
    """No greeting in time, or a temporary one, is UnreachableError."""
    with pytest.raises(UnreachableError, match="cannot be used"):
        told(SERIAL, {"CONNECT": greeting}, limits=SHORT)


def test_a_relay_that_turns_us_away_is_an_error() -> None:
    """554 instead of a greeting is for good."""
    with pytest.raises(RelayError, match="554 no service for you") as caught:
        told(SERIAL, {"CONNECT": "554 no service for you"})
    assert not isinstance(caught.value, UnreachableError)


def test_a_relay_that_says_too_much_in_its_greeting_is_not_used() -> None:
    """A reply behind that to EHLO answers nothing; it would be taken for an answer to MAIL."""
    with pytest.raises(UnreachableError, match="answers more than it was asked"):
        told("250-me\r\n250 8BITMIME\r\n250 stray", {})


def test_nobody_listening_is_unreachable() -> None:
    """A refused connection names host and port."""
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 cannot be used"):
        asyncio.run(connect(Relay("127.0.0.1", 1, "none", limits=SHORT)))


@pytest.mark.parametrize("way", WAYS)
def test_cancelling_drops_the_connection(way: str) -> None:
    """A cancelled transaction cannot be continued by the next one, which is told so."""

    async def run() -> tuple[bool, int, Result]:
        async with ScriptedRelay({"EHLO": EHLO[way], ".": SILENCE, "BDAT": SILENCE}) as server:
            connection = await connect(relay_at(server))
            task = asyncio.create_task(connection.sent(envelope(), MESSAGE))
            while not server.messages:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return connection.is_open, connection.free, await connection.sent(envelope(), MESSAGE)

    is_open, free, result = asyncio.run(run())
    assert (is_open, free) == (False, 0)
    assert (result.phase, result.lost) == (Phase.MAIL, True)


def test_a_relay_that_closes_between_messages_is_noticed() -> None:
    """`on_free` is called when a connection on which nothing is in hand is lost, by 421 or without a word."""

    async def run(farewell: str) -> bool:
        async with ScriptedRelay({".": [f"250 ok\r\n{farewell}"], "QUIT": DROP} if farewell else {}) as server:
            connection = await connect(relay_at(server))
            lost = asyncio.Event()
            connection.on_free = lambda: None if connection.is_open else lost.set()
            assert (await connection.sent(envelope(), MESSAGE)).code == 250
            if not farewell:
                await server.__aexit__()
            async with asyncio.timeout(10):
                await lost.wait()
            return connection.is_open

    assert not asyncio.run(run("421 4.4.2 idle for too long"))
    assert not asyncio.run(run(""))


@pytest.mark.parametrize("answer", ["221 bye", DROP, SILENCE, TARPIT, ENDLESS, "500 what?"])
def test_closing_says_quit_and_does_not_wait_for_ever(answer: str) -> None:
    """Whatever the relay makes of QUIT."""

    async def run() -> list[str]:
        async with ScriptedRelay({"QUIT": answer}) as server:
            connection = await connect(relay_at(server, SHORT))
            async with asyncio.timeout(10):
                await connection.close()
            assert (connection.is_open, connection.free) == (False, 0)
            return server.commands

    assert asyncio.run(run()) == ["EHLO me", "QUIT"]


@pytest.mark.parametrize("host", ["mail.example.org", "192.0.2.1", "localhost.example.org", ""])
def test_plain_text_goes_to_this_machine_only(host: str) -> None:
    """To another machine, tls = "none" is refused, unless allowed in words."""
    with pytest.raises(UsageError, match="is not this machine"):
        Relay(host, 25, "none")
    assert Relay(host, 25, "none", allow_plaintext=True).host == host
    assert str(Relay(host, 25, "none", socket="/run/lmtp")) == "/run/lmtp"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_plain_text_to_loopback_is_fine(host: str) -> None:
    """Loopback in any spelling."""
    assert Relay(host, 25, "none").tls == "none"
