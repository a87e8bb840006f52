"""Which texts a keyword hits, case by case: each file of `golden` is about one rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from matching_samples import chosen, entry, hits, profile

from digest.matching.frequencies import MOST, Frequencies
from digest.matching.text import forms
from digest.model import Entry

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    """Every line says whether its keyword hits its text, and so it is."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    wrong = []
    for line in lines:
        keyword, text = line[2:].split(" | ")
        if hits(keyword, text.replace("\\u0301", "\u0301")) != (line[0] == "+"):
            wrong.append(line)
    assert not wrong


@pytest.mark.parametrize("text", ["a rag of cloth", "RAG for all"])
def test_capitals_off(text: str) -> None:
    """A profile that does not care about capitals takes RAG in any."""
    assert hits("RAG", text, capitals=False)


@pytest.mark.parametrize(
    ("match", "text", "expected"),
    [
        ("any", "a reward", True),
        ("any", "the models", True),
        ("any", "nothing of it", False),
        ("any", "rewardmodels", True),
        ("phrase", "reward models", True),
        ("phrase", "reward-model", True),
        ("phrase", "model of reward", False),
        ("phrase", "reward of a model", False),
    ],
)
def test_what_several_words_mean(match: str, text: str, *, expected: bool) -> None:
    """`any` takes one of the words, `phrase` all of them in a row, both in any inflection."""
    assert hits("reward model", text, match) is expected  # type: ignore[arg-type]  # parametrize knows only str


def test_words_are_near_within_one_run_only() -> None:
    """A word that ends the title is not near one that begins the abstract."""
    assert chosen([entry(1, "On reward", "Models are shown")], profile("reward model")) == []


def test_fields() -> None:
    """A field's name looks there and nowhere else; without one, at title and abstract."""
    papers = [
        entry(1, "Calibration of clocks"),
        entry(2, "Clocks", "Their calibration"),
        entry(3, "Clocks that go", authors=("Cal Ibration", "Calibration Jones")),
        entry(4, "Clocks that stand", categories=("calibration",)),
        entry(5, "Clocks that strike", source="Calibration Letters"),
    ]
    assert chosen(papers, profile("title:calibration")) == [1]
    assert chosen(papers, profile("abstract:calibration")) == [2]
    assert chosen(papers, profile("author:calibration")) == [3]
    assert chosen(papers, profile("category:calibration")) == [4]
    assert chosen(papers, profile("source:calibr*")) == [5]
    assert sorted(chosen(papers, profile("calibration"))) == [1, 2]


@pytest.mark.parametrize("keyword", ["author:(ada lovelace)", 'author:"ada lovelace"'])
def test_an_author_is_one_author(keyword: str) -> None:
    """Words of an author's name must stand within one author."""
    papers = [
        entry(1, "One paper of hers", authors=("Ada King Lovelace", "Ada Lovelace")),
        entry(2, "Another by two others", authors=("Ada Byron", "Lovelace Smith")),
    ]
    assert chosen(papers, profile(keyword)) == [1]


def test_exclusions_are_per_profile() -> None:
    """An entry kept out of one profile comes through another."""
    papers = [entry(1, "A survey of reward models"), entry(2, "Reward models at work")]
    strict, wide = profile("reward", "-survey", name="strict"), profile("models", name="wide")
    assert chosen(papers, strict) == [2]
    assert sorted(chosen(papers, strict, wide)) == [1, 2]
    assert chosen(papers, profile("reward", "-(survey OR work)")) == []
    assert chosen(papers, profile("-survey")) == []


def test_empty_windows() -> None:
    """No entries, entries without any text, and profiles without keywords match nothing and break nothing."""
    for papers in ([], [entry(1)], [entry(1), entry(2, "", "abstract only")]):
        for asked in (profile(), profile("reward", "qu*", '"a b"', "/x+/", "a OR b", "-x"), profile("-x")):
            assert chosen(papers, asked) == []
    assert chosen([entry(1, "", "abstract only")], profile("abstract")) == [1]


def test_an_abbreviation_meets_its_plural() -> None:
    """`llm`, `LLM`, `llms` and `LLMs` are one word; GPS and gps keep their s."""
    assert len({forms(word).stem for word in ("llm", "LLM", "llms", "LLMs")}) == 1
    assert [forms(word).stem for word in ("GPS", "gps", "As", "CSS", "MOEs")] == ["gps", "gps", "as", "css", "moe"]


def test_one_odd_entry_does_not_change_a_words_worth() -> None:
    """A word counts at most MOST times in one entry."""
    odd = Entry(("title:odd",), "odd", "echo " * 300)
    assert Frequencies.count([odd]).by_stem["echo"].occurrences == MOST
