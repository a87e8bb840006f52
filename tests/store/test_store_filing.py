"""How listings come in: papers that turn out to be one, sightings, and what a kill leaves."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from digest.model import Entry, Listing
from digest.store import entries, filing
from digest.store.filing import Saved
from digest.store.schema import keys, sightings
from digest.store.store import Store

NOW = 1_795_158_000


def entry(title: str, *more: str, **fields: Any) -> Entry:
    """An entry with these keys beside its title."""
    return replace(Entry((*more, f"title:{title.lower()}"), title), **fields)


def save(store: Store, name: str, *listed: Entry, ranked: bool = False) -> Saved:
    """Load a listing; its content is its name."""
    with store.write() as connection:
        file = entries.File(name, f"sha-{name}", 10, NOW * 10**9)
        return filing.save(connection, file, Listing("json", listed, ranked=ranked), NOW)


def rows(store: Store) -> list[Entry]:
    """All rows, in order."""
    with store.read() as connection:
        return entries.window(connection, 0)


def papers(store: Store) -> set[frozenset[str]]:
    """The keys of each paper."""
    with store.read() as connection:
        found: dict[int, set[str]] = {}
        for key, root in connection.execute(select(keys.c.key, keys.c.entry)):
            found.setdefault(root, set()).add(key)
    return {frozenset(each) for each in found.values()}


def test_a_listing_that_knows_both_keys_makes_two_papers_one(store: Store) -> None:
    """The later one's row says whose it is, its keys and sightings go over, and it is neither new nor updated."""
    save(store, "a", entry("Short title", "url:https://a.example/1"), ranked=True)
    save(store, "b", entry("Another"), entry("The full title", "arxiv:2611.00001", abstract="Text."), ranked=True)
    assert save(store, "c", entry("Whole", "arxiv:2611.00001", "url:https://a.example/1")) == Saved(0, 0)
    kept = rows(store)
    assert [(one.number, one.first, one.abstract) for one in kept] == [(1, 0, "Text."), (2, 0, ""), (3, 1, "Text.")]
    assert kept[0].keys == kept[2].keys
    assert [key.partition(":")[0] for key in kept[0].keys] == ["arxiv", "url", "title", "title", "title"]
    with store.read() as connection:
        seen = connection.execute(select(sightings.c.entry, sightings.c.file, sightings.c.position)).all()
    assert sorted(map(tuple, seen)) == [(1, 1, 1), (1, 2, 2), (1, 3, 0), (2, 2, 1)]


def test_two_papers_in_one_listing_become_one_in_it(store: Store) -> None:
    """Whether the third that joins them comes with them or later; one sighting of a file is enough."""
    listed = entry("A", "url:u"), entry("B", "arxiv:1"), entry("C", "arxiv:1", "url:u")
    assert save(store, "a", *listed) == Saved(2, 0)
    assert [(one.number, one.first) for one in rows(store)] == [(1, 0), (2, 1)]
    with store.read() as connection:
        assert connection.execute(select(sightings.c.entry)).scalars().all() == [1]


def test_identifiers_that_differ_keep_papers_apart(store: Store) -> None:
    """Though a listing says that they are one."""
    save(store, "a", entry("A", "arxiv:1"), entry("B", "arxiv:2", "url:u"))
    save(store, "b", entry("C", "arxiv:1", "url:u"))
    assert papers(store) == {
        frozenset({"arxiv:1", "title:a", "title:c"}),
        frozenset({"arxiv:2", "title:b", "url:u"}),
    }


def test_a_new_version_counts_as_updated_and_not_as_new(store: Store) -> None:
    """Its sighting says which it was, and where."""
    save(store, "a", entry("A", "arxiv:1", version=1, source="arXiv"))
    assert save(store, "b", entry("A", "arxiv:1", version=2, source="Reader")) == Saved(0, 1)
    assert [(one.version, one.updated, one.first) for one in rows(store)] == [(1, False, 0), (2, True, 1)]
    with store.read() as connection:
        seen = connection.execute(select(sightings.c.entry, sightings.c.source, sightings.c.version)).all()
    assert sorted(map(tuple, seen)) == [(1, "Reader", 2), (1, "arXiv", 1)]


def test_progress_is_told_some_entries_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is told in one part is known in the next."""
    monkeypatch.setattr(filing, "_AT_ONCE", 3)
    told: list[int] = []
    listed = tuple(entry(f"Paper {number % 5}") for number in range(8))
    with store.write() as connection:
        done = filing.save(connection, entries.File("a", "a", 1, 1), Listing("json", listed), NOW, told.append)
    assert (done.new, told, len(rows(store))) == (5, [3, 6, 8], 5)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_listings_does_not_matter_to_identity(store: Store, order: tuple[int, ...]) -> None:
    """The same papers with the same keys come of it."""
    listings = (
        (entry("Trees that forget"), entry("Roots")),
        (entry("Trees that forget", "arxiv:1"), entry("Leaves", "doi:10.1/x")),
        (entry("Trees, forgetting", "arxiv:1", "url:u"), entry("Roots", "url:v"), entry("Leaves", "url:w")),
    )
    for place in order:
        save(store, str(place), *listings[place])
    assert papers(store) == {
        frozenset({"arxiv:1", "url:u", "title:trees that forget", "title:trees, forgetting"}),
        frozenset({"url:v", "title:roots"}),
        frozenset({"doi:10.1/x", "url:w", "title:leaves"}),
    }


few = st.builds(
    lambda title, more: entry(title, *more),
    st.sampled_from("abc"),
    st.lists(st.sampled_from(("arxiv:1", "arxiv:2", "url:u", "url:v")), max_size=2, unique=True),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(few, max_size=4), max_size=4))
def test_whatever_is_listed_every_key_has_one_paper_and_every_paper_a_key(
    store: Store, listed: list[list[Entry]]
) -> None:
    """Rows that are told again lead to a root, and no sighting hangs in the air."""
    with store.rehearsal() as rehearsed:
        for number, one in enumerate(listed):
            save(rehearsed, str(number), *one)
        kept = {one.number: one for one in rows(rehearsed)}
        assert all(one.keys for one in kept.values())
        assert all(not kept[one.root].first for one in kept.values())
        with rehearsed.read() as connection:
            told = set(connection.execute(select(sightings.c.entry)).scalars())
            named = set(connection.execute(select(keys.c.entry)).scalars())
        assert told == named == {one.root for one in kept.values()}
