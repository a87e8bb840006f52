"""PIPELINING (RFC 2920): what goes in one write, two messages in hand, and what a fault in a group costs each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_relay import DROP, Script
from sink import SINK, sink
from wire_samples import CHUNKED, LONG, MESSAGE, PIPELINED, SERIAL, Wire, envelope, send_all, told

from digest.delivery.inbox import Inbox
from digest.delivery.message import Envelope
from digest.delivery.opening import connect
from digest.delivery.relay import Relay
from digest.delivery.verdict import Phase, Result, verdict
from digest.model import State

SENT = Result(Phase.BODY, 250, "2.0.0 kept")
MAIL = b"MAIL FROM:<digest@example.org>\r\n"


def group(number: int) -> bytes:
    """MAIL, RCPT and DATA of a message."""
    return MAIL + f"RCPT TO:<reader{number}@example.com>\r\nDATA\r\n".encode()


def on_wire(steps: Callable[[Wire, list[Result]], None], **extensions: str) -> tuple[list[bytes], list[Result]]:
    """The writes and results of what `steps` does with a connection in memory."""

    async def run() -> tuple[list[bytes], list[Result]]:
        wire, results = Wire({"pipelining": ""} | extensions), list[Result]()
        steps(wire, results)
        return wire.writes, results

    return asyncio.run(run())


def test_one_round_trip_a_message() -> None:
    """An envelope is one write, and each body goes with the next envelope, whose replies then come with the body's."""

    def steps(wire: Wire, results: list[Result]) -> None:
        take = wire.connection.data_received
        for number in (1, 2):
            wire.connection.send(envelope(number), MESSAGE, results.append)
        assert wire.connection.free == 0
        take(b"250 ok\r\n250 ok\r\n354 go\r\n")
        wire.connection.on_free = lambda: wire.connection.send(envelope(3), MESSAGE, results.append)
        take(b"250 2.0.0 kept\r\n250 ok\r\n250 ok\r\n354 go\r\n")
        wire.connection.on_free = None
        take(b"250 2.0.0 kept\r\n250 ok\r\n250 ok\r\n354 go\r\n")
        take(b"250 2.0.0 kept\r\n")

    writes, results = on_wire(steps)
    body = MESSAGE + b".\r\n"
    assert writes == [group(1), body + group(2), body + group(3), body]
    assert results == [SENT] * 3


def test_an_envelope_goes_at_once_while_a_body_is_out() -> None:
    """Handed over behind a body that is not answered yet, it does not wait for the answer."""

    def steps(wire: Wire, results: list[Result]) -> None:
        wire.connection.send(envelope(1), MESSAGE, results.append)
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
        wire.connection.send(envelope(2), MESSAGE, results.append)

    assert on_wire(steps)[0] == [group(1), MESSAGE + b".\r\n", group(2)]


def test_each_message_has_its_own_return_path() -> None:
    """MAIL names the sender of its envelope, whatever the one before it was."""

    def steps(wire: Wire, results: list[Result]) -> None:
        for sender in ("a@example.org", "b@example.org"):
            wire.connection.send(Envelope(sender, "reader1@example.com"), MESSAGE, results.append)
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")

    writes, _ = on_wire(steps)
    assert b"".join(writes).count(b"MAIL FROM:<a@example.org>\r\n") == 1
    assert b"".join(writes).count(b"MAIL FROM:<b@example.org>\r\n") == 1


def test_a_reset_goes_with_the_next_group() -> None:
    """A refused recipient costs no round trip: RSET, MAIL, RCPT and DATA are one write."""

    def steps(wire: Wire, results: list[Result]) -> None:
        for number in (1, 2):
            wire.connection.send(envelope(number), MESSAGE, results.append)
        wire.connection.data_received(b"250 ok\r\n550 5.1.1 no\r\n503 no recipients\r\n")
        wire.connection.data_received(b"250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n")

    writes, results = on_wire(steps)
    assert writes == [group(1), b"RSET\r\n" + group(2), MESSAGE + b".\r\n"]
    assert results == [Result(Phase.RCPT, 550, "5.1.1 no")]


@pytest.mark.parametrize("last", ["250 2.0.0 ok", "554 5.5.1 no valid recipients"])
@pytest.mark.parametrize(("refused", "phase"), [("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT)])
def test_354_though_nobody_is_to_get_it_is_ended_by_a_lone_dot(refused: str, phase: Phase, last: str) -> None:
    """No body leaves, what answers the dot is dropped, and the refusal stands (RFC 2920 3.1)."""
    script = {refused: ["550 5.7.1 no"], "DATA": ["354 go"], "RCPT": ["550 x"] if refused == "RCPT" else ["250 x"]}
    run = told(PIPELINED, script | {".": [last]}, 3)
    assert [(r.phase, r.code) for r in run.results] == [(phase, 550), (Phase.BODY, 250), (Phase.BODY, 250)]
    assert run.server.messages == [b"", MESSAGE, MESSAGE]
    assert run.server.commands.count("RSET") == 0
    assert run.is_open


IN_GROUP = [
    ("MAIL", "451 4.3.0 later", Phase.MAIL),
    ("MAIL", "550 5.7.1 no", Phase.MAIL),
    ("RCPT", "450 4.2.1 later", Phase.RCPT),
    ("RCPT", "550 5.1.1 no", Phase.RCPT),
    ("DATA", "451 4.3.0 later", Phase.DATA),
    ("DATA", "554 5.6.0 no", Phase.DATA),
    (".", "452 4.3.1 later", Phase.BODY),
    (".", "554 5.6.0 no", Phase.BODY),
]


@pytest.mark.parametrize(("step", "reply", "phase"), IN_GROUP)
@pytest.mark.parametrize("first", [True, False])
def test_a_refusal_in_a_group_is_told_for_its_message_alone(step: str, reply: str, phase: Phase, first: bool) -> None:
    """Of two messages in hand, the other one is sent, whichever comes first."""
    usual = {"DATA": "354 go", ".": "250 2.0.0 kept"}.get(step, "250 ok")
    run = told(PIPELINED, {step: [reply] if first else [usual, reply]}, 2)
    refused, sent = run.results if first else reversed(run.results)
    assert refused == Result(phase, int(reply[:3]), reply[4:])
    assert sent == SENT
    assert run.server.accepted == ["reader2@example.com" if first else "reader1@example.com"]


ALL_IN_HAND = [("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT), ("DATA", Phase.DATA), (".", Phase.BODY)]


@pytest.mark.parametrize(("step", "phase"), ALL_IN_HAND)
def test_a_drop_leaves_at_most_one_unknown(step: str, phase: Phase) -> None:
    """Of two in hand the first is lost where it stood, and the second certainly was not accepted."""
    run = told(PIPELINED, {step: DROP}, 2)
    assert [(r.phase, r.code, r.lost) for r in run.results] == [(phase, 0, True), (Phase.MAIL, 0, True)]
    states = [verdict(result).state for result in run.results]
    assert states == [State.UNKNOWN if step == "." else State.DEFERRED, State.DEFERRED]
    assert not run.is_open


@pytest.mark.parametrize(("step", "phase"), ALL_IN_HAND)
def test_421_settles_the_first_and_loses_the_second(step: str, phase: Phase) -> None:
    """The second was not judged."""
    run = told(PIPELINED, {step: "421 4.3.2 closing"}, 2)
    assert run.results[0] == Result(phase, 421, "4.3.2 closing")
    assert (run.results[1].phase, run.results[1].code, run.results[1].lost) == (Phase.MAIL, 0, True)
    assert "421" in run.results[1].reply
    assert not run.is_open


@pytest.mark.parametrize("later", [DROP, "421 bye", "250 what?", "nonsense"])
def test_a_refusal_stands_though_the_connection_breaks_behind_it(later: str) -> None:
    """The recipient was refused; whatever comes in place of the reply to DATA does not make that undone."""
    run = told(PIPELINED, {"RCPT": "550 5.1.1 no", "DATA": later})
    assert run.results == [Result(Phase.RCPT, 550, "5.1.1 no")]
    assert not run.is_open


def test_a_stray_reply_with_354_keeps_the_body_here() -> None:
    """What answers a body before it left is stray: the body stays here, and the message is certainly not accepted."""

    def steps(wire: Wire, results: list[Result]) -> None:
        wire.connection.send(envelope(1), MESSAGE, results.append)
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n250 stray\r\n")
        assert wire.closed

    writes, [result] = on_wire(steps)
    assert writes == [group(1)]
    assert (result.phase, result.lost) == (Phase.DATA, True)


def test_what_a_closing_transport_was_not_given_has_not_left() -> None:
    """The transport breaks between 354 and the body: deferred, not unknown."""

    def steps(wire: Wire, results: list[Result]) -> None:
        wire.connection.send(envelope(1), MESSAGE, results.append)
        wire.closed = True
        wire.connection.data_received(b"250 ok\r\n250 ok\r\n354 go\r\n")
        wire.connection.connection_lost(BrokenPipeError(32, "Broken pipe"))
        wire.connection.connection_lost(None)

    _, results = on_wire(steps)
    assert [(r.phase, r.lost) for r in results] == [(Phase.DATA, True)]
    assert "Broken pipe" in results[0].reply


def test_a_full_buffer_takes_no_more_messages() -> None:
    """Between pause and resume there is no room, and then there is."""

    def steps(wire: Wire, results: list[Result]) -> None:
        calls: list[int] = []
        connection = wire.connection
        connection.on_free = lambda: calls.append(connection.free)
        connection.pause_writing()
        assert connection.free == 0
        connection.resume_writing()
        assert calls == [2]

    on_wire(steps)


def test_aborting_settles_all_that_is_in_hand() -> None:
    """At once, each once, and then `on_free` tells that the connection is gone."""

    def steps(wire: Wire, results: list[Result]) -> None:
        seen: list[int] = []
        wire.connection.on_free = lambda: seen.append(len(results))
        for number in (1, 2):
            wire.connection.send(envelope(number), MESSAGE, results.append)
        wire.connection.abort()
        wire.connection.abort()
        assert (seen, wire.connection.is_open, wire.closed) == ([2], False, True)

    _, results = on_wire(steps)
    assert [(r.phase, r.lost) for r in results] == [(Phase.MAIL, True)] * 2


def test_pipelining_can_be_turned_off() -> None:
    """Though offered, it is not used: the next command waits for the reply."""
    run = told(PIPELINED, {"RCPT": ["550 no"]}, 2, pipelining=False)
    assert [line.split()[0] for line in run.server.commands[1:7]] == ["MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]
    assert [r.code for r in run.results] == [550, 250]


OFFERS = {SERIAL: {}, PIPELINED: {"pipelining": ""}, CHUNKED: {"pipelining": "", "chunking": ""}}
REFUSALS = [{}, {"MAIL": 1}, {"RCPT": 1}, {"DATA": 1}, {".": 1}, {"BDAT": 1}]


class Model:
    """A well-behaved server as a function from bytes to bytes, which refuses the n-th of a command."""

    def __init__(self, refuse: dict[str, int]) -> None:
        self._data, self._refuse = b"", dict(refuse)
        self._in_body = self._mail = self._rcpt = False

    def take(self, data: bytes) -> bytes:
        self._data += data
        replies = b""
        while (reply := self._step()) is not None:
            replies += reply
        return replies

    def _step(self) -> bytes | None:
        if self._in_body:
            _, end, rest = (b"\r\n" + self._data).partition(b"\r\n.\r\n")
            if not end:
                return None
            self._data, self._in_body = rest, False
            return self._end(".")
        line, end, rest = self._data.partition(b"\r\n")
        if not end:
            return None
        verb = line.split()[0].decode()
        if verb == "BDAT":
            size = int(line.split()[1])
            if len(rest) < size:
                return None
            rest = rest[size:]
        self._data = rest
        return self._answer(verb)

    def _answer(self, verb: str) -> bytes:
        allowed = {"MAIL": not self._mail, "RCPT": self._mail, "DATA": self._rcpt, "BDAT": self._rcpt}.get(verb, True)
        if not allowed:
            return b"503 5.5.1 sequence\r\n"
        if verb == "BDAT":
            return self._end(verb)
        if self._refused(verb):
            return b"550 5.7.1 refused\r\n"
        self._mail = verb == "MAIL" or (self._mail and verb != "RSET")
        self._rcpt = verb == "RCPT" or (self._rcpt and verb != "RSET")
        self._in_body = verb == "DATA"
        return b"354-go\r\n354 on\r\n" if self._in_body else b"250 2.1.0 ok\r\n"

    def _end(self, verb: str) -> bytes:
        self._mail = self._rcpt = False
        return b"554-5.6.0 not\r\n554 5.6.0 this\r\n" if self._refused(verb) else b"250 2.0.0 kept\r\n"

    def _refused(self, verb: str) -> bool:
        self._refuse[verb] = self._refuse.get(verb, 0) - 1
        return self._refuse[verb] == 0


def through_model(way: str, refuse: dict[str, int], cuts: list[int]) -> list[Result]:
    """Send four messages to the model, its replies cut into pieces of these sizes, in turn."""

    async def run() -> list[Result]:
        wire, model, seen = Wire(OFFERS[way]), Model(refuse), 0
        sending = asyncio.create_task(send_all(wire.connection, 4))
        sizes = cuts * 1000
        while not sending.done():
            await asyncio.sleep(0)
            replies = b""
            while seen < len(wire.writes):
                replies += model.take(wire.writes[seen])
                seen += 1
            while replies:
                size = sizes.pop() if sizes else len(replies)
                wire.connection.data_received(replies[:size])
                replies = replies[size:]
        return await sending

    return asyncio.run(run())


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(list(OFFERS)),
    st.sampled_from(REFUSALS),
    st.integers(1, 4),
    st.lists(st.integers(1, 60), min_size=1, max_size=5),
)
def test_how_the_replies_are_cut_into_packets_does_not_matter(
    way: str, refuse: dict[str, int], nth: int, cuts: list[int]
) -> None:
    """The same results for every message as when they come whole, in all three ways, with a refusal or without."""
    refuse = dict.fromkeys(refuse, nth)
    whole = through_model(way, refuse, [10**6])
    assert through_model(way, refuse, cuts) == whole
    used = not ({"DATA", "."} & refuse.keys() if way == CHUNKED else {"BDAT"} & refuse.keys())
    expected = {nth - 1} if refuse and used else set()
    assert {number for number, result in enumerate(whole) if result.code != 250} == expected


SCRIPTS: list[Script] = [{}, {"RCPT": ["250 ok", "550 5.1.1 no"]}, {".": ["250 ok", "451 later"]}]


@pytest.mark.parametrize("script", SCRIPTS)
def test_uvloop_does_the_same(script: Script) -> None:
    """The transports of uvloop are others, and can be taken over as well."""
    uvloop = pytest.importorskip("uvloop")
    expected = told(PIPELINED, script, 4)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        found = told(PIPELINED, script, 4)
    finally:
        asyncio.set_event_loop_policy(None)
    assert found.results == expected.results
    assert found.server.messages == expected.server.messages


def send_to(port: int, addresses: list[str]) -> list[Result]:
    """The results of messages to these addresses over one connection."""

    async def run() -> list[Result]:
        connection = await connect(Relay("127.0.0.1", port, "none", local_hostname="me", limits=LONG))
        results = [await connection.sent(Envelope("digest@example.org", to), MESSAGE) for to in addresses]
        results += await send_all(connection, 20)
        await connection.close()
        return results

    return asyncio.run(run())


@pytest.mark.skipif(SINK is None, reason="smtp-sink is missing: install the Debian package postfix")
@pytest.mark.parametrize(
    ("options", "phase", "code"),
    [
        ((), Phase.BODY, 250),
        (("-r", "MAIL"), Phase.MAIL, 450),
        (("-f", "MAIL"), Phase.MAIL, 500),
        (("-r", "RCPT"), Phase.RCPT, 450),
        (("-f", "RCPT"), Phase.RCPT, 500),
        (("-r", "DATA"), Phase.DATA, 450),
        (("-f", "DATA"), Phase.DATA, 500),
        (("-r", "."), Phase.BODY, 450),
        (("-f", "."), Phase.BODY, 500),
        (("-p",), Phase.BODY, 250),
    ],
)
def test_smtp_sink_and_we_agree(options: tuple[str, ...], phase: Phase, code: int) -> None:
    """Postfix's sink refuses at each step, with PIPELINING and (-p) without, and all are told where."""
    with sink(*options) as port:
        assert {(r.phase, r.code) for r in send_to(port, ["ada@example.com"])} == {(phase, code)}


@pytest.mark.skipif(SINK is None, reason="smtp-sink is missing: install the Debian package postfix")
@pytest.mark.parametrize(("command", "phases"), [("MAIL", {Phase.MAIL}), ("RCPT", {Phase.RCPT, Phase.MAIL}),
    ("DATA", {Phase.DATA, Phase.MAIL}), (".", {Phase.BODY, Phase.MAIL})])  # fmt: skip
def test_a_dropping_smtp_sink_leaves_at_most_one_unknown(command: str, phases: set[Phase]) -> None:
    """It hangs up at the command; what was in hand is lost there or before."""
    with sink("-q", command) as port:

        async def run() -> list[Result]:
            connection = await connect(Relay("127.0.0.1", port, "none", local_hostname="me", limits=LONG))
            return await send_all(connection, 5)

        results = asyncio.run(run())
    assert all(result.lost for result in results)
    assert {result.phase for result in results} <= phases
    assert [result.phase for result in results].count(Phase.BODY) <= 1


def test_the_inbox_takes_what_we_send() -> None:
    """aiosmtpd, which offers SMTPUTF8 and SIZE and no PIPELINING, keeps each message octet for octet."""
    kept: list[tuple[str, tuple[str, ...], bytes]] = []
    with Inbox(lambda *mail: kept.append(mail)) as inbox:
        results = send_to(inbox.port, ["ü@bücher.example"])
    assert {result.code for result in results} == {250}
    assert len(kept) == 21
    assert {message for _, _, message in kept} == {MESSAGE}
    assert kept[0][:2] == ("digest@example.org", ("ü@xn--bcher-kva.example",))
