"""The bytes of a message: what they say, that they repeat, and what the gate refuses."""

from __future__ import annotations

import email
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from email.policy import strict

import pytest
from delivery_samples import EDITION, RENDERED, SENDER, pieces
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery.check import check
from digest.delivery.message import Sender, compose
from digest.errors import MessageError
from digest.model import Rendered

HEADERS_ONCE = [
    "From",
    "To",
    "Date",
    "Message-ID",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "Auto-Submitted",
    "Feedback-ID",
]


def parsed(message: Sequence[bytes]) -> EmailMessage:
    return email.message_from_bytes(b"".join(message), policy=strict)


def test_a_message_parses_without_a_defect() -> None:
    """A strict parser reads both parts, plain first, and gets the bodies back to the last octet."""
    message = parsed(pieces(EDITION))
    plain, html = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert not message.defects + plain.defects + html.defects
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_payload(decode=True) == "Café = coffee\r\n".encode()
    assert html.get_payload(decode=True) == "<p>Café = coffee</p>\r\n".encode()


@pytest.mark.parametrize("body", [b"end\r\n", b"end=\r\n", b"end", b"end\r\n\r\n", b"end=0D=0A=\r\n"])
def test_a_body_keeps_its_own_end(body: bytes) -> None:
    """Whether a body ends in CRLF, in a soft break or in neither, the delimiter takes nothing of it."""
    message = parsed(compose(EDITION, Rendered("x", [body], [body]), SENDER, None))
    plain, html = message.iter_parts()
    expected = {b"end=\r\n": b"end", b"end=0D=0A=\r\n": b"end\r\n"}.get(body, body)
    assert plain.get_payload(decode=True) == html.get_payload(decode=True) == expected


def test_headers_say_who_when_and_why() -> None:
    """From, To, Date in the reader's zone, list headers and the marks of an automatic mail are as configured."""
    message = parsed(pieces(EDITION))
    assert {name: message[name] for name in message} == {
        "To": "Ada Lovelace <ada@example.com>",
        "Subject": "7 new papers — 20 Nov",
        "Date": "Fri, 20 Nov 2026 08:00:00 +0100",
        "Message-ID": "<20261120.42.1795158000.digest@example.org>",
        "List-Unsubscribe": "<https://digest.example.org/u/TOKEN?x=1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "From": "Paper Digest <digest@example.org>",
        "List-Id": "New papers <digest.example.org>",
        "Feedback-ID": "digest:::bfabc3743295",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_digest"',
    }


def test_without_a_web_address_one_leaves_the_list_by_mail() -> None:
    """List-Unsubscribe is one mailto, and One-Click is not promised."""
    message = parsed(compose(EDITION, RENDERED, replace(SENDER, address="a+b@example.org"), None))
    assert message["List-Unsubscribe"] == "<mailto:a%2Bb@example.org?subject=unsubscribe>"
    assert "List-Unsubscribe-Post" not in message


def test_optional_headers_are_there_when_configured() -> None:
    """Reply-To and List-Help appear only with a value; a list name beyond ASCII stays out of List-Id."""
    sender = Sender(
        "digest@bücher.example", reply_to="help@example.org", help_url="https://example.org/help", list_name="Büro"
    )
    message = parsed(compose(EDITION, RENDERED, sender, None))
    assert message["Reply-To"] == "help@example.org"
    assert message["List-Help"] == "<https://example.org/help>"
    assert message["List-Id"] == "<digest.xn--bcher-kva.example>"


@pytest.mark.parametrize(
    "uri", ["http://example.org/u", "https://a b", "https://a>,<mailto:x@y.co", "https://x\r\nBcc: y@z.co", "https://é"]
)
def test_an_unsubscribe_link_is_one_https_uri(uri: str) -> None:
    """Anything else is refused."""
    with pytest.raises(MessageError, match="unsubscribe link"):
        compose(EDITION, RENDERED, SENDER, uri)


def test_the_same_edition_gives_the_same_bytes() -> None:
    """A retry sends what the first attempt sent."""
    assert pieces(EDITION) == pieces(replace(EDITION, id=EDITION.id))


def test_message_id_depends_on_subscriber_slot_and_plan_alone() -> None:
    """Nothing that may change between two attempts is in it, and no two editions share one, even of two databases."""

    def message_id(**changes: object) -> str:
        return str(parsed(pieces(replace(EDITION, **changes)))["Message-ID"])  # type: ignore[arg-type]  # any field

    assert message_id() == message_id(id=9, email="new@example.com", name="", matched=0)
    others = message_id(subscriber=43), message_id(slot=date(2026, 11, 21)), message_id(planned_at=1)
    assert len({message_id(), *others}) == 4


def test_the_message_says_nothing_of_the_person_beside_to() -> None:
    """The address of the recipient is in To and nowhere else."""
    assert b"".join(pieces()).count(b"ada@example.com") == 1


NASTY = st.text(max_size=40) | st.sampled_from(
    ["x\n.\ny", "\r.\r", "\n.\r\nMAIL FROM:<x@y.co>\r\n", "=?utf-8?q?hi=0ABcc:_x=40y?="]
)


@settings(deadline=None)
@given(subject=NASTY, name=NASTY)
def test_any_subject_and_name_pass_the_gate(subject: str, name: str) -> None:
    """No message is composed that the gate refuses, whatever stands in the texts."""
    edition = replace(EDITION, name=name)
    message = compose(edition, RENDERED._replace(subject=subject), SENDER, None)
    check(message, edition.email)
    names = parsed(message).keys()
    assert all(names.count(header) == 1 for header in HEADERS_ONCE)


@pytest.mark.parametrize(
    "recipient", ["ü@example.org", "ada@bücher.example", "a" * 64 + "@" + "b" * 60 + ".example", "digest@example.org"]
)
def test_any_recipient_passes_the_gate(recipient: str) -> None:
    """Beyond ASCII, long, or the sender itself."""
    edition = replace(EDITION, email=recipient)
    check(pieces(edition), recipient)


def _replaced(old: bytes, new: bytes) -> list[bytes]:
    """The message with a change in the first piece that has the old octets."""
    message = pieces()
    at = next(number for number, piece in enumerate(message) if old in piece)
    message[at] = message[at].replace(old, new, 1)
    return message


BROKEN = {
    "8-bit body": (b"coffee</p>", "é</p>".encode(), "7 bits"),
    "NUL": (b"coffee</p>", b"\0</p>", "NUL"),
    "bare LF": (b"coffee</p>\r\n", b"coffee</p>\n", "lacks its CRLF"),
    "bare CR": (b"coffee</p>", b"coffee\r</p>", "bare CR"),
    "smuggled end": (b"coffee</p>", b"\n.\nMAIL FROM:<x@y.co>", "lacks its CRLF"),
    "line of 77": (b"<p>Caf=C3=A9 =3D coffee</p>", b"x" * 77, "over 76"),
    "leading dot": (b"<p>", b".\r\n<p>", "begins with a dot"),
    "no end": (b"\r\n--=_digest--\r\n", b"", "text part, then an HTML part"),
    "open end": (b"--=_digest--\r\n", b"--=_digest--", "lacks its CRLF"),
    "8-bit header": (b"To: Ada", "To: Adá".encode(), "malformed header"),
    "control in header": (b"To: Ada", b"To: \x07Ada", "malformed header"),
    "bare LF in header": (b"\r\nList-Id", b"\nList-Id", "malformed header"),
    "no header line": (b"List-Id: ", b"List-Id\r\n", "malformed header"),
    "blank continuation": (b"List-Id: ", b"X: x\r\n  \r\nList-Id: ", "malformed header"),
    "header of 999": (b"List-Id: ", b"X: " + b"x" * 996 + b"\r\nList-Id: ", "998"),
    "two Subjects": (b"List-Id: ", b"Subject: more\r\nList-Id: ", "2 headers subject"),
    "two To": (b"List-Id: ", b"to: x@y.co\r\nList-Id: ", "2 headers to"),
    "no Date": (b"Date: ", b"X-Date: ", "0 headers date"),
    "no Feedback-ID": (b"Feedback-ID: ", b"X: ", "0 headers feedback-id"),
    "encoded List-Id": (b"List-Id: New", b"List-Id: =?utf-8?q?New?=", "list-id is folded or holds an encoded-word"),
    "folded List-Unsubscribe": (b"<https", b"\r\n <https", "list-unsubscribe is folded"),
    "Message-ID": (b"Message-ID: <", b"Message-ID: <a@", "Message-ID is not"),
    "another To": (b"ada@example.com", b"eve@example.com", "To must name"),
    "one more To": (b"<ada@", b"<eve@example.com>, <ada@", "To must name"),
    "not multipart": (b"multipart/alternative", b"multipart/mixed", "not multipart/alternative"),
    "HTML first": (b"text/plain", b"text/html", "looks like a delimiter"),
    "8bit part": (b"quoted-printable", b"8bit", "looks like a delimiter"),
    "empty part": (b"<p>Caf=C3=A9 =3D coffee</p>\r\n", b"", "text part or the HTML part is empty"),
    "preamble": (b"--=_digest\r\n", b"hello\r\n--=_digest\r\n", "looks like a delimiter"),
    "delimiter in a line": (b"<p>", b"<p>\r\n--=_digest\r\n", "looks like a delimiter"),
    "a second end": (b"<p>Caf=C3=A9 =3D coffee</p>\r\n", b"--=_digest--\r\n", "looks like a delimiter"),
    "another boundary": (b'"=_digest"', b'"=_other"', "looks like a delimiter"),
    "no body": (b"\r\n\r\n", b"\r\n", "no blank line"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_the_gate_refuses(fault: str) -> None:
    """One broken rule is enough, and the error says which."""
    old, new, reason = BROKEN[fault]
    with pytest.raises(MessageError, match=re.compile(reason, re.IGNORECASE)):
        check(_replaced(old, new), EDITION.email)


def test_the_gate_takes_a_line_of_76() -> None:
    """The longest line that RFC 2045 allows passes."""
    check(_replaced(b"<p>Caf=C3=A9 =3D coffee</p>", b"x" * 76), EDITION.email)


def test_the_gate_refuses_a_message_without_a_body() -> None:
    """Headers alone are no message."""
    with pytest.raises(MessageError, match="no blank line"):
        check([b"To: ada@example.com\r\n", b""], EDITION.email)


@pytest.mark.parametrize("line", [b"--\r\n", b"--x--\r\n", b"-- \r\n", b"--digest\r\n"])
def test_the_gate_takes_lines_of_hyphens(line: bytes) -> None:
    """What cannot be a delimiter of ours, for it lacks `=_`, is text."""
    message: bytes = check(pieces(EDITION, RENDERED._replace(text_pieces=[line, b"x\r\n", line])), EDITION.email)
    assert line in message


def test_the_gate_gives_the_pieces_in_their_order() -> None:
    """What leaves is what was composed, to the last octet."""
    assert check(pieces(), EDITION.email) == b"".join(pieces())


def test_the_gate_looks_at_every_piece() -> None:
    """A fault in the last of many is found, also when the others are known from another message."""
    many = [b"%d\r\n" % number for number in range(1000)]
    check(pieces(EDITION, RENDERED._replace(text_pieces=many)), EDITION.email)
    with pytest.raises(MessageError, match="begins with a dot"):
        check(pieces(EDITION, RENDERED._replace(text_pieces=[*many, b".\r\n"])), EDITION.email)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=100), min_size=2, max_size=6))
def test_the_gate_raises_nothing_but_its_own_error(message: list[bytes]) -> None:
    """No bytes make it fail in another way."""
    with pytest.raises(MessageError):
        check(message, EDITION.email)
