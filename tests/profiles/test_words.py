"""Queries said in plain English."""

import pytest

from digest.model import MatchMode
from digest.profiles import in_words, parse


@pytest.mark.parametrize(
    ("keyword", "match", "said"),
    [
        ("reward model", "near", "reward and model near each other, in any form"),
        ("large language model", "near", "large, language and model near each other, in any form"),
        ("reward model", "any", "reward or model, in any form"),
        ("reward model", "phrase", "reward model, adjacent and in this order, in any form"),
        ("model", "near", "model, in any form"),
        ("RAG", "near", "RAG, in capitals"),
        ('"reward model"', "near", "exactly “reward model”"),
        ('"LoRA"', "near", "exactly “LoRA”, with these capitals"),
        ('"noisy labels"~5', "near", "the words of “noisy labels” within 5 words of each other"),
        ("quantiz*", "near", "words that begin with quantiz"),
        ("/re.*gex/", "near", "text that fits the pattern /re.*gex/"),
        ("title:calibration", "near", "(calibration, in any form) in the title"),
        ('title:"reward model"', "near", "exactly “reward model” in the title"),
        ("diffusion -survey", "near", "(diffusion, in any form) but not (survey, in any form)"),
        ('NOT "b" AND "a"', "near", "exactly “a” but not exactly “b”"),
        ('("a" OR "b") AND ab*', "near", "(exactly “a” or exactly “b”) and words that begin with ab"),
        ("diffusion^2.5", "near", "diffusion, in any form; counts 2.5 times"),
        ("-survey", "near", "no entry with survey, in any form"),
    ],
)
def test_in_words(keyword: str, match: MatchMode, said: str) -> None:
    """Each shape of a query has its own plain sentence."""
    assert in_words(parse(keyword), match) == said
