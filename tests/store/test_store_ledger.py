"""The way of an edition from planned to final: who may take it, what became of it, and what is done again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, text
from store_samples import NOW, TODAY, be, five_readers, insert, plan, row, states

from digest.errors import BusyError
from digest.model import Outcome, State, Throttle
from digest.store import editions, ledger, runs, subscribers, suppressions, throttles
from digest.store.ledger import MOST_ATTEMPTS, StoreLedger
from digest.store.schema import editions as table
from digest.store.store import Store


class Opened(NamedTuple):
    """A transaction that writes, with subscribers 1 to 5, and the number of the run in it."""

    connection: Connection
    run: int


@pytest.fixture
def opened(store: Store) -> Iterator[Opened]:
    """A run that has begun."""
    with five_readers(store) as connection:
        yield Opened(connection, runs.begin(connection, NOW))


def ids(connection: Connection, now: int, after: int, limit: int, share: int = 0, shares: int = 1) -> list[int]:
    """The editions that `waiting` gives."""
    return [delivery.edition.id for delivery in ledger.waiting(connection, now, after, limit, share, shares)]


def test_only_what_waits_and_whose_time_has_come_may_go(opened: Opened) -> None:
    """In order of id, behind a given one, so many at once; and as many are counted."""
    connection, _ = opened
    be(connection, State.PLANNED, State.SENT, State.DEFERRED, State.UNKNOWN, State.PLANNED)
    assert ids(connection, NOW, 0, 9) == [1, 3, 5]
    assert ids(connection, NOW, 1, 1) == [3]
    assert ids(connection, NOW - 1, 0, 9) == []
    assert (ledger.count_waiting(connection, NOW), ledger.count_waiting(connection, NOW - 1)) == (3, 0)


@pytest.mark.parametrize("shares", [2, 3, 7])
def test_every_edition_is_in_one_share(opened: Opened, shares: int) -> None:
    """Several processes take what they share between them, and nothing twice."""
    connection, _ = opened
    be(connection, *5 * [State.PLANNED])
    taken = [ids(connection, NOW, 0, 9, share, shares) for share in range(shares)]
    assert sorted(number for share in taken for number in share) == [1, 2, 3, 4, 5]
    assert taken[1] == [number for number in range(1, 6) if number % shares == 1]


def test_an_edition_is_taken_once(opened: Opened) -> None:
    """Who asks for one that is taken already, or final, does not get it."""
    connection, run = opened
    be(connection, State.PLANNED, State.SENT, State.DEFERRED)
    assert ledger.take(connection, [1, 2, 3, 99], NOW, run) == {1, 3}
    assert ledger.take(connection, [1, 2, 3], NOW, run) == {1, 3}, "what is mine already is mine"
    assert ledger.take(connection, [], NOW, run) == set()
    assert states(connection) == [State.SENDING, State.SENT, State.SENDING]
    assert connection.execute(select(table.c.attempts).order_by(table.c.id)).scalars().all() == [1, 0, 1]
    assert connection.execute(select(table.c.run).order_by(table.c.id)).scalars().all() == [run, 0, run]


def test_a_run_that_was_overtaken_takes_nothing(opened: Opened) -> None:
    """It slept while another took over; it is told so, and what the other has taken it cannot settle."""
    connection, first = opened
    be(connection, State.PLANNED, State.PLANNED)
    second = runs.begin(connection, NOW + 600)
    with pytest.raises(BusyError, match=f"run {first} was silent for so long that another has taken over"):
        ledger.take(connection, [1], NOW + 600, first)
    assert states(connection) == [State.PLANNED] * 2
    assert ledger.take(connection, [1], NOW + 600, second) == {1}
    ledger.record(connection, [Outcome(1, State.FAILED, 550, "no")], NOW + 601, first)
    assert row(connection).state == State.SENDING
    ledger.record(connection, [Outcome(1, State.SENT, 250, "ok")], NOW + 601, second)
    ledger.record(connection, [Outcome(1, State.FAILED, 550, "no")], NOW + 602, second)
    assert row(connection).state == State.SENT


def test_a_commit_of_a_run_that_was_overtaken_changes_nothing(store: Store) -> None:
    """Neither grants nor outcomes nor limits that come with them."""
    with five_readers(store) as connection:
        be(connection, *2 * [State.PLANNED])
        stale, _ = runs.begin(connection, NOW), runs.begin(connection, NOW)
    sleeper = StoreLedger(store, lambda: NOW, stale)
    with pytest.raises(BusyError):
        sleeper.commit([1], [Outcome(2, State.FAILED)], [Throttle("domain", "example.org", NOW + 9.0)])
    with store.read() as connection:
        assert states(connection) == [State.PLANNED] * 2
        assert throttles.load(connection) == []


def test_a_run_that_begins_waits_for_what_the_last_is_writing(store: Store) -> None:
    """So nothing is granted by an older run after a newer one has recovered."""
    with five_readers(store) as connection:
        be(connection, State.PLANNED)
        first = runs.begin(connection, NOW)
    with store.write() as slow:
        ledger.take(slow, [1], NOW, first)
        with store.engine.connect() as impatient:
            wait = "SET lock_timeout = '50ms'" if impatient.dialect.name == "postgresql" else "PRAGMA busy_timeout = 50"
            impatient.execute(text(wait))
            impatient.commit()
            with pytest.raises(Exception, match="lock"):
                runs.begin(impatient.execution_options(write=True), NOW)
            impatient.invalidate()


def test_the_edition_of_one_who_left_is_not_taken(opened: Opened) -> None:
    """It is suppressed in the same step, the last before the mail would go; so is that to a suppressed address."""
    connection, run = opened
    be(connection, *3 * [State.PLANNED])
    subscribers.remove(connection, "reader1@example.org")
    suppressions.add(connection, "reader3@example.org", "complaint", "", NOW)
    assert ledger.take(connection, [1, 2, 3], NOW + 5, run) == {2}
    assert states(connection) == [State.SUPPRESSED, State.SENDING, State.SUPPRESSED]
    assert (row(connection, 1).reason, row(connection, 1).changed_at) == ("unsubscribed", NOW + 5)
    assert row(connection, 3).reason == "complaint"


def test_what_the_server_said_is_kept(opened: Opened) -> None:
    """Code and words, and when the next attempt may be: at once, if nothing is said of it."""
    connection, run = opened
    be(connection, *3 * [State.PLANNED])
    ledger.take(connection, [1, 2, 3], NOW, run)
    outcomes = [
        Outcome(1, State.DEFERRED, 451, "4.2.0 later", NOW + 310),
        Outcome(2, State.DEFERRED),
        Outcome(3, State.SENT, 250, "ok"),
    ]
    ledger.record(connection, outcomes, NOW + 10, run)
    rows = [row(connection, number) for number in (1, 2, 3)]
    assert [(r.state, r.code, r.reason, r.next_at, r.changed_at) for r in rows] == [
        ("deferred", 451, "4.2.0 later", NOW + 310, NOW + 10),
        ("deferred", 0, "", NOW + 10, NOW + 10),
        ("sent", 250, "ok", NOW + 10, NOW + 10),
    ]
    assert ids(connection, NOW + 309, 0, 9) == [2]
    ledger.record(connection, [], NOW, run)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80), st.integers(0, 999))
def test_any_words_of_a_server_are_kept_as_they_are(opened: Opened, words: str, code: int) -> None:
    """Quotes, braces, colons, backslashes and every letter: they are data, in SQL and in JSON."""
    connection, run = opened
    if not states(connection):
        be(connection, State.PLANNED, State.PLANNED)
    tricky = f"""{words}'";--%s :rows {{"a": [1]}}\\"""
    ledger.record(
        connection, [Outcome(1, State.DEFERRED, code, words), Outcome(2, State.DEFERRED, 0, tricky)], NOW, run
    )
    assert (row(connection, 1).reason, row(connection, 1).code, row(connection, 2).reason) == (words, code, tricky)


def test_what_is_given_back_waits_as_if_it_had_not_been_taken(opened: Opened) -> None:
    """The attempt does not count; one that was refused for its size comes with the size that it may have."""
    connection, run = opened
    be(connection, State.PLANNED, State.PLANNED)
    ledger.take(connection, [1, 2], NOW, run)
    back = [Outcome(1, State.PLANNED), Outcome(2, State.PLANNED, room=30_000)]
    ledger.record(connection, back, NOW + 5, run)
    assert [(delivery.attempts, delivery.room) for delivery in ledger.waiting(connection, NOW + 5, 0, 9)] == [
        (0, 0),
        (0, 30_000),
    ]
    assert ledger.take(connection, [2], NOW + 5, run) == {2}
    ledger.record(connection, [Outcome(2, State.DEFERRED, 451, "later", NOW + 9, 30_000)], NOW + 5, run)
    ((_, attempts, room),) = ledger.waiting(connection, NOW + 9, 1, 9)
    assert (attempts, room) == (1, 30_000)


def test_an_outcome_can_be_stored_twice(opened: Opened) -> None:
    """A commit of which nobody knows whether it failed is tried again, and changes nothing more."""
    connection, run = opened
    be(connection, *3 * [State.PLANNED])
    ledger.take(connection, [1, 2, 3], NOW, run)
    told = [Outcome(1, State.SENT, 250, "ok"), Outcome(2, State.UNKNOWN), Outcome(3, State.PLANNED)]
    ledger.record(connection, told, NOW + 5, run)
    before = [row(connection, number) for number in (1, 2, 3)]
    ledger.record(connection, told, NOW + 5, run)
    assert [row(connection, number) for number in (1, 2, 3)] == before


def test_what_a_killed_run_left_is_unknown_and_then_goes_again(opened: Opened) -> None:
    """Only what was being sent; recovering twice changes nothing more."""
    connection, run = opened
    be(connection, State.PLANNED, State.PLANNED, State.SENT, State.PLANNED)
    ledger.take(connection, [1, 4], NOW, run)
    assert ledger.recover(connection, NOW) == 2
    assert ledger.recover(connection, NOW) == 0
    assert states(connection) == [State.UNKNOWN, State.PLANNED, State.SENT, State.UNKNOWN]
    later = runs.begin(connection, NOW)
    assert ledger.take(connection, [1, 4], NOW, later) == set()
    assert ledger.resend_unknown(connection, NOW, 300) == 2
    assert ledger.take(connection, [1, 4], NOW, later) == {1, 4}


def test_what_was_unknown_once_is_doubtful_for_ever(opened: Opened) -> None:
    """Whatever is heard of it later: the recipient may have it."""
    connection, run = opened
    be(connection, State.PLANNED, State.PLANNED, State.PLANNED)
    ledger.take(connection, [1, 2, 3], NOW, run)
    ledger.record(connection, [Outcome(1, State.UNKNOWN), Outcome(2, State.DEFERRED, 451, "later")], NOW, run)
    ledger.recover(connection, NOW)
    assert [row(connection, number).doubtful for number in (1, 2, 3)] == [True, False, True]
    ledger.resend_unknown(connection, NOW, 0)
    ledger.take(connection, [1, 3], NOW, run)
    ledger.record(connection, [Outcome(1, State.DEFERRED), Outcome(3, State.PLANNED)], NOW, run)
    assert [row(connection, number).doubtful for number in (1, 2, 3)] == [True, False, True]
    assert editions.overtaken(connection, [1, 2, 3]).keys() == {2}


def test_an_edition_of_which_nothing_is_known_is_not_sent_for_ever(opened: Opened) -> None:
    """At once after the first attempt, then after longer and longer, and no more after MOST_ATTEMPTS."""
    connection, run = opened
    be(connection, State.PLANNED)
    waits = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert ledger.take(connection, [1], NOW, run) == {1}
        ledger.record(connection, [Outcome(1, State.UNKNOWN)], NOW, run)
        resent = ledger.resend_unknown(connection, NOW, 300)
        assert resent == int(attempt < MOST_ATTEMPTS)
        if resent:
            waits.append(row(connection).next_at - NOW)
    assert waits == [300 * number for number in range(MOST_ATTEMPTS - 1)]
    assert states(connection) == [State.UNKNOWN]


def test_those_who_left_get_nothing_that_waits(opened: Opened) -> None:
    """What is on its way ends; what is final or unknown stays what it is."""
    connection, _ = opened
    be(connection, State.PLANNED, State.DEFERRED, State.UNKNOWN, State.SENT, State.PLANNED)
    for number in range(1, 5):
        subscribers.remove(connection, f"reader{number}@example.org")
    assert ledger.suppress_unwanted(connection, NOW) == 2
    assert states(connection) == [State.SUPPRESSED, State.SUPPRESSED, State.UNKNOWN, State.SENT, State.PLANNED]


def test_an_address_that_does_not_exist_is_suppressed_at_once(opened: Opened) -> None:
    """With the relay's words, and so that no other edition goes there."""
    connection, run = opened
    be(connection, State.PLANNED, State.PLANNED)
    ledger.take(connection, [1, 2], NOW, run)
    gone = Outcome(1, State.FAILED, 550, "5.1.1 no such user", suppress=True)
    ledger.record(connection, [gone, Outcome(2, State.FAILED, 554, "5.7.1 no")], NOW, run)
    found = suppressions.find(connection, "reader1@example.org")
    assert found
    assert (found.kind, found.reason, found.at) == ("bounce", "550 5.1.1 no such user", NOW)
    assert suppressions.find(connection, "reader2@example.org") is None
    tomorrow = TODAY.replace(day=21)
    insert(connection, [plan(1, tomorrow), plan(2, tomorrow)])
    assert ledger.take(connection, [3, 4], NOW, run) == {4}
    assert row(connection, 3).reason == "bounce: 550 5.1.1 no such user"


def test_the_ledger_grants_what_it_has_committed(store: Store) -> None:
    """Outcomes, throttles and grants are one transaction, by the clock that it was given."""
    with five_readers(store) as connection:
        be(connection, *3 * [State.PLANNED])
        run = runs.begin(connection, NOW)
    book = StoreLedger(store, lambda: NOW + 60, run)
    slow = Throttle("domain", "example.org", 0.0, NOW + 90, 1, "421 slow down")
    assert [delivery.edition.id for delivery in book.claim(0, 2)] == [1, 2]
    assert book.commit([1, 2], [], []) == {1, 2}
    assert book.commit([3], [Outcome(1, State.SENT), Outcome(2, State.PLANNED)], [slow]) == {3}
    with store.read() as connection:
        assert states(connection) == [State.SENT, State.PLANNED, State.SENDING]
        assert set(connection.execute(select(table.c.changed_at)).scalars()) == {NOW + 60}
        assert throttles.load(connection) == [slow]


def test_a_ledger_with_a_share_claims_no_other(store: Store) -> None:
    """As each process of a crew does."""
    with five_readers(store) as connection:
        be(connection, *5 * [State.PLANNED])
        run = runs.begin(connection, NOW)
    shares = [StoreLedger(store, lambda: NOW, run, share, 2).claim(0, 9) for share in range(2)]
    assert [[delivery.edition.id for delivery in share] for share in shares] == [[2, 4], [1, 3, 5]]


def test_what_waits_is_found_by_its_index(store: Store) -> None:
    """Sent editions pile up over the years, and are not looked through for the few that wait."""
    if store.engine.dialect.name != "sqlite":
        return
    with five_readers(store) as connection:
        be(connection, *5 * [State.PLANNED])
        run = runs.begin(connection, NOW)
        asked: list[tuple[str, object]] = []
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        ledger.waiting(connection, NOW, 0, 9)
        ledger.count_waiting(connection, NOW)
        ledger.recover(connection, NOW)
        ledger.resend_unknown(connection, NOW, 300)
        ledger.suppress_unwanted(connection, NOW)
        found = [(sql, _steps(connection, sql, given)) for sql, given in asked[:]]
        assert len(found) == 5
        for sql, steps in found:
            assert re.search(r"(SEARCH|SCAN) editions USING (COVERING )?INDEX ix_editions_(open|told)", steps), (
                sql,
                steps,
            )
            assert "TEMP B-TREE" not in steps, (sql, steps)
        asked.clear()
        ledger.take(connection, [1, 2], NOW, run)
        ledger.record(connection, [Outcome(1, State.SENT)], NOW, run)
        updates = [_steps(connection, sql, given) for sql, given in asked[:] if sql.startswith("UPDATE editions")]
        assert len(updates) == 2
        assert all("SEARCH editions USING" in steps and "SCAN editions" not in steps for steps in updates), updates


def _steps(connection: Connection, sql: str, given: object) -> str:
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)  # type: ignore[arg-type]  # as it was executed
    return "\n".join(step.detail for step in plan)
