"""Quoted-printable pieces: what they decode to, and how they lie on the wire."""

from __future__ import annotations

import quopri

from hypothesis import example, given
from hypothesis import strategies as st

from digest.rendering.quoted import encode

texts = st.text(st.characters(codec="utf-8"))
dotty = st.text("ab.= \t\r\né", max_size=400)


def lines_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def assert_lies_well(encoded: bytes) -> None:
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith(b".")
        assert not line.endswith((b" ", b"\t"))
        assert b"\r" not in line
        assert b"\n" not in line
    assert encoded.isascii()
    assert not encoded or encoded.endswith(b"\r\n")


@given(texts | dotty)
@example("." * 300)
@example("x" * 75)
@example("x" * 76)
@example("x" * 75 + ".")
@example("trailing \n.\n")
def test_a_piece_decodes_to_its_text(text: str) -> None:
    """Decoding gives the text with CRLF line ends; no line is over 76 octets, begins with a dot or ends in a space."""
    encoded = encode(text)
    assert quopri.decodestring(encoded) == lines_end(text).encode()
    assert_lies_well(encoded)


@given(st.lists(texts | dotty, max_size=8))
def test_pieces_concatenate(pieces: list[str]) -> None:
    """Pieces put together decode to their texts put together, and still lie well."""
    encoded = b"".join(encode(piece) for piece in pieces)
    assert quopri.decodestring(encoded) == b"".join(lines_end(piece).encode() for piece in pieces)
    assert_lies_well(encoded)
