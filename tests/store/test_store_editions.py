"""Editions: one row for each subscriber and date, and what is in it; and the runs that made them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planned import planned
from sqlalchemy import Connection, func, select
from store_samples import NOW, TODAY, be, five_readers, insert, plan, row, states

from digest.model import FIELDS, Cadence, Edition, Match, Outcome, Profile, Reason, State, Subscriber
from digest.store import editions, ledger, runs, subscribers
from digest.store.editions import Overtaken
from digest.store.schema import contents
from digest.store.schema import editions as table
from digest.store.schema import subscribers as people
from digest.store.store import Store
from digest.store.subscribers import Named

_BARE = (0, 1, "", "", TODAY, TODAY, "UTC", NOW, NOW)
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes, with subscribers 1 to 5."""
    with five_readers(store) as opened:
        yield opened


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
hits = st.dictionaries(texts, st.tuples(st.sampled_from(FIELDS), st.lists(texts, max_size=3).map(tuple)), max_size=3)


@st.composite
def made(draw: st.DrawFn) -> Edition:
    """An edition; a keyword hits an entry for the same reason in whichever profile it stands."""
    names = tuple(draw(st.lists(texts, max_size=3, unique=True)))
    numbers = draw(st.lists(st.integers(1, 2**32 - 1), max_size=6, unique=True))
    cards = draw(st.integers(0, len(numbers)))
    found = {number: draw(hits) for number in numbers[:cards]}
    reasons = {
        number: [
            Reason(name, word, *why) for name in names for word, why in found[number].items() if draw(st.booleans())
        ]
        for number in found
    }
    scores = st.floats(0, 1_000, width=32).map(lambda score: round(score, 4))
    return Edition(
        id=1,
        subscriber=1,
        email=draw(texts),
        name=draw(texts),
        slot=draw(st.dates()),
        since=draw(st.dates()),
        zone=draw(st.sampled_from(("UTC", "Asia/Kathmandu"))),
        due_at=draw(st.integers(0, 2**60)),
        planned_at=draw(st.integers(0, 2**60)),
        matches=tuple(Match(number, draw(scores), tuple(reasons[number])) for number in found),
        more=tuple(numbers[cards:]),
        matched=draw(st.integers(0, 2**31 - 1)),
        considered=draw(st.integers(0, 2**31 - 1)),
        profiles=names,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made())
def test_an_edition_comes_back_as_planned(store: Store, one: Edition) -> None:
    """Every field, or a mail tried again would differ."""
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        profiles = tuple(Profile(name, ()) for name in one.profiles)
        named = Named("a", Subscriber(one.email, profiles, one.name, Cadence(zone=one.zone)))
        subscribers.put(connection, [named], NOW, 7, configured=False)
        (person,) = subscribers.everybody(connection)
        one = replace(one, subscriber=person.id)
        assert editions.insert(connection, [planned(connection, one, 0, 9)], one.planned_at) == {person.id}
        ((kept, attempts, room),) = ledger.waiting(connection, 2**61, 0, 10)
        assert (replace(kept, id=1), attempts, room) == (one, 0, 0)


def test_a_subscriber_has_one_edition_for_each_date(connection: Connection) -> None:
    """Planning again writes only what is not there, and leaves what is as it was."""
    assert insert(connection, [plan(1), plan(2)]) == {1, 2}
    assert insert(connection, [plan(1, matched=7), plan(3)]) == {3}
    assert insert(connection, [plan(1, TOMORROW)]) == {1}
    assert insert(connection, []) == set()
    matched = connection.execute(select(table.c.subscriber, table.c.slot, table.c.matched).order_by(table.c.id)).all()
    assert [tuple(row) for row in matched] == [(1, TODAY, 3), (2, TODAY, 3), (3, TODAY, 3), (1, TOMORROW, 3)]


def test_an_empty_edition_gives_way_and_no_other_does(connection: Connection) -> None:
    """Whatever its state, an edition that may have been mailed stays."""
    for state in State:
        slot = TODAY + timedelta(days=list(State).index(state))
        insert(connection, [plan(1, slot, state)])
        assert insert(connection, [plan(1, slot, matched=7)]) == ({1} if state is State.EMPTY else set())


def test_editions_are_counted_by_state(connection: Connection) -> None:
    """Of all dates."""
    be(connection, State.SENT, State.FAILED, State.SENT)
    insert(connection, [plan(1, TOMORROW)])
    assert editions.by_state(connection) == {State.SENT: 2, State.FAILED: 1, State.PLANNED: 1}


def test_the_latest_editions_of_several_are_found_at_once(connection: Connection) -> None:
    """For those asked for who have one, in order of id."""
    insert(connection, [plan(1), plan(2), plan(3)])
    insert(connection, [plan(2, TOMORROW)])
    found = editions.latest_to(connection, ["reader2@example.org", "reader1@example.org", "nobody@example.org"])
    assert [(one.subscriber, one.slot) for one in found] == [(1, TODAY), (2, TOMORROW)]


def test_what_is_in_an_edition_is_kept_for_those_that_are_mailed(connection: Connection) -> None:
    """Empty and failed ones have nothing; one that takes an empty one's place has."""
    insert(connection, [plan(1), plan(2, state=State.EMPTY), plan(3, state=State.FAILED, matched=0)])
    held = select(contents.c.edition).order_by(contents.c.edition)
    assert connection.execute(held).scalars().all() == [1]
    assert insert(connection, [plan(2), plan(3)]) == {2, 3}
    assert connection.execute(held).scalars().all() == [1, 2, 3]
    assert states(connection) == [State.PLANNED] * 3


def test_equal_reasons_are_one_object(connection: Connection) -> None:
    """Many subscribers have the same keyword, and what is made of its reasons is made once."""
    reason = (Reason("Digest", "reward model", "title", ("reward models",)),)
    filling = planned(connection, Edition(*_BARE, (Match(1, 2.5, reason),), (), 1, 1, ("Digest",))).filling
    insert(connection, [plan(number, filling=filling) for number in (1, 2)])
    one, other = (delivery.edition.matches[0].reasons for delivery in ledger.waiting(connection, NOW, 0, 9))
    assert one == reason
    assert one is other


def test_what_waits_is_overtaken_unless_somebody_may_have_it(connection: Connection) -> None:
    """Planned and deferred editions of the subscribers asked for, with where the earliest of each begins."""
    yesterday = TODAY - timedelta(days=1)
    be(connection, State.PLANNED, State.DEFERRED, State.UNKNOWN, State.SENT, State.PLANNED)
    insert(connection, [plan(1, TOMORROW, after=9, since=TOMORROW), plan(2, yesterday, after=4, since=yesterday)])
    assert editions.overtaken(connection, [1, 2, 3, 4]) == {1: Overtaken(0, TODAY), 2: Overtaken(0, yesterday)}
    ledger.resend_unknown(connection, NOW, 300)
    assert 3 not in editions.overtaken(connection, [3])


def test_the_lowest_window_that_waits_is_that_of_those_who_are_due(connection: Connection) -> None:
    """Others wait, too, and their windows need not be read."""
    for number in (1, 2):
        insert(connection, [plan(number, after=number)])
    due_at = connection.execute(select(func.max(people.c.due_at))).scalar_one()
    assert editions.lowest_waiting(connection, due_at - 1) is None
    assert editions.lowest_waiting(connection, due_at) == 1
    ledger.record(connection, [Outcome(1, State.SENT)], NOW, 0)
    assert editions.lowest_waiting(connection, due_at) == 2


def test_a_merged_edition_says_which_has_taken_it_in(connection: Connection) -> None:
    """Of those that wait, the earlier ones of that subscriber; the later one and those that may have gone stay."""
    be(connection, State.PLANNED, State.DEFERRED, State.UNKNOWN, State.SENT, State.PLANNED)
    ledger.resend_unknown(connection, NOW, 300)
    insert(connection, [plan(number, TOMORROW) for number in (1, 2, 3, 4)])
    editions.merge(connection, dict.fromkeys((1, 2, 3, 4), TOMORROW), NOW + 5)
    assert states(connection) == [
        *(State.EMPTY, State.EMPTY, State.DEFERRED, State.SENT, State.PLANNED),
        *[State.PLANNED] * 4,
    ]
    merged = row(connection)
    assert (merged.reason, merged.changed_at) == ("overtaken; in the edition of 2026-11-21", NOW + 5)
    editions.merge(connection, {}, NOW)


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
