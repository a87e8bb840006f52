"""One connection against a relay that does what the test says: how far each message got, and what it means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from delivery_samples import EDITION, checked
from scripted_relay import DROP, ENDLESS, SILENCE, TARPIT, ScriptedRelay

from digest.delivery.message import Envelope
from digest.delivery.relay import Limits, Relay
from digest.delivery.smtp import Phase, Result, UnreachableError, connect
from digest.errors import RelayError, UsageError
from digest.model import State

ENVELOPE = Envelope("digest@example.org", EDITION.email)
SHORT = Limits(greeting=0.3, command=0.3, data=0.3, dot=0.3, farewell=0.3)

Script = Mapping[str, str | Sequence[str]]


def relay_at(server: ScriptedRelay, **settings: object) -> Relay:
    return Relay("127.0.0.1", server.port, "none", local_hostname="me", limits=SHORT, **settings)  # type: ignore[arg-type]  # any


def send(script: Script, times: int = 1) -> tuple[list[Result], ScriptedRelay, bool]:
    """The results of sending one message so often on one connection, the relay, and whether the connection lives."""

    async def run() -> tuple[list[Result], ScriptedRelay, bool]:
        async with ScriptedRelay(script) as server:
            connection = await connect(relay_at(server))
            try:
                results = [await connection.send(ENVELOPE, checked()) for _ in range(times)]
                return results, server, connection.is_open
            finally:
                await connection.close()

    return asyncio.run(run())


def test_the_relay_gets_the_bytes_that_were_checked() -> None:
    """What follows DATA is the message to the last octet, for each of several messages on one connection."""
    results, server, is_open = send({}, times=3)
    assert [(r.state, r.phase, r.code, r.reply) for r in results] == [(State.SENT, Phase.BODY, 250, "2.0.0 kept")] * 3
    assert server.messages == [checked()] * 3
    assert server.connections == 1
    assert is_open


@pytest.mark.parametrize("fault", [DROP, SILENCE, TARPIT, ENDLESS, "nonsense", "399 what", "25", "250-x\r\n\r\n250 y"])
@pytest.mark.parametrize(
    ("step", "phase", "state"),
    [
        ("MAIL", Phase.MAIL, State.DEFERRED),
        ("RCPT", Phase.RCPT, State.DEFERRED),
        ("DATA", Phase.DATA, State.DEFERRED),
        (".", Phase.BODY, State.UNKNOWN),
    ],
)
def test_a_fault_before_the_body_defers_and_after_it_is_unknown(
    step: str, phase: Phase, state: State, fault: str
) -> None:
    """Whatever goes wrong, the connection ends, and only a fault behind the final dot leaves the question open."""
    [result], server, is_open = send({step: fault})
    assert (result.state, result.phase, result.code) == (state, phase, 0)
    assert result.reply.startswith(f"connection lost at {phase}")
    assert not is_open
    assert len(server.messages) == (1 if step == "." else 0)


@pytest.mark.parametrize(
    ("step", "reply", "state"),
    [
        ("MAIL", "451 4.3.0 later", State.DEFERRED),
        ("RCPT", "450 4.2.1 greylisted", State.DEFERRED),
        ("RCPT", "550 5.1.1 nobody here", State.FAILED),
        ("DATA", "451 4.3.0 later", State.DEFERRED),
        ("DATA", "554 5.5.1 no valid recipients", State.FAILED),
        (".", "452 4.3.1 disk full", State.DEFERRED),
        (".", "554 5.6.0 not that", State.FAILED),
    ],
)
def test_a_refusal_counts_by_its_code_and_the_next_message_goes(step: str, reply: str, state: State) -> None:
    """The same connection takes the next message after a refusal at any step."""
    (refused, sent), server, is_open = send({step: [reply]}, times=2)
    assert (refused.state, f"{refused.code} {refused.reply}") == (state, reply)
    assert (sent.state, server.connections, is_open) == (State.SENT, 1, True)
    assert server.commands.count("RSET") == (0 if step == "." else 1)


def test_an_accepted_forward_is_accepted() -> None:
    """251 at RCPT is a yes (RFC 5321 3.4)."""
    [result], _, _ = send({"RCPT": "251 will forward"})
    assert result.state is State.SENT


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
def test_421_defers_and_closes(step: str) -> None:
    """421 is a refusal for now at any step, also behind the dot."""
    [result], _, is_open = send({step: "421 4.7.0 enough for now"})
    assert (result.state, result.code, result.reply) == (State.DEFERRED, 421, "4.7.0 enough for now")
    assert not is_open


def test_a_relay_that_cannot_reset_is_left() -> None:
    """When RSET fails as well, the connection is closed rather than used half-way."""
    [result], _, is_open = send({"RCPT": "550 no", "RSET": "500 what?"})
    assert (result.state, is_open) == (State.FAILED, False)


@pytest.mark.parametrize(
    ("step", "reply"), [("MAIL", "553 5.1.8 not from you"), ("MAIL", "530 log in"), ("RCPT", "530 5.7.0 log in")]
)
def test_a_refusal_of_us_is_no_recipients_fault(step: str, reply: str) -> None:
    """5xx at MAIL and 530 anywhere raise RelayError with the relay's words."""
    with pytest.raises(RelayError, match=reply):
        send({step: reply})


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "."])
def test_a_stray_reply_is_never_taken_for_an_acceptance(step: str) -> None:
    """A relay that answers twice gets no body that it did not ask for, and no mail counts as sent that it refused."""
    stray = {"MAIL": "250 ok\r\n250 stray", "RCPT": "250 ok\r\n250 stray", ".": "250 kept\r\n250 stray"}
    results, server, _ = send({step: [stray[step]]} | {"DATA": "354 go"}, times=1 if step != "." else 2)
    assert [r.state for r in results].count(State.SENT) == len(server.accepted)
    assert results[-1].state is State.DEFERRED


def test_a_reply_of_any_octets_can_be_stored() -> None:
    """Octets beyond UTF-8, control characters and length are tamed."""
    [result], _, _ = send({"RCPT": "550 caf\udce9 \x1b[31m" + "x" * 2000})
    assert result.state is State.FAILED
    assert result.reply.encode().isascii()
    assert "\x1b" not in result.reply
    assert len(result.reply) <= 500


def test_a_recipient_beyond_ascii_needs_smtputf8() -> None:
    """Without it nothing is said to the relay and the recipient fails; with it MAIL asks for it."""

    async def run(extension: str) -> tuple[Result, list[str]]:
        async with ScriptedRelay({"EHLO": f"250-me\r\n250 {extension}"}) as server:
            connection = await connect(relay_at(server))
            result = await connection.send(Envelope("digest@example.org", "ü@bücher.example"), checked())
            await connection.close()
            return result, server.commands

    result, commands = asyncio.run(run("8BITMIME"))
    assert (result.state, result.phase) == (State.FAILED, Phase.ADDRESS)
    assert commands == ["EHLO me", "QUIT"]
    result, commands = asyncio.run(run("SMTPUTF8"))
    assert result.state is State.SENT
    assert commands[1:3] == ["MAIL FROM:<digest@example.org> SMTPUTF8", "RCPT TO:<ü@xn--bcher-kva.example>"]


@pytest.mark.parametrize("greeting", [DROP, SILENCE, TARPIT, "421 busy", "nonsense"])
def test_a_relay_that_does_not_greet_may_later(greeting: str) -> None:
    """No greeting in time, or a temporary one, is UnreachableError."""
    with pytest.raises(UnreachableError, match="cannot be used"):
        send({"CONNECT": greeting})


def test_a_relay_that_turns_us_away_is_an_error() -> None:
    """554 instead of a greeting is for good."""
    with pytest.raises(RelayError, match="554 no service for you") as caught:
        send({"CONNECT": "554 no service for you"})
    assert not isinstance(caught.value, UnreachableError)


def test_nobody_listening_is_unreachable() -> None:
    """A refused connection names host and port."""
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 cannot be used"):
        asyncio.run(connect(Relay("127.0.0.1", 1, "none", limits=SHORT)))


def test_cancelling_drops_the_connection() -> None:
    """A cancelled transaction cannot be continued by the next one."""

    async def run() -> bool:
        async with ScriptedRelay({".": SILENCE}) as server:
            connection = await connect(relay_at(server))
            task = asyncio.create_task(connection.send(ENVELOPE, checked()))
            while not server.messages:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return connection.is_open

    assert not asyncio.run(run())


@pytest.mark.parametrize("host", ["mail.example.org", "192.0.2.1", "localhost.example.org", ""])
def test_plain_text_goes_to_this_machine_only(host: str) -> None:
    """To another machine, tls = "none" is refused, unless allowed in words."""
    with pytest.raises(UsageError, match="is not this machine"):
        Relay(host, 25, "none")
    assert Relay(host, 25, "none", allow_plaintext=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_plain_text_to_loopback_is_fine(host: str) -> None:
    """Loopback in any spelling."""
    assert Relay(host, 25, "none").tls == "none"
