"""A file to the listings in it: as it is, out of gzip or zip, or out of mails.

Rules
-----
1. What a file is shows its content, never its name.
2. All that is unpacked from one file has at most the size that one file may have, so no bomb goes off.
3. A part that cannot be read is rejected alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from digest.model import Rejection


class Part(NamedTuple):
    """A listing in a file: its name there ("": it is the file), bytes, declared charset ("": none), and its day."""

    name: str
    content: bytes
    charset: str
    day: date


def unpacked(content: bytes, day: date, most: int) -> Iterator[Part | Rejection]:
    """The parts of a file of this day, of at most `most` bytes all together. Raises ListingError for a broken one."""
    yield Part("", content, "", day)
