"""Why an entry is in an edition."""

from __future__ import annotations

from matching_samples import entry, profile, select

from digest.matching import Reader
from digest.model import Entry, Profile, Reason


def reasons(paper: Entry, *profiles: Profile) -> list[Reason]:
    (selection,) = select([paper], Reader(profiles))
    return [reason for match in selection.matches for reason in match.reasons]


def words(paper: Entry, keyword: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(reason.field, reason.words) for reason in reasons(paper, profile(keyword))]


def test_words_stand_as_in_the_text() -> None:
    """A reason's words keep the text's capitals, hyphens and inflection; words in a row are one piece."""
    paper = entry(1, "Fine-Tuning reward Models", "We fine tune. A model of reward.")
    assert words(paper, "fine-tuning") == [("title", ("Fine-Tuning",)), ("abstract", ("fine tune",))]
    assert words(paper, "reward model") == [("title", ("reward Models",)), ("abstract", ("model", "reward"))]


def test_order() -> None:
    """Reasons come in the order of profiles and keywords, then title before abstract."""
    paper = entry(1, "Alpha and beta", "beta and alpha", authors=("Ada",))
    found = reasons(paper, profile("author:ada", "beta", name="one"), profile("alpha", name="two"))
    assert [(reason.profile, reason.keyword, reason.field) for reason in found] == [
        ("one", "author:ada", "author"),
        ("one", "beta", "title"),
        ("one", "beta", "abstract"),
        ("two", "alpha", "title"),
        ("two", "alpha", "abstract"),
    ]


def test_only_qualifying_profiles_give_reasons() -> None:
    """A profile that excludes the entry says nothing for it."""
    paper = entry(1, "A survey of alpha")
    found = reasons(paper, profile("alpha", "-survey", name="strict"), profile("alpha", name="wide"))
    assert [reason.profile for reason in found] == ["wide"]


def test_the_same_keyword_in_two_profiles() -> None:
    """Each profile gives its own reason, and each of two spellings of one keyword."""
    found = reasons(entry(1, "alpha"), profile("alpha", name="one"), profile("alpha^2", "alpha", name="two"))
    assert [(reason.profile, reason.keyword) for reason in found] == [
        ("one", "alpha"),
        ("two", "alpha^2"),
        ("two", "alpha"),
    ]


def test_a_part_that_does_not_hold_is_silent() -> None:
    """Of an OR only the parts that hold give words, and what NOT names never does."""
    paper = entry(1, "cat and bird")
    assert words(paper, "(cat AND dog) OR bird") == [("title", ("bird",))]
    assert words(paper, "cat AND NOT dog") == [("title", ("cat",))]


def test_pieces_are_few_and_short() -> None:
    """At most eight different pieces for a field, each once, and a long match is cut at the end of a word."""
    paper = entry(1, "", " ".join(f"ab{letter} x" for letter in "cdefghijklmnop") + " ABC abc")
    ((_, pieces),) = words(paper, "ab*")
    assert len(pieces) == 8
    assert len({piece.lower() for piece in pieces}) == 8
    ((_, (piece,)),) = words(entry(1, "", "start " + "word " * 60 + "end"), "/start.*end/")
    assert len(piece) <= 80
    assert piece == ("start " + "word " * 15).strip()


def test_chinese_words_are_one_piece() -> None:
    """Characters in a row are one piece."""
    assert words(entry(1, "我们提出一种基于强化学习的方法"), "强化学习") == [("title", ("强化学习",))]


def test_near_words_are_those_that_are_near() -> None:
    """Words of a keyword elsewhere in the text are no reason."""
    paper = entry(1, "", "reward one two three four five six seven eight nine ten eleven a model with reward")
    assert words(paper, "reward model") == [("abstract", ("model", "reward"))]
