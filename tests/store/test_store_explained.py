"""What explanations ask of the store: editions by their windows, entries by key and title, and when they came again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from store_samples import NOW, TODAY, five_readers, insert, plan

from digest.listings.keys import keys
from digest.model import Entry, Listing, Match, Outcome, State
from digest.store import editions, entries, filing, ledger, sightings
from digest.store.entries import File
from digest.store.store import Store

TITLES = ("Reward models", "Élan, or: 100 % of reward_models", "Title and maps")


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes, with subscribers 1 to 5."""
    with five_readers(store) as opened:
        yield opened


def listed(connection: Connection, name: str, at: int, *titles: str) -> None:
    """Load a file with these entries."""
    listing = Listing("json", tuple(Entry(keys(title, doi=f"10.1000/{title[0]}"), title) for title in titles))
    filing.save(connection, File(name, name, 1, 1), listing, at)


def test_an_edition_is_found_by_its_number(connection: Connection) -> None:
    """With its window and what became of it; an empty one, and none at all, are not."""
    insert(connection, [plan(1, after=4, upto=9), plan(2, state=State.EMPTY, matched=0)])
    ledger.record(connection, [Outcome(1, State.FAILED, 550, "nobody", room=70_000)], NOW, 0)
    kept = editions.find(connection, 1)
    assert kept
    assert kept.edition.matches == (Match(1, 2.5),)
    assert kept[1:] == (4, 9, State.FAILED, 550, "nobody", 70_000)
    assert editions.find(connection, 2) is None
    assert editions.find(connection, 3) is None


def test_editions_are_found_by_their_windows(connection: Connection) -> None:
    """Those of one subscriber that have one of the entries between, the oldest first; and the newest without a mail."""
    days = [TODAY + timedelta(days=number) for number in range(4)]
    windows = [(0, 10), (10, 20), (20, 30), (20, 40)]
    plans = [plan(1, day, after=after, upto=upto) for day, (after, upto) in zip(days, windows, strict=True)]
    plans[2] = plan(1, days[2], State.EMPTY, after=20, upto=30, matched=0)
    for one in (*plans, plan(2, after=0, upto=40)):
        insert(connection, [one])
    found = {
        (first, last): [kept.edition.slot for kept in editions.touching(connection, 1, first, last)]
        for first, last in ((1, 1), (10, 10), (11, 11), (10, 11), (21, 21), (41, 99))
    }
    assert found == {
        (1, 1): days[:1],
        (10, 10): days[:1],
        (11, 11): days[1:2],
        (10, 11): days[:2],
        (21, 21): days[3:],
        (41, 99): [],
    }
    silent = editions.silent(connection, 1, 30)
    assert silent
    assert silent[:3] == (days[2], 20, 30)
    assert editions.silent(connection, 1, 31) is None
    assert editions.silent(connection, 2, 30) is None


def test_entries_are_found_by_key_and_by_words_of_their_title(connection: Connection) -> None:
    """The newest first; a sign that means something to the database is a word's end like others."""
    listed(connection, "a", NOW, *TITLES)
    assert entries.with_keys(connection, ["doi:10.1000/r", "title:title and maps", "doi:10.1000/none"]) == [1, 3]
    found = {
        words: entries.titled(connection, keys(words)[-1].removeprefix("title:").split())
        for words in ("REWARD", "model reward", "élan", "title", "100 %", "none such")
    }
    assert found == {
        "REWARD": [2, 1],
        "model reward": [2, 1],
        "élan": [2],
        "title": [3],
        "100 %": [2],
        "none such": [],
    }
    assert entries.titled(connection, ["reward"], [1, 3]) == [1]
    assert entries.titled(connection, ["reward"], most=1) == [2]
    assert entries.titled(connection, ["reward"], []) == []


def test_a_window_ends_where_it_is_told(connection: Connection) -> None:
    """Both ends are numbers of entries."""
    listed(connection, "a", NOW, *TITLES)
    assert [entry.number for entry in entries.window(connection, 1, 2)] == [2]
    assert [entry.number for entry in entries.window(connection, 1)] == [2, 3]


def test_entries_that_came_again_are_known(connection: Connection) -> None:
    """With files loaded after the last entry of the earlier window, and no later than asked."""
    listed(connection, "a", NOW, *TITLES[:2])
    listed(connection, "b", NOW + 10, TITLES[2], TITLES[1])
    listed(connection, "c", NOW + 20, TITLES[0])
    again = [sightings.listed_again(connection, 2, until) for until in (NOW + 9, NOW + 10, NOW + 20)]
    assert again == [[], [2], [2, 1]]
    assert sightings.listed_again(connection, 3, NOW + 20) == [1]
    assert sightings.listed_again(connection, 0, NOW + 20) == []
    assert [sightings.last_listed(connection, number) for number in (1, 2, 3, 4)] == [NOW + 20, NOW + 10, NOW + 10, 0]
