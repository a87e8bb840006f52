"""One paper, told in several listings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Entry
from digest.papers import Paper, agree, strength

DAY = date(2026, 11, 20)


def paper(*told: Entry, held: int = 0) -> Paper:
    """A paper after some listings, whose rows are numbered as they come."""
    made = Paper()
    for number, one in enumerate(told, start=1):
        made.tell(one, held, number)
    return made


def entry(**fields: Any) -> Entry:
    """One telling of the paper."""
    return replace(Entry(("title:one",), "One"), **fields)


@pytest.mark.parametrize(
    ("some", "others", "same"),
    [
        (("arxiv:1", "title:a"), ("doi:1", "title:a"), True),
        (("arxiv:1", "title:a"), ("arxiv:2", "title:a"), False),
        (("url:https://x.org/1", "title:a"), ("url:https://y.org/1", "title:a"), True),
        (("url:https://x.org/1", "title:a"), ("url:https://x.org/2", "title:a"), False),
        (("url:https://x.org/1", "title:a"), ("url:http://www.x.org/1", "title:a"), True),
        (("url:https://x.org/1", "doi:1", "title:a"), ("url:https://x.org/2", "doi:1", "title:a"), True),
        (("title:a",), ("title:b",), True),
    ],
)
def test_identifiers_of_one_kind_contradict(some: tuple[str, ...], others: tuple[str, ...], same: bool) -> None:
    """Titles and addresses may differ, but not addresses on one host where only the title is the same."""
    assert agree(some, others) is agree(others, some) is same


def test_the_strongest_key_is_a_doi_and_the_weakest_a_title() -> None:
    """Whatever the order in which they were seen; a kind that nobody knows comes last."""
    seen = ["title:a", "x:1", "url:u", "arxiv:1", "acl:1", "doi:1", "openreview:1"]
    kinds = [key.partition(":")[0] for key in sorted(seen, key=strength)]
    assert kinds == ["doi", "arxiv", "openreview", "acl", "url", "title", "x"]


def test_a_row_gains_what_it_lacked_and_keeps_what_it_had() -> None:
    """While no edition can hold it."""
    told = paper(entry(url="https://a.example"), entry(url="https://b.example", abstract="Text.", votes=3))
    assert told.rows == [entry(url="https://a.example", abstract="Text.", votes=3, number=1)]


def test_a_row_that_editions_may_hold_stays_as_it_is() -> None:
    """A mail that is tried again is the same; the version, which it does not show, is noted."""
    told = paper(entry(abstract="Text."), entry(votes=3, version=2), held=1)
    assert told.rows == [entry(abstract="Text.", version=2, number=1)]


def test_the_first_abstract_is_worth_a_row_of_its_own_then() -> None:
    """Keywords that did not hit the title may hit it; a second one is worth none."""
    told = paper(entry(votes=3), entry(abstract="Text."), entry(abstract="Other text."), held=2)
    assert told.rows == [entry(votes=3, number=1), entry(abstract="Text.", votes=3, number=2, first=1)]


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ({"version": 1}, {"version": 2}, 2),
        ({"version": 1}, {"version": 2, "updated": True}, 2),
        ({"version": 2}, {"version": 1}, 1),
        ({"version": 2}, {"version": 2, "updated": True}, 1),
        ({}, {"version": 4}, 1),
        ({}, {"updated": True}, 2),
        ({"version": 1}, {"updated": True}, 2),
    ],
)
def test_a_higher_version_or_an_announcement_is_an_update(
    before: dict[str, Any], after: dict[str, Any], rows: int
) -> None:
    """A version that is only now known is none, nor is one that is known already."""
    told = paper(entry(abstract="Text.", **before), entry(**after))
    assert [row.updated for row in told.rows] == [False, True][:rows]
    assert told.rows[-1].abstract == "Text."
    assert told.rows[-1].version == after.get("version", 0) or rows == 1


@pytest.mark.parametrize(("days", "rows"), [(0, 2), (3, 2), (-2, 2), (4, 3)])
def test_an_announcement_that_comes_by_two_ways_is_one(days: int, rows: int) -> None:
    """The mail names no version, the feed does, and their days differ by a little."""
    mail, feed = entry(updated=True, published=DAY), entry(updated=True, published=DAY + timedelta(days), version=2)
    assert len(paper(entry(), mail, feed).rows) == rows


def test_announcements_by_one_way_are_one_if_they_are_of_one_day() -> None:
    """The third version may come two days after the second."""
    two, three = entry(updated=True, published=DAY), entry(updated=True, published=DAY + timedelta(2))
    assert len(paper(entry(), two, two).rows) == 2
    assert len(paper(entry(), two, three).rows) == 3


def test_a_real_address_takes_the_place_of_one_that_was_made_up() -> None:
    """One made of the title or of an identifier is no key."""
    made_up = entry(url="https://search.example/?q=One")
    real = entry(keys=("url:https://a.example/1", "title:one"), url="https://a.example/1")
    assert paper(made_up, real).rows[0].url == paper(real, made_up).rows[0].url == "https://a.example/1"
    assert paper(made_up, real, held=1).rows[0].url == "https://search.example/?q=One"


def test_an_announced_version_counts_one_more() -> None:
    """So the same version, named later by another listing, is no news."""
    announced = entry(version=1), entry(updated=True, published=DAY)
    assert len(paper(*announced, entry(version=2)).rows) == 2
    assert len(paper(*announced, entry(version=3)).rows) == 3


def test_a_paper_known_by_updates_only_is_told_when_it_is_listed() -> None:
    """Those who want no updates have never heard of it."""
    told = paper(entry(updated=True, version=3, abstract="Text."), entry(votes=9))
    assert [(row.updated, row.votes, row.abstract, row.first) for row in told.rows] == [
        (True, None, "Text.", 0),
        (False, 9, "Text.", 1),
    ]


def test_two_papers_become_one_with_the_lower_number() -> None:
    """The later one's rows stay, for editions name them; the first one gains, unless it is held."""
    for held, gained in ((0, "Text."), (1, "")):
        one, other = Paper({"url:u"}, [entry(number=1)]), Paper({"arxiv:1"}, [entry(number=4, abstract="Text.")])
        one.take_in(other, held)
        assert (one.root, one.keys) == (1, {"url:u", "arxiv:1"})
        assert one.rows == [entry(number=1, abstract=gained), entry(number=4, abstract="Text.", first=1)]


tellings = st.builds(
    entry,
    abstract=st.sampled_from(("", "Text.", "Other.")),
    votes=st.none() | st.integers(0, 3),
    version=st.integers(0, 3),
    updated=st.booleans(),
    published=st.none() | st.dates(DAY, DAY + timedelta(9)),
)


@given(st.lists(tellings, min_size=1, max_size=8), st.integers(0, 8))
def test_telling_the_same_again_adds_nothing(told: list[Entry], held: int) -> None:
    """Whatever was listed, the same listing a second time makes no row and changes none that editions may hold."""
    known = paper(*told, held=held)
    before = [row for row in known.rows if row.number <= held]
    further = [known.tell(one, held, 100) for one in told[-1:]]
    assert further == [False]
    assert [replace(row, version=0) for row in before] == [
        replace(row, version=0) for row in known.rows if row.number <= held
    ]
