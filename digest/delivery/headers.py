"""Header lines by hand: whatever the value, one header comes out, and it reads back as the cleaned value.

Rules
-----
1. A value is cleaned first: no control character, lone surrogate or bidi control; white space is single spaces.
2. What is ASCII goes as it is, folded at spaces (RFC 5322 2.2.3). What is not, or holds `=?` or a word too long to
   fold, goes whole as encoded-words (RFC 2047), so nothing that a value spells is ever decoded a second time. No
   character is split between two words. A name is always base64, which needs no more care there (5.3).
3. A header that programs read (List-Unsubscribe, Feedback-ID, …) is printable ASCII, one line, never encoded.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator

from digest.delivery.address import envelope_address
from digest.errors import MessageError

LINE = 76
WORD = LINE - len("Reply-To: ")  # so that any word fits beside any of our folded header names
_PAYLOAD = WORD - len("=?utf-8?q??=")
# Pieces end neither inside `=XX` nor before an octet that continues a character (10xxxxxx: =8X to =BX).
_QUOTED_PIECE = re.compile(rf".{{1,{_PAYLOAD}}}(?<!=)(?<!=.)(?!=[89AB])")
_OCTETS_PIECE = re.compile(rb".{1,%d}(?![\x80-\xbf])" % (_PAYLOAD // 4 * 3), re.DOTALL)

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_QUOTED_PAIR = re.compile(r'["\\]')
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def clean(value: str) -> str:
    """The value without anything that could end a header, hide in it or turn it round."""
    if not value.isprintable():
        value = _CONTROL.sub(" ", _BIDI.sub("", value))
    return " ".join(value.split())


def text_header(name: str, value: str) -> bytes:
    """An unstructured header, such as Subject."""
    value = clean(value)
    return _folded(name, value if _plain(value) else _encoded_words(value))


def address_header(name: str, display: str, address: str) -> bytes:
    """A header of one mailbox. A local part beyond ASCII makes it UTF-8 (RFC 6532)."""
    return _folded(name, mailbox(display, address))


def structured_header(name: str, value: str) -> bytes:
    """A header for programs: one line of printable ASCII. Raises MessageError for any other value."""
    line = f"{name}: {value}"
    if not _PRINTABLE.fullmatch(value) or len(line) > 998:
        raise MessageError(f"{name} must be printable ASCII on one line of at most 998 octets: {value!r}")
    return f"{line}\r\n".encode("ascii")


def mailbox(name: str, address: str) -> str:
    """`name <address>`, or the address alone; the name quoted or encoded, the domain as its A-label."""
    name = name and phrase(name)
    address = envelope_address(address, smtputf8=True)
    return f"{name} <{address}>" if name else address


def phrase(name: str) -> str:
    """A display name as a structured header takes it: atoms, a quoted string, or encoded-words."""
    name = clean(name)
    quoted = name if _ATOMS.fullmatch(name) else '"' + _QUOTED_PAIR.sub(r"\\\g<0>", name) + '"'
    return quoted if _plain(quoted) else _base64_words(name.encode())


def _plain(text: str) -> bool:
    """Whether a text can go as it is: ASCII, nothing that looks encoded, and every word short enough to fold."""
    short = len(text) <= WORD or all(len(word) <= WORD for word in text.split(" "))
    return short and text.isascii() and "=?" not in text


def _folded(name: str, value: str) -> bytes:
    line = f"{name}: {value}"
    if len(line) > LINE:
        line = "\r\n ".join(_lines(name, value.split(" ")))
    return f"{line}\r\n".encode()


def _lines(name: str, words: list[str]) -> Iterator[str]:
    """The header in lines of at most LINE characters, if its words allow; the first line holds at least one word."""
    line, room = f"{name}: {words[0]}", LINE
    for word in words[1:]:
        if len(line) + 1 + len(word) > room:
            yield line
            line, room = word, LINE - 1  # one less, for the space that goes before a continuation
        else:
            line += f" {word}"
    yield line


def _encoded_words(text: str) -> str:
    """The text as encoded-words, in the shorter of the two encodings."""
    octets = text.encode()
    quoted = b2a_qp(octets, header=True).replace(b"=\n", b"").replace(b"?", b"=3F").decode()
    if len(quoted) * 3 <= len(octets) * 4:
        return " ".join([f"=?utf-8?q?{piece}?=" for piece in _QUOTED_PIECE.findall(quoted)])
    return _base64_words(octets)


def _base64_words(octets: bytes) -> str:
    return " ".join([f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in _OCTETS_PIECE.findall(octets)])
