"""Tokens: for one purpose, by our secrets only, and never an error whatever is sent in."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from digest.tokens import Purpose, read, sign

SECRETS = ("new", "old")
purposes = st.sampled_from(get_args(Purpose))


@given(purposes, st.integers(1, 10**18))
def test_a_token_gives_back_its_number(purpose: Purpose, number: int) -> None:
    """For the purpose that it was made for, in letters that need no escaping in a URL."""
    token = sign(purpose, number, SECRETS)
    assert read(token, purpose, SECRETS) == number
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


@given(purposes, purposes, st.integers(1, 10**18), st.integers(1, 10**18))
def test_a_token_is_for_one_purpose_and_one_number(purpose: Purpose, other: Purpose, number: int, another: int) -> None:
    """It opens nothing else."""
    token = sign(purpose, number, SECRETS)
    assert (read(token, other, SECRETS) is None) == (purpose != other)
    assert (read(f"{another}.{token.partition('.')[2]}", purpose, SECRETS) is None) == (number != another)


def test_secrets_rotate() -> None:
    """What an old secret signed is read as long as that secret is kept, and the first one signs."""
    old = sign("unsubscribe", 7, ("old",))
    assert read(old, "unsubscribe", SECRETS) == 7
    assert read(old, "unsubscribe", ("new",)) is None
    assert sign("unsubscribe", 7, SECRETS) == sign("unsubscribe", 7, ("new",))


@given(st.text() | st.from_regex(r"\A[0-9٠-٩²]{1,30}\.[A-Za-z0-9_=-]{0,30}\Z"))
def test_what_is_not_ours_is_nobody(token: str) -> None:
    """Garbage gives None and raises nothing."""
    assert read(token, "unsubscribe", SECRETS) is None


@given(st.integers(0, 23), st.characters(codec="ascii"))
def test_a_changed_token_is_refused(place: int, letter: str) -> None:
    """A single letter is enough, and so is one too few or too many."""
    token = sign("view", 7, SECRETS)
    changed = token[:place] + letter + token[place + 1 :]
    assert changed == token or read(changed, "view", SECRETS) is None
    assert read(token[:-1], "view", SECRETS) is None
    assert read(token + "A", "view", SECRETS) is None
