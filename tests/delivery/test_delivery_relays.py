"""Several relays: whose turn it is, and that nothing is lost when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from delivery_samples import LIMITS, MemoryLedger, deliver_to, editions, relay_at
from pydantic import SecretStr
from scripted_relay import DROP, SILENCE, Script, ScriptedRelay
from wire_samples import CHUNKED, EHLO, SERIAL

from digest.delivery.sender import Report
from digest.model import State

REFUSES = {"MAIL": "553 5.1.8 not from you"}
DOWN = {"CONNECT": DROP}


def through(
    ledger: MemoryLedger, *relays: tuple[Script, dict[str, Any]], **options: Any
) -> tuple[Report, Sequence[ScriptedRelay]]:
    """Deliver through relays with these scripts and settings."""

    async def run() -> tuple[Report, Sequence[ScriptedRelay]]:
        async with AsyncExitStack() as stack:
            scripts = [{"EHLO": EHLO[SERIAL]} | dict(script) for script, _ in relays]
            servers = [await stack.enter_async_context(ScriptedRelay(script)) for script in scripts]
            used = [relay_at(server, **settings) for server, (_, settings) in zip(servers, relays, strict=True)]
            report = await deliver_to(ledger, tuple(used), **options)
            await asyncio.sleep(0.002)
            return report, servers

    return asyncio.run(run())


def test_the_highest_priority_gets_all() -> None:
    """The other is not even connected to."""
    report, (low, high) = through(MemoryLedger(editions(30)), ({}, {"priority": 1}), ({}, {"priority": 5}))
    assert report.states == {State.SENT: 30}
    assert (low.connections, len(high.accepted)) == (0, 30)


def test_the_next_priority_is_used_when_the_first_is_out_of_reach() -> None:
    """All arrive there, and the report names no error."""
    report, (_, low) = through(MemoryLedger(editions(30)), (DOWN, {"priority": 5}), ({}, {}))
    assert (report.states, report.relay_error) == ({State.SENT: 30}, "")
    assert len(low.accepted) == 30


def test_a_relay_that_only_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first neither greets nor refuses, the next one is used."""
    monkeypatch.setattr("digest.delivery.line._PATIENCE_SECONDS", 0.1)
    hangs = {"priority": 5, "limits": replace(LIMITS, greeting=30.0)}
    report, (high, low) = through(MemoryLedger(editions(30)), ({"CONNECT": SILENCE}, hangs), ({}, {}))
    assert report.states == {State.SENT: 30}
    assert (high.connections > 0, len(low.accepted)) == (True, 30)


@pytest.mark.parametrize("priority", [0, 5])
@pytest.mark.parametrize(
    ("script", "settings"),
    [
        (REFUSES, {}),
        ({"MAIL": ["", "", "", "553 5.1.8 not from you"]}, {}),
        ({"CONNECT": "554 5.7.1 go away"}, {}),
        (
            {"EHLO": "250-scripted\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 wrong password"},
            {"username": "me", "password": SecretStr("secret")},
        ),
    ],
)
def test_a_relay_that_refuses_us_loses_nothing_while_another_works(
    script: Script, settings: dict[str, Any], priority: int
) -> None:
    """What it would not take goes through the other, each mail once."""
    ledger = MemoryLedger(editions(60))
    report, (bad, good) = through(ledger, (script, settings | {"priority": priority}), ({}, {}))
    assert (report.states, report.relay_error) == ({State.SENT: 60}, "")
    assert sorted(bad.accepted + good.accepted) == sorted(edition.email for edition in editions(60))
    assert {delivery.attempts for delivery in ledger.deliveries.values()} == {1}


@pytest.mark.parametrize("other", [DOWN, REFUSES, {"MAIL": DROP}])
def test_when_no_relay_works_both_are_named(other: Script) -> None:
    """Nothing is lost, and the report says of each what is wrong."""
    ledger = MemoryLedger(editions(10))
    report, servers = through(ledger, (DOWN, {}), (other, {}))
    assert all(f"127.0.0.1:{server.port} " in report.relay_error for server in servers)
    assert bool(report.refusals) == (other is REFUSES)
    assert set(ledger.counts()) <= {State.PLANNED, State.DEFERRED}


def test_relays_of_one_priority_share() -> None:
    """Both are used."""
    report, servers = through(MemoryLedger(editions(200)), ({}, {}), ({}, {}))
    assert report.states == {State.SENT: 200}
    assert all(len(server.accepted) > 40 for server in servers)


def test_a_relay_with_more_weight_gets_more() -> None:
    """While both have room, it takes three mails for each of the other."""
    wide = {"depth": 50, "connections": 1}
    chunked = {"EHLO": EHLO[CHUNKED]}
    ledger = MemoryLedger(editions(40))
    report, (heavy, light) = through(ledger, (chunked, wide | {"weight": 3}), (chunked, wide))
    assert report.states == {State.SENT: 40}
    assert 25 <= len(heavy.accepted) <= 35
    assert len(light.accepted) == 40 - len(heavy.accepted)


def test_a_connection_lost_is_made_up_for_by_the_other_relay() -> None:
    """A mail that one relay drops goes through another at once."""
    ledger = MemoryLedger(editions(20))
    report, (_, good) = through(ledger, ({"RCPT": DROP}, {}), ({}, {}))
    assert report.states == {State.SENT: 20}
    assert len(good.accepted) == 20


def test_a_relay_that_comes_back_is_used_again() -> None:
    """After its breaker closes; until then, and while it is tried, mails go through the other."""

    async def run(ledger: MemoryLedger) -> tuple[Report, ScriptedRelay, ScriptedRelay]:
        async with ScriptedRelay({"CONNECT": ["421 4.3.2 closed"] * 4}) as high, ScriptedRelay({}) as low:
            low_relay = relay_at(low, per_minute=1200)
            relays = (relay_at(high, priority=5), low_relay)
            report = await deliver_to(ledger, relays, per_minute={("relay", str(low_relay)): 1200.0})
            return report, high, low

    ledger = MemoryLedger(editions(400))
    report, high, low = asyncio.run(run(ledger))
    assert report.states == {State.SENT: 400}
    assert len(low.accepted) >= 100
    assert len(high.accepted) >= 100
