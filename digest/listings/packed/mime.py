"""A MIME entity (RFC 2045 to 2049) to its leaves, decoded: what is read of it, and nothing else.

Rules
-----
1. The first field of a name counts; others than the few that are needed here are not looked at.
2. What is wrong is read as well as it can be: a multipart without a boundary is text, one without an end ends with the
   mail, base64 is read up to its first padding, and signs that are none of it are passed over.
3. The work is linear in the size of the mail; what has more parts, or deeper ones, than any mail program writes, is
   refused. (The parser of the standard library asks of every line whether it ends any of the parts that are open, and
   each of these is a call within a call.)
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from itertools import chain, count, pairwise

from digest.errors import ListingError
from digest.listings.wording.decode import tidy

_FIELD = re.compile(
    r"^(content-(?:type|transfer-encoding|disposition)|subject|date):([^\n]*(?:\n[ \t][^\n]*){0,200})",
    re.IGNORECASE | re.MULTILINE,
)
_LONGEST_FIELD = 4000
_LONGEST_WORDS = 400
_DEEPEST = 20
_MOST = 10_000
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One piece of a mail: its media type, decoded bytes, declared charset and file name ("": none is given).

    `attached`: it is meant as a file. `flowed`: its lines are to be joined (RFC 3676); `spaced`: but for the space at
    which they were broken. `others` are the same text in other kinds.
    """

    kind: str
    content: bytes
    charset: str = ""
    name: str = ""
    attached: bool = False
    flowed: bool = False
    spaced: bool = False
    others: tuple[Leaf, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether it is a text that the mail itself shows."""
        return self.kind in ("text/plain", "text/html") and not self.attached


def head(entity: bytes) -> tuple[Message, bytes]:
    """The fields that count of an entity with LF line ends, and its body."""
    top, _, body = entity.partition(b"\n\n")
    if entity.startswith(b"\n"):
        top, body = b"", entity[1:]
    message = Message()
    for found in _FIELD.finditer(top.decode("utf-8", "replace")):
        if found[1] not in message:
            message[found[1]] = tidy(found[2][:_LONGEST_FIELD])
    return message, body


def leaves(message: Message, body: bytes) -> list[Leaf]:
    """The leaves of an entity, in their order. Raises ListingError for more, or deeper ones, than any mail has."""
    return _leaves(message, body, count(), 0)


def _leaves(message: Message, body: bytes, numbers: Iterator[int], depth: int) -> list[Leaf]:
    if next(numbers) > _MOST or depth > _DEEPEST:
        raise ListingError(f"it has more than {_MOST:,} parts, or they are nested more than {_DEEPEST} deep")
    kind = message.get_content_type()
    boundary = message.get_boundary() if kind.startswith("multipart/") else None
    if not boundary:
        return [_leaf(message, body)]
    groups = list[list[Leaf]]()
    for entity in _entities(body, boundary):
        inner, rest = head(entity)
        inner.set_default_type("message/rfc822" if kind == "multipart/digest" else "text/plain")
        groups.append(_leaves(inner, rest, numbers, depth + 1))
    return _one_of(groups) if kind == "multipart/alternative" else [leaf for group in groups for leaf in group]


def _one_of(groups: list[list[Leaf]]) -> list[Leaf]:
    """Alternatives as one leaf, plain text first, and what is attached to any of them."""
    texts = [next((leaf for leaf in group if leaf.is_text), None) for group in groups]
    attached = [leaf for group in groups for leaf in group if not leaf.is_text]
    ways = sorted((leaf for leaf in texts if leaf), key=lambda leaf: leaf.kind != "text/plain")
    return [replace(ways[0], others=tuple(ways[1:])), *attached] if ways else attached


def _entities(body: bytes, boundary: str) -> Iterator[bytes]:
    """What stands between the delimiter lines of a multipart; the last may lack its end."""
    delimiter = rb"\n--" + re.escape(boundary.rstrip().encode("utf-8", "replace")) + rb"(--)?[ \t\r]*(?=\n|\Z)"
    whole = b"\n" + body
    for found, after in pairwise(chain(re.finditer(delimiter, whole), [None])):
        if found is None or found[1]:
            return
        yield whole[found.end() + 1 : after.start() if after else len(whole)]


def words(raw: str) -> str:
    """A header field, or the beginning of a long one, with its encoded words (RFC 2047) read."""
    if "=?" not in raw:
        return tidy(raw[:_LONGEST_WORDS])
    try:
        return tidy(str(make_header(decode_header(raw[:_LONGEST_WORDS]))))
    except (MessageError, ValueError, LookupError):
        return tidy(raw[:_LONGEST_WORDS])


def _leaf(message: Message, body: bytes) -> Leaf:
    name = words(_text(message.get_filename()))
    kind = message.get_content_type()
    return Leaf(
        "text/plain" if kind.startswith("multipart/") else kind,
        _decoded(body, _text(message["content-transfer-encoding"]).strip().lower()),
        _text(message.get_content_charset()),
        name,
        attached=bool(name) or message.get_content_disposition() == "attachment",
        flowed=_text(message.get_param("format")).lower() == "flowed",
        spaced=_text(message.get_param("delsp")).lower() != "yes",
    )


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding == "base64":
        signs = _NOT_BASE64.sub(b"", body.partition(b"=")[0])
        whole = signs[: len(signs) - (len(signs) % 4 == 1)]
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    return body


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
