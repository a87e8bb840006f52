"""Letters reach their people: once each, whatever relays, kills and other postmen do, and never after their end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy
from scripted_relay import DROP, SILENCE, ScriptedRelay
from sqlalchemy import select
from visits import SECRETS, URL, until, visiting
from workplace import ADA, BAO, DAY, NOON, Clock, Mails, Workplace

from digest.delivery.inbox import Inbox
from digest.delivery.message import Sender
from digest.delivery.opening import connect
from digest.delivery.relay import Limits, Relay
from digest.delivery.smtp import Connection
from digest.errors import StoreError
from digest.letters import Letters
from digest.model import State
from digest.press import Press
from digest.rendering.edition import Renderer, Site
from digest.store import letters, rates, suppressions
from digest.store.letters import CLAIMED, Kind, Letter
from digest.store.rates import Rate
from digest.store.schema import letters as table
from digest.store.schema import rates as rates_table
from digest.store.store import Store
from digest.tokens import LIFETIMES
from digest.web import application as application_module
from digest.web import postman as postman_module
from digest.web.desk import Desk
from digest.web.postman import Postman

SENDER = "digest@example.org"
ROUNDS = postman_module._ROUNDS
SITE = Site(SENDER, "Papers", URL)
LETTERS = Letters(Press(Renderer(None, SITE), Sender(SENDER), URL, SECRETS), None, SITE)
USUAL, SHORT = Limits(), Limits(greeting=0.5, command=0.5, data=0.5, dot=0.5, farewell=0.5)


def relay(port: int, priority: int = 0, limits: Limits = USUAL) -> Relay:
    return Relay("127.0.0.1", port, "none", local_hostname="me", limits=limits, priority=priority)


def write(store: Store, *emails: str, kind: Kind = "confirm", at: int = NOON) -> None:
    """Letters, numbered from 1 on, each for the signup or subscriber of its number."""
    with store.write() as connection:
        for whose, email in enumerate(emails, start=1):
            letters.write(connection, kind, email, whose, at)


def rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def states(store: Store) -> list[str]:
    return [row.state for row in rows(store)]


async def while_at_work(postmen: Sequence[Postman], true: Callable[[], bool]) -> None:
    """Let postmen work until something is so."""
    tasks = [asyncio.create_task(postman.run()) for postman in postmen]
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in tasks), "a postman has ended"
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def tried(store: Store, attempts: int = 1) -> Callable[[], bool]:
    """Whether every letter was tried so often, and nothing is under way."""
    return lambda: all(row.attempts >= attempts and row.next_at != NOON + CLAIMED for row in rows(store))


def settled(store: Store) -> Callable[[], bool]:
    return lambda: State.PLANNED not in states(store)


def work(store: Store, clock: Clock, *relays: Relay, true: Callable[[], bool] | None = None) -> None:
    """One postman, until every letter was tried."""
    postman = Postman(store, clock, LETTERS, relays, SENDER)
    asyncio.run(while_at_work([postman], true or tried(store)))


def scripted(
    store: Store, clock: Clock, script: dict[str, str | list[str]], true: Callable[[], bool] | None = None
) -> ScriptedRelay:
    """The relay that a postman worked with."""

    async def run() -> ScriptedRelay:
        async with ScriptedRelay(script) as server:
            postman = Postman(store, clock, LETTERS, [relay(server.port, limits=SHORT)], SENDER)
            await while_at_work([postman], true or tried(store))
            return server

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["confirm", "sign-in"])
def test_a_letter_arrives_as_it_was_made(store: Store, mails: Mails, kind: Kind) -> None:
    """And its row says so."""
    write(store, ADA, kind=kind)
    work(store, Clock(), relay(mails.port))
    assert mails.to(ADA) == [LETTERS.message(Letter(1, kind, ADA, 1, 1, NOON))]
    (row,) = rows(store)
    assert (row.state, row.code, row.attempts) == (State.SENT, 250, 1)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """What each look of a postman has found, who looks again only when somebody rings."""
    found: list[int | None] = []
    look = letters.next_moment

    def kept(connection: sqlalchemy.Connection) -> int | None:
        found.append(look(connection))
        return found[-1]

    monkeypatch.setattr(letters, "next_moment", kept)
    monkeypatch.setattr(postman_module, "LOOK_SECONDS", 3600.0)
    return found


def test_a_ring_from_any_thread_wakes_the_postman(store: Store, mails: Mails, looks: list[int | None]) -> None:
    """Who asks for a letter does not wait for the next look; and then it rests again."""
    postman = Postman(store, Clock(), LETTERS, [relay(mails.port)], SENDER)
    postman.ring()  # before there is a loop: nothing to wake

    async def run() -> None:
        async def later() -> None:
            while len(looks) < ROUNDS:
                await asyncio.sleep(0.01)
            write(store, ADA)
            threading.Thread(target=postman.ring).start()
            while not mails.to(ADA):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)

        resting = asyncio.create_task(later())
        await while_at_work([postman], resting.done)

    asyncio.run(run())
    postman.ring()  # and none any more
    assert len(looks) <= 2 * ROUNDS + 1


def test_a_look_that_finds_nothing_writes_nothing(
    store: Store, mails: Mails, looks: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for nobody who does."""
    monkeypatch.setattr(letters, "claim", lambda *_: pytest.fail("nothing is to be claimed"))
    monkeypatch.setattr(postman_module, "LOOK_SECONDS", 0.01)
    write(store, ADA, at=NOON + 1)
    work(store, Clock(), relay(mails.port), true=lambda: len(looks) > 3 * ROUNDS)
    assert set(looks) == {NOON + 1}


def test_a_letter_that_nobody_rang_for_is_found(store: Store, mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process wrote it."""
    monkeypatch.setattr(postman_module, "LOOK_SECONDS", 0.05)

    async def run() -> None:
        async def later() -> None:
            await asyncio.sleep(0.2)
            write(store, ADA)

        postman = Postman(store, Clock(), LETTERS, [relay(mails.port)], SENDER)
        await asyncio.gather(while_at_work([postman], lambda: bool(mails.to(ADA))), later())

    asyncio.run(run())


def test_the_pages_have_a_postman(
    place: Workplace, mails: Mails, looks: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works while they are served; a letter rings for it, and somebody new for the pipeline."""
    desks: list[Desk] = []
    rung: list[str] = []
    made = application_module.application

    def kept(desk: Desk, *more: Any, **options: Any) -> Any:
        desks.append(desk)
        return made(desk, *more, **options)

    monkeypatch.setattr(application_module, "application", kept)
    with visiting(place, mails) as visit:
        until(lambda: len(looks) == ROUNDS)
        write(visit.app.store, ADA, BAO, kind="sign-in")
        desks[0].post()
        assert visit.link(BAO, "sign-in").startswith(f"/sign-in/2.{NOON}.")
        visit.app.web(lambda: rung.append("pipeline"))
        desks[1].post()
        assert rung == []
        desks[1].ring()
    assert rung == ["pipeline"]


def test_a_recipient_who_is_refused_fails_alone(store: Store, mails: Mails) -> None:
    """The others get theirs."""
    mails.refused.add(BAO)
    write(store, ADA, BAO, "chidi@example.org")
    work(store, Clock(), relay(mails.port))
    assert states(store) == [State.SENT, State.FAILED, State.SENT]
    assert "nobody of that name" in rows(store)[1].reason


def test_who_got_no_letter_can_ask_for_another(store: Store, mails: Mails) -> None:
    """On the same day; who got one cannot, and who waits for one neither."""
    mails.refused.add("Bao@Example.org")
    write(store, "Ada@Example.org", "Bao@Example.org")
    with store.write() as connection:
        for rate in letters.RATES:
            for email in (ADA, BAO):
                while not rates.spend(connection, rate, email, NOON):
                    pass
    work(store, Clock(), relay(mails.port))
    assert states(store) == [State.SENT, State.FAILED]
    with store.read() as connection:
        for rate in letters.RATES:
            assert rates.wait(connection, rate, BAO, NOON) == 0
            assert rates.wait(connection, rate, ADA, NOON) > 0


def test_a_letter_that_cannot_be_sent_at_all_fails_alone(store: Store, mails: Mails) -> None:
    """Its address is too long for SMTP."""
    write(store, "x" * 65 + "@example.org", ADA)
    work(store, Clock(), relay(mails.port))
    assert states(store) == [State.FAILED, State.SENT]
    assert "too long" in rows(store)[0].reason


@pytest.mark.parametrize(
    ("answer", "code", "reason"), [("451 4.7.1 greylisted", 451, "4.7.1 greylisted"), (DROP, 0, "connection lost")]
)
def test_what_is_pushed_back_is_tried_again_after_five_minutes_with_the_same_bytes(
    store: Store, answer: str, code: int, reason: str
) -> None:
    """Or what may have arrived, as the line broke behind the final dot."""
    clock = Clock()
    write(store, ADA)
    first = scripted(store, clock, {".": answer})
    (row,) = rows(store)
    assert (row.state, row.code) == (State.PLANNED, code)
    assert row.reason.startswith(reason)
    assert NOON + 300 <= row.next_at <= NOON + 451
    clock.at = row.next_at
    second = scripted(store, clock, {}, settled(store))
    assert states(store) == [State.SENT]
    assert len(first.messages) == 1
    assert first.messages == second.messages


def test_a_relay_that_is_down_is_tried_again_soon(store: Store, mails: Mails) -> None:
    """The letter goes when it is up."""
    with Inbox(lambda *_: None) as closed:
        port = closed.port
    clock = Clock()
    write(store, ADA)
    work(store, clock, relay(port))
    (row,) = rows(store)
    assert (row.state, row.reason) == (State.PLANNED, "no relay took it")
    assert NOON + 30 <= row.next_at <= NOON + 45
    clock.at = row.next_at
    with Inbox(mails.receive, port):
        work(store, clock, relay(port), true=settled(store))
    assert len(mails.to(ADA)) == 1


@pytest.mark.parametrize("script", [{"CONNECT": "554 no"}, {"MAIL": "550 5.7.1 not you"}, {"MAIL": "421 busy"}])
def test_the_next_relay_gets_what_the_first_would_not_have(
    store: Store, mails: Mails, script: dict[str, str | list[str]]
) -> None:
    """In the order of their priority; nobody has judged the recipient."""
    write(store, ADA)

    async def run() -> ScriptedRelay:
        async with ScriptedRelay(script) as server:
            relays = [relay(mails.port), relay(server.port, priority=1, limits=SHORT)]
            await while_at_work([Postman(store, Clock(), LETTERS, relays, SENDER)], tried(store))
            return server

    assert asyncio.run(run()).connections == 1
    assert states(store) == [State.SENT]
    assert len(mails.to(ADA)) == 1


def test_a_recipient_who_was_judged_is_not_brought_to_another_relay(store: Store, mails: Mails) -> None:
    """What one says of a mailbox is so."""
    write(store, ADA)

    async def run() -> None:
        async with ScriptedRelay({"RCPT": "550 5.1.1 nobody"}) as server:
            relays = [relay(mails.port), relay(server.port, priority=1)]
            await while_at_work([Postman(store, Clock(), LETTERS, relays, SENDER)], tried(store))

    asyncio.run(run())
    assert (states(store), mails.kept) == ([State.FAILED], [])


def test_a_letter_that_breaks_its_connection_holds_up_no_other(store: Store) -> None:
    """They go over the next one; it waits, and may be tried again."""
    write(store, ADA, BAO, "chidi@example.org")
    server = scripted(store, Clock(), {f"RCPT TO:<{ADA}>": DROP})
    assert states(store) == [State.PLANNED, State.SENT, State.SENT]
    assert 2 <= server.connections <= 3  # the third where the one that broke had nothing more to carry


def test_after_a_kill_a_letter_goes_again_when_its_claim_is_over(store: Store, mails: Mails) -> None:
    """The relay had it, and the row could not say so: not before, then once, with the same bytes."""
    clock = Clock()
    write(store, ADA)

    async def run() -> bytes:
        async with ScriptedRelay({".": SILENCE}) as server:
            postman = Postman(store, clock, LETTERS, [relay(server.port)], SENDER)
            await while_at_work([postman], lambda: bool(server.messages))
            return server.messages[0]

    taken = asyncio.run(run())
    (row,) = rows(store)
    assert (row.state, row.next_at) == (State.PLANNED, NOON + CLAIMED)
    clock.at = NOON + CLAIMED - 1
    with store.write() as connection:
        assert letters.claim(connection, clock.at, 10) == []
    clock.at += 1
    work(store, clock, relay(mails.port), true=settled(store))
    (mail,) = mails.to(ADA)
    assert taken in (mail, mail + b"\r\n")


@pytest.mark.parametrize("kind", ["bounce", "complaint", "manual"])
def test_a_suppressed_address_gets_none(store: Store, mails: Mails, kind: suppressions.Kind) -> None:
    """In whatever spelling it was typed; the row says why."""
    write(store, "Ada@Example.ORG", BAO)
    with store.write() as connection:
        suppressions.add(connection, ADA, kind, "5.1.1 nobody", NOON)
    work(store, Clock(), relay(mails.port))
    assert [(row.state, row.reason) for row in rows(store)] == [
        (State.FAILED, f"suppressed: {kind}: 5.1.1 nobody"),
        (State.SENT, rows(store)[1].reason),
    ]
    assert [to for to, _ in mails.kept] == [BAO]


def test_who_has_left_gets_a_letter_to_come_back(store: Store, mails: Mails) -> None:
    """That they asked for themselves."""
    write(store, ADA)
    with store.write() as connection:
        suppressions.add(connection, ADA, "left", "", NOON)
    work(store, Clock(), relay(mails.port))
    assert states(store) == [State.SENT]


def test_several_postmen_send_each_letter_once(store: Store, mails: Mails) -> None:
    """Three of them with connections of their own, and letters that come while they work."""
    people = [f"reader{number}@example.org" for number in range(60)]
    write(store, *people[:50])

    async def run() -> None:
        postmen = [Postman(store, Clock(), LETTERS, [relay(mails.port)], SENDER) for _ in range(3)]

        async def later() -> None:
            await asyncio.sleep(0.05)
            await asyncio.to_thread(write, store, *people[50:])
            for postman in postmen:
                postman.ring()

        await asyncio.gather(while_at_work(postmen, lambda: states(store).count(State.SENT) == 60), later())

    asyncio.run(run())
    assert Counter(to for to, _ in mails.kept) == Counter(people)


def test_a_burst_shares_connections(store: Store) -> None:
    """Thirty letters need no thirty greetings."""
    write(store, *(f"reader{number}@example.org" for number in range(30)))
    server = scripted(store, Clock(), {}, settled(store))
    assert len(server.messages) == 30
    assert server.connections <= 6


@pytest.mark.parametrize("kind", ["confirm", "sign-in"])
def test_a_letter_whose_link_has_ended_is_not_sent(store: Store, mails: Mails, kind: Kind) -> None:
    """A minute before, it is."""
    for late, state in ((0, State.FAILED), (60, State.SENT)):
        write(store, ADA, kind=kind, at=NOON - LIFETIMES[kind] + late)
        work(store, Clock(), relay(mails.port), true=settled(store))
        assert rows(store)[-1].state == state
    assert rows(store)[0].reason == "its link has ended"
    assert len(mails.kept) == 1


def test_a_letter_is_given_up_when_its_link_would_have_ended(store: Store) -> None:
    """The next try would come too late; the last reason stays."""
    write(store, ADA, kind="sign-in", at=NOON - 3600 + 299)
    scripted(store, Clock(), {"RCPT": "450 4.2.1 later"}, settled(store))
    (row,) = rows(store)
    assert (row.state, row.code, row.reason) == (State.FAILED, 450, "4.2.1 later")


def test_a_relay_that_hangs_does_not_hold_a_letter_for_longer_than_its_claim(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round ends first, and says when the letter is tried again."""
    assert postman_module._ROUND_SECONDS < CLAIMED
    monkeypatch.setattr(postman_module, "_ROUND_SECONDS", 0.2)
    write(store, ADA)

    async def run() -> None:
        async with ScriptedRelay({"MAIL": SILENCE}) as server:
            await while_at_work([Postman(store, Clock(), LETTERS, [relay(server.port)], SENDER)], tried(store))

    asyncio.run(run())
    assert [(row.state, row.reason) for row in rows(store)] == [(State.PLANNED, "no relay took it")]


def test_who_is_stopped_while_taking_leave_leaves_no_connection_open(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay does not answer QUIT."""
    opened: list[Connection] = []

    async def kept(relay: Relay) -> Connection:
        opened.append(await connect(relay))
        return opened[-1]

    monkeypatch.setattr(postman_module, "connect", kept)
    write(store, ADA)

    async def run() -> None:
        async with ScriptedRelay({"QUIT": SILENCE}) as server:
            postman = Postman(store, Clock(), LETTERS, [relay(server.port)], SENDER)
            await while_at_work([postman], lambda: "QUIT" in server.commands)
            assert [connection._transport.is_closing() for connection in opened] == [True]

    asyncio.run(run())


def test_no_fault_ends_the_postman_and_no_address_is_logged(
    store: Store, mails: Mails, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The database fails, a recipient is refused, a relay drops the line: the log names letters by their number."""
    monkeypatch.setattr(postman_module, "LOOK_SECONDS", 0.05)
    caplog.set_level(logging.DEBUG, "digest.web")
    claim, failures = letters.claim, iter([StoreError(f"no room for {ADA}"), ZeroDivisionError(ADA)])

    def failing(*asked: Any) -> list[Letter]:
        for failure in failures:
            raise failure
        return claim(*asked)

    monkeypatch.setattr(letters, "claim", failing)
    write(store, ADA, BAO, "chidi@example.org")
    refusal = f"550 5.1.1 <{BAO}> nobody"
    scripted(store, Clock(), {f"RCPT TO:<{ADA}>": DROP, f"RCPT TO:<{BAO}>": refusal})
    assert states(store) == [State.PLANNED, State.FAILED, State.SENT]
    assert "StoreError" in caplog.text
    assert "letter 1 waits: connection lost at RCPT" in caplog.text
    assert "letter 3, to confirm: sent" in caplog.text
    assert "example.org" not in caplog.text


def test_what_is_over_for_long_is_forgotten(store: Store, mails: Mails) -> None:
    """Letters after a month, and rates that hold nothing back."""
    write(store, ADA, BAO)
    with store.write() as connection:
        connection.execute(table.update().where(table.c.id == 1).values(state="sent", written_at=NOON - 31 * DAY))
        connection.execute(table.update().where(table.c.id == 2).values(state="failed", written_at=NOON - 29 * DAY))
        rates.spend(connection, Rate("old", 1, 60), "x", NOON - 61)
        rates.spend(connection, Rate("new", 1, 60), "x", NOON)
    work(store, Clock(), relay(mails.port), true=lambda: len(rows(store)) == 1)
    with store.read() as connection:
        assert connection.execute(select(rates_table.c.scope)).scalars().all() == ["new"]
    assert rows(store)[0].email == BAO
