"""Addresses: what is accepted, who is the same person, what goes on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery.address import envelope_address, identity, parse_address
from digest.errors import MessageError, UsageError


@pytest.mark.parametrize(
    "text", ["a@lab.science", "ada+papers@example.org", "Ada.L@Example.ORG", "ada@bücher.example", "ü@example.org"]
)
def test_an_address_is_kept_as_typed(text: str) -> None:
    """A good address comes back as it was typed, without the white space around it."""
    assert parse_address(f" {text}\n") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "Ada <ada@example.org>",
        "a@b@example.org",
        "a b@example.org",
        "a@exa\nmple.org",
        "a\r\nRCPT TO:<x@y.co>@example.org",
    ],
)
def test_what_is_no_address_is_refused_in_words(text: str) -> None:
    """The error quotes the text and says why it is no address."""
    with pytest.raises(UsageError, match=r"is not a mail address: .+"):
        parse_address(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("e\u0301@example.org", "é@example.org"),
        ("ÉMILE@example.org", "émile@example.org"),
    ],
)
def test_spellings_of_one_address_are_one_person(one: str, other: str) -> None:
    """Capitals, composed accents and the form of the domain make no other person."""
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada+x@example.org", "ada@example.org"),
        ("strasse@example.org", "straße@example.org"),
        ("ﬁona@example.org", "fiona@example.org"),
        ("odysseuς@example.org", "odysseuσ@example.org"),
    ],
)
def test_other_letters_are_another_person(one: str, other: str) -> None:
    """Only the owner of an address knows what a plus in it means, or whose the mailbox with two s is."""
    assert identity(one) != identity(other)


def test_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    """Without SMTPUTF8 such a recipient fails for good; with it the address stays as it is, on an ASCII domain."""
    assert envelope_address("ü@bücher.example", smtputf8=True) == "ü@xn--bcher-kva.example"
    with pytest.raises(MessageError, match="SMTPUTF8"):
        envelope_address("ü@example.org", smtputf8=False)


@pytest.mark.parametrize("local", ["a" * 65, "ü" * 33])
def test_a_local_part_has_at_most_64_octets(local: str) -> None:
    """Octets count, not characters."""
    with pytest.raises(MessageError, match="too long"):
        envelope_address(f"{local}@example.org", smtputf8=True)


def test_a_domain_has_at_most_255_octets() -> None:
    """A longer domain is refused before anything is sent."""
    with pytest.raises(MessageError, match="too long"):
        envelope_address("ada@" + "a" * 256, smtputf8=True)


@settings(deadline=None)
@given(st.text(st.characters(codec=None) | st.sampled_from('<>@ \r\n\0"\\,')))
def test_no_address_can_add_to_an_smtp_command(text: str) -> None:
    """What is let through has no space, bracket, quote or control character; all else is a MessageError."""
    try:
        address = envelope_address(text, smtputf8=True)
    except MessageError:
        return
    assert address.count("@") == 1
    assert not set(address) & set('<>"\\, \t\r\n\0')
    assert address.isprintable() or not address.isascii()
