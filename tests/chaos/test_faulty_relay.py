"""The relay of the chaos tests does what the judge believes of it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from capture import Captured, FaultyRelay, faulty_relay
from faulty_relay import EVENTS, Fault, Weather

OPEN = b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[FaultyRelay]:
    """A calm one."""
    with faulty_relay(tmp_path / "relay.log") as there:
        yield there


def said(relay: FaultyRelay, commands: bytes) -> list[bytes]:
    """The codes of the replies to these commands and QUIT, all in one write."""
    with closing(socket.create_connection(("127.0.0.1", relay.port))) as wire:
        wire.sendall(commands + b"QUIT\r\n")
        replies = b""
        while more := wire.recv(4096):
            replies += more
    return [line[:3] for line in replies.splitlines() if line[3:4] != b"-"]


def test_a_message_is_kept_as_it_came(relay: FaultyRelay) -> None:
    """By DATA and by chunks, several in one session; the log says whether the reply has left."""
    chunks = OPEN[9:] + b"BDAT 4\r\nOne\nBDAT 3 LAST\r\nTwo"
    assert said(relay, OPEN + b"DATA\r\nOne\r\n.\r\n" + chunks) == [
        b"220",
        *[b"250"] * 3,
        b"354",
        *[b"250"] * 5,
        b"221",
    ]
    assert relay.log().mails == [
        Captured("b@example.org", b"One\r\n", replied=True),
        Captured("b@example.org", b"One\nTwo", replied=True),
    ]
    assert relay.kept() == 2
    assert relay.log().strange == []


def test_nobody_is_refused_and_what_follows_as_well(relay: FaultyRelay) -> None:
    """A client that sends ahead gets its answers in step, and no chunk is taken for a command."""
    ahead = OPEN.replace(b"<b@", b"<nobody@") + b"BDAT 6 LAST\r\nQUIT\r\nRSET\r\n"
    assert said(relay, ahead) == [b"220", b"250", b"250", b"550", b"503", b"250", b"221"]
    assert relay.log().refused == {"nobody@example.org": 1}
    assert relay.log().mails == []


@pytest.mark.parametrize("line", [b"MAIL FROM:<c@example.org>\r\n", b"RCPT TO:<c@example.org>\r\n", b"Body\r\n"])
def test_a_client_out_of_step_is_noted(relay: FaultyRelay, line: bytes) -> None:
    """A second MAIL or RCPT in a transaction, or text where a command is due."""
    assert said(relay, OPEN + line)[-2:] == [b"503", b"221"]
    assert len(relay.log().strange) == 1


def test_a_strike_falls_between_the_log_and_the_reply(relay: FaultyRelay) -> None:
    """At the second message, and once."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as victim:
        relay.strike(victim.pid, signal.SIGKILL, "kept", 2)
        said(relay, OPEN + b"DATA\r\nOne\r\n.\r\n")
        assert victim.poll() is None
        said(relay, OPEN + b"DATA\r\nOne\r\n.\r\n")
        assert victim.wait(10) == -signal.SIGKILL


def test_the_same_seed_fails_in_the_same_places() -> None:
    """And every fault comes at some event, for good ones only where a client can bear it."""
    seen = set[tuple[str, Fault]]()
    for seed in range(200):
        one, other = (Weather(seed, calm=False) for _ in range(2))
        events = [event for _ in range(20) for event in EVENTS]
        faults = [one.fault(event) for event in events]
        assert faults == [other.fault(event) for event in events]
        seen.update(zip(events, faults, strict=True))
    assert {fault for _, fault in seen} == set(Fault)
    assert all((event, Fault.DROP) in seen for event in EVENTS)
    assert ("kept", Fault.DEFER) not in seen


def test_it_ends_with_whom_it_serves(tmp_path: Path) -> None:
    """No relay stays behind when the test is gone."""
    with faulty_relay(tmp_path / "relay.log") as relay:
        port = relay.port
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port))
    assert (tmp_path / "relay.log").read_bytes() == b""
