"""Domains and relays that push back, and our own limits: who waits, until when, and that nobody else does."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from delivery_samples import MemoryLedger, deliver_to, delivered, editions, relay_at
from scripted_relay import Script, ScriptedRelay
from wire_samples import CHUNKED, EHLO, PIPELINED, SERIAL

from digest.delivery.settling import SETUP_PAUSE
from digest.model import Edition, State, Throttle

SLOW = "slow.example"
PUSHES_BACK = f"RCPT TO:<reader1@{SLOW}>"


def mixed(slow: int, others: int) -> list[Edition]:
    """Editions to a domain that pushes back, then those to another."""
    return editions(slow, SLOW) + editions(others, "fast.example", first=slow + 1)


def asked(server: ScriptedRelay) -> int:
    """How many mails the relay was asked to take for the slow domain."""
    return len({line for line in server.commands if line.startswith("RCPT") and SLOW in line})


def assert_kept_back(ledger: MemoryLedger, numbers: range, pause: float) -> None:
    """They wait for the pause and were never tried; but for the first, which began it."""
    now = ledger.clock()
    for number in numbers:
        assert ledger.states[number] in (State.PLANNED, State.DEFERRED)
        assert now + pause - 5 <= ledger.last[number].next_at
        assert ledger.deliveries[number].attempts == 0


@pytest.mark.parametrize("way", [SERIAL, PIPELINED, CHUNKED])
def test_421_at_rcpt_pauses_the_domain(way: str) -> None:
    """Its other mails wait, also those that were granted, and the rest goes on over another connection."""
    ledger = MemoryLedger(mixed(30, 10))
    report, server = delivered(ledger, {PUSHES_BACK: "421 4.7.0 too fast"}, way, connections=1)
    in_hand = {SERIAL: 1, PIPELINED: 2, CHUNKED: 4}[way]
    assert asked(server) <= in_hand
    assert_kept_back(ledger, range(in_hand + 2, 31), 60)
    assert [ledger.states[number] for number in range(31, 41)] == [State.SENT] * 10
    assert not ledger.count(State.SENDING)
    assert 55 <= report.kept_until - ledger.clock() <= 100
    assert ledger.throttles["domain", SLOW].words == "421 4.7.0 too fast"
    assert server.connections == 2


def test_a_pause_outlives_the_delivery_and_ends() -> None:
    """The next delivery sends nothing there, either; the one after the pause does, and the domain is as before."""
    ledger = MemoryLedger(mixed(20, 1))
    delivered(ledger, {PUSHES_BACK: "421 4.7.0 too fast"}, connections=1)
    ledger.add(editions(5, SLOW, 50))
    report, server = delivered(ledger, {})
    assert (report.states, asked(server)) == ({}, 0)
    ledger.ahead = 500
    report, server = delivered(ledger, {})
    assert report.states == {State.SENT: 25}
    assert ledger.throttles["domain", SLOW] == Throttle("domain", SLOW)


def test_one_4xx_pauses_nothing_and_two_running_do() -> None:
    """A single one at the dot may be chance; the second running slows the domain."""
    ledger = MemoryLedger(mixed(10, 0))
    report, _ = delivered(ledger, {".": ["", "450 4.7.1 later", ""]}, connections=1)
    assert report.states == {State.SENT: 9, State.DEFERRED: 1}
    assert not report.kept_until
    ledger = MemoryLedger(mixed(10, 5))
    report, _ = delivered(ledger, {".": ["", "450 4.7.1 later", "450 4.7.1 later"]}, connections=1)
    assert report.states == {State.SENT: 6, State.DEFERRED: 2}
    assert_kept_back(ledger, range(4, 11), 60)


def test_a_full_mailbox_slows_nobody() -> None:
    """452 and 4.2.2 are about one recipient, however often."""
    ledger = MemoryLedger(mixed(10, 0))
    report, _ = delivered(ledger, {"RCPT": ["452 4.2.2 full"] * 5})
    assert report.states == {State.SENT: 5, State.DEFERRED: 5}
    assert not ledger.throttles


def test_a_domain_that_refuses_our_setup_is_paused_for_an_hour() -> None:
    """5.7.26 is our fault: its mails wait without asking again, nobody is suppressed or fails, and the others go."""
    ledger = MemoryLedger(mixed(10, 5))
    report, server = delivered(ledger, {PUSHES_BACK: "550 5.7.26 unauthenticated"}, connections=1)
    assert report.states == {State.SENT: 5, State.DEFERRED: 1}
    assert asked(server) == 1
    assert_kept_back(ledger, range(2, 11), SETUP_PAUSE)
    assert not any(outcome.suppress for outcome in ledger.last.values())
    assert ledger.throttles["domain", SLOW].words == "550 5.7.26 unauthenticated"


@pytest.mark.parametrize("domain", [SLOW, SLOW.title(), "bücher.example"])
def test_a_limit_of_a_domain_defers_the_rest_to_reserved_moments(domain: str) -> None:
    """A burst goes at once, the others wait one after the other and are never granted; other domains do not wait."""
    ledger = MemoryLedger(editions(20, domain) + editions(10, "fast.example", 21))
    limit = {("domain", "xn--bcher-kva.example" if "ü" in domain else SLOW): 60.0}
    report, _ = delivered(ledger, {}, CHUNKED, per_minute=limit)
    assert report.states == {State.SENT: 16}
    kept = [ledger.last[number] for number in range(7, 21)]
    assert {outcome.state for outcome in kept} == {State.DEFERRED}
    assert {ledger.deliveries[outcome.edition].attempts for outcome in kept} == {0}
    moments = [outcome.next_at for outcome in kept]
    assert moments == list(range(moments[0], moments[0] + 14))
    assert report.kept_until <= moments[0] <= ledger.clock() + 2


def test_what_was_kept_back_goes_at_its_moment() -> None:
    """The next delivery knows what was sent before, and sends as many as the limit allows since then."""
    ledger = MemoryLedger(editions(20, SLOW))
    limit = {("domain", SLOW): 60.0}
    assert delivered(ledger, {}, per_minute=limit)[0].states == {State.SENT: 6}
    ledger.ahead = 3.0
    assert 2 <= delivered(ledger, {}, per_minute=limit)[0].states[State.SENT] <= 5
    ledger.ahead = 60.0
    delivered(ledger, {}, per_minute=limit)
    ledger.ahead = 120.0
    delivered(ledger, {}, per_minute=limit)
    assert ledger.counts() == {State.SENT: 20}


def test_a_limit_counts_no_mail_that_is_not_composed() -> None:
    """A poisonous edition takes nobody's place."""

    def compose(delivery: object) -> bytes:
        raise KeyError("title")

    ledger = MemoryLedger(editions(10, SLOW))
    report, _ = delivered(ledger, {}, per_minute={("domain", SLOW): 60.0}, compose=compose)
    assert report.states == {State.FAILED: 10}


def test_many_that_are_kept_back_cost_little() -> None:
    """They are written down in large groups, and those behind them go at once."""
    ledger = MemoryLedger(mixed(2000, 1))
    report, _ = delivered(ledger, {}, per_minute={("domain", SLOW): 10.0})
    assert ledger.states[2001] is State.SENT
    assert ledger.count(State.DEFERRED) == 2000 - report.states[State.SENT] + 1
    assert len(ledger.commits) < 40


def test_a_limit_of_a_relay_holds_over_two_deliveries() -> None:
    """A burst goes at once, then one after the other; a delivery that follows knows of those before it."""

    async def run(ledger: MemoryLedger) -> tuple[float, int]:
        async with ScriptedRelay({"EHLO": EHLO[CHUNKED]}) as server:
            relay = relay_at(server, per_minute=1200)
            limit = {("relay", str(relay)): 1200.0}
            began = monotonic()
            first = await deliver_to(ledger, (relay,), per_minute=limit)
            assert ledger.throttles["relay", str(relay)].free_at > ledger.clock() + 4
            ledger.add(editions(10, first=121))
            second = await deliver_to(ledger, (relay,), per_minute=limit)
            return monotonic() - began, first.states[State.SENT] + second.states[State.SENT]

    seconds, sent = asyncio.run(run(MemoryLedger(editions(120))))
    assert sent == 130
    assert seconds >= (130 - 121) * 60 / 1200


def test_4xx_at_mail_gives_the_relay_fewer_connections() -> None:
    """It is busy, so its mails are deferred, and no domain is slowed for it."""
    ledger = MemoryLedger(editions(10))
    report, _ = delivered(ledger, {"MAIL": ["451 4.3.0 busy"] * 3}, connections=2)
    assert report.states == {State.SENT: 7, State.DEFERRED: 3}
    assert not ledger.throttles
    assert min(ledger.last[number].next_at for number, state in ledger.states.items() if state is State.DEFERRED) > 0


@pytest.mark.parametrize("script", [{"MAIL": "421 4.3.2 shutting down"}, {"MAIL": "451 4.3.0 busy"}])
def test_a_relay_that_only_defers_loses_nothing(script: Script) -> None:
    """All is deferred or planned; nothing failed, nothing stays in between, and the next delivery sends it all."""
    ledger = MemoryLedger(editions(30))
    delivered(ledger, script, PIPELINED)
    assert set(ledger.counts()) <= {State.DEFERRED, State.PLANNED}
    ledger.ahead = 500
    delivered(ledger, {}, PIPELINED)
    assert ledger.counts() == {State.SENT: 30}


def test_an_edition_too_large_is_kept_back_with_its_room() -> None:
    """If its domain is at its limit when it is to be composed again, it waits, and is then the smaller one."""
    ledger = MemoryLedger(editions(1, SLOW))
    delivered(ledger, {"RCPT": ["552 5.3.4 too big"]}, per_minute={("domain", SLOW): 1.0})
    assert (ledger.states[1], ledger.deliveries[1].attempts) == (State.DEFERRED, 0)
    assert ledger.deliveries[1].room == 30_000
