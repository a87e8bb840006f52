"""An edition and its two bodies → its message, in pieces for the gate. The same inputs give the same bytes.

Rules
-----
1. multipart/alternative, plain text first (RFC 2046 5.1.4). The boundary holds `=_`, which quoted-printable cannot.
2. Message-ID is a function of subscriber, slot, list and when the edition was planned, as is Date: a retry
   changes neither.
3. List-Unsubscribe holds one https URI, with List-Unsubscribe-Post (RFC 8058); without a web address, one mailto.
4. Auto-Submitted (RFC 3834), List-Id (RFC 2919) and a Feedback-ID that says nothing about the person are always there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from digest.delivery.address import envelope_address
from digest.delivery.headers import address_header, clean, phrase, structured_header, text_header
from digest.errors import MessageError
from digest.model import Edition, Rendered

_BOUNDARY = "=_digest"
_SENDER_ID = 12  # of 5 to 15 signs, as Gmail asks for (support.google.com/mail/answer/6254652)
_HTTPS_URI = re.compile(r"https://[!#-;=?-~]+")
_PART = (
    "--" + _BOUNDARY + "\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
)
# The CRLF before a delimiter belongs to the delimiter (RFC 2046 5.1.1): a body that ends in one keeps its own.
_TEXT, _HTML = (_PART.format("plain").encode(), b"\r\n" + _PART.format("html").encode())
_END = f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Envelope:
    """The two addresses of an SMTP transaction: where a bounce goes, and the one recipient, as typed."""

    mail_from: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom the mail comes from. `label` and the address's domain make the List-Id; `list_name` stands before it."""

    address: str
    name: str = ""
    label: str = "digest"
    list_name: str = ""
    reply_to: str = ""
    help_url: str = ""


def compose(edition: Edition, rendered: Rendered, sender: Sender, unsubscribe: str | None) -> list[bytes]:
    """The message of an edition. `unsubscribe` is its one-click https URI (None: by mail to the sender).

    The bodies of `rendered` are quoted-printable already. Raises MessageError if a header cannot be written.
    """
    day = edition.slot.isoformat().replace("-", "")
    return assemble(
        address_header("To", edition.name, edition.email),
        rendered,
        sender,
        number=f"{day}.{edition.subscriber}.{edition.planned_at}",
        at=(edition.planned_at, edition.zone),
        more=_of_sender(sender)[2] if unsubscribe is None else _one_click(unsubscribe),
    )


def assemble(
    to: bytes, rendered: Rendered, sender: Sender, *, number: str, at: tuple[int, str], more: bytes = b""
) -> list[bytes]:
    """A message from its parts: the header To, what stands first in its Message-ID, Date (epoch seconds and zone).

    The pieces: its own headers, those of the sender and the blank line, and the parts of the body, each of whole lines.
    """
    domain, fixed, _ = _of_sender(sender)
    message_id = f"Message-ID: <{number}.{sender.label}@{domain}>\r\n".encode()
    own = b"".join((to, text_header("Subject", rendered.subject), _date(*at), message_id, more))
    return [own, fixed, _TEXT, *rendered.text_pieces, _HTML, *rendered.html_pieces, _END]


def body(message: bytes, kind: Literal["plain", "html"]) -> str:
    """One of the bodies of a message, decoded ("": it has none)."""
    part = message_from_bytes(message, policy=policy.default).get_body([kind])
    return str(part.get_content()) if part else ""


def _one_click(uri: str) -> bytes:
    if not _HTTPS_URI.fullmatch(uri):
        raise MessageError(f"the unsubscribe link must be one https URI (RFC 8058): {uri!r}")
    return structured_header("List-Unsubscribe", f"<{uri}>") + b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@lru_cache(maxsize=64)
def _of_sender(sender: Sender) -> tuple[str, bytes, bytes]:
    """What is the same in all mails of a sender: its domain, its headers down to the bodies, the mailto header."""
    address = envelope_address(sender.address, smtputf8=False)
    domain = address.rpartition("@")[2]
    name = phrase(clean(sender.list_name)) if sender.list_name.isascii() else ""
    list_id = f"<{sender.label}.{domain}>"
    headers = [
        address_header("From", sender.name, sender.address),
        address_header("Reply-To", "", sender.reply_to) if sender.reply_to else b"",
        # Programs compare the List-Id; a name that would need encoding stays away from it.
        structured_header("List-Id", f"{name} {list_id}" if name and not name.startswith("=?") else list_id),
        structured_header("List-Help", f"<{sender.help_url}>") if sender.help_url else b"",
        structured_header("Feedback-ID", f"{sender.label}:::{sha256(domain.encode()).hexdigest()[:_SENDER_ID]}"),
        b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n\r\n'.encode(),
    ]
    by_mail = structured_header("List-Unsubscribe", f"<mailto:{quote(address, safe='@')}?subject=unsubscribe>")
    return domain, b"".join(headers), by_mail


@lru_cache(maxsize=4096)
def _date(seconds: int, zone: str) -> bytes:
    return f"Date: {format_datetime(datetime.fromtimestamp(seconds, ZoneInfo(zone)))}\r\n".encode("ascii")
