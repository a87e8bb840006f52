"""What came near, and what it lacked; held against the search itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matching_samples import GREEK, chosen, entry, history, profile

from digest.matching.misses import MOST, Misses
from digest.model import Entry, MatchMode

TEXT = "We let a reward decide for once. " + "Words go by and by, and on. " * 3 + "In the end a model agrees."


def asked(*found: Entry, **seen: int) -> Misses:
    """Entries to be asked; `seen`: in how many of 1000 entries a stem stands."""
    return Misses(found, history(**seen))


def missed(keyword: str, found: Entry, match: MatchMode = "near") -> str:
    """What a keyword lacks on an entry ("": it hits, or nothing came near)."""
    (words,) = [one.words for one in asked(found).of(found.number, [profile(keyword, match=match)])] or [""]
    return words


@pytest.mark.parametrize(
    ("keyword", "title", "words"),
    [
        ("reward model", "A reward for all", "reward hits, model does not"),
        ("reward model learning", "Models of learning", "model and learning hit, reward does not"),
        ("reward model", "Cooking", ""),
        ("reward model", "Reward models", ""),
        ("state of art", "Of mice", ""),
        ("RAG", "A rag for the kitchen", "“rag” stands there, but RAG wants capitals"),
        ("RAG survey", "Rags, surveyed", "“Rags” stands there, but RAG wants capitals"),
        ('"reward model"', "Reward models", "“Reward models” is not exactly “reward model”"),
        ('"reward model"', "A model of reward", "its words stand there, but not side by side in this order"),
        ('"reward model"', "A reward", "reward hits, model does not"),
        ('"reward model"~2', "reward of a model", "its words stand within 4 words, 3 are the most"),
        ("graph AND transformer", "Graphs", "graph hits, transformer does not"),
        ("graph AND NOT survey", "A survey of graphs", "it would hit, but for NOT survey"),
        ("graph AND NOT survey", "A survey", ""),
        ("(deep graph) OR RAG", "A graph", "graph hits, deep does not"),
        ("(deep graph) OR RAG", "A graph in rags", "“rags” stands there, but RAG wants capitals"),
        ("graph*", "A hypergraph", ""),
        ("/gr.ph/", "A tree", ""),
    ],
)
def test_what_a_keyword_lacks_is_said(keyword: str, title: str, words: str) -> None:
    """For every kind of query; nothing is said of one that hits or of which nothing is there."""
    assert missed(keyword, entry(1, title)) == words


def test_words_that_nearly_all_entries_have_say_too_little() -> None:
    """Alone; beside another they are told."""
    seen = {"model": 500, "reward": 20}
    assert asked(entry(1, "A model"), **seen).of(1, [profile("reward model", "model AND reward")]) == ()
    (one,) = asked(entry(1, "A reward model"), **seen).of(1, [profile("deep reward model")])
    assert one.words == "reward and model hit, deep does not"
    (one,) = asked(entry(1, "A reward"), **seen).of(1, [profile("reward model")])
    assert one.words == "reward hits, model does not"


def test_words_too_far_apart_are_told_with_their_distance() -> None:
    """The shortest stretch, and the most that would do; or where each stands, if they share no text."""
    assert missed("reward model", entry(1, "", TEXT)) == "its words stand within 30 words, 10 are the most"
    apart = entry(1, "A reward", "A model")
    assert missed("reward model", apart) == "its words stand far apart: reward in the title, model in the abstract"


def test_words_that_must_follow_each_other_are_told_so() -> None:
    """In a profile that asks for them in a row."""
    found = entry(1, "A model of reward")
    assert missed("reward model", found, "phrase") == "its words stand there, but not side by side in this order"


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("title:calibration", "it stands in the abstract, not in the title"),
        ("title:(calibration OR RAG)", "it stands in the abstract, not in the title"),
        ("Lovelace", "it stands in the author, not in the title or abstract"),
        ("title:calib*", "it stands in the abstract, not in the title"),
        ("category:cs", ""),
    ],
)
def test_the_field_in_which_it_stands_is_named(keyword: str, words: str) -> None:
    """For fields asked for, and for those where nobody looks without being asked."""
    assert missed(keyword, entry(1, "A paper", "On calibration.", authors=("Ada Lovelace",))) == words


def test_the_nearest_come_first_and_no_more_than_three() -> None:
    """What only stands elsewhere before what lacks a word; exclusions and unreadable keywords say nothing."""
    found = entry(1, "A reward for rags", "The rest is cooking.")
    wanted = profile("deep reward", "title:cooking", "reward model", "RAG", "reward of deep models", "-rest", "(")
    near = asked(found).of(1, [wanted])
    assert [one.keyword for one in near] == ["title:cooking", "RAG", "deep reward"]
    assert len(near) == MOST


def test_entries_are_told_apart() -> None:
    """Several are asked together, each for itself, in every profile."""
    several = asked(entry(1, "A reward"), entry(7, "A model"), entry(3, "Nothing"))
    both = [profile("reward model"), profile("model*s", "graph model", name="other")]
    assert [one.words for one in several.of(1, both)] == ["reward hits, model does not"]
    assert [one.profile for one in several.of(7, both)] == ["mine", "other"]
    assert several.of(3, both) == ()


WORD = st.sampled_from(GREEK[:5])
UNIT = WORD | WORD.map(str.upper) | st.lists(WORD, min_size=2, max_size=3).map(" ".join)
QUERY = st.recursive(
    UNIT | UNIT.map('"{}"'.format) | UNIT.map('"{}"~1'.format) | UNIT.map("title:({})".format),
    lambda inner: (
        st.builds("({}) AND ({})".format, inner, inner)
        | st.builds("({}) OR ({})".format, inner, inner)
        | st.builds("({}) AND NOT gamma".format, inner)
    ),
    max_leaves=4,
)
TEXTS = st.lists(WORD | WORD.map(str.upper), max_size=14).map(" ".join)


@given(QUERY, TEXTS, TEXTS, st.sampled_from(["near", "any", "phrase"]))
def test_a_keyword_comes_near_only_where_it_does_not_hit(
    keyword: str, title: str, abstract: str, match: MatchMode
) -> None:
    """Whatever it is made of, the match engine has the last word."""
    found, wanted = entry(1, title, abstract), profile(keyword.replace("title:(title:", "(title:"), match=match)
    if asked(found).of(1, [wanted]):
        assert chosen([found], wanted) == []
