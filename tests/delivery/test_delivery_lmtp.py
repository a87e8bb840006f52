"""LMTP (RFC 2033), and a Unix socket: the same transactions by another greeting and another way in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scripted_relay import DROP
from wire_samples import MESSAGE, SHORT, told

from digest.delivery.opening import UnreachableError, connect
from digest.delivery.relay import Relay
from digest.delivery.verdict import Phase, Result
from digest.errors import RelayError

SENT = Result(Phase.BODY, 250, "2.0.0 kept")
OFFERS = {"plain": "250-me\r\n250 8BITMIME", "pipelining": "250-me\r\n250 PIPELINING"}
OFFERS["chunking"] = "250-me\r\n250-PIPELINING\r\n250 CHUNKING"


@pytest.mark.parametrize("offers", OFFERS.values(), ids=OFFERS)
def test_lmtp_says_lhlo_and_the_rest_is_the_same(offers: str, tmp_path: Path) -> None:
    """Through a Unix socket, with a refusal among the messages, one reply behind each body."""
    script = {"LHLO": offers, "RCPT": ["250 ok", "550 5.1.1 no"]}
    run = told("", script, 4, protocol="lmtp", path=tmp_path / "lmtp")
    assert run.server.commands[0] == "LHLO me"
    assert run.results == [SENT, Result(Phase.RCPT, 550, "5.1.1 no"), SENT, SENT]
    assert run.server.messages[-1] == MESSAGE
    assert len(run.server.accepted) == 3
    assert run.is_open


def test_lmtp_works_over_tcp_as_well() -> None:
    """LHLO to a port."""
    run = told("", {}, 2, protocol="lmtp")
    assert (run.server.commands[0], run.results) == ("LHLO me", [SENT, SENT])


def test_lmtp_without_recipients_has_no_reply_behind_a_dot() -> None:
    """354 though the only recipient was refused: none would follow, so the connection ends; the refusal stands."""
    script = {"RCPT": ["550 5.1.1 no"], "DATA": ["354 go"]}
    run = told("", script, 2, protocol="lmtp")
    assert run.results[0] == Result(Phase.RCPT, 550, "5.1.1 no")
    assert (run.results[1].phase, run.results[1].lost) == (Phase.MAIL, True)
    assert run.server.messages == []
    assert not run.is_open


def test_lmtp_answers_a_chunk_with_an_address_code() -> None:
    """Some LMTP servers answer for the recipient, 2.1.5, also behind the body."""
    run = told("", {"LHLO": OFFERS["chunking"], "BDAT": "250 2.1.5 ok"}, 3, protocol="lmtp")
    assert [result.code for result in run.results] == [250] * 3


def test_a_relay_that_does_not_speak_lmtp_is_told() -> None:
    """An SMTP server refuses LHLO for good."""
    with pytest.raises(RelayError, match=r"502 5\.5\.2 what") as caught:
        told("", {"LHLO": "502 5.5.2 what?"}, protocol="lmtp")
    assert not isinstance(caught.value, UnreachableError)


def test_smtp_through_a_unix_socket(tmp_path: Path) -> None:
    """The socket's path stands for the host in what is told, and plain text is fine there."""
    run = told("pipelining", {"EHLO": OFFERS["pipelining"]}, 3, path=tmp_path / "smtp")
    assert run.results == [SENT] * 3
    run = told("pipelining", {"EHLO": OFFERS["pipelining"], ".": DROP}, 1, path=tmp_path / "other")
    assert run.results[0].lost


def test_a_missing_unix_socket_is_unreachable(tmp_path: Path) -> None:
    """Its path is named."""
    path = str(tmp_path / "none")
    with pytest.raises(UnreachableError, match=f"{path} cannot be used"):
        asyncio.run(connect(Relay("", 0, "none", socket=path, limits=SHORT)))
