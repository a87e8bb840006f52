"""The body of an answer, as it comes: no larger than allowed, neither packed nor unpacked, and whole."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from digest.errors import FetchError

CODINGS = ("", "identity", "gzip", "x-gzip")
"""The content codings that are understood; no other is asked for."""
_GZIP = 16 + zlib.MAX_WBITS


async def body(parts: AsyncIterator[bytes], coding: str, most: int) -> bytes:
    """All of a body, unpacked, of at most so many bytes. Raises FetchError."""
    if coding not in CODINGS:
        raise FetchError(f"it came packed as {coding[:40]!r}, which nobody asked for")
    unpack = _Gzip(most) if "gzip" in coding else None
    content, received = bytearray(), 0
    async for part in parts:
        received += len(part)
        for piece in unpack.pieces(part) if unpack else (part,):
            content += piece
            _check(len(content), most)
        _check(received, most)
    if unpack:
        unpack.end()
    return bytes(content)


def _check(size: int, most: int) -> None:
    if size > most:
        raise too_large(most)


def too_large(most: int) -> FetchError:
    """What to say of a file over the limit."""
    return FetchError(f"it is larger than {most:,} bytes; raise max_megabytes in its [[sources]] if that is meant")


class _Gzip:
    """Unpacks members of gzip, one after the other (RFC 1952 2.2), never more than asked for at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """What a part unpacks to, in pieces of which none is larger than the limit by more than a byte."""
        while part:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            self._begun = True
            try:
                yield self._member.decompress(part, self._most + 1)
            except zlib.error as error:
                raise FetchError(f"it came packed and cannot be unpacked: {error}", passing=True) from None
            part = self._member.unconsumed_tail or self._member.unused_data

    def end(self) -> None:
        """Nothing more comes."""
        if self._begun and not self._member.eof:
            raise FetchError("it broke off before its end", passing=True)
