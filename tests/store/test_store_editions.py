"""Editions: one row for each subscriber and date, and the way from planned to final."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from digest.model import FIELDS, Edition, Match, Outcome, Reason, State, Subscriber
from digest.store import editions, runs, subscribers
from digest.store.editions import Plan
from digest.store.ledger import StoreLedger
from digest.store.schema import editions as table
from digest.store.store import Store
from digest.store.subscribers import Named

NOW = 1_795_158_000
TODAY = date(2026, 11, 20)
MADE = Edition(
    *(0, 1, "reader1@example.org", "Ada", TODAY, TODAY, "UTC", NOW, NOW),
    *((Match(1, 2.5),), (2, 3), 3, 9, ("Digest",)),
)
ON_ITS_WAY = (State.PLANNED, State.DEFERRED)


def plan(person: int = 1, slot: date = TODAY, state: State = State.PLANNED, **fields: Any) -> Plan:
    """An edition to be written."""
    return Plan(replace(MADE, subscriber=person, email=f"reader{person}@example.org", slot=slot, **fields), 0, 9, state)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes, with subscribers 1 to 5."""
    with store.write() as opened:
        people = [Subscriber(f"reader{number}@example.org", ()) for number in range(1, 6)]
        subscribers.put(opened, [Named(person.email, person) for person in people], NOW, 7, configured=False)
        yield opened


def states(connection: Connection) -> list[State]:
    """The states of all editions, in order of id."""
    return [State(state) for state in connection.execute(select(table.c.state).order_by(table.c.id)).scalars()]


def be(connection: Connection, *wanted: State) -> None:
    """Plan an edition for each of the first subscribers, and put it into a state."""
    editions.insert(connection, [plan(number) for number in range(1, len(wanted) + 1)])
    outcomes = [Outcome(number, state) for number, state in enumerate(wanted, start=1)]
    editions.record(connection, outcomes, NOW, 0)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
reasons = st.builds(Reason, texts, texts, st.sampled_from(FIELDS), st.lists(texts, max_size=3).map(tuple))
matches = st.builds(Match, st.integers(1, 2**62), st.floats(0, 1e6), st.lists(reasons, max_size=2).map(tuple))
made = st.builds(
    Edition,
    id=st.just(1),
    subscriber=st.just(1),
    email=texts,
    name=texts,
    slot=st.dates(),
    since=st.dates(),
    zone=texts,
    due_at=st.integers(0, 2**60),
    planned_at=st.integers(0, 2**60),
    matches=st.lists(matches, max_size=3).map(tuple),
    more=st.lists(st.integers(1, 2**62), max_size=3).map(tuple),
    matched=st.integers(0, 2**31 - 1),
    considered=st.integers(0, 2**31 - 1),
    profiles=st.lists(texts, max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made)
def test_an_edition_comes_back_as_planned(store: Store, one: Edition) -> None:
    """Every field, or a mail tried again would differ."""
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        subscribers.put(connection, [Named("a", Subscriber("a", ()))], NOW, 7, configured=False)
        (person,) = subscribers.everybody(connection)
        one = replace(one, subscriber=person.id)
        assert editions.insert(connection, [Plan(one, 0, 9)]) == {person.id}
        (kept,) = editions.waiting(connection, 2**61, 0, 10)
        assert replace(kept, id=1) == one


def test_a_subscriber_has_one_edition_for_each_date(connection: Connection) -> None:
    """Planning again writes only what is not there, and leaves what is as it was."""
    assert editions.insert(connection, [plan(1), plan(2)]) == {1, 2}
    assert editions.insert(connection, [plan(1, matched=7), plan(3)]) == {3}
    assert editions.insert(connection, [plan(1, TODAY + timedelta(days=1))]) == {1}
    assert editions.insert(connection, []) == set()
    matched = connection.execute(select(table.c.subscriber, table.c.slot, table.c.matched).order_by(table.c.id)).all()
    tomorrow = TODAY + timedelta(days=1)
    assert [tuple(row) for row in matched] == [(1, TODAY, 3), (2, TODAY, 3), (3, TODAY, 3), (1, tomorrow, 3)]


def test_an_empty_edition_gives_way_and_no_other_does(connection: Connection) -> None:
    """Whatever its state, an edition that may have been mailed stays."""
    for state in State:
        slot = TODAY + timedelta(days=list(State).index(state))
        editions.insert(connection, [plan(1, slot, state)])
        assert editions.insert(connection, [plan(1, slot, matched=7)]) == ({1} if state is State.EMPTY else set())


def test_only_what_waits_and_whose_time_has_come_may_go(connection: Connection) -> None:
    """In order of id, behind a given one, so many at once."""
    be(connection, State.PLANNED, State.SENT, State.DEFERRED, State.UNKNOWN, State.PLANNED)
    assert [edition.id for edition in editions.waiting(connection, NOW, 0, 9)] == [1, 3, 5]
    assert [edition.id for edition in editions.waiting(connection, NOW, 1, 1)] == [3]
    assert editions.waiting(connection, NOW - 1, 0, 9) == []


def test_an_edition_is_taken_once(connection: Connection) -> None:
    """Who asks for one that is taken already, or final, does not get it."""
    be(connection, State.PLANNED, State.SENT, State.DEFERRED)
    assert editions.take(connection, [1, 2, 3, 99], NOW) == {1, 3}
    assert editions.take(connection, [1, 2, 3], NOW) == set()
    assert editions.take(connection, [], NOW) == set()
    assert states(connection) == [State.SENDING, State.SENT, State.SENDING]
    assert connection.execute(select(table.c.attempts).order_by(table.c.id)).scalars().all() == [1, 0, 1]


def test_the_edition_of_one_who_left_is_not_taken(connection: Connection) -> None:
    """It is suppressed in the same step, the last before the mail would go."""
    be(connection, State.PLANNED, State.PLANNED)
    subscribers.remove(connection, "reader1@example.org")
    assert editions.take(connection, [1, 2], NOW + 5) == {2}
    assert states(connection) == [State.SUPPRESSED, State.SENDING]
    row = connection.execute(select(table).where(table.c.id == 1)).one()
    assert (row.reason, row.changed_at) == ("unsubscribed", NOW + 5)


def test_what_the_server_said_is_kept(connection: Connection) -> None:
    """Code and words; deferred by the server waits, deferred by a lost connection goes with the next run."""
    be(connection, State.PLANNED, State.PLANNED, State.PLANNED)
    outcomes = [
        Outcome(1, State.DEFERRED, 451, "4.2.0 later"),
        Outcome(2, State.DEFERRED),
        Outcome(3, State.SENT, 250, "ok"),
    ]
    editions.record(connection, outcomes, NOW + 10, 300)
    rows = connection.execute(select(table).order_by(table.c.id)).all()
    assert [(r.state, r.code, r.reason, r.next_at, r.changed_at) for r in rows] == [
        ("deferred", 451, "4.2.0 later", NOW + 310, NOW + 10),
        ("deferred", 0, "", NOW + 10, NOW + 10),
        ("sent", 250, "ok", NOW + 10, NOW + 10),
    ]
    assert [edition.id for edition in editions.waiting(connection, NOW + 309, 0, 9)] == [2]


def test_what_a_killed_run_left_is_unknown_and_then_goes_again(connection: Connection) -> None:
    """Only what was being sent; recovering twice changes nothing more."""
    be(connection, State.SENDING, State.PLANNED, State.SENT, State.SENDING)
    assert editions.recover(connection, NOW) == 2
    assert editions.recover(connection, NOW) == 0
    assert states(connection) == [State.UNKNOWN, State.PLANNED, State.SENT, State.UNKNOWN]
    assert editions.take(connection, [1, 4], NOW) == set()
    assert editions.resend_unknown(connection, NOW, 300) == 2
    assert editions.take(connection, [1, 4], NOW) == {1, 4}


def test_those_who_left_get_nothing_that_waits(connection: Connection) -> None:
    """What is on its way ends; what is final or unknown stays what it is."""
    be(connection, State.PLANNED, State.DEFERRED, State.UNKNOWN, State.SENT, State.PLANNED)
    for number in range(1, 5):
        subscribers.remove(connection, f"reader{number}@example.org")
    assert editions.suppress_unwanted(connection, NOW) == 2
    assert states(connection) == [State.SUPPRESSED, State.SUPPRESSED, State.UNKNOWN, State.SENT, State.PLANNED]


def test_editions_are_counted_by_state(connection: Connection) -> None:
    """Of all dates, or from one on."""
    be(connection, State.SENT, State.FAILED, State.SENT)
    editions.insert(connection, [plan(1, TODAY + timedelta(days=1))])
    assert editions.by_state(connection) == {State.SENT: 2, State.FAILED: 1, State.PLANNED: 1}


def test_the_latest_editions_of_several_are_found_at_once(connection: Connection) -> None:
    """For those asked for who have one, in order of id."""
    tomorrow = TODAY + timedelta(days=1)
    editions.insert(connection, [plan(1), plan(2), plan(3)])
    editions.insert(connection, [plan(2, tomorrow)])
    found = editions.latest_to(connection, ["reader2@example.org", "reader1@example.org", "nobody@example.org"])
    assert [(one.subscriber, one.slot) for one in found] == [(1, TODAY), (2, tomorrow)]


def test_the_ledger_grants_what_it_has_committed(store: Store) -> None:
    """Outcomes and grants are one transaction, by the clock that it was given."""
    with store.write() as connection:
        named = [Named(f"reader{n}@example.org", Subscriber(f"reader{n}@example.org", ())) for n in range(1, 4)]
        subscribers.put(connection, named, NOW, 7, configured=False)
        be(connection, *3 * [State.PLANNED])
    ledger = StoreLedger(store, lambda: NOW + 60, 300)
    assert [edition.id for edition in ledger.claim(0, 2)] == [1, 2]
    assert ledger.commit([1, 2], []) == {1, 2}
    assert ledger.commit([3], [Outcome(1, State.SENT), Outcome(2, State.PLANNED)]) == {3}
    with store.read() as connection:
        assert states(connection) == [State.SENT, State.PLANNED, State.SENDING]
        assert set(connection.execute(select(table.c.changed_at)).scalars()) == {NOW + 60}


def test_runs_are_noted(connection: Connection) -> None:
    """The last is the newest that has ended, and progress is that of any."""
    assert (runs.last(connection), runs.last_progress(connection)) == (None, None)
    first, second = runs.begin(connection, NOW), runs.begin(connection, NOW + 9)
    runs.finish(connection, second, NOW + 10, {"sent": 0, "reason": "nothing matched"})
    assert runs.last(connection) == (NOW + 9, NOW + 10, {"sent": 0, "reason": "nothing matched"})
    runs.progress(connection, first, NOW + 20)
    assert runs.last_progress(connection) == NOW + 20
    assert runs.since(connection, NOW) == [{"sent": 0, "reason": "nothing matched"}]
    assert runs.since(connection, NOW + 10) == []


def test_an_edition_of_which_nothing_is_known_is_not_sent_for_ever(connection: Connection) -> None:
    """At once after the first attempt, then after longer and longer, and no more after MOST_ATTEMPTS."""
    be(connection, State.PLANNED)
    waits = []
    for attempt in range(1, editions.MOST_ATTEMPTS + 1):
        assert editions.take(connection, [1], NOW) == {1}
        editions.record(connection, [Outcome(1, State.UNKNOWN)], NOW, 300)
        resent = editions.resend_unknown(connection, NOW, 300)
        assert resent == int(attempt < editions.MOST_ATTEMPTS)
        if resent:
            waits.append(connection.execute(select(table.c.next_at)).scalar_one() - NOW)
    assert waits == [300 * number for number in range(editions.MOST_ATTEMPTS - 1)]
    assert states(connection) == [State.UNKNOWN]


@pytest.mark.parametrize(
    ("reports", "since"),
    [
        ([], None),
        ([{"sent": 1}], None),
        ([{"sent": 1}, {"relay_error": "gone"}, {"relay_error": "gone"}], 1),
        ([{"relay_error": "gone"}, {"sent": 1}], None),
        ([{"deferred": 3}, {}, {"deferred": 3}], 0),  # between them all wait for the next attempt
        ([{"unknown": 1}, {}], 0),
        ([{"deferred": 3, "sent": 1}], None),
        ([{"failed": 2}], None),  # it judged them, so it works
    ],
)
def test_a_relay_fails_that_takes_nothing(
    connection: Connection, reports: list[dict[str, Any]], since: int | None
) -> None:
    """Whether it is out of reach or puts everything off; a run without mail says nothing about it."""
    nothing = {"sent": 0, "failed": 0, "deferred": 0, "unknown": 0, "relay_error": ""}
    for started, report in enumerate(reports):
        runs.finish(connection, runs.begin(connection, started), started, nothing | report)
    assert runs.relay_failing(connection)[1] == since
