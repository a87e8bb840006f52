"""What the operator's pages ask of the database: the right rows, page by page, and never by a look at every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queries import heard
from sqlalchemy import Connection, update
from store_samples import NOW, TODAY, be, five_readers, insert, plan, row

from digest.model import Listing, Rejection, State, Subscriber
from digest.store import browse, editions, entries, filing, letters, overview, runs, signups, subscribers, suppressions
from digest.store.browse import LISTED
from digest.store.schema import editions as table
from digest.store.schema import subscribers as people
from digest.store.store import Store
from digest.store.subscribers import Named

DAY = 86_400
MIDNIGHT = NOW - NOW % DAY
Ask = Callable[[Connection], object]


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes, with subscribers 1 to 5."""
    with five_readers(store) as opened:
        yield opened


def join(connection: Connection, *moments: int) -> None:
    """Somebody new at each moment."""
    for number, moment in enumerate(moments):
        email = f"new{number}@example.org"
        subscribers.put(connection, [Named(email, Subscriber(email, ()))], moment, 7)


def plan_days(connection: Connection, count: int) -> None:
    """Editions of subscriber 1, for so many days from today on."""
    for number in range(count):
        insert(connection, [plan(1, TODAY + timedelta(days=number))])


ASKED: dict[str, Ask] = {
    "active": subscribers.count,
    "waiting": lambda c: overview.count_waiting(c, NOW),
    "editions": overview.count_editions,
    "joined": lambda c: overview.joined(c, overview.last_days(NOW, 30)),
    "sent": lambda c: overview.sent_on(c, overview.last_days(NOW, 14)),
    "people": browse.people,
    "people from": lambda c: browse.people(c, 3),
    "beginning": lambda c: browse.people_beginning(c, "reader"),
    "beginning from": lambda c: browse.people_beginning(c, "reader", 2),
    "configured": lambda c: browse.is_configured(c, 1),
    **{f"list {listed}": lambda c, listed=listed: browse.made(c, listed, 9) for listed in LISTED},  # type: ignore[misc]  # a default binds it
    "of one": lambda c: browse.made_for(c, 1),
    "emails": lambda c: browse.emails(c, [1, 2]),
    "to send again": lambda c: browse.to_send_again(c, 1),
    "send again": lambda c: browse.send_again(c, 1, 1, NOW),
}


@pytest.mark.parametrize("name", ASKED)
def test_no_question_looks_at_every_row(sqlite_store: Store, name: str) -> None:
    """SQLite's plan of each searches subscribers and editions, counts an index, or walks one of few up to a limit."""
    with five_readers(sqlite_store) as connection:
        join(connection, NOW, NOW, NOW)
        be(connection, *State)
        with heard(connection) as said:
            ASKED[name](connection)
        assert said
        _judge(connection, said)


def _judge(connection: Connection, said: list[tuple[str, Any]]) -> None:
    for statement, values in said:
        plan_ = [step[3] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
        scans = [step for step in plan_ if step.startswith(("SCAN editions", "SCAN subscribers"))]
        counts = "SELECT count(*)" in statement and "WHERE" not in statement
        limited = "LIMIT" in statement
        assert all((counts and "COVERING" in one) or (limited and "ix_editions_open" in one) for one in scans), plan_
        assert not any("ORDER BY" in step for step in plan_), plan_


def test_new_subscribers_are_counted_by_day(connection: Connection) -> None:
    """From midnight to midnight in UTC, today's last; those of before count for no day."""
    connection.execute(update(people).values(created_at=MIDNIGHT - 9 * DAY))
    join(connection, MIDNIGHT - DAY - 1, MIDNIGHT - DAY, MIDNIGHT - 1, MIDNIGHT, NOW)
    days = overview.last_days(NOW, 3)
    assert days == [MIDNIGHT - 2 * DAY, MIDNIGHT - DAY, MIDNIGHT]
    assert overview.joined(connection, days) == [1, 2, 2]
    assert overview.joined(connection, overview.last_days(NOW, 10)) == [5, 0, 0, 0, 0, 0, 0, 1, 2, 2]


def test_without_subscribers_nobody_is_new(store: Store) -> None:
    """Nor is anybody active, or waiting."""
    with store.read() as connection:
        assert overview.joined(connection, overview.last_days(NOW, 3)) == [0, 0, 0]
        assert subscribers.count(connection) == 0
        assert overview.count_waiting(connection, NOW) == (0, False)
        assert {count.number for count in overview.count_editions(connection).values()} == {0}


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(NOW - 5 * DAY, NOW), max_size=12).map(sorted))
def test_new_subscribers_are_those_counted_one_by_one(sqlite_store: Store, moments: list[int]) -> None:
    """Whenever they came; PostgreSQL gives no number again that a rehearsal had."""
    with sqlite_store.rehearsal() as rehearsed, rehearsed.write() as connection:
        join(connection, *moments)
        days = overview.last_days(NOW, 4)
        expected = [sum(begin <= one < begin + DAY for one in moments) for begin in days]
        assert overview.joined(connection, days) == expected


def test_active_are_those_who_are_subscribed(connection: Connection) -> None:
    """Not those who left."""
    assert subscribers.count(connection) == 5
    subscribers.remove(connection, "reader2@example.org")
    assert subscribers.count(connection) == 4


def test_who_may_still_confirm_waits(connection: Connection) -> None:
    """Not who has, nor whose link is over."""
    for name, asked_at in (("a", NOW - 72 * 3600), ("b", NOW - 72 * 3600 + 1), ("c", NOW), ("d", NOW)):
        last = signups.ask(connection, Named(name, Subscriber(f"{name}@example.org", ())), asked_at).id
    found = signups.find(connection, last)
    assert found
    signups.confirm(connection, found, NOW, 7)
    assert overview.count_waiting(connection, NOW) == (2, False)


def test_suppressions_are_counted_by_kind(connection: Connection) -> None:
    """All of them, as they are counted since ever."""
    for number, kind in enumerate(("bounce", "left", "bounce")):
        suppressions.add(connection, f"reader{number}@example.org", kind, "", NOW)  # type: ignore[arg-type]  # they are kinds
    assert suppressions.count_by_kind(connection) == {"bounce": 2, "left": 1}


def test_counts_end_somewhere(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more is said to be more."""
    monkeypatch.setattr(overview, "MOST_COUNTED", 2)
    be(connection, State.FAILED, State.FAILED, State.FAILED, State.UNKNOWN, State.DEFERRED)
    counts = overview.count_editions(connection)
    assert counts["failed"] == (2, True)
    assert counts["open"] == (2, False)
    assert counts["unknown"] == counts["deferred"] == (1, False)
    assert counts["empty"] == (0, False)
    assert "all" not in counts


def test_what_was_sent_on_a_day_is_of_its_runs(connection: Connection) -> None:
    """A run that was killed has no figures; days without a run have none, either."""
    for at, sent in ((MIDNIGHT - DAY, 5), (MIDNIGHT - 1, 6), (MIDNIGHT - DAY - 1, 100), (NOW, 7)):
        number = runs.begin(connection, at)
        runs.finish(connection, number, at, {"sent": sent, "failed": 1, "deferred": 0, "relay_error": ""})
    runs.begin(connection, NOW)
    first, yesterday, today = overview.sent_on(connection, overview.last_days(NOW + DAY, 4))[:3]
    assert first == {"sent": 100, "failed": 1, "deferred": 0}
    assert yesterday == {"sent": 11, "failed": 2, "deferred": 0}
    assert today == {"sent": 7, "failed": 1, "deferred": 0}
    assert overview.sent_on(connection, overview.last_days(NOW + DAY, 4))[3] == dict.fromkeys(overview.FIGURES, 0)


@pytest.mark.parametrize(("listed", "shown"), [("all", 8), ("open", 4), ("failed", 1), ("empty", 1), ("deferred", 1)])
def test_editions_are_listed_by_state(connection: Connection, listed: str, shown: int) -> None:
    """The newest first."""
    join(connection, NOW, NOW, NOW)
    be(connection, *State)
    found = browse.made(connection, listed).rows
    assert len(found) == shown
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)
    assert {State(one.state) for one in found} <= set(LISTED[listed] or State)


def leafed(page: Callable[[int], browse.Part[Any]], first: int) -> list[int]:
    """The numbers on all pages of a list."""
    numbers: list[int] = []
    at: int | None = first
    while at is not None:
        part = page(at)
        assert len(part.rows) <= browse.AT_ONCE
        numbers += [one[0] for one in part.rows]
        at = part.last
    return numbers


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_no_row_is_left_out_between_pages(connection: Connection, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Nor shown twice, however many there are; a last page that is full leads nowhere."""
    monkeypatch.setattr(browse, "AT_ONCE", 3)
    plan_days(connection, count)
    for number in range(count):
        runs.begin(connection, NOW + number)
        letters.write(connection, "sign-in", f"{number}@example.org", 1, NOW)
    down = list(range(count, 0, -1))
    assert leafed(lambda at: browse.made(connection, "all", at), browse.NEWEST) == down
    assert leafed(lambda at: browse.made(connection, "open", at), browse.NEWEST) == down
    assert leafed(lambda at: browse.ran(connection, at), browse.NEWEST) == down
    assert leafed(lambda at: browse.written(connection, State.PLANNED, at), browse.NEWEST) == down
    assert leafed(lambda at: browse.people(connection, at), browse.NEWEST) == [5, 4, 3, 2, 1]
    assert leafed(lambda at: browse.people_beginning(connection, "reader", at), 0) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("reader", ["reader1", "reader2", "reader3", "reader4", "reader5"]),
        ("reader3@example.org", ["reader3"]),
        ("reader%", []),
        ("r_ader", []),
        ("READER", []),
        ("eader", []),
        ("'; --", []),
        ("reader\U0010ffff", []),
    ],
)
def test_addresses_are_found_by_their_beginning(connection: Connection, text: str, found: list[str]) -> None:
    """As it stands: nothing in it is a wildcard."""
    rows = browse.people_beginning(connection, text).rows
    assert [one.email.partition("@")[0] for one in rows] == found


def test_a_file_is_listed_with_what_was_not_loaded(connection: Connection) -> None:
    """How many records, and which, in the order of the file."""
    rejected = tuple(Rejection(line, "no title", "{}") for line in range(1, 60))
    for name in ("a", "b"):
        file = entries.File(f"/{name}", name, 1, 1)
        filing.save(connection, file, Listing("json", (), rejected=rejected if name == "a" else ()), NOW)
    second, first = browse.loaded(connection).rows
    assert (first.path, first.rejected, second.rejected) == ("/a", 59, 0)
    assert browse.loaded_file(connection, first.id) == first
    assert browse.loaded_file(connection, 99) is None
    page = browse.rejected(connection, first.id)
    assert [one.line for one in page.rows] == list(range(1, 51))
    assert page.last is not None
    assert [one.line for one in browse.rejected(connection, first.id, page.last).rows] == list(range(51, 60))


def test_the_letters_of_an_address_are_found(connection: Connection) -> None:
    """The newest first, and nobody else's."""
    for moment, email in enumerate(("a@example.org", "b@example.org", "a@example.org")):
        letters.write(connection, "confirm", email, 1, NOW + moment)
    assert [one.written_at for one in browse.written_to(connection, "a@example.org")] == [NOW + 2, NOW]


@pytest.mark.parametrize("state", State)
def test_only_what_was_not_sent_can_be_sent_again(connection: Connection, state: State) -> None:
    """It is deferred until now, and nothing merges it; what was deferred only is as it was."""
    be(connection, state)
    can = state in (State.DEFERRED, State.FAILED, State.UNKNOWN)
    assert bool(browse.to_send_again(connection, 1)) == can
    assert browse.send_again(connection, 1, 1, NOW + 5) == can
    assert not browse.send_again(connection, 2, 1, NOW + 5)
    if can:
        assert (row(connection).state, row(connection).next_at) == (State.DEFERRED, NOW + 5)
        assert row(connection).doubtful == (state is not State.DEFERRED)
        waiting = editions.overtaken(connection, [1])
        assert bool(waiting) == (state is State.DEFERRED)
    else:
        assert (row(connection).state, row(connection).changed_at) == (state, NOW)


def test_what_has_nothing_in_it_cannot_be_sent_again(connection: Connection) -> None:
    """An edition that could not even be made."""
    insert(connection, [plan(1, state=State.FAILED, matched=0)])
    assert browse.to_send_again(connection, 1) is None
    assert not browse.send_again(connection, 1, 1, NOW)


def test_the_last_of_several_is_sent_again(connection: Connection) -> None:
    """Even if a later one was sent."""
    plan_days(connection, 3)
    for number, state in enumerate((State.FAILED, State.UNKNOWN, State.SENT), start=1):
        connection.execute(update(table).where(table.c.id == number).values(state=state))
    found = browse.to_send_again(connection, 1)
    assert found
    assert (found.id, found.state) == (2, "unknown")
    assert [one.id for one in browse.made_for(connection, 1)] == [3, 2, 1]
