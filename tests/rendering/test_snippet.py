"""Which stretch of an abstract is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.clean import clean
from digest.rendering.marks import hits
from digest.rendering.snippet import LONGEST, snippet

FILLER = "Nothing of note stands in this sentence, which is here to take up room and no more. "


def test_a_short_abstract_is_whole() -> None:
    """Up to 420 characters nothing is cut."""
    assert snippet("A short one.", ()) == "A short one."


def test_without_a_hit_it_is_the_beginning() -> None:
    """The first sentences, ended with a sentence and an ellipsis."""
    shown = snippet(FILLER.strip() + " " + FILLER * 9, ())
    assert shown.startswith("Nothing")
    assert shown.endswith("no more.\u00a0…")


def test_it_is_chosen_around_the_densest_hits() -> None:
    """A window with two different hit words wins over an earlier one with one; it begins with a sentence."""
    text = FILLER * 3 + "A reward stands here. " + FILLER * 8 + "Here a reward meets calibration at last. " + FILLER * 6
    text = clean(text)
    shown = snippet(text, hits(text, ["reward", "calibration"]))
    assert "reward meets calibration" in shown
    assert shown.startswith("…\u00a0")
    assert shown[2:].startswith(("Nothing", "Here"))


def test_a_hit_deep_in_one_endless_sentence_is_shown() -> None:
    """Where no sentence begins near the hit, a word does."""
    text = "word " * 400 + "calibration " + "word " * 400
    shown = snippet(text.strip(), hits(text, ["calibration"]))
    assert "calibration" in shown
    assert shown.startswith("…\u00a0word")
    assert shown.endswith("word…")


def test_chinese_text_is_cut_too() -> None:
    """Text without spaces is cut at a sentence, or between two characters."""
    text = "奖励模型的校准" * 200
    assert len(snippet(text, hits(text, ["校准"]))) <= LONGEST + 4
    assert snippet(("奖励模型的校准" * 10 + "。") * 20, ()).endswith("。\u00a0…")


@given(st.text("ab. é奖,", max_size=1200), st.lists(st.sampled_from(["a", "ab", "奖", "b é"]), max_size=3))
def test_any_snippet_is_a_part_of_the_text(text: str, words: list[str]) -> None:
    """Whatever the text, the snippet is a stretch of it of decent length."""
    text = clean(text)
    shown = snippet(text, hits(text, words))
    assert shown.strip("…\u00a0") in text
    assert len(shown) <= LONGEST + 4
