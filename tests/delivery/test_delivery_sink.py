"""Postfix's smtp-sink as an independent receiver."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from delivery_samples import MemoryLedger, composed, editions
from sink import SINK, sink

from digest.delivery.relay import Relay
from digest.delivery.sender import Report, Terms, deliver
from digest.model import State

pytestmark = pytest.mark.skipif(SINK is None, reason="smtp-sink is missing: install the Debian package postfix")


def run(ledger: MemoryLedger, port: int) -> Report:
    relay = Relay("127.0.0.1", port, "none", connections=4, local_hostname="me")
    return asyncio.run(deliver(ledger, composed, Terms((relay,), "digest@example.org", pauses=(0.0,)), ledger.clock))


def test_the_sink_captures_each_mail_once(tmp_path: Path) -> None:
    """Forty mails of forty editions, each with its own Message-ID."""
    capture = tmp_path / "capture"
    with sink("-D", str(capture)) as port:
        assert run(MemoryLedger(editions(40)), port).states == {State.SENT: 40}
    ids = re.findall(r"^Message-ID: <20261120\.(\d+)\.\d+\.digest@example\.org>$", capture.read_text(), re.MULTILINE)
    assert sorted(map(int, ids)) == list(range(1, 41))


@pytest.mark.parametrize(
    ("options", "state"),
    [
        (("-r", "RCPT"), State.DEFERRED),
        (("-f", "RCPT"), State.FAILED),
        (("-r", "."), State.DEFERRED),
        (("-f", "."), State.FAILED),
    ],
)
def test_a_refusing_sink_leaves_no_edition_without_a_state(options: tuple[str, ...], state: State) -> None:
    """Soft refusals defer, hard ones fail, and all editions are told."""
    with sink(*options) as port:
        run(ledger := MemoryLedger(editions(8)), port)
        assert set(ledger.last) == set(ledger.states)
    kept_back = {one.edition for one in ledger.last.values() if one.code == 0 and one.next_at}
    assert {ledger.states[number] for number in ledger.states if number not in kept_back} == {state}
    assert bool(kept_back) == (options == ("-r", "."))  # 4xx there slows the domain


@pytest.mark.parametrize("options", [("-q", "MAIL"), ("-q", "DATA"), ("-q", "."), ("-Q", "RCPT")])
def test_what_a_dropping_sink_did_not_take_goes_the_next_time(options: tuple[str, ...], tmp_path: Path) -> None:
    """After a delivery to a sink that hangs up, a second one to a sound sink sends the rest."""
    ledger = MemoryLedger(editions(30))
    with sink(*options) as port:
        report = run(ledger, port)
    assert "dropped" in report.relay_error or report.kept_until  # 421 at RCPT slows the domain
    assert ledger.count(State.SENT) == ledger.count(State.FAILED) == ledger.count(State.SENDING) == 0
    ledger.recover()
    ledger.ahead = 600
    capture = tmp_path / "capture"
    with sink("-D", str(capture)) as port:
        assert run(ledger, port).states == {State.SENT: 30}
    assert capture.read_text().count("\nMessage-ID: ") == 30
