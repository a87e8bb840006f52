"""The words seen before a mail is opened, and how keywords are named."""

from __future__ import annotations

from datetime import date

import pytest

from digest.rendering.cards import Label, authors, label
from digest.rendering.subject import long_date, preheader, subject, summary

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("matched", "keywords", "expected"),
    [
        (7, ["reward model", "LoRA"], "7 new papers: reward model, LoRA — 20 Nov"),
        (1, ["LoRA"], "1 new paper: LoRA — 20 Nov"),
        (1200, ["a", "A", "b", "c", "d"], "1,200 new papers: a, b, c — 20 Nov"),
        (7, [], "7 new papers — 20 Nov"),
        (7, ["x" * 90, "short"], "7 new papers: short — 20 Nov"),
        (7, ["a" * 30, "b" * 30, "c"], f"7 new papers: {'a' * 30}, c — 20 Nov"),
    ],
)
def test_subject(matched: int, keywords: list[str], expected: str) -> None:
    """It counts, names up to three different keywords, best first, ends with the day, and has at most 78 characters."""
    assert subject(matched, keywords, DAY) == expected
    assert len(expected) <= 78


@pytest.mark.parametrize(
    ("keyword", "field", "expected"),
    [
        ("reward model", "title", Label("reward model", "")),
        ("diffusion^2.5", "abstract", Label("diffusion", "")),
        ('"reward model"^2', "abstract", Label("reward model", "")),
        ('"noisy labels"~5', "title", Label('"noisy labels"~5', "")),
        ('author:"Ada"', "author", Label("Ada", "author")),
        ("Ada", "author", Label("Ada", "author")),
        ("title:calibration", "title", Label("calibration", "")),
        ("(a OR b)^2", "title", Label("a OR b", "")),
        ("(a OR b) AND (c OR d)", "title", Label("(a OR b) AND (c OR d)", "")),
        ("category:", "title", Label("category:", "")),
    ],
)
def test_labels(keyword: str, field: str, expected: Label) -> None:
    """A keyword is shown without weight, quotes and field prefix; its field is named unless it is title or abstract."""
    assert label(keyword, field) == expected


def test_authors() -> None:
    """Three names are shown, and the others counted."""
    assert authors(()) == ""
    assert authors(("A", "B", "C")) == "A, B, C"
    assert authors(("A", "B", "C", "D")) == "A, B, C and 1 other"
    assert authors("ABCDE") == "A, B, C and 2 others"


def test_sentences_agree_in_number() -> None:
    """One paper matches, several match."""
    assert summary(7, 1217) == "7 of 1,217 new papers match your keywords"
    assert summary(1, 2) == "1 of 2 new papers matches your keywords"
    assert summary(1, 1) == "1 of 1 new paper matches your keywords"
    assert long_date(DAY) == "Friday, 20 November 2026"
    assert preheader(["One", "Two"]) == "One · Two"
    assert len(preheader(["word " * 50])) <= 140
