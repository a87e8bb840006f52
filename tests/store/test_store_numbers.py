"""Keywords as numbers, looked up once however many batches of subscribers there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import unpack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from digest.model import MatchMode, Profile, Subscriber
from digest.store import members, queries, subscribers
from digest.store.queries import Asked, Numbers
from digest.store.schema import queries as table
from digest.store.schema import subscribers as everybody
from digest.store.store import Store
from digest.store.subscribers import Named

NOW = 1_774_800_000


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with store.write() as begun:
        yield begun
        begun.rollback()


def person(name: str, *keywords: str, match: MatchMode = "near", capitals: bool = True) -> Named:
    """A subscriber with one profile."""
    email = f"{name}@example.org"
    return Named(email, Subscriber(email, (Profile("P", keywords, match, capitals),)))


def whose(connection: Connection) -> dict[str, str]:
    """Whose alone each keyword is, in the sense that most have."""
    sense = table.c.match == "near", table.c.capitals
    return {row.keyword: row.whose for row in connection.execute(select(table).where(*sense))}


def read(connection: Connection, one: Named) -> list[str]:
    """The keywords of somebody, read back from the numbers."""
    compact = connection.execute(select(everybody.c.queries).where(everybody.c.identity == one.identity)).scalar_one()
    numbers = [number for number in unpack(f"<{len(compact) // 4}I", compact) if number]
    known = queries.by_number(connection, numbers)
    return [known[number].keyword for number in numbers]


def test_a_keyword_has_a_number_in_each_sense(connection: Connection) -> None:
    """The same one again and again."""
    people = [person("a", "x", "y"), person("b", "x", match="any"), person("c", "x", capitals=False)]
    numbers = Numbers()
    first = numbers.of(connection, people)
    assert len(set(first.values())) == len(first) == 4
    assert numbers.of(connection, people) == first == Numbers().of(connection, people)
    known = queries.by_number(connection, [first[Asked("x", "any", capitals=True)]])
    assert list(known.values()) == [Asked("x", "any", capitals=True)]


def test_what_several_have_is_nobodys(connection: Connection) -> None:
    """Whether they come together or one after another."""
    numbers = Numbers()
    numbers.of(connection, [person("a", "x", "y", "z"), person("b", "x")])
    assert whose(connection) == {"x": "", "y": "a@example.org", "z": "a@example.org"}
    numbers.of(connection, [person("a", "y"), person("c", "z")])
    assert whose(connection) == {"x": "", "y": "a@example.org", "z": ""}


def test_a_keyword_that_was_forgotten_gets_a_number_anew(connection: Connection) -> None:
    """What only one had is looked up each time, for it may go."""
    ada, bao, numbers = person("ada", "x", "shared"), person("bao", "x", "shared"), Numbers()
    subscribers.put(connection, [ada, person("eve", "shared")], NOW, 7, numbers=numbers)
    there = members.find_by_identity(connection, ada.identity)
    assert there
    members.forget(connection, there, NOW)
    assert whose(connection) == {"shared": ""}
    subscribers.put(connection, [bao], NOW, 7, numbers=numbers)
    assert read(connection, bao) == ["x", "shared"]


words = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True)
crowd = st.lists(
    st.builds(
        lambda name, keywords, match: person(name, *keywords, match=match),
        st.sampled_from(("ada", "bao", "eve")),
        words,
        st.sampled_from(("near", "any")),
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowd, st.booleans())
def test_one_by_one_or_with_a_memory_is_the_same(store: Store, people: Sequence[Named], remember: bool) -> None:
    """Everybody's numbers stand for the keywords of their last wish."""
    numbers = Numbers() if remember else None
    last = {one.identity: one for one in people}
    with store.write() as connection:
        for one in people:
            subscribers.put(connection, [one], NOW, 7, numbers=numbers)
        assert all(read(connection, one) == list(one.subscriber.profiles[0].keywords) for one in last.values())
        connection.rollback()
