"""Signups: one for an address, forgotten in time, and nobody is subscribed before they say yes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from digest.model import Cadence, Profile, Subscriber
from digest.store import members, overview, signups, subscribers, suppressions
from digest.store.schema import signups as table
from digest.store.store import Store
from digest.store.subscribers import Named
from digest.tokens import LIFETIMES

NOW = 1_795_158_000
KEPT = 2 * LIFETIMES["confirm"]
ADA = Subscriber(
    "Ada@Example.org",
    (
        Profile("Réward", ('"reward model"^2', "-survey", "a | b"), "phrase", capitals=False),
        Profile("Ünï", ("LoRA",)),
    ),
    "Ada",
    Cadence("mon, thu", time(7, 30), "Asia/Kathmandu"),
    2,
    15,
    None,
    ("2026-12-24",),
)
BAO = Subscriber("bao@example.org", (Profile("Digest", ("x",)),))


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes."""
    with store.write() as opened:
        yield opened


def ask(connection: Connection, wanted: Subscriber = ADA, now: int = NOW) -> int:
    return signups.ask(connection, Named(wanted.email.lower(), wanted), now).id


def confirm(connection: Connection, number: int, now: int = NOW) -> int:
    signup = signups.find(connection, number)
    assert signup
    return signups.confirm(connection, signup, now, 7)


def test_what_was_asked_for_is_found(connection: Connection) -> None:
    """Every wish, to the last letter; and that nobody has said yes."""
    number = ask(connection)
    assert signups.find(connection, number) == signups.Signup(number, "ada@example.org", ADA, NOW, None)
    assert signups.find(connection, number + 1) is None


def test_nobody_is_subscribed_by_asking(connection: Connection) -> None:
    """However often; they are counted apart."""
    ask(connection)
    ask(connection)
    ask(connection, BAO)
    assert subscribers.count(connection) == 0
    assert overview.count_waiting(connection, NOW).number == 2


def test_to_ask_again_puts_the_newer_wishes_in_place(connection: Connection) -> None:
    """Under the same number, so a link in an older letter confirms these."""
    number = ask(connection)
    newer = replace(ADA, profiles=BAO.profiles, name="A.")
    assert ask(connection, newer, NOW + 60) == number
    assert signups.find(connection, number) == signups.Signup(number, "ada@example.org", newer, NOW + 60, None)


def test_an_address_stays_as_it_was_spelled_while_a_link_to_it_may_work(connection: Connection) -> None:
    """Or the letter that went to one mailbox would confirm another; the wishes are the newer ones."""
    lifetime = LIFETIMES["confirm"]
    number = ask(connection)
    for now, spelled in (
        (NOW + 60, ADA.email),
        (NOW + 60 + lifetime - 1, ADA.email),
        (NOW + 60 + 2 * lifetime - 1, "ada@EXAMPLE.org"),
    ):
        newer = replace(BAO, email="ada@EXAMPLE.org")
        asked = signups.ask(connection, Named("ada@example.org", newer), now)
        assert asked == signups.find(connection, number)
        assert asked.subscriber == replace(BAO, email=spelled)


def test_who_is_subscribed_does_not_wait_for_a_yes(connection: Connection) -> None:
    """A row is written for them, too, as for everybody who asks."""
    known = replace(ADA, id=5)
    asked = signups.ask(connection, Named("ada@example.org", known), NOW, confirmed_at=NOW - 60)
    assert (asked.subscriber, asked.confirmed_at) == (ADA, NOW - 60)
    assert overview.count_waiting(connection, NOW).number == 0


def test_who_says_yes_is_subscribed(connection: Connection) -> None:
    """With all that they asked for, as their own wishes, from then on."""
    number = ask(connection)
    person = confirm(connection, number, NOW + 60)
    member = members.find(connection, person)
    assert member
    assert member.subscriber == replace(ADA, id=person)
    assert (member.active, member.confirmed_at, member.created_at) == (True, NOW + 60, NOW + 60)
    signup = signups.find(connection, number)
    assert signup
    assert signup.confirmed_at == NOW + 60
    assert overview.count_waiting(connection, NOW).number == 0
    assert subscribers.put(connection, [Named("ada@example.org", BAO)], NOW, 7, configured=True) == (0, 0)


def test_to_say_yes_twice_is_to_say_it_once(connection: Connection) -> None:
    """A double click, or the link opened again."""
    number = ask(connection)
    assert confirm(connection, number) == confirm(connection, number, NOW + 1)
    assert subscribers.count(connection) == 1


def test_to_ask_again_after_a_yes_needs_another_yes(connection: Connection) -> None:
    """What a stranger asks for in somebody's name changes nothing of theirs."""
    number = ask(connection)
    person = confirm(connection, number)
    ask(connection, replace(BAO, email=ADA.email), NOW + 60)
    member = members.find(connection, person)
    assert member
    assert member.subscriber.profiles == ADA.profiles
    assert overview.count_waiting(connection, NOW).number == 1


def test_who_is_a_subscriber_already_keeps_their_number(connection: Connection) -> None:
    """Links in older mails go on working."""
    subscribers.put(connection, [Named("ada@example.org", BAO)], NOW, 7, configured=True)
    member = members.find_by_identity(connection, "ada@example.org")
    assert member
    assert member.confirmed_at is None
    assert confirm(connection, ask(connection)) == member.subscriber.id


def test_who_had_left_is_back(connection: Connection) -> None:
    """By a yes of their own, which ends the suppression that was their own, too; to ask does not."""
    person = confirm(connection, ask(connection))
    member = members.find(connection, person)
    assert member
    members.leave(connection, member, NOW)
    number = ask(connection)
    assert suppressions.find(connection, "ada@example.org")
    assert confirm(connection, number) == person
    assert suppressions.find(connection, "ada@example.org") is None
    back = members.find(connection, person)
    assert back
    assert (back.active, back.suppressed) == (True, "")


@pytest.mark.parametrize("kind", ["bounce", "complaint", "manual"])
def test_no_yes_ends_another_suppression(connection: Connection, kind: suppressions.Kind) -> None:
    """They are subscribed, and get nothing."""
    suppressions.add(connection, "ada@example.org", kind, "why", NOW)
    member = members.find(connection, confirm(connection, ask(connection)))
    assert member
    assert (member.active, member.suppressed) == (True, f"{kind}: why")


def test_a_signup_is_forgotten_when_no_link_to_it_can_work(connection: Connection) -> None:
    """When somebody else asks; a number is not given away before the last link to it has ended."""
    number = ask(connection)
    ask(connection, BAO, NOW + KEPT)
    assert signups.find(connection, number)
    ask(connection, BAO, NOW + KEPT + 1)
    assert signups.find(connection, number) is None
    assert connection.execute(select(func.count()).select_from(table)).scalar() == 1
    assert LIFETIMES["confirm"] < KEPT


def test_to_ask_again_keeps_a_signup(connection: Connection) -> None:
    """The newer letter has a link of its own time."""
    number = ask(connection)
    ask(connection, ADA, NOW + KEPT)
    ask(connection, BAO, NOW + KEPT + 1)
    assert signups.find(connection, number)


def test_many_who_ask_at_once_for_one_address_make_one_signup(store: Store) -> None:
    """Eight threads, as many processes would."""

    def asked(turn: int) -> int:
        with store.write() as connection:
            return ask(connection, replace(ADA, name=f"turn {turn}"))

    with ThreadPoolExecutor(8) as threads:
        numbers = set(threads.map(asked, range(16)))
    with store.read() as connection:
        assert connection.execute(select(table.c.id)).scalars().all() == list(numbers)


def test_many_who_say_yes_at_once_are_one_subscriber(store: Store) -> None:
    """A double click that two processes answer."""
    with store.write() as connection:
        number = ask(connection)

    def confirmed(_turn: int) -> int:
        with store.write() as connection:
            return confirm(connection, number)

    with ThreadPoolExecutor(8) as threads:
        people = set(threads.map(confirmed, range(16)))
    with store.read() as connection:
        assert subscribers.count(connection) == len(people) == 1


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
wishes = st.builds(
    Subscriber,
    st.just(ADA.email),
    st.lists(
        st.builds(
            Profile,
            words,
            st.lists(words, min_size=1, max_size=3).map(tuple),
            st.sampled_from(["near", "any", "phrase"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    words,
    st.builds(
        Cadence,
        st.sampled_from(["daily", "mon, thu", "first monday"]),
        st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59)),
        st.sampled_from(["UTC", "Europe/Vienna"]),
    ),
    st.integers(1, 500),
    st.integers(1, 500),
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes)
def test_a_subscriber_is_what_was_asked_for(store: Store, wanted: Subscriber) -> None:
    """Whatever stands in the wishes comes out of the confirmation as it went in."""
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        member = members.find(connection, confirm(connection, ask(connection, wanted)))
        assert member
        assert replace(member.subscriber, id=0) == wanted
