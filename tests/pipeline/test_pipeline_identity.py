"""One paper told several times: nobody gets it twice, nobody loses it, and updates go to those who asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from digest.model import Entry, Listing, Profile, State, Subscriber
from digest.planning import Policy, plan
from digest.store import contents, entries, filing, subscribers
from digest.store.contents import SHOWN
from digest.store.schema import editions
from digest.store.store import Store
from digest.store.subscribers import Named

NOW, DAY = 1_795_158_000, 86_400
ALWAYS = Policy(first_days=7, stale_seconds=0, skip=(), calendars=lambda _: {})
KEYS = ("arxiv:2611.00001", "title:quiet graphs")
PAPER = Entry(KEYS, "Quiet graphs", version=1)


def reader(name: str, **wishes: Any) -> Named:
    """Somebody who wants graphs."""
    return Named(name, Subscriber(name, (Profile("Digest", ("quiet graph", "reward model")),), **wishes))


def day(store: Store, number: int, *listed: Entry) -> None:
    """A day: a listing comes, and everybody's edition is planned."""
    now = NOW + number * DAY
    with store.write() as connection:
        file = entries.File(f"{number}", f"{number}", 1, 1)
        filing.save(connection, file, Listing("json", listed), now)
        people = [reader("ada"), reader("bao", updates=True), reader("weekly", cadence=WEEKLY)]
        subscribers.put(connection, people, NOW, 7)
    plan(store, now, ALWAYS, lambda: True)


WEEKLY = replace(Subscriber("", ()).cadence, days="sun")


def got(store: Store) -> dict[str, list[list[int]]]:
    """For each reader the entries of their editions."""
    found: dict[str, list[list[int]]] = {"ada": [], "bao": [], "weekly": []}
    with store.read() as connection:
        filled = SHOWN.where(editions.c.state != State.EMPTY).order_by(editions.c.slot)
        for one in contents.read(connection, connection.execute(filled)):
            found[one.email].append([match.entry for match in one.matches])
    return found


@pytest.fixture(autouse=True)
def _everything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Editions that wait would be taken into the next one."""
    monkeypatch.setattr("digest.store.editions.WAITING", editions.c.id < 0)


def test_a_new_version_goes_to_those_who_asked_for_updates(store: Store) -> None:
    """The others have it once; who has never had it gets the entry itself, and no update of it."""
    day(store, 0, PAPER)
    day(store, 1, replace(PAPER, version=2))
    day(store, 2)  # a Sunday
    assert got(store) == {"ada": [[1]], "bao": [[1], [2]], "weekly": [[1]]}
    with store.read() as connection:
        counts = connection.execute(select(editions.c.matched, editions.c.considered)).all()
    assert all(matched <= considered for matched, considered in counts)


def test_an_update_of_a_paper_from_before_our_time_is_no_news(store: Store) -> None:
    """Until a listing names it otherwise: then all get it who have not."""
    day(store, 0, replace(PAPER, version=5, updated=True))
    assert got(store) == {"ada": [], "bao": [[1]], "weekly": []}
    day(store, 1, replace(PAPER, version=5, votes=40))
    day(store, 2)
    assert got(store) == {"ada": [[2]], "bao": [[1]], "weekly": [[2]]}


def test_a_title_that_gets_its_abstract_later_reaches_those_whom_it_did_not_match(store: Store) -> None:
    """Whoever had the title is not bothered again."""
    bare = Entry(("title:quiet graphs",), "Quiet graphs")
    other = Entry(("title:lighthouses",), "Lighthouses")
    day(store, 0, bare, other)
    day(store, 1, replace(bare, abstract="Text."), replace(other, abstract="They need a reward model."))
    assert got(store) == {"ada": [[1], [4]], "bao": [[1], [4]], "weekly": []}
    day(store, 2)
    assert got(store)["weekly"] == [[3, 4]]


def test_papers_that_turn_out_to_be_one_are_not_sent_twice(store: Store) -> None:
    """Neither to those who had one of them nor in one edition."""
    day(store, 0, Entry(("url:u", "title:quiet graphs"), "Quiet graphs"))
    day(
        store,
        1,
        Entry(("arxiv:1", "title:silent graphs"), "Silent graphs, quiet graphs"),
        Entry(("arxiv:1", "url:u"), "-"),
    )
    day(store, 2)
    assert got(store) == {"ada": [[1]], "bao": [[1]], "weekly": [[2]]}
