"""Advice on profiles that can be read."""

import pytest

from digest.model import MatchMode, Profile
from digest.profiles import Advice, lint


def reasons(*keywords: str, match: MatchMode = "near", capitals: bool = True) -> list[tuple[str, str]]:
    """The keyword and reason of each advice on a profile of these keywords."""
    return [(found.keyword, found.reason) for found in lint(Profile("p", keywords, match, capitals))]


def test_good_profile() -> None:
    """A sound profile gets no advice."""
    good = (
        "reward model",
        "model",
        "quantiz*",
        '"LoRA"',
        "RLHF DPO",
        "state of the art",
        "not invented here",
        "-survey",
    )
    assert reasons(*good) == []


def test_advice_says_what_to_do() -> None:
    """An advice names the keyword as typed, the reason and a remedy."""
    assert lint(Profile("p", ("REWARD MODEL",))) == [
        Advice("REWARD MODEL", "All in capitals, it hits capitals only", "Write reward model.")
    ]


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        (("reward model", "Reward  Model^2"), [("Reward  Model^2", "The same keyword as reward model")]),
        (("-survey", "a b", "-Survey"), [("-Survey", "The same keyword as -survey")]),
        (("survey", "-survey"), [("survey", "Never hits, for -survey excludes it")]),
        (("surveys", "-survey*"), [("surveys", "Never hits, for -survey* excludes it")]),
        (("quantiz*", "Quantization"), [("Quantization", "Covered by quantiz*")]),
        (("quantiz*", "quant*"), [("quantiz*", "Covered by quant*")]),
        (("quantiz*", "quantization^3", "title:quantization", "quantization error"), []),
        (("-survey", "-review"), [("", "All keywords are exclusions, so nothing matches")]),
        ((), []),
        (("the",), [("the", "Too broad: “the” alone hits nearly everything")]),
        (('title:"Of"',), [('title:"Of"', "Too broad: “Of” alone hits nearly everything")]),
        (("x",), [("x", "Too broad: “x” alone hits nearly everything")]),
        (("机", "title:(C++ OR C#)"), []),
        (("cats and dogs",), [("cats and dogs", "“and” in small letters is an ordinary word")]),
        (('"cats" or dogs',), [('"cats" or dogs', "“or” in small letters is an ordinary word")]),
        (('"quantiz*"',), [('"quantiz*"', "A * in quotes is no prefix sign")]),
        (("title:reward AND model",), []),
        (("the (", "the"), [("the", "Too broad: “the” alone hits nearly everything")]),
    ],
)
def test_advice(keywords: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    """Each clear case gets its advice, and its near misses none."""
    assert reasons(*keywords) == expected


def test_advice_depends_on_the_profile() -> None:
    """With match "any" each word counts alone; without capitals, capitals are only a way to write."""
    assert reasons("state of art", match="any") == [("state of art", "Too broad: “of” alone hits nearly everything")]
    assert reasons("REWARD MODEL", capitals=False) == []


def test_order() -> None:
    """Advice comes in the order of the keywords."""
    assert [keyword for keyword, _ in reasons("the", "quantized", "quantiz*", "of")] == ["the", "quantized", "of"]
