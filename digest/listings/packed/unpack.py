"""A file to the listings in it: as it is, out of gzip or zip, or out of mails.

Rules
-----
1. What a file is shows its content, never its name.
2. All that is unpacked from one file has at most the size that one file may have; a file with more is refused as a
   whole, before more is unpacked. So no bomb goes off.
3. What is packed may be packed again, four times over: a mail with a zip with a gzip with a mailbox.
4. A part that cannot be read is rejected alone. Its name says where it is ("papers.zip: cs.csv").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from digest.errors import ListingError
from digest.listings.packed import archives, mails
from digest.listings.packed.archives import Budget
from digest.listings.packed.part import Part
from digest.model import Rejection

__all__ = ["Part", "unpacked"]

_DEEPEST = 4
_ADVICE = "unpack it, or pack it as gzip or zip"
_SAVE = "save the listing as text"
_REFUSED = (  # where a sign stands, the sign, what it shows, and what to do
    (0, b"\xfd7zXZ\0", "an xz archive", _ADVICE),
    (4, b"1AY&SY", "a bzip2 archive", _ADVICE),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _ADVICE),
    (0, b"Rar!\x1a\x07", "a RAR archive", _ADVICE),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive", _ADVICE),
    (0, b"\x04\x22\x4d\x18", "an lz4 archive", _ADVICE),
    (0, b"LZIP\x01", "an lzip archive", _ADVICE),
    (0, b"\x1f\x9d", "a compressed file (.Z)", _ADVICE),
    (257, b"ustar\0", "a tar archive", _ADVICE),
    (257, b"ustar  \0", "a tar archive", _ADVICE),
    (0, b"%PDF-", "a PDF", f"{_SAVE}, or export it as CSV or BibTeX"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file or an Outlook message", f"{_SAVE}, CSV or .eml"),
    (0, b"SQLite format 3\0", "an SQLite database", "export the listing as CSV or JSON"),
    (0, b"\x89PNG\r\n", "a picture", _SAVE),
    (0, b"\xff\xd8\xff", "a picture", _SAVE),
)


def unpacked(content: bytes, day: date, most: int) -> Iterator[Part | Rejection]:
    """The parts of a file of this day, of at most `most` bytes all together. Raises ListingError for a broken one."""
    return _opened(Part("", content, "", day), Budget(most), 0)


def _opened(part: Part, budget: Budget, depth: int) -> Iterator[Part | Rejection]:
    inside = _inside(part, budget)
    if inside is None:
        _refuse(part.content)
        yield part
    elif depth == _DEEPEST:
        raise ListingError(f"it is packed more than {_DEEPEST} times over; unpack it")
    else:
        for inner in inside:
            yield from _named(inner, part.name, budget, depth)


def _inside(part: Part, budget: Budget) -> Iterator[Part | Rejection] | None:
    """What is packed in a part; None if nothing is."""
    if part.content.startswith(archives.GZIP):
        return archives.gunzipped(part, budget)
    if part.content.startswith(archives.ZIP):
        return archives.unzipped(part, budget)
    return mails.parts(part) if mails.recognise(part.content) else None


def _named(inner: Part | Rejection, outer: str, budget: Budget, depth: int) -> Iterator[Part | Rejection]:
    """A part and all in it, under the name of what it is in."""
    before = f"{outer}: " if outer else ""
    if isinstance(inner, Rejection):
        yield replace(inner, reason=f"{before}{inner.reason}")
        return
    if not inner.name:
        yield from _opened(inner._replace(name=outer), budget, depth + 1)
        return
    name = f"{before}{inner.name}"
    try:
        yield from _opened(inner._replace(name=name), budget, depth + 1)
    except ListingError as error:
        if budget.spent:
            raise
        yield Rejection(0, f"{name}: {error}")


def _refuse(content: bytes) -> None:
    """Raises ListingError for what is known, and no listing."""
    for place, sign, what, advice in _REFUSED:
        if content.startswith(sign, place):
            raise ListingError(f"this is {what}, no listing; {advice}")
