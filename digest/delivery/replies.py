"""A relay's replies, out of the bytes as they come in (RFC 5321 4.2).

Rules
-----
1. A reply is one line or several, each of three digits, then a hyphen (more follow) or a space, then words. All lines
   bear the same code. A bare LF ends a line, too; the words may be missing.
2. What is not that is a ReplyError, and so is a line over LINE octets or a reply over LINES lines, so memory is
   bounded whatever a relay sends. The replies before it count.
3. Octets beyond UTF-8 become surrogates; `words` makes one line of a reply that can be stored and shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from digest.delivery.headers import clean
from digest.errors import DigestError

LINE, LINES = 2048, 128
_SHOWN = 500

_MARKS = (b" ", b"-", b"")
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?![\d.])")


class ReplyError(DigestError):
    """What the relay sent is no reply, or no answer to what it was sent."""


class Reply(NamedTuple):
    """A reply's code, 0 to 999, and the words of all its lines."""

    code: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.code:03} {words(self.text)}".rstrip()


class ReplyParser:
    """Takes bytes in pieces of any size and gives the replies that are complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[Reply] = []

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield each reply that `data` completes. Raises ReplyError; nothing can be read after that."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            reply, more = _parsed(line)
            if more or self._lines:
                self._lines.append(reply)
                if self._is_unfinished(reply, more):
                    continue
                reply = Reply(reply.code, "\n".join([line.text for line in self._lines]))
                self._lines = []
            yield reply
        if len(self._rest) > LINE:
            raise ReplyError(f"a line of the reply has over {LINE} octets")

    def _is_unfinished(self, reply: Reply, more: bool) -> bool:
        if reply.code != self._lines[0].code:
            raise ReplyError(f"the code of a reply changes from {self._lines[0].code:03} to {reply.code:03}")
        if len(self._lines) > LINES:
            raise ReplyError(f"a reply of over {LINES} lines")
        return more


def enhanced(reply: str) -> str:
    """The enhanced status code with which a reply's words begin (RFC 2034), such as "5.1.1"; "" without one."""
    found = _ENHANCED.match(reply)
    return found[0] if found else ""


def words(text: str) -> str:
    """One line that can be stored and shown, whatever the relay sent."""
    return clean(text)[:_SHOWN]


@lru_cache(maxsize=256)
def _parsed(line: bytes) -> tuple[Reply, bool]:
    """A line, and whether more follow. Cached, because a relay says the same few lines again and again."""
    line = line.removesuffix(b"\r")
    code, mark, text = line[:3], line[3:4], line[4:].strip().decode("utf-8", "surrogateescape")
    if not (len(code) == 3 and code.isdigit() and mark in _MARKS) or len(line) > LINE:
        raise ReplyError(f"a malformed reply: {words(line[:80].decode('utf-8', 'surrogateescape'))!r}")
    return Reply(int(code), text), mark == b"-"
