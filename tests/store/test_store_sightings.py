"""How entries moved in rankings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection
from store_samples import NOW

from digest.listings.keys import keys
from digest.model import Entry, Listing, Movement
from digest.store import filing, sightings
from digest.store.entries import File
from digest.store.store import Store

DAY = 86_400


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes."""
    with store.write() as opened:
        yield opened


def listed(
    connection: Connection,
    at: int,
    *titles: str,
    source: str = "Trending",
    ranked: bool = True,
    day: date | None = None,
) -> None:
    """Load a listing of these titles, in this order."""
    found = tuple(Entry(keys(title), title, source=source) for title in titles)
    name = f"{at} {source}"
    listing = Listing("trending", found, source=source, date=day, ranked=ranked)
    filing.save(connection, File(name, name, 1, 1), listing, at)


def test_an_entry_moved_from_its_first_place_to_its_last(connection: Connection) -> None:
    """As far as was known at a moment; what stayed, or came once, is left out, and so is what nobody asked for."""
    listed(connection, NOW, "One", "Two", "Three", "Four")
    listed(connection, NOW + DAY, "Two", "One", "Three", "Five")
    listed(connection, NOW + 2 * DAY, "Six", "Seven", "Two", "Three")
    moved = [sightings.movements(connection, [1, 2, 3, 4, 5], until) for until in (NOW, NOW + DAY, NOW + 2 * DAY)]
    one = Movement("Trending", 1, 2)
    assert moved == [
        {},
        {1: one, 2: Movement("Trending", 2, 1)},
        {1: one, 2: Movement("Trending", 2, 3), 3: Movement("Trending", 3, 4)},
    ]
    assert sightings.movements(connection, [2, 99], NOW + DAY) == {2: Movement("Trending", 2, 1)}
    assert sightings.movements(connection, [], NOW + DAY) == {}


def test_a_listing_without_ranks_moves_nothing(connection: Connection) -> None:
    """Whatever the order of its entries is."""
    listed(connection, NOW, "One", "Two", ranked=False)
    listed(connection, NOW + DAY, "Two", "One", ranked=False)
    assert sightings.movements(connection, [1, 2], NOW + DAY) == {}


def test_of_several_rankings_the_last_counts(connection: Connection) -> None:
    """Places in different rankings are not compared."""
    listed(connection, NOW, "One", "Two")
    listed(connection, NOW + 1, "Two", "Three", "One", source="Daily papers")
    assert sightings.movements(connection, [1, 2], NOW + DAY) == {}
    listed(connection, NOW + DAY, "Two", "One")
    listed(connection, NOW + DAY + 1, "One", source="Daily papers")
    assert sightings.movements(connection, [1, 2], NOW + 2 * DAY) == {
        1: Movement("Daily papers", 3, 1),
        2: Movement("Trending", 2, 1),
    }


def test_rankings_are_in_the_order_of_their_days(connection: Connection) -> None:
    """Not in that in which they were loaded, where they say of which day they are."""
    listed(connection, NOW, "One", "Two", day=date(2026, 11, 20))
    listed(connection, NOW + 1, "Two", "Three", "One", day=date(2026, 11, 18))
    assert sightings.movements(connection, [1], NOW + 1) == {1: Movement("Trending", 3, 1)}
