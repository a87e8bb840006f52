"""Rates: so many at once and as many again within the time, whoever counts, and no name is kept."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from digest.store import rates
from digest.store.rates import Rate
from digest.store.schema import metadata
from digest.store.schema import rates as table
from digest.store.store import Store

NOW = 1_795_158_000
ADA, BAO = "ada@example.org", "192.0.2.7"
THREE = Rate("letter", 3, 60)


def spend(store: Store, rate: Rate = THREE, name: str = ADA, now: float = NOW) -> float:
    with store.write() as connection:
        return rates.spend(connection, rate, name, now)


def test_so_many_are_allowed_at_once(store: Store) -> None:
    """And one more when its share of the time is over, not a moment before."""
    assert [spend(store) for _ in range(3)] == [0, 0, 0]
    assert spend(store) == 20
    assert spend(store, now=NOW + 19) == 1
    assert spend(store, now=NOW + 20) == 0
    assert spend(store, now=NOW + 20) == 20


def test_whoever_waits_has_all_of_them_again(store: Store) -> None:
    """After the whole time, as if nothing had been; and no more than that after a year."""
    for later in (0, 60, 60 + 86_400 * 365):
        assert [spend(store, now=NOW + later) for _ in range(4)] == [0, 0, 0, 20]


def test_a_name_and_a_scope_have_rates_of_their_own(store: Store) -> None:
    """What one has spent costs another nothing."""
    other = Rate("post", 1, 60)
    assert [spend(store) for _ in range(4)] == [0, 0, 0, 20]
    assert [spend(store, name=BAO), spend(store, other), spend(store, other)] == [0, 0, 60]


def test_to_be_refused_costs_nothing(store: Store) -> None:
    """Whoever goes on trying is not kept out for longer."""
    for _ in range(3):
        spend(store)
    assert [spend(store, now=NOW + second) for second in range(1, 20)] == [20 - second for second in range(1, 20)]
    assert spend(store, now=NOW + 20) == 0


def test_to_look_costs_nothing(store: Store) -> None:
    """What is said is what spending would say."""
    for now, seconds in ((NOW, 0), (NOW, 0), (NOW, 0), (NOW, 20), (NOW + 19, 1), (NOW + 20, 0)):
        with store.write() as connection:
            before = list(connection.execute(select(table)))
            assert [rates.wait(connection, THREE, ADA, now) for _ in range(3)] == [seconds] * 3
            assert list(connection.execute(select(table))) == before
        assert spend(store, now=now) == seconds


def test_what_is_given_back_can_be_spent_again(store: Store) -> None:
    """All of it, of this name and scope; and it is nothing to give back what nobody spent."""
    other = Rate("day", 1, 86_400)
    with store.write() as connection:
        rates.give_back(connection, THREE.scope, ADA)
    for name, rate in ((ADA, THREE), (BAO, THREE), (ADA, other)):
        while not spend(store, rate, name):
            pass
    with store.write() as connection:
        rates.give_back(connection, THREE.scope, ADA)
    assert [spend(store) for _ in range(4)] == [0, 0, 0, 20]
    assert spend(store, name=BAO) == 20
    assert spend(store, other) == 86_400


def test_a_clock_that_is_set_back_lets_nobody_do_more(store: Store) -> None:
    """They wait until it is where it was."""
    for _ in range(3):
        spend(store)
    assert spend(store, now=NOW - 3600) == 3620


def test_no_name_is_kept(store: Store) -> None:
    """Neither an address of mail nor one of the network; the hash has the key of this database."""
    spend(store)
    spend(store, name=BAO)
    with store.read() as connection:
        everything = [tuple(row) for one in metadata.sorted_tables for row in connection.execute(one.select())]
        assert {len(row.key) for row in connection.execute(select(table))} == {64}
    assert ADA not in repr(everything)
    assert BAO not in repr(everything)
    assert "example" not in repr(everything)


def test_what_holds_nothing_back_is_forgotten(store: Store) -> None:
    """And what does is kept to its end."""
    spend(store)
    spend(store, Rate("day", 1, 86_400))
    with store.write() as connection:
        rates.forget_old(connection, NOW + 20 - 1)
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 2
        rates.forget_old(connection, NOW + 20)
        assert connection.execute(select(table.c.scope)).scalars().all() == ["day"]
    assert [spend(store, now=NOW + 20) for _ in range(4)] == [0, 0, 0, 20]


def test_many_at_the_same_moment_get_no_more(store: Store) -> None:
    """Eight threads, as many processes would: each event counts, and the key is made once."""
    rate = Rate("post", 5, 60)
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: spend(store, rate), range(24)))
    assert done.count(0) == 5
    assert set(done) == {0, 12}


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(Rate, st.just("x"), st.integers(1, 6), st.integers(1, 100)),
    st.lists(st.one_of(st.just(0.0), st.floats(0, 5), st.floats(0, 300)), min_size=1, max_size=25),
)
@example(Rate("x", 3, 10), [0.0] * 4 + [3.3333] * 8)
@example(Rate("x", 1, 1), [1.0] * 10)
def test_no_pace_gets_through_more(store: Store, rate: Rate, pauses: list[float]) -> None:
    """Never over `events` at once, nor over twice as many within `seconds`; and who waits as told is let through."""
    now, done = float(NOW), list[float]()
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        for pause in pauses:
            now += pause
            wait = rates.spend(connection, rate, ADA, now)
            done += [now] if wait == 0 else []
            assert wait == 0 or 1 <= wait <= math.ceil(rate.seconds / rate.events)
        for at in done:
            assert done.count(at) <= rate.events
            assert sum(at <= other < at + rate.seconds for other in done) <= 2 * rate.events
        wait = rates.spend(connection, rate, ADA, now)
        assert rates.spend(connection, rate, ADA, now + wait + rate.seconds / rate.events) == 0
