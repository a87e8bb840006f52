"""DKIM signatures hold up with verifiers by others, and break when a mail is changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from delivery_samples import EDITION, SENDER
from dkim.canonicalization import Relaxed  # type: ignore[import-untyped]  # dkimpy ships no types
from dkim_verifiers import AT, BOTH, ED25519, RSA, Dkimpy, MailDkim, OpenDkim, Verifier, need
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.delivery import dkim
from digest.delivery.check import check
from digest.delivery.message import compose
from digest.model import Rendered

PAIRS = [(Dkimpy, RSA), (Dkimpy, ED25519), (OpenDkim, RSA), (OpenDkim, ED25519), (MailDkim, RSA)]
MAIL = Rendered(
    "7 new papers — 20 Nov",
    html_pieces=[b"<p>Caf=C3=A9 =3D coffee</p>\r\n", b"<p>Tea</p>\r\n"],
    text_pieces=[b"Caf=C3=A9 =\r\n=3D coffee\r\n", b"   Tea\r\n"],
)
FULL = replace(SENDER, reply_to="help@example.org", help_url="https://example.org/help")
PIECES = compose(EDITION, MAIL, FULL, "https://digest.example.org/u/TOKEN?x=1")
MESSAGE = b"".join(PIECES)
SIGNED = [
    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Reply-To", "List-Id", "List-Help",
    "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Auto-Submitted",
]  # fmt: skip
SEALED = ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To",
          "MIME-Version", "Content-Type"]  # fmt: skip

Passes = Callable[..., list[bool]]


def signed(message: bytes, *signers: dkim.Signer) -> bytes:
    head, _, body = message.partition(b"\r\n\r\n")
    return dkim.sign(signers or BOTH, head + b"\r\n", [body], AT) + message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples of a property."""
    return tmp_path_factory.mktemp("dkim")


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].__name__}-{pair[1].selector}")
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Verifier, dkim.Signer]:
    kind, signer = request.param
    need(kind)
    return kind(BOTH, tmp_path), signer


@pytest.fixture
def signer(pair: tuple[Verifier, dkim.Signer]) -> dkim.Signer:
    return pair[1]


@pytest.fixture
def passes(pair: tuple[Verifier, dkim.Signer]) -> Passes:
    """Whether a verifier finds the signer's signature good, in each of several messages."""
    verifier, signer = pair
    return lambda *messages: [signer.selector in good for good in verifier.passed(*messages)]


def added(message: bytes, line: bytes) -> tuple[bytes, bytes]:
    """The message with another header: before the others, and behind them."""
    return line + message, message.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n", 1)


def header(name: str) -> re.Pattern[bytes]:
    """Finds a header of the message, or of its first part."""
    return re.compile(rb"^(%s: .*)\r\n" % name.encode(), re.MULTILINE)


def test_a_signature_verifies(passes: Passes, signer: dkim.Signer) -> None:
    """Each program takes it, on a mail with every header that we write and on one with the fewest."""
    plain = b"".join(compose(EDITION, MAIL, SENDER, None))
    assert passes(signed(MESSAGE, signer), signed(plain, signer)) == [True, True]


def test_a_changed_header_breaks_the_signature(passes: Passes, signer: dkim.Signer) -> None:
    """One letter more in any of the signed headers."""
    message = signed(MESSAGE, signer)
    changed = {name: header(name).sub(rb"\1x\r\n", message, count=1) for name in SIGNED}
    assert {len(one) - len(message) for one in changed.values()} == {1}
    assert [name for name, good in zip(changed, passes(*changed.values()), strict=True) if good] == []


@pytest.mark.parametrize("there", [True, False], ids=["there", "absent"])
def test_an_added_header_breaks_the_signature(passes: Passes, signer: dkim.Signer, there: bool) -> None:
    """Wherever it is put, and also if the mail had none of this name."""
    names = SEALED if there else SEALED[1:]  # a mail without From is none
    originals = [MESSAGE if there else header(name).sub(b"", MESSAGE, count=1) for name in names]
    whole = [signed(original, signer) for original in originals]
    assert all(passes(*whole))
    lines = [f"{name}: <mallory@example.net>\r\n".encode() for name in names]
    for changed in zip(*(added(message, line) for message, line in zip(whole, lines, strict=True)), strict=True):
        assert [name for name, good in zip(names, passes(*changed), strict=True) if good] == []


def test_a_changed_body_breaks_the_signature(passes: Passes, signer: dkim.Signer) -> None:
    """In the text, in the HTML, in the frame, and behind the end: there is no `l=`."""
    message = signed(MESSAGE, signer)
    places = [b"Caf", b"=3D coffee\r\n", b"coffee</p>", b"--=_digest--\r\n"]
    changed = [message.replace(place, place[:-2] + b"x" + place[-2:], 1) for place in places]
    assert message not in changed
    assert not any(passes(*changed, message + b"More.\r\n"))


def test_what_relays_do_leaves_it_whole(passes: Passes, signer: dkim.Signer) -> None:
    """Headers of their own, other folding, other white space at ends of lines, empty lines at the end."""
    message = signed(MESSAGE, signer)
    message = added(message, b"Received: from a by b; Fri, 20 Nov 2026 08:00:00 +0100\r\n")[0]
    message = added(message, b"Feedback-ID: theirs\r\n")[0]
    message = message.replace(b"Paper Digest <", b"Paper\r\n\tDigest  <", 1).replace(b"Subject: ", b"SUBJECT:", 1)
    message = message.replace(b"=3D coffee\r\n", b"=3D \t coffee \t\r\n", 1) + b" \r\n\r\n"
    assert passes(message) == [True]


def test_two_signatures_stand_beside_each_other(tmp_path: Path) -> None:
    """Each covers the mail as it was composed, so it is the same alone, and each verifies where both are."""
    message = signed(MESSAGE, *BOTH)
    assert message == signed(MESSAGE, RSA).removesuffix(MESSAGE) + signed(MESSAGE, ED25519)
    assert Dkimpy(BOTH, tmp_path).passed(message) == [{"rsa1", "ed1"}]


@pytest.mark.parametrize("kind", [OpenDkim, MailDkim])
def test_two_signatures_confuse_nobody(kind: type[Verifier], tmp_path: Path) -> None:
    """In either order a program that tells of one, or knows only RSA, finds it."""
    need(kind)
    assert all(kind(BOTH, tmp_path).passed(signed(MESSAGE, RSA, ED25519), signed(MESSAGE, ED25519, RSA)))


def test_a_retry_has_the_same_bytes() -> None:
    """Signing again at the same planned moment changes nothing; at another one it does."""
    assert signed(MESSAGE) == signed(MESSAGE)
    head, _, body = MESSAGE.partition(b"\r\n\r\n")
    assert dkim.sign(BOTH, head, [body], AT) != dkim.sign(BOTH, head, [body], AT + 1)


def test_the_gate_takes_a_signed_message() -> None:
    """Pieces of a message as composed can be signed, and the gate takes them; lines have 76 octets at most."""
    own, shared, *body = PIECES
    header = dkim.sign(BOTH, own + shared, body, AT)
    assert check([header + own, shared, *body], EDITION.email) == signed(MESSAGE)
    assert max(map(len, header.split(b"\r\n"))) <= 76


def test_no_tag_limits_what_is_covered() -> None:
    """The tags are those that are meant, relaxed/relaxed, and none of them is `l=`."""
    header = signed(MESSAGE, RSA).removesuffix(MESSAGE).decode()
    tags = dict(part.strip().split("=", 1) for part in header.partition(":")[2].split(";"))
    assert list(tags) == ["v", "a", "c", "t", "d", "s", "h", "bh", "b"]
    assert (tags["c"], tags["t"], tags["d"], tags["s"]) == ("relaxed/relaxed", str(AT), "example.org", "rsa1")
    names = tags["h"].replace("\r\n ", "").split(":")
    expected = {name.lower(): 1 + (name in SEALED) for name in SIGNED}
    assert {name: names.count(name) for name in names} == expected


SPACE = st.sampled_from([" ", "\t", "  ", " \t ", "\r\n ", "\r\n\t", ""])
VALUE = st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8) | SPACE).map(
    "".join
)
NAME = st.sampled_from(["To", "SUBJECT", "subject", "Date", "list-Id", "List-Unsubscribe", "X-Other", "Reply-To"])
HEAD = st.lists(st.tuples(NAME, SPACE, VALUE), max_size=8).map(
    lambda lines: "".join(f"{name}:{space}{value}\r\n" for name, space, value in [("From", " ", "a@b.co"), *lines])
)
BODY = st.lists(st.sampled_from([b" ", b"  ", b"   ", b"\t", b"\r\n", b"\r", b"\n", b"word", b"."]), max_size=25).map(
    b"".join
)


@settings(deadline=None)
@given(st.lists(BODY))
@example([])
@example([b""])
@example([b" \r\n \r\n"])
@example([b"a\n\r\n"])
@example([b"    a     b \t \r\n", b"\r\n", b"\r\n"])
def test_bodies_are_canonical_as_dkimpy_has_them(bodies: list[bytes]) -> None:
    """Whatever the body, and however it is cut into pieces of whole lines."""
    pieces = [body + b"\r\n" for body in bodies]
    assert dkim.canonical_body(pieces) == (Relaxed.canonicalize_body(b"".join(pieces)) if pieces else b"")


@settings(deadline=None)
@given(HEAD, BODY)
def test_any_message_verifies(folder: Path, head: str, body: bytes) -> None:
    """Whatever its headers: several of one name, odd spelling, odd folding, empty values."""
    # dkimpy takes a bare LF for the end of a line, which no message of ours has.
    message = head.encode() + b"\r\n" + re.sub(rb"(?<!\r)\n", b"", body) + b"\r\n"
    assert Dkimpy(BOTH, folder).passed(signed(message, ED25519)) == [{"ed1"}]


@settings(deadline=None)
@given(HEAD)
@example("Subject\t : x\r\n")
def test_headers_are_canonical_as_dkimpy_has_them(head: str) -> None:
    """Names in lower case, values unfolded and single-spaced, in their order."""
    lines = [line.encode().partition(b":") for line in re.split(r"\r\n(?![ \t])", head) if line]
    expected = Relaxed.canonicalize_headers([(name, value) for name, _, value in lines])
    found = dkim.canonical_headers(head.encode())
    assert sorted(line for several in found.values() for line in several) == sorted(
        name + b":" + value.removesuffix(b"\r\n") for name, value in expected
    )
