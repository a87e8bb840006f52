"""The sender against real servers: nothing lost, nothing sent without a commit, nobody held up by another's fault."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import sleep
from typing import Any

import pytest
from delivery_samples import MemoryLedger, composed, deliver_to, delivered, editions, relay_at
from scripted_relay import DROP, SILENCE, Script, ScriptedRelay
from wire_samples import CHUNKED, EHLO, PIPELINED, SERIAL

from digest.delivery.check import Checked
from digest.delivery.relay import Limits
from digest.delivery.sender import CHUNK, MOST_AHEAD
from digest.delivery.settling import MAX_PROBLEMS, SMALLER
from digest.errors import MessageError, TemplateError
from digest.model import Delivery, Edition, Outcome, State

every_way = pytest.mark.parametrize("way", [SERIAL, PIPELINED, CHUNKED])
DEPTH = {SERIAL: 1, PIPELINED: 2, CHUNKED: 4}


@every_way
def test_every_edition_arrives_once(way: str) -> None:
    """All go to their own recipient, and the second delivery has nothing to send and opens no connection."""
    ledger = MemoryLedger(editions(50))
    report, server = delivered(ledger, {}, way)
    assert (report.states, ledger.counts()) == ({State.SENT: 50}, {State.SENT: 50})
    assert sorted(server.accepted) == sorted(edition.email for edition in editions(50))
    assert server.connections <= 3
    report, server = delivered(ledger, {}, way)
    assert (report.states, server.connections) == ({}, 0)


def test_a_refused_recipient_does_not_stop_the_others() -> None:
    """One fails, one is deferred, the rest arrive over the same connection."""
    ledger = MemoryLedger(editions(10))
    script = {"RCPT TO:<reader3@example.com>": "550 5.2.1 off", "RCPT TO:<reader5@example.com>": "450 4.2.0 later"}
    report, server = delivered(ledger, script, connections=1)
    assert report.states == {State.SENT: 8, State.FAILED: 1, State.DEFERRED: 1}
    assert [(p.email, p.state, p.code, p.reply) for p in report.problems] == [
        ("reader3@example.com", State.FAILED, 550, "5.2.1 off"),
        ("reader5@example.com", State.DEFERRED, 450, "4.2.0 later"),
    ]
    assert (len(server.accepted), server.connections) == (8, 1)


@pytest.mark.parametrize(
    ("step", "fault"), [("MAIL", DROP), ("RCPT", DROP), ("DATA", DROP), ("MAIL", "421 4.3.2 tired")]
)
def test_a_connection_lost_early_is_replaced(step: str, fault: str) -> None:
    """The message goes on a new connection in the same run, once."""
    ledger = MemoryLedger(editions(5))
    report, server = delivered(ledger, {step: [fault, "", fault]}, connections=1)
    assert report.states == {State.SENT: 5}
    assert sorted(server.accepted) == sorted(e.email for e in editions(5))
    assert server.connections == 3


def test_a_mail_lost_on_two_connections_is_deferred() -> None:
    """It goes at the next run, and the others in this one."""
    ledger = MemoryLedger(editions(3))
    report, server = delivered(ledger, {"RCPT TO:<reader1@example.com>": DROP}, connections=1)
    assert report.states == {State.SENT: 2, State.DEFERRED: 1}
    assert (ledger.states[1], ledger.last[1].next_at) == (State.DEFERRED, 0)
    assert (server.connections > 1, len(server.accepted)) == (True, 2)


def test_a_connection_lost_behind_the_dot_is_unknown_and_not_tried_again_at_once() -> None:
    """The edition is listed as unknown; the others go on over a new connection."""
    ledger = MemoryLedger(editions(3))
    report, server = delivered(ledger, {".": [DROP]}, connections=1)
    assert report.states == {State.SENT: 2, State.UNKNOWN: 1}
    assert ledger.states[1] is State.UNKNOWN
    assert len(server.messages) == 3


@pytest.mark.parametrize(("way", "step"), [(PIPELINED, "."), (CHUNKED, "BDAT")])
def test_at_most_what_is_in_hand_is_unknown(way: str, step: str) -> None:
    """A drop behind a body leaves no more unknown than a connection has in hand, and the rest arrive once."""
    ledger = MemoryLedger(editions(20))
    report, server = delivered(ledger, {step: ["", "", "", "", "", DROP]}, way, connections=1)
    assert 1 <= report.states[State.UNKNOWN] <= DEPTH[way]
    assert report.states[State.SENT] == 20 - report.states[State.UNKNOWN] == len(set(server.accepted))


@every_way
def test_a_lost_connection_loses_no_edition(way: str) -> None:
    """When the relay drops every connection, all editions are kept, and a second delivery sends what is left."""
    ledger = MemoryLedger(editions(40))
    report, server = delivered(ledger, {"RCPT": ["", "", "", "", "", ""] + [DROP] * 100}, way)
    assert "dropped every connection" in report.relay_error
    assert ledger.count(State.SENT) == len(server.accepted) <= 6
    assert ledger.count(State.SENDING) == ledger.count(State.FAILED) == 0
    ledger.recover()
    report, server = delivered(ledger, {}, way)
    assert ledger.counts() == {State.SENT: 40}


def test_an_unreachable_relay_leaves_everything_as_it_is() -> None:
    """Nothing is marked, nothing is committed, and the report says why."""
    ledger = MemoryLedger(editions(3))
    report, _ = delivered(ledger, {"CONNECT": DROP})
    assert "cannot be used" in report.relay_error
    assert not report.refusals
    assert (ledger.commits, ledger.count(State.PLANNED), report.states) == ([], 3, {})


def test_one_connection_fewer_is_no_error() -> None:
    """A relay that takes two connections of three still gets everything."""
    ledger = MemoryLedger(editions(20))
    report, server = delivered(ledger, {"CONNECT": ["", "", "421 too many", "421 too many"]})
    assert (report.states, report.relay_error) == ({State.SENT: 20}, "")
    assert len(server.accepted) == 20


@pytest.mark.parametrize(
    "script", [{"MAIL": "553 5.1.8 not from you"}, {"CONNECT": "554 go away"}, {"RCPT": "530 log in"}]
)
def test_a_relay_that_refuses_us_stops_the_run(script: Script) -> None:
    """No recipient is touched: all editions are planned as before, and none counts as tried."""
    ledger = MemoryLedger(editions(10))
    report, server = delivered(ledger, script)
    assert "refuses us" in report.relay_error or "554 go away" in report.relay_error
    assert report.refusals
    assert ledger.count(State.PLANNED) == 10
    assert not any(delivery.attempts for delivery in ledger.deliveries.values())
    assert server.messages == []


@every_way
def test_one_refusal_of_us_stops_every_connection(way: str) -> None:
    """The others end what is in flight and take no more."""
    ledger = MemoryLedger(editions(100))
    report, server = delivered(ledger, {"MAIL": ["", "", "553 5.1.8 not from you"]}, way)
    assert "553 5.1.8 not from you" in report.relay_error
    assert len(server.accepted) == ledger.count(State.SENT) <= 2 + 3 * DEPTH[way]
    assert ledger.count(State.PLANNED) == 100 - ledger.count(State.SENT)


@pytest.mark.parametrize("fail_at", [1, 2, 3])
@every_way
def test_nothing_is_sent_without_a_commit(fail_at: int, way: str) -> None:
    """When a commit fails, what was granted before it ends, nothing else leaves, and the error is raised."""
    ledger = MemoryLedger(editions(200), fail_at=fail_at)
    sent: list[Outcome] = []
    with pytest.raises(OSError, match="No space left"):
        delivered(ledger, {}, way, connections=2, on_outcome=lambda _, outcome, __: sent.append(outcome))
    granted = {edition for commit in ledger.commits[: fail_at - 1] for edition in commit.sending}
    assert {outcome.edition for outcome in sent} <= granted
    assert bool(sent) == (fail_at > 1)


def test_outcomes_are_tried_once_more_after_a_failed_commit() -> None:
    """What was sent before the fault is offered to the ledger a last time, so that it is not sent again."""
    ledger = MemoryLedger(editions(20), fail_at=5)
    with pytest.raises(OSError, match="No space left"):
        delivered(ledger, {}, connections=1)
    failed, last = ledger.commits[4], ledger.commits[-1]
    assert failed.outcomes
    assert set(failed.outcomes) <= set(last.outcomes)
    assert (last.sending, len(ledger.commits)) == ((), 6)


def test_an_edition_not_granted_is_not_sent() -> None:
    """A suppressed recipient, or a row that another sender took, gets nothing."""
    ledger = MemoryLedger(editions(5), suppressed=[2, 4])
    report, server = delivered(ledger, {})
    assert (report.states, report.ungranted) == ({State.SENT: 3}, 2)
    assert sorted(server.accepted) == ["reader1@example.com", "reader3@example.com", "reader5@example.com"]


def test_who_unsubscribes_during_the_delivery_gets_nothing() -> None:
    """What was claimed and composed is still not granted."""
    ledger = MemoryLedger(editions(100))
    report, server = delivered(ledger, {}, connections=1, on_outcome=lambda *_: ledger.suppressed.add(100))
    assert (report.states, report.ungranted) == ({State.SENT: 99}, 1)
    assert "reader100@example.com" not in server.accepted


@every_way
def test_every_message_has_its_grant_first(way: str) -> None:
    """Each edition is committed as SENDING in an earlier commit than its outcome."""
    ledger = MemoryLedger(editions(30))
    delivered(ledger, {}, way)
    when = {edition: at for at, commit in enumerate(ledger.commits) for edition in commit.sending}
    done = {outcome.edition: at for at, commit in enumerate(ledger.commits) for outcome in commit.outcomes}
    assert set(when) == set(done) == set(range(1, 31))
    assert all(when[edition] < done[edition] for edition in when)


def test_what_waits_goes_into_one_commit() -> None:
    """The next grant travels with the last outcome: fewer commits than two a message."""
    ledger = MemoryLedger(editions(30))
    delivered(ledger, {}, connections=1)
    assert len(ledger.commits) < 40


def test_commits_are_grouped() -> None:
    """With many mails under way at once there are far fewer commits than mails."""
    ledger = MemoryLedger(editions(1000))
    report, _ = delivered(ledger, {}, CHUNKED, connections=8)
    assert report.states == {State.SENT: 1000}
    assert len(ledger.commits) < 250


@pytest.mark.parametrize("fault", [MessageError("bad header"), KeyError("title"), ZeroDivisionError()])
def test_a_poisonous_edition_fails_alone(fault: Exception) -> None:
    """The one that cannot be composed fails with the reason; the others arrive."""

    def compose(delivery: Delivery) -> Checked:
        if delivery.edition.id == 2:
            raise fault
        return composed(delivery)

    ledger = MemoryLedger(editions(5))
    report, _ = delivered(ledger, {}, compose=compose)
    assert report.states == {State.SENT: 4, State.FAILED: 1}
    assert report.problems[0].email == "reader2@example.com"
    assert (type(fault).__name__ in report.problems[0].reply) or (str(fault) == report.problems[0].reply)


def test_an_address_without_a_domain_of_the_wire_fails_alone() -> None:
    """It is one edition's fault, also when the domain is what cannot be written."""
    one, two = editions(2)
    ledger = MemoryLedger([replace(one, email="ada@\u2488com"), two])
    report, _ = delivered(ledger, {})
    assert report.states == {State.SENT: 1, State.FAILED: 1}


@pytest.mark.parametrize("fault", [TemplateError("digest.mjml:3:1"), OSError("disk")])
def test_a_fault_of_all_stops_before_the_first_send(fault: Exception) -> None:
    """A template error is raised, and no edition is marked."""

    def compose(delivery: Delivery) -> Checked:
        raise fault

    ledger = MemoryLedger(editions(5))
    with pytest.raises(type(fault), match=str(fault)):
        delivered(ledger, {}, compose=compose)
    assert (ledger.count(State.PLANNED), ledger.commits) == (5, [])


@every_way
def test_a_fault_of_all_in_the_middle_ends_what_is_in_flight(way: str) -> None:
    """What was granted and not handed over is given back, and the fault is raised."""

    def compose(delivery: Delivery) -> Checked:
        if delivery.edition.id == 60:
            raise TemplateError("digest.mjml:3:1")
        return composed(delivery)

    ledger = MemoryLedger(editions(100))
    sent: list[Outcome] = []
    with pytest.raises(TemplateError):
        delivered(ledger, {}, way, compose=compose, on_outcome=lambda _, outcome, __: sent.append(outcome))
    assert set(ledger.counts()) == {State.SENT, State.PLANNED}
    assert ledger.count(State.SENT) == len(sent) < 60
    assert sum(delivery.attempts for delivery in ledger.deliveries.values()) == len(sent)


@every_way
def test_told_to_stop_it_ends_what_is_in_flight(way: str) -> None:
    """When it may not go on no other edition is taken, what is granted is given back, every SENDING has its outcome."""
    ledger = MemoryLedger(editions(200))
    sent: list[float] = []
    report, server = delivered(
        ledger, {}, way, going=lambda: len(sent) < 20, on_outcome=lambda _, __, seconds: sent.append(seconds)
    )
    assert 20 <= report.states[State.SENT] == len(sent) == len(server.accepted) < 200
    assert all(0 < seconds < 60 for seconds in sent)
    assert set(ledger.counts()) == {State.SENT, State.PLANNED}
    assert sum(delivery.attempts for delivery in ledger.deliveries.values()) == len(sent)
    report, _ = delivered(ledger, {}, way)
    assert ledger.counts() == {State.SENT: 200}


def test_it_is_asked_whether_to_go_on_while_nothing_happens() -> None:
    """A relay that says nothing does not keep it from stopping: it is asked a few times a second."""
    asked: list[bool] = []

    def going() -> bool:
        asked.append(True)
        return True

    ledger = MemoryLedger(editions(1))
    delivered(ledger, {"MAIL": SILENCE}, limits=Limits(command=0.5), going=going)
    assert len(asked) > 4


@pytest.mark.parametrize(("way", "step"), [(SERIAL, "."), (PIPELINED, "."), (CHUNKED, "BDAT")])
def test_cancelled_it_keeps_what_it_knows(way: str, step: str) -> None:
    """What arrived by then is sent, what is out without an answer is unknown, and the rest is given back."""

    async def cancelled(ledger: MemoryLedger) -> None:
        async with ScriptedRelay({"EHLO": EHLO[way], step: ["", SILENCE]}) as server:
            task = asyncio.create_task(deliver_to(ledger, (relay_at(server, connections=1),)))
            while len(server.messages) < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    ledger = MemoryLedger(editions(30))
    asyncio.run(cancelled(ledger))
    assert ledger.count(State.SENT) == 1
    assert 1 <= ledger.count(State.UNKNOWN) <= DEPTH[way]
    assert ledger.count(State.PLANNED) == 29 - ledger.count(State.UNKNOWN)


def test_cancelled_during_a_commit_it_gives_back_what_that_granted() -> None:
    """Whether it was granted or not, it is planned again, and nothing was sent."""

    class Slow(MemoryLedger):
        def commit(self, *told: Any) -> set[int]:
            granted = super().commit(*told)
            sleep(0.1)
            return granted

    async def cancelled() -> None:
        async with ScriptedRelay({}) as server:
            task = asyncio.create_task(deliver_to(ledger, (relay_at(server),)))
            while not ledger.commits:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not server.messages

    ledger = Slow(editions(10))
    asyncio.run(cancelled())
    assert ledger.counts() == {State.PLANNED: 10}


def test_editions_are_fetched_a_few_at_a_time() -> None:
    """However many wait, no more than a chunk is fetched at once, and few wait in memory."""
    ledger = MemoryLedger(editions(4 * CHUNK + 5))
    fetched_ahead: list[int] = []
    composed_so_far = 0

    def compose(delivery: Delivery) -> Checked:
        nonlocal composed_so_far
        composed_so_far += 1
        fetched_ahead.append(sum(ledger.claims) - composed_so_far)
        return composed(delivery)

    report, _ = delivered(ledger, {}, CHUNKED, compose=compose)
    assert report.states == {State.SENT: 4 * CHUNK + 5}
    assert max(ledger.claims) == CHUNK
    assert max(fetched_ahead) < 2 * CHUNK


@every_way
def test_few_editions_are_granted_ahead(way: str) -> None:
    """For a relay that answers nothing no more are than its connections have room for, and as many again."""
    ledger = MemoryLedger(editions(MOST_AHEAD))
    lost: list[Outcome] = []
    delivered(
        ledger,
        {".": SILENCE, "BDAT": SILENCE},
        way,
        limits=Limits(dot=0.3),
        on_outcome=lambda _, outcome, __: lost.append(outcome),
        going=lambda: not lost,
    )
    assert 2 * DEPTH[way] <= ledger.most_sending <= 2 * 2 * DEPTH[way]


def test_however_slow_the_ledger_few_editions_are_granted_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a commit takes long, the relay could take any number; those granted stay bounded."""

    class Slow(MemoryLedger):
        def commit(self, *told: Any) -> set[int]:
            sleep(0.03)
            return super().commit(*told)

    monkeypatch.setattr("digest.delivery.sender.MOST_AHEAD", 50)
    ledger = Slow(editions(800))
    report, _ = delivered(ledger, {}, CHUNKED)
    assert report.states == {State.SENT: 800}
    assert 3 * DEPTH[CHUNKED] < ledger.most_sending <= 2 * 50 + 3 * DEPTH[CHUNKED]


def test_a_deferred_edition_is_not_tried_again_in_the_same_delivery() -> None:
    """One attempt to each recipient who said "later", and the report keeps only the first few."""
    ledger = MemoryLedger(editions(MAX_PROBLEMS + 5))
    report, server = delivered(ledger, {"RCPT": "451 later"})
    assert report.states == {State.DEFERRED: MAX_PROBLEMS + 5}
    assert len(report.problems) == MAX_PROBLEMS
    assert sum(line.startswith("RCPT") for line in server.commands) == MAX_PROBLEMS + 5


def test_a_deferred_edition_waits_for_five_minutes_or_more() -> None:
    """Then it goes, and has been tried twice."""
    ledger = MemoryLedger(editions(1))
    before = ledger.clock()
    delivered(ledger, {"RCPT": "451 later"})
    assert before + 300 <= ledger.last[1].next_at <= before + 460
    ledger.ahead = 250
    assert delivered(ledger, {})[0].states == {}
    ledger.ahead = 460
    assert delivered(ledger, {})[0].states == {State.SENT: 1}
    assert ledger.deliveries[1].attempts == 2


def test_no_such_mailbox_suppresses_the_recipient() -> None:
    """5.1.1 does, a full or a closed mailbox does not."""
    ledger = MemoryLedger(editions(3))
    script = {"RCPT TO:<reader1@example.com>": "550 5.1.1 nobody", "RCPT TO:<reader2@example.com>": "552 5.2.2 full"}
    delivered(ledger, script)
    assert [(one.state, one.suppress) for _, one in sorted(ledger.last.items())] == [
        (State.FAILED, True), (State.FAILED, False), (State.SENT, False),
    ]  # fmt: skip


def test_a_local_part_beyond_ascii_fails_alone() -> None:
    """Without SMTPUTF8 on the relay that recipient fails for good, and the run goes on."""
    one, two = editions(2)
    ledger = MemoryLedger([replace(one, email="ü@example.com"), two])
    report, _ = delivered(ledger, {})
    assert report.states == {State.SENT: 1, State.FAILED: 1}
    assert "SMTPUTF8" in report.problems[0].reply


@pytest.mark.parametrize(
    ("way", "script"),
    [
        (SERIAL, {"RCPT TO:<reader2@example.com>": ["552 5.3.4 too big"]}),
        (PIPELINED, {"RCPT TO:<reader2@example.com>": ["552 too big"]}),
        (SERIAL, {".": ["", "552 5.3.4 too big"]}),
        (CHUNKED, {"BDAT": ["", "552 5.3.4 too big"]}),
    ],
)
def test_what_is_too_large_is_composed_again_smaller(way: str, script: Script) -> None:
    """Once, with room for less, which is written down with the second grant at the latest: a restart does the same."""
    ledger = MemoryLedger(editions(3))
    report, server = delivered(ledger, script, way, connections=1)
    assert report.states == {State.SENT: 3}
    assert (ledger.deliveries[2].room, ledger.deliveries[2].attempts) == (SMALLER, 1)
    assert composed(Delivery(editions(2)[1], 0, SMALLER)).removesuffix(b".\r\n") in server.messages
    noted = next(at for at, c in enumerate(ledger.commits) for o in c.outcomes if (o.edition, o.room) == (2, SMALLER))
    granted = [at for at, commit in enumerate(ledger.commits) if 2 in commit.sending]
    assert len(granted) == 2
    assert granted[0] < noted <= granted[1]


def test_what_is_too_large_even_smaller_fails() -> None:
    """It was tried twice, the others arrive."""
    ledger = MemoryLedger(editions(3))
    report, server = delivered(ledger, {"RCPT TO:<reader2@example.com>": "552 5.3.4 too big"}, connections=1)
    assert report.states == {State.SENT: 2, State.FAILED: 1}
    assert server.commands.count("RCPT TO:<reader2@example.com>") == 2


def test_a_relay_that_takes_only_small_mails_is_not_even_asked() -> None:
    """Where the relay tells its SIZE, nothing of a larger mail leaves, and it fails after the smaller one."""
    ledger = MemoryLedger(editions(2))
    rooms: list[int] = []

    def compose(delivery: Delivery) -> Checked:
        rooms.append(delivery.room)
        return composed(delivery)

    report, server = delivered(ledger, {"EHLO": "250-scripted\r\n250 SIZE 500"}, compose=compose)
    assert report.states == {State.FAILED: 2}
    assert sorted(rooms) == [0, 0, SMALLER, SMALLER]
    assert not any(line.startswith("MAIL") for line in server.commands)


def test_each_outcome_is_told_with_its_edition() -> None:
    """Whoever watches hears of each edition once, with what the ledger is told."""
    told: dict[str, State] = {}

    def heard(edition: Edition, outcome: Outcome, _seconds: float) -> None:
        assert edition.email not in told
        told[edition.email] = outcome.state

    ledger = MemoryLedger(editions(9))
    delivered(ledger, {"RCPT": ["450 4.2.0 later", "550 5.2.1 off"]}, on_outcome=heard)
    assert told == {f"reader{number}@example.com": state for number, state in ledger.states.items()}
