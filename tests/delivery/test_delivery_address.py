"""Addresses: what is accepted, who is the same person, what goes on the wire."""

from __future__ import annotations

import re

import pytest
from email_validator import EmailNotValidError, validate_email
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


ascii_addresses = st.builds(
    "{}@{}".format,
    st.text("abZ09.+-_'!\"@ ", max_size=70),
    st.sampled_from(("example.org", "localhost", "EXAMPLE.org", "xn--bcher-kva.example", "x.xn--y"))
    | st.text("aZ0.-_ @"),
) | st.builds("{}@example.org".format, st.integers(230, 250).map("a".__mul__))


def fault_of(text: str) -> str:
    """What the library says of an address ("": nothing)."""
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        return str(error)
    return ""


@settings(max_examples=300, deadline=None)
@given(ascii_addresses)
def test_plain_addresses_are_judged_as_all_others(text: str) -> None:
    """A mailbox on a domain that is known is accepted exactly where the library accepts it."""
    if fault := fault_of(text.strip()):
        with pytest.raises(UsageError, match=re.escape(fault)):
            parse_address(text)
    else:
        assert parse_address(text) == text.strip()


@given(st.text(st.characters(codec="ascii")))
def test_letters_of_ascii_only_differ_in_capitals(text: str) -> None:
    """Then nothing else is to be done to tell who it is."""
    assert identity(f"{text}@example.org") == f"{text.lower()}@example.org"
