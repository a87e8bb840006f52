"""Tokens: for one purpose, by our secrets only, and never an error whatever is sent in."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from digest.tokens import LIFETIMES, Passing, Purpose, read, read_passing, sign, sign_passing

SECRETS = ("new", "old")
NOW = 1_795_158_000
purposes = st.sampled_from(get_args(Purpose))
passing = st.sampled_from(get_args(Passing))


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


@given(passing, st.integers(0, 10**18), st.integers(0, 10**10), st.integers(-(10**6), 10**6))
def test_a_passing_token_gives_back_its_number_until_it_ends(
    purpose: Passing, number: int, at: int, later: int
) -> None:
    """By the clock of whoever reads it; one that is behind the signer's takes it, too."""
    token = sign_passing(purpose, number, SECRETS, at)
    lives = later < LIFETIMES[purpose]
    assert read_passing(token, purpose, SECRETS, at + later) == (number if lives else None)
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_links_live_as_long_as_is_said() -> None:
    """To confirm for 72 hours, to sign in for one; every other link for good."""
    assert (LIFETIMES["confirm"], LIFETIMES["sign-in"]) == (72 * 3600, 3600)
    assert not set(LIFETIMES) & set(get_args(Purpose))


@given(passing, passing, purposes, st.integers(0, 10**18), st.integers(0, 10**10), st.integers(1, 10**6))
def test_a_passing_token_is_for_one_purpose_number_and_moment(
    purpose: Passing, other: Passing, lasting: Purpose, number: int, at: int, more: int
) -> None:
    """Nobody makes a longer life, another purpose or a token without an end of it, nor the other way round."""
    token = sign_passing(purpose, number, SECRETS, at)
    said, moment, mac = token.split(".")
    assert (read_passing(token, other, SECRETS, at) is None) == (purpose != other)
    for changed in (f"{said}.{int(moment) + more}.{mac}", f"{int(said) + more}.{moment}.{mac}"):
        assert read_passing(changed, purpose, SECRETS, at) is None
    assert read(token, lasting, SECRETS) is None
    assert read(f"{said}.{mac}", lasting, SECRETS) is None
    forever = sign(lasting, number, SECRETS)
    assert read_passing(forever, purpose, SECRETS, at) is None
    assert read_passing(forever.replace(".", f".{at}."), purpose, SECRETS, at) is None


def test_secrets_of_passing_tokens_rotate() -> None:
    """What an old secret signed is read as long as that secret is kept, and the first one signs."""
    old = sign_passing("confirm", 7, ("old",), NOW)
    assert read_passing(old, "confirm", SECRETS, NOW) == 7
    assert read_passing(old, "confirm", ("new",), NOW) is None
    assert sign_passing("confirm", 7, SECRETS, NOW) == sign_passing("confirm", 7, ("new",), NOW)


@given(passing, st.text() | st.from_regex(r"\A[0-9٠-٩²]{1,30}\.[0-9٠-٩²+-]{0,30}\.[A-Za-z0-9_=-]{0,30}\Z"))
def test_what_is_not_ours_is_nobody_s_passing_token(purpose: Passing, token: str) -> None:
    """Garbage gives None and raises nothing."""
    assert read_passing(token, purpose, SECRETS, NOW) is None


@given(st.integers(0, 34), st.characters(codec="ascii"))
def test_a_changed_passing_token_is_refused(place: int, letter: str) -> None:
    """A single letter is enough, and so is one too few or too many."""
    token = sign_passing("sign-in", 7, SECRETS, NOW)
    changed = token[:place] + letter + token[place + 1 :]
    assert changed == token or read_passing(changed, "sign-in", SECRETS, NOW) is None
    assert read_passing(token[:-1], "sign-in", SECRETS, NOW) is None
    assert read_passing(f"{token}A", "sign-in", SECRETS, NOW) is None
