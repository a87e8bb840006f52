"""What is taken out of listing text before anything is done with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.clean import clean, cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\tc", "a b c"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("pay\u202egnp.exe", "paygnp.exe"),
        ("\u2066x\u2069", "x"),
        ("\x00a\x1b[31mb\x7f", "a[31mb"),
        ("\ue000cards\ue001", "cards"),
        ("\ud800x\ufeff", "x"),
        ("שלום 奖励 é", "שלום 奖励 é"),
    ],
)
def test_clean_removes(text: str, expected: str) -> None:
    """Controls, overrides, slot markers and odd white space go; letters of every script stay."""
    assert clean(text) == expected


@given(st.text())
def test_clean_text_is_encodable_and_stays_as_it_is(text: str) -> None:
    """Cleaning twice is cleaning once, and the result is one line of valid UTF-8."""
    once = clean(text)
    assert clean(once) == once
    assert len(once.encode().splitlines()) <= 1
    assert not any("\ue000" <= letter <= "\uf8ff" for letter in once)


@given(st.text(), st.integers(2, 60))
def test_cut_is_a_beginning(text: str, limit: int) -> None:
    """A cut text fits, and is the text itself or a beginning of it with an ellipsis."""
    text = clean(text)
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_cut_ends_with_a_word() -> None:
    """A word is not cut where a space is near."""
    assert cut("reward models are learned", 16) == "reward models…"
