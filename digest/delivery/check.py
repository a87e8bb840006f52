"""The gate on the final bytes, just before MAIL FROM. What breaks a rule here is never sent.

Rules
-----
1. 7-bit, but for a recipient whose local part is not ASCII; no NUL or other control; every line ends in CRLF, none
   begins with a dot; a line has at most 998 octets, one of the body at most 76 (RFC 5322 2.1.1, RFC 2045 6.7).
2. A header line is `Name: printable`, continued by a space and something; nothing else is in the header block.
3. Exactly one From, To, Date, Message-ID, Subject, MIME-Version, Content-Type, List-Id, Auto-Submitted, Feedback-ID.
4. Headers for programs stand on one line and hold no encoded-word; Message-ID is `<left@right>`.
5. To names the recipient of the envelope and nobody else.
6. multipart/alternative with two parts that hold something, plain text before HTML, both quoted-printable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, NewType

from digest.delivery.address import envelope_address
from digest.errors import MessageError

_ONCE = (
    b"from", b"to", b"date", b"message-id", b"subject", b"mime-version",
    b"content-type", b"list-id", b"auto-submitted", b"feedback-id",
)  # fmt: skip
_IN_OWN = frozenset({b"to", b"date", b"message-id", b"subject"})
_USUAL = re.compile(  # what our own headers nearly always are, and what keeps to rules 1 to 4
    rb"To: [ -~]*\r\n(?: [!-~][ -~]*\r\n)*Subject: [ -~]*\r\n(?: [!-~][ -~]*\r\n)*Date: [!-<>-~ ]*\r\n"
    rb"Message-ID: <[^\s<>@=]+@[^\s<>@=]+>\r\n"
    rb"(?:List-Unsubscribe: <[!-;>-~]+>\r\n(?:List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n)?)?"
)
_HEADERS = re.compile(rb"(?:[!-9;-~]+: [ -~]*\r\n(?: [!-~][ -~]*\r\n)*)+")
_LINES = re.compile(rb"(?:(?!\.|--=_)[\t -~]{0,76}\r\n)*")
_PRINTABLE = bytes([ord("\t"), *range(ord(" "), ord("~") + 1)])
_NAME = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)
_ENCODED_WORD = rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?="
_FOLDED_OR_ENCODED = re.compile(
    rb"^(date|message-id|mime-version|content-[a-z-]+|list-[a-z-]+|auto-submitted|feedback-id):"
    rb"(?:[^\r]*" + _ENCODED_WORD + rb"|[^\r]*\r\n )",
    re.MULTILINE | re.IGNORECASE,
)
_MESSAGE_ID = re.compile(rb"^Message-ID: <[^\s<>@]+@[^\s<>@]+>\r$", re.MULTILINE)
_TO = re.compile(rb"^To: ((?:[^\r]|\r\n )*)\r$", re.MULTILINE)
_DISPLAY_NAME = re.compile(rb'(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9!#$%&\'*+/=?^_`{|}~ -]+) ')
_BOUNDARY = re.compile(rb'^Content-Type: multipart/alternative; boundary="(=_[^"\r]{1,68})"\r$', re.MULTILINE)
_PART = b"--%s\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_KNOWN, _EACH = 48 << 20, 100  # octets in all, and of each beside its own

_known: set[bytes] = set()  # pieces of bodies that were found to be well-formed: _KNOWN octets of them, no more
_room = _KNOWN


Checked = NewType("Checked", bytes)
"""Bytes that passed the gate: they may go behind DATA as they are."""


def check(pieces: Sequence[bytes], recipient: str) -> Checked:
    """The message in these pieces, if it may go to this recipient (the address as typed). Raises MessageError if not.

    The pieces: the message's own headers; those of every message of the sender and the blank line; the body, in pieces
    of whole lines, each delimiter one of them. Most are in many messages, and each is looked at once.
    """
    own, shared, *body = pieces
    address = envelope_address(recipient, smtputf8=True).encode()
    form = _form(shared)
    # The recipient's address is judged already, and may be UTF-8.
    if not _USUAL.fullmatch(plain := own.replace(address, b"", 1)) or len(own) > 998:
        _check_headers(plain, form.names)
    _check_to(own, address)
    middle = _middle(body, form)
    _check_part(body[1:middle])
    _check_part(body[middle + 1 : -1])
    return Checked(b"".join(pieces))


class _Form(NamedTuple):
    """What the shared headers promise: their names, and how each part begins and the body ends."""

    names: list[bytes]
    text: bytes
    html: bytes
    end: bytes


@lru_cache(maxsize=64)
def _form(shared: bytes) -> _Form:
    if not shared.endswith(b"\r\n\r\n"):
        raise MessageError("no blank line between headers and body")
    boundary = _BOUNDARY.search(shared)
    if not boundary:
        raise MessageError("Content-Type is not multipart/alternative with a boundary that holds =_")
    text, html = (_PART % (boundary[1], kind) for kind in (b"plain", b"html"))
    names = _names(shared[:-2])
    for name in _ONCE:
        if (found := names.count(name) + (name in _IN_OWN)) != 1:
            raise MessageError(f"{found} headers {name.decode()} where exactly one must be")
    return _Form(names, text, b"\r\n" + html, b"\r\n--" + boundary[1] + b"--\r\n")


def _check_headers(own: bytes, shared: Sequence[bytes]) -> None:
    """Rules 1 to 4, for headers that are more than the usual ones, with the names of the shared ones."""
    names = [*_names(own), *shared]
    for name in _ONCE:
        if names.count(name) != 1:
            raise MessageError(f"{names.count(name)} headers {name.decode()} where exactly one must be")
    if not _MESSAGE_ID.search(own):
        raise MessageError("Message-ID is not of the form <left@right> (RFC 5322 3.6.4)")


def _names(head: bytes) -> list[bytes]:
    """The names of well-formed headers, in small letters (rules 1, 2 and 4)."""
    if not _HEADERS.fullmatch(head):
        at = _well_formed_until(_HEADERS, head)
        raise MessageError(f"a malformed header line: {head[at : at + 60]!r}")
    if len(head) > 998 and max(map(len, head.split(b"\r\n"))) > 998:
        raise MessageError("a header line of more than 998 octets (RFC 5322 2.1.1)")
    if found := _FOLDED_OR_ENCODED.search(head):
        raise MessageError(f"{found[1].decode()} is folded or holds an encoded-word, which programs misread")
    return _NAME.findall(head.lower())


def _check_to(head: bytes, address: bytes) -> None:
    """Rule 5."""
    if head.startswith(b"To: " + address + b"\r\n"):
        return
    found = _TO.search(head)
    value = found[1].replace(b"\r\n ", b" ") if found else b""
    name = value.removesuffix(b"<" + address + b">")
    if value != address and (name == value or (name and not _DISPLAY_NAME.fullmatch(name))):
        raise MessageError(f"To must name {address.decode()} alone, and says {value.decode(errors='replace')}")


def _middle(body: Sequence[bytes], form: _Form) -> int:
    """Where the HTML part begins (rule 6)."""
    if form.html in body and (body[0], body[-1]) == (form.text, form.end):
        return body.index(form.html)
    for piece in body:
        if piece not in form:
            _check_lines(piece)
    raise MessageError("the body must be a text part, then an HTML part, both quoted-printable, and nothing else")


def _check_part(pieces: Sequence[bytes]) -> None:
    """Rule 6, and rule 1 for the body."""
    if not any(piece.strip() for piece in pieces):
        raise MessageError("the text part or the HTML part is empty")
    if new := {piece for piece in pieces if piece not in _known}:  # an address of links comes many times in a mail
        for piece in new:
            _check_lines(piece)
        _remember(new)


def _remember(new: set[bytes]) -> None:
    global _room  # noqa: PLW0603  # what is left of it belongs to the set beside it
    _room -= sum(map(len, new)) + _EACH * len(new)
    if _room < 0:
        _known.clear()
        _room = _KNOWN
    _known.update(new)


def _check_lines(piece: bytes) -> None:
    """Rule 1."""
    if not _LINES.fullmatch(piece):
        raise MessageError(_what_is_wrong(piece))


def _what_is_wrong(piece: bytes) -> str:
    """What rule its first malformed line breaks."""
    line = piece[_well_formed_until(_LINES, piece) :].partition(b"\n")[0]
    if line.startswith(b"--=_") and line.endswith(b"\r"):
        return f"a line of the body looks like a delimiter: {line[:100]!r}"
    if strange := line.removesuffix(b"\r").translate(None, _PRINTABLE + b"\r"):
        return f"a byte beyond 7 bits, NUL or another control in the body; it must be encoded: {strange[:9]!r}"
    if b"\r" in line.removesuffix(b"\r"):
        return f"a bare CR in the body: {line[:100]!r}"
    return f"a body line begins with a dot, is over 76 octets or lacks its CRLF: {line[:100]!r}"


def _well_formed_until(rule: re.Pattern[bytes], octets: bytes) -> int:
    found = rule.match(octets)
    return found.end() if found else 0
