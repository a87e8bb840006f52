"""Keywords as numbers, and profiles in their compact form."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from digest.model import Profile, Subscriber
from digest.store import contents, members, queries, subscribers
from digest.store.contents import Hit
from digest.store.queries import Asked
from digest.store.schema import hits
from digest.store.schema import queries as table
from digest.store.schema import subscribers as people
from digest.store.store import Store
from digest.store.subscribers import Named

NOW = 1_795_158_000
ADA = Subscriber("ada@example.org", (Profile("Papers", ("lora", "only Ada")), Profile("Work", ("lora",), "any")))
BAO = Subscriber("bao@example.org", (Profile("Mine", ("lora", "only Bao")),))


def put(connection: Connection, *wanted: Subscriber) -> None:
    """Add people, or change them."""
    subscribers.put(connection, [Named(one.email, one) for one in wanted], NOW, 7)


def keywords(connection: Connection) -> list[str]:
    """All that have a number."""
    return sorted(connection.execute(select(table.c.keyword)).scalars())


def read(connection: Connection, compact: bytes) -> list[list[str]]:
    """What a compact form says, in words."""
    flat = [int.from_bytes(compact[at : at + 4], "little") for at in range(0, len(compact), 4)]
    known = queries.by_number(connection, [number for number in flat if number])
    lists: list[list[str]] = [[]]
    for number in flat:
        if number:
            lists[-1].append(known[number].keyword)
        else:
            lists.append([])
    return lists[:-1]


def test_the_compact_form_follows_the_profiles(store: Store) -> None:
    """When somebody is added and with each change; one keyword in one sense has one number for everybody."""
    with store.write() as connection:
        put(connection, ADA, BAO)
        compact = select(people.c.queries).order_by(people.c.id)
        ada, bao = connection.execute(compact).scalars()
        assert read(connection, ada) == [["lora", "only Ada"], ["lora"]]
        assert read(connection, bao) == [["lora", "only Bao"]]
        assert ada[:4] == bao[:4] != ada[12:16]  # the third is `lora` in another sense
        put(connection, replace(BAO, profiles=(Profile("Mine", ()), *ADA.profiles)))
        (_, bao) = connection.execute(compact).scalars()
        assert read(connection, bao) == [[], ["lora", "only Ada"], ["lora"]]
        assert bao[4:] == ada


def test_numbers_stay(store: Store) -> None:
    """Whoever asks, and however often; what is asked for twice at once has one."""
    asked = {Asked("lora", "near", capitals): "" for capitals in (True, False)}
    with store.write() as connection:
        first = queries.numbers(connection, asked)
        assert len(set(first.values())) == 2
        assert queries.numbers(connection, asked | {Asked("moe", "near", capitals=True): ""}).items() > first.items()
        assert queries.by_number(connection, list(first.values())) == {number: one for one, number in first.items()}


def test_a_keyword_that_nobody_else_ever_had_goes_with_its_owner(store: Store) -> None:
    """With what it hit; a keyword of several stays, and no other keyword ever gets the number."""
    with store.write() as connection:
        put(connection, ADA, BAO)
        (number,) = connection.execute(select(table.c.id).where(table.c.keyword == "only Bao")).scalars()
        contents.tell(connection, [Hit(1, number, (("title", ("Bao",)),))])
        bao = members.find_by_identity(connection, BAO.email)
        assert bao
        members.forget(connection, bao, NOW)
        assert keywords(connection) == ["lora", "lora", "only Ada"]
        assert connection.execute(select(hits)).all() == []
        assert min(queries.numbers(connection, {Asked("new", "near", capitals=True): ""}).values()) > number


def test_a_keyword_is_nobodys_once_a_second_one_has_it(store: Store) -> None:
    """Even if they never had it at the same time."""
    with store.write() as connection:
        put(connection, ADA)
        put(connection, replace(ADA, profiles=()))
        put(connection, replace(BAO, profiles=ADA.profiles))
        for email in (ADA.email, BAO.email):
            member = members.find_by_identity(connection, email)
            assert member
            members.forget(connection, member, NOW)
        assert keywords(connection) == ["lora", "lora", "only Ada"]
        assert connection.execute(text("SELECT count(*) FROM queries WHERE whose <> ''")).scalar() == 0


profiles = st.lists(st.lists(st.sampled_from("abcd"), max_size=4), max_size=3).map(
    lambda lists: tuple(Profile(str(number), tuple(words)) for number, words in enumerate(lists))
)


@given(profiles)
def test_the_compact_form_is_numbers_with_a_0_behind_each_profile(mine: tuple[Profile, ...]) -> None:
    """Four octets each, the lowest first, whatever is in the profiles."""
    known = {Asked(word, "near", capitals=True): ord(word) for word in "abcd"}
    expected = [ord(word) if word else 0 for one in mine for word in (*one.keywords, "")]
    assert queries.compact(mine, known) == b"".join(number.to_bytes(4, "little") for number in expected)
