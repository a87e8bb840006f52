"""The words seen before a mail is opened, and how keywords are named."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.cards import MONTHS, Label, authors, label
from digest.rendering.subject import long_dates, preheader, short_dates, subject, summary

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
    assert subject(matched, keywords, DAY, DAY) == expected
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
    assert preheader(["One", "Two"]) == "One · Two"
    assert len(preheader(["word " * 50])) <= 140


@pytest.mark.parametrize(
    ("since", "day", "long", "short"),
    [
        (DAY, DAY, "Friday, 20 November 2026", "20 Nov"),
        (date(2026, 11, 16), DAY, "16~–~20~November~2026", "16–20 Nov"),
        (date(2026, 10, 28), date(2026, 11, 3), "28~October~– 3~November~2026", "28 Oct–3 Nov"),
        (date(2026, 12, 28), date(2027, 1, 2), "28~December~2026~– 2~January~2027", "28 Dec 2026–2 Jan 2027"),
        (date(2025, 11, 20), DAY, "20~November~2025~– 20~November~2026", "20 Nov 2025–20 Nov 2026"),
    ],
)
def test_dates(since: date, day: date, long: str, short: str) -> None:
    """One day has its weekday; a range says once what both its dates share, and breaks only behind the dash."""
    assert long_dates(since, day) == long.replace("~", "\u00a0")
    assert short_dates(since, day) == short
    assert subject(2, ["LoRA"], since, day) == f"2 new papers: LoRA — {short}"


dates = st.dates(date(1000, 1, 1), date(9000, 12, 31))
spans = st.integers(0, 800).map(timedelta)
SAID = re.compile(rf"(?:(\d+)(?: ({'|'.join(MONTHS)}))?(?: (\d+))? – )?(\d+) ({'|'.join(MONTHS)}) (\d+)")


@given(dates, spans)
def test_any_dates_can_be_read_back(since: date, span: timedelta) -> None:
    """Whatever the range, its words tell both dates, and both years where they differ."""
    day = since + span
    found = SAID.search(long_dates(since, day).replace("\u00a0", " "))
    assert found
    last = date(int(found[6]), MONTHS.index(found[5]) + 1, int(found[4]))
    first = last.replace(
        year=int(found[3] or last.year),
        month=MONTHS.index(found[2]) + 1 if found[2] else last.month,
        day=int(found[1] or last.day),
    )
    assert (first, last) == (since, day)
    for dated in (long_dates(since, day), short_dates(since, day)):
        assert since.year == day.year or {str(since.year), str(day.year)} <= set(re.findall(r"\d{4}", dated))


@given(st.integers(1, 10**7), st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)), dates, spans)
def test_any_subject_fits(matched: int, keywords: list[str], since: date, span: timedelta) -> None:
    """Whatever the keywords and the range, a subject has at most 78 characters and ends with its dates."""
    line = subject(matched, keywords, since, since + span)
    assert len(line) <= 78
    assert line.endswith(f" — {short_dates(since, since + span)}")
