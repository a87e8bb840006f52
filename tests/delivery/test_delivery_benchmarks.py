"""What measures us: the lean sink, the proxy that makes delays, and the senders beside ours."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

import backlog
import ours
import pytest
from delay import delayed
from hypothesis import given, settings
from hypothesis import strategies as st
from lean import COMPILER, Sink, lean_sink
from peers.senders import WAYS
from sending import Load, Way

pytestmark = pytest.mark.skipif(COMPILER is None, reason="a C compiler is missing: install the Debian package gcc")

ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
BODIES = st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n..", b"\n.\n", b"x", b"word" * 9])).map(b"".join)


def talk(sink: Sink, octets: bytes) -> bytes:
    """All that the sink replies to these octets, the greeting and the farewell left out."""
    with socket.create_connection(("127.0.0.1", sink.port), 5) as client:
        client.sendall(octets + b"QUIT\r\n")
        replies = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert replies.startswith(b"220 lean ESMTP\r\n")
    assert replies.endswith(b"221 2.0.0 Bye\r\n")
    return replies.removeprefix(b"220 lean ESMTP\r\n").removesuffix(b"221 2.0.0 Bye\r\n")


def codes(replies: bytes) -> list[int]:
    return [int(line[:3]) for line in replies.splitlines() if line[3:4] == b" "]


def stuffed(body: bytes) -> bytes:
    """A body as it goes behind DATA: it ends in CRLF, and no line begins with a single dot."""
    lines = (body + b"\r\n").split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b".\r\n"


@settings(max_examples=60, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=4), st.integers(1, 40))
def test_the_sink_finds_the_end_of_each_message_however_it_comes(bodies: list[bytes], at_once: int) -> None:
    """Messages in a row, pipelined, are counted whole, wherever they are cut."""
    sent = [stuffed(body) for body in bodies]
    with lean_sink("-r", str(at_once)) as sink:
        replies = talk(sink, b"".join(ENVELOPE + b"DATA\r\n" + body for body in sent))
    assert codes(replies) == [250, 250, 354, 250] * len(bodies)
    assert sink.messages == len(bodies)
    assert sink.octets == sum(len(body) - 3 for body in sent)


@pytest.mark.parametrize("body", [b"", b"\r\n.\r\r\n\r\r\n..\r\n.x\r\n", b"\r\n.\n\r\n"])
@pytest.mark.parametrize("at_once", range(1, 9))
def test_the_sink_is_not_misled(body: bytes, at_once: int) -> None:
    """An empty message, and false ends before the true one."""
    with lean_sink("-r", str(at_once)) as sink:
        replies = talk(sink, ENVELOPE + b"DATA\r\n" + body + b".\r\n")
    assert codes(replies) == [250, 250, 354, 250]
    assert (sink.messages, sink.octets) == (1, len(body))


@pytest.mark.parametrize("message", [b"DATA\r\nabc\r\n.\r\n", b"BDAT 3 LAST\r\nabc"])
def test_the_sink_replies_at_once(message: bytes) -> None:
    """It waits for nothing behind the last octet of a message."""
    with lean_sink() as sink, socket.create_connection(("127.0.0.1", sink.port), 5) as client:
        client.sendall(ENVELOPE + message)
        replies = b""
        while b"2.0.0 Ok\r\n" not in replies:
            replies += client.recv(1 << 10)


@pytest.mark.parametrize("at_once", [1, 2, 7, 100_000])
def test_the_sink_takes_chunks(at_once: int) -> None:
    """BDAT in two chunks is one message, its last chunk may be empty, and what looks like commands is not."""
    chunks = ENVELOPE + b"BDAT 6\r\nQUIT\r\nBDAT 5 LAST\r\n.\r\nab" + ENVELOPE + b"BDAT 3\r\nabcBDAT 0 LAST\r\n"
    with lean_sink("-r", str(at_once)) as sink:
        replies = talk(sink, chunks)
    assert codes(replies) == [250] * 8
    assert (sink.messages, sink.octets) == (2, 14)


def test_a_refused_chunk_is_read_whole() -> None:
    """Without a recipient BDAT gets 503, and its octets are no commands."""
    with lean_sink() as sink:
        replies = talk(sink, b"MAIL FROM:<a@example.org>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    assert codes(replies) == [250, 503, 250]
    assert sink.messages == 0


def test_the_sink_keeps_commands_in_order() -> None:
    """DATA without RCPT, RCPT without MAIL and a second MAIL are refused; RSET forgets the envelope."""
    wrong = b"RCPT TO:<b@example.org>\r\nDATA\r\n" + ENVELOPE + b"MAIL FROM:<a@example.org>\r\nRSET\r\nDATA\r\nHOW\r\n"
    with lean_sink() as sink:
        assert codes(talk(sink, wrong)) == [503, 503, 250, 250, 503, 250, 503, 500]


@pytest.mark.parametrize(
    ("options", "offered"),
    [((), {b"PIPELINING", b"CHUNKING"}), (("-p",), {b"CHUNKING"}), (("-c",), {b"PIPELINING"}), (("-p", "-c"), set())],
)
def test_the_sink_offers_what_it_is_told_to(options: tuple[str, ...], offered: set[bytes]) -> None:
    """PIPELINING and CHUNKING can be left out; SIZE is always there."""
    with lean_sink(*options) as sink:
        lines = {line[4:] for line in talk(sink, b"EHLO me\r\n").splitlines()}
    assert lines & {b"PIPELINING", b"CHUNKING"} == offered
    assert b"SIZE 52428800" in lines


def test_the_sink_hangs_up_on_an_endless_line() -> None:
    """Its memory for a command is bounded."""
    with lean_sink() as sink, socket.create_connection(("127.0.0.1", sink.port), 5) as client:
        with suppress(ConnectionError):
            client.sendall(b"x" * 5_000)
            while client.recv(1_000):
                pass
        assert codes(talk(sink, b"NOOP\r\n")) == [250]


@contextmanager
def echo() -> Iterator[int]:
    """A server that sends back what it got, when its client has said all."""

    def serve() -> None:
        client, _ = server.accept()
        with client:
            client.sendall(b"".join(iter(lambda: client.recv(1 << 16), b"")))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_the_proxy_passes_on_every_octet_and_the_end_no_sooner_than_the_round_trip(size: int) -> None:
    """What comes back is what was sent, through a half-closed connection, and it took the delay."""
    octets = bytes(range(256)) * (size // 256) + bytes(size % 256)
    with echo() as port, delayed(port, 40) as proxy, socket.create_connection(("127.0.0.1", proxy), 10) as client:
        start = perf_counter()
        client.sendall(octets)
        client.shutdown(socket.SHUT_WR)
        back = b"".join(iter(lambda: client.recv(1 << 16), b""))
        took = perf_counter() - start
    assert back == octets
    assert took >= 0.04


CONNECTIONS = {way: ours.WAYS[way] for way in ("stepwise", "pipelined", "chunked-uvloop")}


@pytest.mark.parametrize("way", [*WAYS.values(), *CONNECTIONS.values()], ids=[*WAYS, *CONNECTIONS])
def test_a_sender_hands_over_every_message_and_every_octet(way: Way, tmp_path: Path) -> None:
    """Otherwise its figures would say nothing."""
    message = b"From: <a@example.org>\r\nTo: <b@example.org>\r\n\r\n" + b"A line of the message.\r\n" * 1_000
    (tmp_path / "message.eml").write_bytes(message)
    with lean_sink() as sink:
        cost = way(Load(sink.port, 3, 20, tmp_path))
    assert (sink.messages, sink.octets) == (20, 20 * len(message))
    assert cost.seconds > 0
    assert cost.cpu > 0


def test_digest_in_full_sends_all_that_is_planned_and_signs_it(tmp_path: Path) -> None:
    """With what goes out before the clock starts; a signature makes each mail longer."""
    backlog.plan(tmp_path, 40)
    octets = []
    for key in ("", "ed25519"):
        with lean_sink() as sink:
            cost = ours.in_full(Load(sink.port, 3, 30, tmp_path), key=key, before=10)
        assert sink.messages == 40
        assert cost.seconds > 0
        octets.append(sink.octets or 0)
    assert octets[1] > octets[0] + 40 * 200


def test_the_lock_file_names_the_version_of_nodemailer_that_is_asked_for() -> None:
    """One exact version, with its checksum."""
    peers = Path(__file__).parents[2] / "benchmarks" / "peers"
    wanted = json.loads((peers / "package.json").read_text())["dependencies"]
    locked = json.loads((peers / "package-lock.json").read_text())["packages"]
    assert locked[""]["dependencies"] == wanted == {"nodemailer": locked["node_modules/nodemailer"]["version"]}
    assert locked["node_modules/nodemailer"]["integrity"].startswith("sha512-")
