"""The sender against real servers: nothing lost, nothing sent without a commit, nobody held up by another's fault."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from delivery_samples import MemoryLedger, composed, editions
from scripted_relay import DROP, SILENCE, ScriptedRelay

from digest.delivery.relay import Limits, Relay
from digest.delivery.sender import CHUNK, MAX_PROBLEMS, Report, deliver
from digest.errors import MessageError, TemplateError
from digest.model import Edition, Outcome, State

SHORT = Limits(greeting=1, command=1, data=1, dot=1, farewell=1)
Script = Mapping[str, str | Sequence[str]]


def run(ledger: MemoryLedger, script: Script, connections: int = 3, **options: object) -> tuple[Report, ScriptedRelay]:
    """Deliver what the ledger holds to a relay with this script."""

    async def deliver_all() -> tuple[Report, ScriptedRelay]:
        async with ScriptedRelay(script) as server:
            relay = Relay("127.0.0.1", server.port, "none", connections=connections, local_hostname="me", limits=SHORT)
            settings = {"compose": composed, "pauses": (0.0, 0.0)} | options
            return await deliver(ledger, relay=relay, mail_from="digest@example.org", **settings), server  # type: ignore[arg-type]  # any

    return asyncio.run(deliver_all())


def test_every_edition_arrives_once() -> None:
    """All go to their own recipient, and the second delivery has nothing to send and opens no connection."""
    ledger = MemoryLedger(editions(50))
    report, server = run(ledger, {})
    assert report.states == {State.SENT: 50}
    assert sorted(server.accepted) == sorted(edition.email for edition in editions(50))
    assert server.connections == 3
    report, server = run(ledger, {})
    assert (report, server.connections) == (Report(), 0)


def test_a_refused_recipient_does_not_stop_the_others() -> None:
    """One fails, one is deferred, the rest arrive over the same connection."""
    ledger = MemoryLedger(editions(10))
    script = {"RCPT TO:<reader3@example.com>": "550 5.1.1 nobody", "RCPT TO:<reader5@example.com>": "450 4.2.0 later"}
    report, server = run(ledger, script, connections=1)
    assert report.states == {State.SENT: 8, State.FAILED: 1, State.DEFERRED: 1}
    assert [(p.email, p.state, p.code, p.reply) for p in report.problems] == [
        ("reader3@example.com", State.FAILED, 550, "5.1.1 nobody"),
        ("reader5@example.com", State.DEFERRED, 450, "4.2.0 later"),
    ]
    assert (len(server.accepted), server.connections) == (8, 1)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [DROP, "421 4.3.2 tired"])
def test_a_connection_lost_early_is_replaced(step: str, fault: str) -> None:
    """The message goes on a new connection in the same run, once."""
    ledger = MemoryLedger(editions(5))
    report, server = run(ledger, {step: [fault, "", fault]}, connections=1)
    assert report.states == {State.SENT: 5}
    assert sorted(server.accepted) == sorted(e.email for e in editions(5))
    assert server.connections == 3


def test_a_connection_lost_behind_the_dot_is_unknown_and_not_tried_again_at_once() -> None:
    """The edition is listed as unknown; the others go on over a new connection."""
    ledger = MemoryLedger(editions(3))
    report, server = run(ledger, {".": [DROP]}, connections=1)
    assert report.states == {State.SENT: 2, State.UNKNOWN: 1}
    assert ledger.states[1] is State.UNKNOWN
    assert len(server.messages) == 3


def test_a_lost_connection_loses_no_edition() -> None:
    """When the relay drops every connection, all editions are kept, and a second delivery sends what is left."""
    ledger = MemoryLedger(editions(40))
    report, server = run(ledger, {"RCPT": ["", "", "", "", "", ""] + [DROP] * 100})
    assert "dropped 3 connections running" in report.relay_error
    assert ledger.count(State.SENT) == len(server.accepted) == 6
    assert ledger.count(State.PLANNED) + ledger.count(State.DEFERRED) == 34
    report, server = run(ledger, {})
    assert report.states == {State.SENT: 34}
    assert ledger.count(State.SENT) == 40


def test_an_unreachable_relay_leaves_everything_as_it_is() -> None:
    """Nothing is marked, nothing is committed, and the report says why."""
    ledger = MemoryLedger(editions(3))
    report, _ = run(ledger, {"CONNECT": DROP})
    assert "cannot be used" in report.relay_error
    assert (ledger.commits, ledger.count(State.PLANNED), report.states) == ([], 3, {})


def test_one_connection_fewer_is_no_error() -> None:
    """A relay that takes two connections of three still gets everything."""
    ledger = MemoryLedger(editions(20))
    report, server = run(ledger, {"CONNECT": ["", "", "421 too many", "421 too many"]})
    assert (report.states, report.relay_error) == ({State.SENT: 20}, "")
    assert len(server.accepted) == 20


@pytest.mark.parametrize(
    "script", [{"MAIL": "553 5.1.8 not from you"}, {"CONNECT": "554 go away"}, {"RCPT": "530 log in"}]
)
def test_a_relay_that_refuses_us_stops_the_run(script: Script) -> None:
    """No recipient is touched: all editions are planned as before."""
    ledger = MemoryLedger(editions(10))
    report, server = run(ledger, script)
    assert "refuses us" in report.relay_error or "554 go away" in report.relay_error
    assert ledger.count(State.PLANNED) == 10
    assert server.messages == []


def test_one_refusal_of_us_stops_every_connection() -> None:
    """The others end what is in flight and take no more."""
    ledger = MemoryLedger(editions(100))
    report, server = run(ledger, {"MAIL": ["", "", "553 5.1.8 not from you"]})
    assert "553 5.1.8 not from you" in report.relay_error
    assert len(server.accepted) == ledger.count(State.SENT) <= 6
    assert ledger.count(State.PLANNED) == 100 - ledger.count(State.SENT)


@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_nothing_is_sent_without_a_commit(fail_at: int) -> None:
    """When a commit fails, what was granted before it ends, nothing else leaves, and the error is raised."""
    ledger = MemoryLedger(editions(20), fail_at=fail_at)
    sent: list[Outcome] = []
    with pytest.raises(OSError, match="No space left"):
        run(ledger, {}, connections=2, on_outcome=lambda _, outcome, __: sent.append(outcome))
    granted = {edition for sending, _ in ledger.commits[: fail_at - 1] for edition in sending}
    assert {outcome.edition for outcome in sent} <= granted
    assert len(granted) <= 2 * (fail_at - 1)


def test_outcomes_are_tried_once_more_after_a_failed_commit() -> None:
    """What was sent before the fault is offered to the ledger a last time, so that it is not sent again."""
    ledger = MemoryLedger(editions(5), fail_at=2)
    with pytest.raises(OSError, match="No space left"):
        run(ledger, {}, connections=1)
    assert ledger.commits[-1] == ((), (Outcome(1, State.SENT, 250, "2.0.0 kept"),))


def test_an_edition_not_granted_is_not_sent() -> None:
    """A suppressed recipient, or a row that another sender took, gets nothing."""
    ledger = MemoryLedger(editions(5), suppressed=[2, 4])
    report, server = run(ledger, {})
    assert (report.states, report.refused) == ({State.SENT: 3}, 2)
    assert sorted(server.accepted) == ["reader1@example.com", "reader3@example.com", "reader5@example.com"]


def test_every_message_has_its_grant_first() -> None:
    """Each edition is committed as SENDING in an earlier commit than its outcome."""
    ledger = MemoryLedger(editions(30))
    run(ledger, {})
    when = {edition: at for at, (sending, _) in enumerate(ledger.commits) for edition in sending}
    done = {outcome.edition: at for at, (_, outcomes) in enumerate(ledger.commits) for outcome in outcomes}
    assert set(when) == set(done) == set(range(1, 31))
    assert all(when[edition] < done[edition] for edition in when)


def test_what_waits_goes_into_one_commit() -> None:
    """The next grant travels with the last outcome: fewer commits than two a message."""
    ledger = MemoryLedger(editions(30))
    run(ledger, {}, connections=1)
    assert len(ledger.commits) == 31


@pytest.mark.parametrize("fault", [MessageError("bad header"), KeyError("title"), ZeroDivisionError()])
def test_a_poisonous_edition_fails_alone(fault: Exception) -> None:
    """The one that cannot be composed fails with the reason; the others arrive."""

    def compose(edition: Edition) -> bytes:
        if edition.id == 2:
            raise fault
        return composed(edition)

    ledger = MemoryLedger(editions(5))
    report, _ = run(ledger, {}, compose=compose)
    assert report.states == {State.SENT: 4, State.FAILED: 1}
    assert report.problems[0].email == "reader2@example.com"
    assert (type(fault).__name__ in report.problems[0].reply) or (str(fault) == report.problems[0].reply)


def test_a_message_that_breaks_a_rule_is_not_sent() -> None:
    """The gate stands before MAIL FROM."""
    ledger = MemoryLedger(editions(2))
    report, server = run(ledger, {}, compose=lambda edition: composed(edition).replace(b"</p>", b"\n.\n"))
    assert report.states == {State.FAILED: 2}
    assert not any(line.startswith("MAIL") for line in server.commands)


@pytest.mark.parametrize("fault", [TemplateError("digest.mjml:3:1"), OSError("disk")])
def test_a_fault_of_all_stops_before_the_first_send(fault: Exception) -> None:
    """A template error is raised, and no edition is marked."""

    def compose(edition: Edition) -> bytes:
        raise fault

    ledger = MemoryLedger(editions(5))
    with pytest.raises(type(fault), match=str(fault)):
        run(ledger, {}, compose=compose)
    assert (ledger.count(State.PLANNED), ledger.commits) == (5, [])


def test_told_to_stop_it_ends_what_is_in_flight() -> None:
    """When it may not go on no other edition is taken, and every SENDING has its outcome."""
    ledger = MemoryLedger(editions(100))
    sent: list[float] = []
    report, _ = run(ledger, {}, going=lambda: not sent, on_outcome=lambda _, __, seconds: sent.append(seconds))
    assert 1 <= report.states[State.SENT] == len(sent) <= 3
    assert all(0 < seconds < 60 for seconds in sent)
    assert ledger.count(State.SENDING) == 0
    assert ledger.count(State.PLANNED) == 100 - report.states[State.SENT]


def test_cancelled_it_keeps_what_it_knows() -> None:
    """Outcomes known by then are committed; the one in flight stays SENDING, which recovery reads as unknown."""

    async def cancelled(ledger: MemoryLedger) -> None:
        async with ScriptedRelay({".": ["", SILENCE]}) as server:
            relay = Relay("127.0.0.1", server.port, "none", connections=1, local_hostname="me", limits=SHORT)
            task = asyncio.create_task(deliver(ledger, composed, relay, "digest@example.org"))
            while len(server.messages) < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    ledger = MemoryLedger(editions(3))
    asyncio.run(cancelled(ledger))
    assert list(ledger.states.values()) == [State.SENT, State.SENDING, State.PLANNED]


def test_editions_are_fetched_a_few_at_a_time() -> None:
    """However many wait, no more than a chunk is in memory."""
    ledger = MemoryLedger(editions(2 * CHUNK + 5))
    report, _ = run(ledger, {})
    assert report.states == {State.SENT: 2 * CHUNK + 5}
    assert ledger.most_claimed == CHUNK


def test_a_deferred_edition_is_not_tried_again_in_the_same_delivery() -> None:
    """One attempt to each recipient who said "later", and the report keeps only the first few."""
    ledger = MemoryLedger(editions(MAX_PROBLEMS + 5))
    report, server = run(ledger, {"RCPT": "451 later"})
    assert report.states == {State.DEFERRED: MAX_PROBLEMS + 5}
    assert len(report.problems) == MAX_PROBLEMS
    assert sum(line.startswith("RCPT") for line in server.commands) == MAX_PROBLEMS + 5


def test_a_local_part_beyond_ascii_fails_alone() -> None:
    """Without SMTPUTF8 on the relay that recipient fails for good, and the run goes on."""
    one, two = editions(2)
    ledger = MemoryLedger([replace(one, email="ü@example.com"), two])
    report, _ = run(ledger, {})
    assert report.states == {State.SENT: 1, State.FAILED: 1}
    assert "SMTPUTF8" in report.problems[0].reply
