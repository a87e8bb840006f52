"""Which parts of a text are marked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.clean import clean
from digest.rendering.marks import hits, parts


def marked(text: str, *words: str) -> str:
    return "".join(f"[{part.text}]" if part.marked else part.text for part in parts(text, hits(text, words)))


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Reward models and a reward model", ["reward model"], "Reward models and a [reward model]"),
        ("Reward models and a reward model", ["Reward models"], "[Reward models] and a reward model"),
        ("REWARD MODELS", ["reward models"], "[REWARD MODELS]"),
        ("Tor and FileStoreConfig", ["Tor"], "[Tor] and FileStoreConfig"),
        ("RAG, not rag", ["RAG"], "[RAG], not rag"),
        ("reward model training", ["reward model", "model training"], "[reward model training]"),
        ("奖励模型的校准", ["模型"], "奖励[模型]的校准"),
        ("C++ and C", ["C++"], "[C++] and C"),
        ("a (b) c", ["(b)"], "a [(b)] c"),
        ("two  lines", ["two\n lines"], "two  lines"),
        ("nothing", ["", "\x00"], "nothing"),
    ],
)
def test_marks(text: str, words: list[str], expected: str) -> None:
    """Whole words are marked wherever they stand, overlaps as one."""
    assert marked(text, *words) == expected


@given(st.text("ab -é奖.", max_size=60), st.lists(st.text("ab -é奖.", min_size=1, max_size=6), max_size=4))
def test_parts_are_the_whole_text(text: str, words: list[str]) -> None:
    """The parts put together are the text; marked and plain parts take turns, and none is empty."""
    text = clean(text)
    found = parts(text, hits(text, words))
    assert "".join(part.text for part in found) == text
    assert all(part.text for part in found)
    assert all(one.marked != next_.marked for one, next_ in pairwise(found))
