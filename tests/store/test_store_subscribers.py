"""Subscribers: who they are, when they are due, and what a change does to that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from digest.model import Cadence, Entry, Listing, Profile, State, Subscriber
from digest.store import dues, editions, entries, filing, subscribers
from digest.store.dues import Step
from digest.store.editions import Plan
from digest.store.store import Store
from digest.store.subscribers import Named

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
HOUR, DAY = 3_600, 86_400
ADA = Subscriber("Ada@example.org", (Profile("Digest", ("reward model",)),))
TODAY = date(2026, 11, 20)


def at(send_at: time | None, zone: str = "UTC", days: str = "daily") -> Subscriber:
    """Ada, with another cadence."""
    return replace(ADA, cadence=Cadence(days, send_at, zone))


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes."""
    with store.write() as opened:
        yield opened


def put(connection: Connection, *people: Subscriber, now: int = NOW, configured: bool = False) -> tuple[int, int]:
    """Add or change these people."""
    named = [Named(person.email.lower(), person) for person in people]
    return subscribers.put(connection, named, now, 7, configured=configured)


def load(connection: Connection, *titles: str, now: int = NOW) -> None:
    """Load entries with these titles."""
    listing = Listing("json", tuple(Entry((f"title:{title}",), title) for title in titles))
    filing.save(connection, entries.File(titles[0], titles[0], 1, now), listing, now)


def emails(connection: Connection) -> list[str]:
    """Everybody's address."""
    return [person.email for person in subscribers.everybody(connection)]


def mailed(connection: Connection, slot: date, state: State = State.PLANNED) -> None:
    """Plan an edition of subscriber 1."""
    editions.insert(connection, [Plan(1, slot, slot, NOW, 0, 0, 1, 1, state)], NOW)


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
people = st.builds(
    Subscriber,
    email=st.just(ADA.email),
    profiles=st.lists(
        st.builds(
            Profile, names, st.lists(names).map(tuple), st.sampled_from(("near", "any", "phrase")), st.booleans()
        ),
        max_size=3,
    ).map(tuple),
    name=names,
    cadence=st.builds(
        Cadence,
        days=st.sampled_from(("daily", "mon, thu", "first monday")),
        send_at=st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0)),
        zone=st.sampled_from(("UTC", "Asia/Kathmandu")),
    ),
    min_matches=st.integers(1, 20),
    max_entries=st.integers(20, 500),
    paused_until=st.none() | st.dates(),
    skip=st.lists(st.sampled_from(("2026-12-24", "2026-12-24/2027-01-02", "berlin"))).map(tuple),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people, people)
def test_a_subscriber_comes_back_as_put_in(store: Store, person: Subscriber, changed: Subscriber) -> None:
    """Every field, after adding and after a change; putting the same again changes nothing."""
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        assert put(connection, person) == (1, 0)
        assert put(connection, person) == (0, 0)
        assert put(connection, changed) == (0, int(changed != person))
        (kept,) = subscribers.everybody(connection)
        assert replace(kept, id=0) == changed


def test_another_spelling_is_the_same_person(connection: Connection) -> None:
    """The address is kept as typed last."""
    put(connection, ADA)
    assert put(connection, replace(ADA, email="ADA@example.org")) == (0, 1)
    assert emails(connection) == ["ADA@example.org"]


def test_a_new_subscriber_looks_some_days_back(connection: Connection) -> None:
    """Entries of the last seven days are in the first window, older ones are not."""
    load(connection, "old", now=NOW - 8 * DAY)
    load(connection, "week", now=NOW - 7 * DAY)
    load(connection, "new", now=NOW)
    put(connection, ADA)
    (due,) = dues.due(connection, NOW)
    assert due.watermark == 1


@pytest.mark.parametrize(
    ("send_at", "zone", "due_at"),
    [
        (None, "UTC", NOW - 12 * HOUR),
        (time(7, 30), "UTC", NOW - 12 * HOUR + 27_000),  # has passed today, so at once
        (time(18, 0), "UTC", NOW + 6 * HOUR),
        (time(18, 0), "Asia/Kathmandu", NOW + 15 * 60),  # 12:15 UTC
        (time(0, 30), "Pacific/Kiritimati", NOW - 86_400 + 22 * HOUR + 1_800),  # it is the 21st there since 10:00 UTC
    ],
)
def test_a_first_slot_is_today_where_the_subscriber_is(
    connection: Connection, send_at: time | None, zone: str, due_at: int
) -> None:
    """At once without a send time or after it, else when it comes."""
    put(connection, at(send_at, zone))
    assert dues.next_moment(connection) == due_at
    assert len(dues.due(connection, due_at)) == 1
    assert dues.due(connection, due_at - 1) == []


def test_a_changed_send_time_gives_no_second_edition_of_a_day(connection: Connection) -> None:
    """Who has had today's is next due tomorrow; who has not, or has had an empty one, still today."""
    put(connection, ADA)
    mailed(connection, TODAY, State.EMPTY)
    put(connection, at(time(18)))
    assert dues.next_moment(connection) == NOW + 6 * HOUR
    mailed(connection, TODAY)
    put(connection, at(time(19)))
    assert dues.next_moment(connection) == NOW + 7 * HOUR + DAY
    put(connection, at(None, "Pacific/Honolulu"))
    assert dues.next_moment(connection) == NOW - 2 * HOUR + DAY
    put(connection, replace(at(None, "Pacific/Honolulu"), name="Ada"))
    assert dues.next_moment(connection) == NOW - 2 * HOUR + DAY


def test_who_leaves_the_configuration_is_unsubscribed(connection: Connection) -> None:
    """Those who were added by hand stay."""
    bao, chidi = (replace(ADA, email=f"{name}@example.org") for name in ("bao", "chidi"))
    put(connection, ADA, bao, configured=True)
    put(connection, chidi)
    assert subscribers.drop_configured(connection, ["ada@example.org"]) == 1
    assert emails(connection) == ["Ada@example.org", "chidi@example.org"]
    assert subscribers.drop_configured(connection, []) == 1
    assert emails(connection) == ["chidi@example.org"]
    assert subscribers.count(connection) == 1


def test_who_is_removed_is_not_due(connection: Connection) -> None:
    """And cannot be found or removed again."""
    put(connection, ADA)
    assert subscribers.find(connection, "ada@example.org") is not None
    assert subscribers.remove(connection, "ada@example.org")
    assert not subscribers.remove(connection, "ada@example.org")
    assert subscribers.find(connection, "ada@example.org") is None
    assert (dues.due(connection, NOW), dues.next_moment(connection)) == ([], None)
    load(connection, "new")
    assert entries.window(connection, dues.lowest_watermark(connection, NOW)) == []


def test_who_comes_back_begins_as_a_new_subscriber(connection: Connection) -> None:
    """Without the months in between, and without a second edition of the day."""
    load(connection, "long ago", now=NOW - 90 * DAY)
    put(connection, ADA, now=NOW - 90 * DAY)
    subscribers.remove(connection, "ada@example.org")
    load(connection, "meanwhile", now=NOW - 30 * DAY)
    load(connection, "new")
    assert put(connection, ADA) == (0, 1)
    (due,) = dues.due(connection, NOW)
    assert due.watermark == 2
    mailed(connection, TODAY)
    subscribers.remove(connection, "ada@example.org")
    put(connection, ADA)
    assert dues.next_moment(connection) == NOW + 12 * HOUR


def test_who_comes_back_sees_nothing_twice(connection: Connection) -> None:
    """A watermark never goes down."""
    put(connection, ADA)
    load(connection, "seen")
    dues.advance(connection, [Step(1, NOW, None, 1, None)])
    subscribers.remove(connection, "ada@example.org")
    put(connection, ADA)
    found = subscribers.find(connection, "ada@example.org")
    assert found is not None
    assert found.watermark == 1


def test_the_due_come_in_batches(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait longest first, each behind the last of the batch before; the lowest watermark is known first."""
    monkeypatch.setattr(dues, "AT_ONCE", 3)
    put(connection, *(replace(ADA, email=f"reader{n}@example.org") for n in range(7)))
    places = [(1, NOW + 1, 4), (2, NOW, 5), (3, NOW, 3), (4, NOW - 1, 2), (7, NOW - 2, 6)]
    dues.advance(connection, [Step(one, due_at, None, mark, None) for one, due_at, mark in places])
    batches: list[list[dues.Due]] = [dues.due(connection, NOW)]
    while batches[-1]:
        batches.append(dues.due(connection, NOW, batches[-1][-1]))
    assert [[one.id for one in batch] for batch in batches] == [[5, 6, 7], [4, 2, 3], []]
    assert [one.watermark for one in batches[1]] == [2, 5, 3]
    assert dues.lowest_watermark(connection, NOW) == 0


def test_a_time_zone_may_change_over_the_date_line(connection: Connection) -> None:
    """Whichever way the move goes, no local date is mailed twice."""
    put(connection, at(None, "Pacific/Kiritimati"))
    mailed(connection, TODAY + timedelta(days=1))
    put(connection, at(None, "Pacific/Pago_Pago"))
    assert dues.next_moment(connection) == int(datetime(2026, 11, 22, 11, tzinfo=UTC).timestamp())


def test_a_long_pause_opens_no_window(connection: Connection) -> None:
    """Entries since its beginning are read when it ends, not at every slot of others meanwhile."""
    put(connection, replace(ADA, paused_until=TODAY + timedelta(days=90)), replace(ADA, email="bao@example.org"))
    dues.advance(connection, [Step(1, NOW, None, 3, None), Step(2, NOW, None, 5, None)])
    assert dues.lowest_watermark(connection, NOW) == 5
    dues.advance(connection, [Step(1, NOW + 90 * DAY, None, 3, None)])
    assert dues.lowest_watermark(connection, NOW + 90 * DAY) == 3
