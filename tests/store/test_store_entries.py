"""Listing files and entries: once each, whatever the names of the files, and whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from digest.matching.frequencies import Frequencies
from digest.model import Entry, Listing, Rejection, State, Subscriber
from digest.store import editions, entries, filing, subscribers
from digest.store.editions import Plan
from digest.store.schema import files, keys, rejections, sightings
from digest.store.store import Store
from digest.store.subscribers import Named

NOW, TODAY = 1_795_158_000, date(2026, 11, 20)


def entry(title: str, *more: str, **fields: Any) -> Entry:
    """An entry with these keys beside its title."""
    return replace(Entry((*more, f"title:{title.lower()}"), title), **fields)


def save(store: Store, *listed: Entry, name: str = "a.txt", now: int = NOW, **listing: Any) -> int:
    """Load a listing file; its content is its name."""
    with store.write() as connection:
        file = entries.File(name, f"sha-{name}", 10, now * 10**9)
        return filing.save(connection, file, replace(Listing("json", listed), **listing), now).new


def stored(store: Store, after: int = 0) -> list[Entry]:
    """All entries above a number."""
    with store.read() as connection:
        return entries.window(connection, after)


def test_a_file_is_known_by_its_content(store: Store) -> None:
    """Under another name it is loaded already; path, size and time of modification tell without reading it."""
    save(store, entry("One"))
    with store.read() as connection:
        assert entries.is_loaded(connection, entries.File("b.txt", "sha-a.txt", 10, 0))
        assert not entries.is_loaded(connection, entries.File("a.txt", "sha-b", 10, NOW * 10**9))
        assert entries.known_files(connection) == {("a.txt", 10, NOW * 10**9)}
        assert entries.count_files(connection) == 1


def test_what_a_listing_says_of_itself_is_kept(store: Store) -> None:
    """Format, curator, day, counts, warnings, and each rejected record with line and reason."""
    bad = (Rejection(7, "no title", '{"x"'), Rejection(9, "no title"))
    save(store, entry("One"), curator="AK", date=date(2026, 3, 13), rejected=bad, warnings=("odd",))
    with store.read() as connection:
        row = connection.execute(select(files)).one()
        assert (row.format, row.curator, row.listed_on, row.entries, row.new) == ("json", "AK", date(2026, 3, 13), 1, 1)
        assert (row.warnings, row.loaded_at) == (["odd"], NOW)
        kept = connection.execute(select(rejections).order_by(rejections.c.line)).all()
        assert [(r.file, r.line, r.reason, r.excerpt) for r in kept] == [
            (row.id, 7, "no title", '{"x"'),
            (row.id, 9, "no title", ""),
        ]


def test_the_same_entry_in_two_files_is_one_with_two_sightings(store: Store) -> None:
    """It keeps its number and its text, and each sighting its place in a ranking and its votes."""
    assert save(store, entry("One", votes=3), entry("Two", "arxiv:1"), ranked=True) == 2
    again = entry("Zero"), entry("Two again", "arxiv:1"), entry("One", votes=9)
    assert save(store, *again, name="b.txt", ranked=True) == 1
    assert [(e.number, e.title) for e in stored(store)] == [(1, "One"), (2, "Two"), (3, "Zero")]
    with store.read() as connection:
        columns = sightings.c.entry, sightings.c.file, sightings.c.position, sightings.c.votes
        seen = connection.execute(select(*columns).order_by(sightings.c.file, sightings.c.position)).all()
    assert [tuple(row) for row in seen] == [
        (1, 1, 1, 3),
        (2, 1, 2, None),
        (3, 2, 1, None),
        (2, 2, 2, None),
        (1, 2, 3, 9),
    ]


def test_the_same_entry_twice_in_one_file_is_one(store: Store) -> None:
    """Its first place is the one that counts."""
    assert save(store, entry("One"), entry("One", abstract="now with an abstract")) == 1
    assert [(e.title, e.abstract) for e in stored(store)] == [("One", "now with an abstract")]


def test_one_title_with_two_identifiers_is_two_entries(store: Store) -> None:
    """Editorials share a title; a DOI or an arXiv number tells them apart, in one file or in two."""
    assert save(store, entry("Editorial", "doi:1"), entry("Editorial", "doi:2")) == 2
    assert save(store, entry("Editorial", "doi:3"), entry("Editorial", "doi:2"), name="b.txt") == 1
    assert [e.key for e in stored(store)] == ["doi:1", "doi:2", "doi:3"]


def test_identifiers_of_two_kinds_do_not_contradict_each_other(store: Store) -> None:
    """A DOI now and an arXiv number later are two keys of one entry, and any of the three finds it from then on."""
    save(store, entry("One", "doi:1"))
    assert save(store, entry("One", "arxiv:1"), name="b.txt") == 0
    assert save(store, entry("Another title", "arxiv:1"), name="c.txt") == 0
    assert set(stored(store)[0].keys) == {"doi:1", "arxiv:1", "title:one", "title:another title"}
    assert stored(store)[0].key == "doi:1"


def test_an_entry_between_two_others_belongs_to_the_one_with_its_strongest_key(store: Store) -> None:
    """Where every key is another's and none fits, it is no entry without keys."""
    save(store, entry("One", "doi:1", "arxiv:1"), entry("Two", "doi:2", "arxiv:2"))
    assert save(store, Entry(("doi:1", "arxiv:2"), "Mixed"), name="b.txt") == 0
    assert [e.title for e in stored(store)] == ["One", "Two"]


def test_an_entry_seen_again_gains_what_it_lacked(store: Store) -> None:
    """What it has stays as it is."""
    save(store, entry("One", url="https://a.example"))
    more: dict[str, Any] = {
        "authors": ("Ada",),
        "categories": ("cs.CL",),
        "url": "https://b.example",
        "published": date(2026, 3, 1),
    }
    save(store, entry("ONE", abstract="Text", votes=5, **more), name="b.txt")
    (kept,) = stored(store)
    assert (kept.title, kept.url) == ("One", "https://a.example")
    assert (kept.abstract, kept.authors, kept.categories, kept.published, kept.votes) == (
        *("Text", ("Ada",), ("cs.CL",), date(2026, 3, 1), 5),
    )


def test_an_entry_that_an_edition_may_hold_stays_as_it_is(store: Store) -> None:
    """Or a mail tried again would hold other bytes; an empty edition holds none."""
    save(store, entry("One"))
    with store.write() as connection:
        subscribers.put(connection, [Named("a@x", Subscriber("a@x", ()))], NOW, 7, configured=False)
        planned = Plan(1, TODAY, TODAY, NOW, after=0, upto=1, considered=1, matched=1)
        editions.insert(connection, [planned._replace(state=State.EMPTY)], NOW)
    save(store, entry("One", abstract="Early"), name="b.txt")
    assert stored(store)[0].abstract == "Early"
    with store.write() as connection:
        editions.insert(connection, [planned], NOW)
    save(store, entry("One", url="https://late.example"), name="c.txt")
    assert stored(store)[0].url == ""


def test_words_are_counted_once_for_each_entry(store: Store) -> None:
    """Over all files together, and not again for an entry seen again."""
    one, two = entry("Reward models", abstract="A reward."), entry("Rewarding", abstract="Models, models.")
    save(store, one)
    save(store, one, two, name="b.txt")
    expected = Frequencies.count([one, two])
    with store.read() as connection:
        assert entries.frequencies(connection, [*expected.by_stem, "absent"]) == expected


def test_the_window_begins_behind_a_number_or_a_moment(store: Store) -> None:
    """Numbers follow the order of loading."""
    save(store, entry("One"), entry("Two"))
    save(store, entry("Three"), name="b.txt", now=NOW + 60)
    assert [e.number for e in stored(store, 1)] == [2, 3]
    assert stored(store, 3) == []
    with store.read() as connection:
        assert [entries.number_before(connection, at) for at in (NOW, NOW + 1, NOW + 60, NOW + 61)] == [0, 2, 2, 3]
        assert entries.newest_number(connection) == entries.count(connection) == 3
        assert {n: e.title for n, e in entries.by_numbers(connection, [3, 1, 99, 1]).items()} == {1: "One", 3: "Three"}


def test_many_entries_go_through_at_once(store: Store) -> None:
    """More than fit into one IN list."""
    many = [entry(f"Paper {n}", f"doi:{n}") for n in range(1_203)]
    assert save(store, *many) == 1_203
    assert save(store, *many, entry("One more"), name="b.txt") == 1
    assert [e.title for e in stored(store)][:1_203] == [e.title for e in many]
    with store.read() as connection:
        assert len(entries.by_numbers(connection, range(1, 1_300))) == 1_204


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
made = st.builds(
    Entry,
    keys=st.lists(texts.map("url:{}".format), min_size=1, max_size=3, unique=True).map(sorted).map(tuple),
    title=texts.filter(bool),
    abstract=texts,
    authors=st.lists(texts, max_size=3).map(tuple),
    categories=st.lists(texts, max_size=2).map(tuple),
    source=texts,
    url=texts,
    published=st.none() | st.dates(),
    votes=st.none() | st.integers(-(2**31), 2**31 - 1),
    links=st.lists(texts, max_size=2).map(tuple),
    version=st.integers(0, 99),
    updated=st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made)
def test_every_field_comes_back_as_it_went_in(store: Store, one: Entry) -> None:
    """Whatever the letters."""
    with store.rehearsal() as rehearsed:
        assert save(rehearsed, one) == 1
        assert stored(rehearsed) == [replace(one, number=1)]


def test_the_keys_of_an_entry_are_in_one_table_with_their_rank(store: Store) -> None:
    """A DOI has rank 0, a title the last."""
    save(store, entry("One", "doi:1", "arxiv:1"))
    with store.read() as connection:
        ranked = connection.execute(select(keys.c.key, keys.c.rank).order_by(keys.c.rank)).all()
    assert [tuple(row) for row in ranked] == [("doi:1", 0), ("arxiv:1", 1), ("title:one", 5)]
