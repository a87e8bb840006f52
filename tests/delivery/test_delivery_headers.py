"""A header made from any text is one header, and reads back as that text, cleaned."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import strict
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.delivery.headers import address_header, clean, mailbox, structured_header, text_header
from digest.errors import MessageError

NASTY = [
    "\r\nBcc: x@y.co",
    "\r",
    "\n",
    "\0",
    "=?utf-8?q?hi=0ABcc:_x=40y?=",
    "=?",
    "?=",
    "\u2028",
    "\u202e",
    "\ud800",
    "é",
    "中",
    "👩‍🔬",
    '"',
    "\\",
    "<",
    ">",
    ",",
    "@",
    " ",
    "  ",
    "\t",
    "a" * 90,
]
ANY_TEXT = st.text(st.characters(codec=None), max_size=150) | st.lists(
    st.sampled_from(NASTY) | st.text(max_size=8)
).map("".join)


def parsed(header: bytes) -> EmailMessage:
    return email.message_from_bytes(header + b"X-Last: 1\r\n\r\n", policy=strict)


@settings(deadline=None)
@given(ANY_TEXT)
@example("=?utf-8?q?hi=0ABcc:_x=40y?=")
@example("7 new papers: reward model, LoRA — 20 Nov")
@example("é" * 400)
@example("word " * 60)
def test_a_text_header_reads_back_as_the_cleaned_text(value: str) -> None:
    """Whatever the text, a strict parser finds one Subject that is the cleaned text."""
    message = parsed(text_header("Subject", value))
    assert message.keys() == ["Subject", "X-Last"]
    assert str(message["Subject"]) == clean(value)


@settings(deadline=None)
@given(ANY_TEXT)
def test_a_header_line_keeps_to_76_characters_and_ascii(value: str) -> None:
    """Every line of a header, folded or not, is ASCII of at most 76 characters, and an encoded-word has at most 75."""
    header = text_header("Subject", value)
    assert header.endswith(b"\r\n")
    lines = header[:-2].decode("ascii").split("\r\n")
    assert all(len(line) <= 76 and line.isprintable() and line.strip() for line in lines)
    assert all(len(word) <= 75 for line in lines for word in line.split() if word.startswith("=?"))


@settings(deadline=None)
@given(ANY_TEXT)
def test_no_encoded_word_splits_a_character(value: str) -> None:
    """Each encoded-word decodes by itself."""
    words = [w for w in text_header("Subject", value).decode().split() if w.startswith("=?")]
    assert "".join(str(make_header(decode_header(word))) for word in words) in ("", clean(value))


@settings(deadline=None)
@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(value: str) -> None:
    """Cleaned text is clean: one line, no control, no bidi control, no lone surrogate."""
    cleaned = clean(value)
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029\u202e\u2066" for c in cleaned)


@settings(deadline=None)
@given(ANY_TEXT)
@example('Ada "Countess" Lovelace, <x@y.co>')
@example("=?utf-8?q?a=40b=2Eco?= <evil@example.com>,")
def test_a_display_name_never_adds_an_address(name: str) -> None:
    """Whatever the name, the header holds one mailbox with the address given, and the cleaned name."""
    message = parsed(address_header("To", name, "ada@example.com"))
    assert message.keys() == ["To", "X-Last"]
    assert [address.addr_spec for address in message["To"].addresses] == ["ada@example.com"]
    display = parseaddr(mailbox(name, "ada@example.com"))[0]
    assert str(make_header(decode_header(display))) == clean(name)


def test_an_internationalised_domain_goes_as_its_a_label() -> None:
    """The address of a header has an ASCII domain."""
    assert mailbox("", "ada@bücher.example") == "ada@xn--bcher-kva.example"


def test_a_long_address_stays_in_one_piece() -> None:
    """An address is never folded, and never stands behind an empty first line."""
    address = "a" * 64 + "@" + "b" * 60 + ".example"
    assert address_header("To", "", address) == f"To: {address}\r\n".encode()
    assert f"\r\n <{address}>\r\n".encode() in address_header("To", "Ada", address)


@pytest.mark.parametrize("value", ["a\r\nBcc: x", "a\nb", "é", "", " a", "a\0", "x" * 998])
def test_a_header_for_programs_refuses_what_it_would_have_to_change(value: str) -> None:
    """A value that is not printable ASCII on one line is an error, not something else."""
    with pytest.raises(MessageError):
        structured_header("List-Id", value)


def test_a_header_for_programs_is_not_folded() -> None:
    """A URI of any length that a line may have stays on one line."""
    uri = f"<https://example.org/{'x' * 300}>"
    assert structured_header("List-Unsubscribe", uri) == f"List-Unsubscribe: {uri}\r\n".encode()
