r"""Quoted-printable in pieces that can be put together (RFC 2045 section 6.7).

Rules
-----
1. A piece ends in a line end: a hard one where its text does, else a soft one (`=\r\n`). So pieces concatenate.
2. No line is longer than 76 octets, and every line end is CRLF.
3. No line begins with a dot (RFC 5321 section 4.5.2), so the message never needs dot-stuffing.
"""

from __future__ import annotations

from binascii import b2a_qp

_LINE = 75  # and the sign of a soft line break


def encode(text: str) -> bytes:
    """One piece. A line end of any kind in the text becomes a hard CRLF."""
    if text and text.isascii() and text.isprintable() and "=" not in text and "." not in text[::_LINE]:
        lines = ""
        while len(text) > _LINE:
            lines, text = f"{lines}{text[:_LINE]}=\r\n", text[_LINE:]
        return f"{lines}{text}=\r\n".encode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    ended = not text or text[-1] == "\n"
    # A final "=" is written "=3D" where it fits on a line; without its last two octets it is a soft line break.
    encoded = b2a_qp(text.encode()) if ended else b2a_qp(f"{text}=".encode())[:-2] + b"\n"
    if encoded[:1] == b"." or b"\n." in encoded:
        encoded = _without_leading_dots(encoded)
    return encoded.replace(b"\n", b"\r\n")


def _without_leading_dots(encoded: bytes) -> bytes:
    encoded = b"\n" + encoded
    while b"\n." in encoded:
        encoded = encoded.replace(b"\n.", b"\n=2E=\n")
    return encoded[1:]
