"""The gate on the final bytes, just before MAIL FROM. What breaks a rule here is never sent.

Rules
-----
1. 7-bit, but for a recipient whose local part is not ASCII; no NUL or other control; every line ends in CRLF, none
   begins with a dot; a line has at most 998 octets, one of the body at most 76 (RFC 5322 2.1.1, RFC 2045 6.7).
2. A header line is `Name: printable`, continued by a space and something; nothing else is in the header block.
3. Exactly one From, To, Date, Message-ID, Subject, MIME-Version, Content-Type, List-Id, Auto-Submitted, Feedback-ID.
4. Headers for programs stand on one line and hold no encoded-word; Message-ID is `<left@right>`.
5. To names the recipient of the envelope and nobody else.
6. multipart/alternative with two parts that hold something, plain text before HTML, both transfer-encoded.
"""

from __future__ import annotations

import re
from typing import NewType

from digest.delivery.address import envelope_address
from digest.errors import MessageError

_ONCE = (
    b"from", b"to", b"date", b"message-id", b"subject", b"mime-version",
    b"content-type", b"list-id", b"auto-submitted", b"feedback-id",
)  # fmt: skip
_HEADERS = re.compile(rb"(?:[!-9;-~]+: [ -~]*\r\n(?: [!-~][ -~]*\r\n)*)+")
_LINES = re.compile(rb"(?:(?!\.)[^\n]{0,77}(?<=\r)\n)*")
_BARE_CR = re.compile(rb"[^\n]*\r(?!\n)")
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
_BOUNDARY = re.compile(rb'^Content-Type: multipart/alternative; boundary="([^"\r]{1,70})"\r$', re.MULTILINE)
_PART = re.compile(
    rb"\r\nContent-Type: text/(plain|html); charset=utf-8\r\n"
    rb"Content-Transfer-Encoding: (?:quoted-printable|base64)\r\n\r\n(?=\s*\S)"
)


Checked = NewType("Checked", bytes)
"""Bytes that passed the gate: they may go behind DATA as they are."""


def check(message: bytes, recipient: str) -> Checked:
    """The message, if it may go to this recipient (the address as typed). Raises MessageError if not."""
    address = envelope_address(recipient, smtputf8=True).encode()
    end = message.find(b"\r\n\r\n") + 2
    if end == 1:
        raise MessageError("no blank line between headers and body")
    head, body = message[:end], message[end:]
    _check_headers(head, address)
    _check_lines(body)
    _check_parts(head, body)
    return Checked(message)


def _check_lines(body: bytes) -> None:
    """Rule 1 for the body, 35 kB of it as a rule: each expression is here because it is fast."""
    others = body.translate(None, _PRINTABLE)
    if strange := others.strip(b"\r\n"):
        raise MessageError(
            f"a byte beyond 7 bits, NUL or another control in the body; it must be encoded: {strange[:9]!r}"
        )
    if others.count(b"\r\n") * 2 != len(others) and (found := _BARE_CR.search(body)):
        raise MessageError(f"a bare CR in the body: {found[0][:100]!r}")
    if not _LINES.fullmatch(body):
        rest = body[_well_formed_until(_LINES, body) :].partition(b"\n")[0]
        raise MessageError(f"a body line begins with a dot, is over 76 octets or lacks its CRLF: {rest[:100]!r}")


def _check_headers(head: bytes, address: bytes) -> None:
    """Rules 2 to 5."""
    # The recipient's address is judged already, and may be UTF-8.
    if not _HEADERS.fullmatch(plain := head.replace(address, b"")):
        at = _well_formed_until(_HEADERS, plain)
        raise MessageError(f"a malformed header line: {plain[at : at + 60]!r}")
    if max(map(len, head.split(b"\r\n"))) > 998:
        raise MessageError("a header line of more than 998 octets (RFC 5322 2.1.1)")
    names = _NAME.findall(head.lower())
    for name in _ONCE:
        if names.count(name) != 1:
            raise MessageError(f"{names.count(name)} headers {name.decode()} where exactly one must be")
    if found := _FOLDED_OR_ENCODED.search(head):
        raise MessageError(f"{found[1].decode()} is folded or holds an encoded-word, which programs misread")
    if not _MESSAGE_ID.search(head):
        raise MessageError("Message-ID is not of the form <left@right> (RFC 5322 3.6.4)")
    _check_to(head, address)


def _check_to(head: bytes, address: bytes) -> None:
    found = _TO.search(head)
    value = found[1].replace(b"\r\n ", b" ") if found else b""
    name = value.removesuffix(b"<" + address + b">")
    if value != address and (name == value or (name and not _DISPLAY_NAME.fullmatch(name))):
        raise MessageError(f"To must name {address.decode()} alone, and says {value.decode(errors='replace')}")


def _check_parts(head: bytes, body: bytes) -> None:
    """Rule 6."""
    boundary = _BOUNDARY.search(head)
    if not boundary:
        raise MessageError("Content-Type is not multipart/alternative with a boundary")
    start, *parts = body.split(b"\r\n--" + boundary[1])
    kinds = [found[1] for part in parts if (found := _PART.match(part))]
    if start or kinds != [b"plain", b"html"] or parts[2:] != [b"--\r\n"]:
        raise MessageError("the body must be a text part, then an HTML part, both encoded and neither empty")


def _well_formed_until(rule: re.Pattern[bytes], octets: bytes) -> int:
    found = rule.match(octets)
    return found.end() if found else 0
