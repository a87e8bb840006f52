"""What holds for any text and any keyword."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_samples import history, profile
from numpy.typing import NDArray

from digest.errors import QueryError
from digest.matching import Reader, Selector
from digest.matching.index import Window
from digest.matching.rank import in_tie_order
from digest.matching.search import Sense
from digest.matching.sums import Few
from digest.matching.table import Table
from digest.model import Entry, Profile
from digest.profiles import parse

WORDS = [
    "alpha",
    "Alpha",
    "ALPHA",
    "alphas",
    "beta",
    "gamma",
    "gam",
    "ma",
    "alpha-beta",
    "alphabeta",
    "the",
    "of",
    "BETAs",
]
SIGNS = [" ", " ", "-", ", ", "\u2010", "'s ", "强", "化", "٣", "½", "e\u0301", "ﷺ", "\u0000", "#", "++", "_", "é"]
text = st.lists(st.sampled_from(WORDS + SIGNS), max_size=25).map("".join) | st.text(max_size=30)
entries = st.lists(
    st.builds(
        lambda title, abstract, authors, source: Entry(("k",), title, abstract, tuple(authors), source=source),
        text,
        text,
        st.lists(text, max_size=2),
        text,
    ),
    max_size=5,
).map(lambda papers: [replace(paper, keys=(f"k{n}",), number=n) for n, paper in enumerate(papers, start=1)])

unit = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"~3'),
    st.sampled_from(
        ["al*", "alpha-b*", "alphab*", "强化", "/a.*a/", "/[^a]+/", "title:alpha", "author:beta", "source:(a OR the)"]
    ),
    text,
)
keyword = st.one_of(
    unit,
    unit.map(lambda one: f"-({one})"),
    unit.map(lambda one: f"({one})^2"),
    st.tuples(unit, unit, unit).map(lambda three: "({}) AND (({}) OR NOT ({}))".format(*three)),
    st.tuples(unit, unit, unit).map(lambda three: "({}) OR (({}) NOT ({}))".format(*three)),
)


def readable(keywords: list[str]) -> tuple[str, ...]:
    kept = []
    for each in keywords:
        try:
            parse(each)
        except QueryError:
            continue
        kept.append(each)
    return tuple(kept)


profiles = st.builds(
    Profile,
    st.sampled_from(["one", "two"]),
    st.lists(keyword, min_size=1, max_size=5).map(readable),
    st.sampled_from(["near", "any", "phrase"]),
    st.booleans(),
)


def scores(table: Table, row: int) -> NDArray[np.float32]:
    """What a row scores in each column."""
    known = table.evaluated()
    one, bounds = np.array([row]), np.array([0, 1])
    (found,) = Few(known, len(table.window.entries)).of(one, bounds)
    return np.asarray(found, dtype=np.float32)


SEEN = history(200, alpha=40, beta=10, gamma=3)


@given(entries, st.lists(profiles, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_reasons_are_true(papers: list[Entry], asked: list[Profile]) -> None:
    """Any entries and keywords: nothing is raised, each match has a reason, and its words stand in that field."""
    (selection,) = Selector(papers, SEEN).select([Reader(tuple(asked))], more=0)
    known = {paper.number: paper for paper in papers}
    assert selection.matched == len(selection.matches)
    for match in selection.matches:
        paper = known[match.entry]
        fields = {
            "title": (paper.title,),
            "abstract": (paper.abstract,),
            "author": paper.authors,
            "source": (paper.source,),
        }
        assert match.reasons
        assert match.score >= 0
        for reason in match.reasons:
            assert 1 <= len(reason.words) <= 8
            assert all(any(word in run for run in fields[reason.field]) for word in reason.words)


@given(entries, st.lists(profiles, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_together_as_one_by_one(papers: list[Entry], asked: list[Profile]) -> None:
    """Many keywords evaluated together have the numbers that each has alone."""
    window = Window(in_tie_order(papers))
    together = Table(window, SEEN)
    for each in asked:
        for keyword, row in zip(each.keywords, together.numbers(each), strict=True):
            alone = Table(window, SEEN)
            (only,) = alone.numbers(profile(keyword, match=each.match, capitals=each.capitals))
            assert (together.evaluated().bits[row] == alone.evaluated().bits[only]).all()
            difference = abs(scores(together, row) - scores(alone, only))
            assert (difference <= 1e-4 * (1 + scores(alone, only))).all()


@given(entries, profiles)
@settings(max_examples=100, deadline=None)
def test_operators_are_logic(papers: list[Entry], asked: Profile) -> None:
    """AND, OR and NOT of two keywords hit what the sets of entries say."""
    search = Table(Window(papers), SEEN).search
    sense = Sense.of(asked.match, capitals=asked.capitals)

    def hit(keyword: str) -> set[int]:
        return set(search.window.column[search.find([(parse(keyword).query, sense)]).pieces.first].tolist())

    units = [str(parse(each).query) for each in asked.keywords if not parse(each).excluded]
    for one, other in pairwise(units):
        both, either, without = f"({one}) AND ({other})", f"({one}) OR ({other})", f"({one}) AND NOT ({other})"
        if readable([both, either, without]) == (both, either, without):
            assert hit(both) == hit(one) & hit(other)
            assert hit(either) == hit(one) | hit(other)
            assert hit(without) == hit(one) - hit(other)
