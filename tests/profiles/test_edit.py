"""Changes to a profile by program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import QueryError
from digest.model import Profile
from digest.profiles import check, parse
from digest.profiles.edit import added, asking, bare, find, weighted, without

TYPED = ("reward  model", 'Author:"Ada Brandt"^2', "calibrat*", "-survey", "a OR (b AND NOT c) ^0.5", '"never closed')
PROFILE = Profile("Papers", TYPED, "any", capitals=False)
BEFORE_WEIGHT = st.sampled_from(
    ("graph", "graph transformer", '"x^2 y"', "/re.*gex/", "quantiz*", "title:(a b)", '"a b"~5', "a -b", "C++")
)


@pytest.mark.parametrize(
    ("keyword", "weight", "after"),
    [
        ("reward  model", 1.5, "reward  model^1.5"),
        ('Author:"Ada Brandt"^2', 3, 'Author:"Ada Brandt"^3'),
        ('Author:"Ada Brandt"^2', 1, 'Author:"Ada Brandt"'),
        ("a OR (b AND NOT c) ^0.5", 0.25, "a OR (b AND NOT c)^0.25"),
        ("calibrat*", 1 / 3, "calibrat*^0.333"),
        ("calibrat*", 0.0001, "calibrat*^0.001"),
    ],
)
def test_a_weight_is_put_in_place_of_another(keyword: str, weight: float, after: str) -> None:
    """What was typed before it stays as it was, and so do the other keywords and settings."""
    changed = weighted(PROFILE, keyword, weight)
    assert changed.keywords == tuple(after if typed == keyword else typed for typed in TYPED)
    assert (changed.name, changed.match, changed.capitals) == ("Papers", "any", False)


@given(BEFORE_WEIGHT, st.floats(0.001, 100), st.floats(0.001, 100))
def test_any_weight_can_be_read_back(keyword: str, first: float, second: float) -> None:
    """The query stays the same, the last weight counts, and there is one only."""
    once = weighted(Profile("p", (keyword,)), keyword, first)
    (typed,) = weighted(once, once.keywords[0], second).keywords
    assert parse(typed).query == parse(keyword).query
    assert parse(typed).weight == pytest.approx(second, abs=0.0006)
    assert bare(typed) == keyword


def test_a_keyword_that_cannot_be_read_takes_no_weight() -> None:
    """The error is the grammar's own."""
    with pytest.raises(QueryError, match="never closed"):
        weighted(PROFILE, '"never closed', 2)


def test_a_keyword_is_taken_out() -> None:
    """It alone, as typed; one that is not there takes nothing with it."""
    assert without(PROFILE, "calibrat*").keywords == tuple(typed for typed in TYPED if typed != "calibrat*")
    assert without(PROFILE, "calibrat") == PROFILE


def test_a_keyword_is_added_once() -> None:
    """At the end, unless one asks for the same, whatever its weight; to ask and to exclude are two things."""
    assert added(PROFILE, "graph").keywords == (*TYPED, "graph")
    assert added(PROFILE, 'author:"Ada Brandt"') == PROFILE
    assert added(PROFILE, "survey").keywords == (*TYPED, "survey")
    assert added(PROFILE, "-survey") == PROFILE


def test_a_keyword_is_found_by_what_it_asks_for() -> None:
    """Spaces and weight aside; what cannot be read is never found."""
    assert find(PROFILE, "reward model^3") == "reward  model"
    assert find(PROFILE, "model reward") is None
    assert find(PROFILE, "survey") is None
    assert find(PROFILE, '"never closed') is None


def test_keywords_that_ask_for_something() -> None:
    """Neither exclusions nor what cannot be read."""
    assert asking(PROFILE) == (*TYPED[:3], TYPED[4])


def test_what_is_changed_is_as_sound_as_before() -> None:
    """No change makes a keyword that cannot be read."""
    for changed in (weighted(PROFILE, TYPED[0], 7.1), without(PROFILE, TYPED[1]), added(PROFILE, '-"a b"')):
        assert [fault.keyword for fault in check(changed)] == ['"never closed']
