"""What many subscribers get of a window: numbers that say the same as the engine says in words."""

from __future__ import annotations

from struct import unpack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from digest.choosing import Choices, Chooser, Ready
from digest.matching import Reader, Selector
from digest.model import Entry, Listing, Profile, Reason, Subscriber
from digest.store import contents, dues, entries, filing, queries, subscribers
from digest.store.contents import SHOWN
from digest.store.schema import queries as table
from digest.store.store import Store
from digest.store.subscribers import Named
from digest.window import lookup

NOW, DAY = 1_795_158_000, 86_400
MORE = 3
TITLES = (
    *("Reward models for language agents", "Language models that plan", "A reward for graph agents", "Plans of agents"),
    *("Graph transformers at scale", "Diffusion in language", "Scaling reward models", "Agents with a plan"),
)
KEYWORDS = ("reward", "language model", "agent", "plan", "graph", "-diffusion", '"reward models"', "title:plan")
profiles = st.lists(
    st.builds(
        Profile,
        st.sampled_from(("Papers", "Work")),
        st.lists(st.sampled_from(KEYWORDS), max_size=4, unique=True).map(tuple),
        st.sampled_from(("near", "any")),
    ),
    max_size=3,
    unique_by=lambda profile: profile.name,
).map(tuple)


def crowd(store: Store, *people: Subscriber) -> None:
    """These people, and the titles loaded after they came."""
    with store.write() as connection:
        subscribers.put(connection, [Named(one.email, one) for one in people], NOW - DAY, 0)
        listing = Listing("json", tuple(Entry((f"title:{title}",), title, f"About {title}.") for title in TITLES))
        filing.save(connection, entries.File("a", "a", 1, 1), listing, NOW)


def chosen(store: Store, chooser: Chooser) -> Choices:
    """What everybody gets."""
    with store.read() as connection:
        return chooser.choose(dues.due(connection, NOW + DAY), MORE)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(profiles, st.integers(1, 4)), min_size=1, max_size=6))
def test_everybody_gets_what_the_engine_selects(store: Store, wanted: list[tuple[tuple[Profile, ...], int]]) -> None:
    """The same entries, scores and reasons as for each reader alone, in words."""
    people = [Subscriber(f"{n}@x", mine, max_entries=most) for n, (mine, most) in enumerate(wanted)]
    with store.rehearsal() as rehearsed:
        crowd(rehearsed, *people)
        with rehearsed.read() as connection:
            window = entries.window(connection, 0)
            stored = list(subscribers.everybody(connection))
        choices = chosen(rehearsed, Chooser(rehearsed, Selector(window, lookup(rehearsed))))
        with rehearsed.write() as connection:
            contents.tell(connection, choices.hits)
        selected = Selector(window, lookup(rehearsed)).select(
            [Reader(one.profiles, 0, one.max_entries) for one in stored], MORE
        )
        for person, one, other in zip(stored, choices.each, selected, strict=True):
            told = _in_words(rehearsed, choices, one.filling, tuple(profile.name for profile in person.profiles))
            assert told == [(match.entry, match.score, match.reasons) for match in other.matches]
            named = unpack(f"<{len(one.filling.entries) // 4}I", one.filling.entries)
            assert named == (*(match.entry for match in other.matches), *other.more)
            assert (one.cards, one.matched, one.considered) == (len(other.matches), other.matched, other.considered)
            assert one.oldest == min((match.entry for match in other.matches), default=0)


def _in_words(
    store: Store, choices: Choices, filling: contents.Filling, names: tuple[str, ...]
) -> list[tuple[int, float, tuple[Reason, ...]]]:
    found = {(hit.entry, hit.query): hit.found for hit in choices.hits}
    flat = list(unpack(f"<{len(filling.reasons) // 4}I", filling.reasons))
    scores = unpack(f"<{len(filling.scores) // 4}f", filling.scores)
    numbers = unpack(f"<{len(filling.entries) // 4}I", filling.entries)
    with store.read() as connection:
        known = queries.by_number(connection, [number for number in flat if number])
    told = []
    for entry, score in zip(numbers, scores, strict=False):
        reasons = []
        for name in names:
            while number := flat.pop(0):
                why = found[entry, number]
                reasons += [Reason(name, known[number].keyword, field, tuple(words)) for field, words in why]
        told.append((entry, round(score, 4), tuple(reasons)))
    assert not flat
    return told


def test_why_a_query_hits_is_told_once(store: Store) -> None:
    """Whoever has it; a chooser that is made anew tells it again."""
    crowd(store, *(Subscriber(f"{n}@x", (Profile("Papers", ("reward",)),)) for n in range(3)))
    ready = Ready()
    first = chosen(store, ready.chooser(store, 0, 1))
    assert sorted(hit.entry for hit in first.hits) == [
        number for number, title in enumerate(TITLES, 1) if "eward" in title
    ]
    again = chosen(store, ready.chooser(store, 0, 1))
    assert (again.each, again.hits) == (first.each, [])
    ready.forget()
    assert chosen(store, ready.chooser(store, 0, 1)) == first


@pytest.mark.parametrize("keyword", ["NOT", "gone"])
def test_one_with_a_keyword_that_cannot_be_read_holds_up_nobody(store: Store, keyword: str) -> None:
    """The others get theirs; it says why there is nothing, and matches nothing by the other keywords."""
    plain, odd_one = Profile("Papers", ("reward", "language")), Profile("A", ("graph", keyword))
    crowd(store, *(Subscriber(f"{who}@x", (one,)) for who, one in enumerate((plain, plain, odd_one))))
    if keyword == "gone":
        with store.write() as connection:
            connection.execute(table.delete().where(table.c.keyword == keyword))
    *others, odd = chosen(store, Ready().chooser(store, 0, 1)).each
    assert [(one.cards, one.fault) for one in others] == [(5, "")] * 2
    assert (odd.cards, odd.matched) == (0, 0)
    assert odd.fault


def test_a_store_has_a_number_for_each_keyword_and_sense(store: Store) -> None:
    """However many ask."""
    same = Profile("Papers", ("reward",))
    crowd(store, *(Subscriber(f"{n}@x", (same, Profile("Work", ("reward",), "any"))) for n in range(3)))
    with store.read() as connection:
        assert len(connection.execute(select(table)).all()) == 2
        assert connection.execute(SHOWN).all() == []
