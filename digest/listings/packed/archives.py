"""gzip and zip, unpacked in memory within a budget.

Rules
-----
1. A gzip file may have several members, one behind the other; zeros behind the last are padding.
2. A gzip file that ends too early or fails its checksum is refused as a whole: half a listing would be half an entry.
3. In a zip folders, dot files and what macOS adds are passed over. A member that is encrypted, damaged, or compressed
   in another way than by deflate, is rejected alone.
4. What a member says of its size is taken from the budget before it is read, and no more than that is read.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from struct import error as StructError  # noqa: N812 - what zipfile lets through for a broken field

from digest.errors import ListingError
from digest.listings.packed.part import Part
from digest.listings.wording.decode import tidy
from digest.model import Rejection

GZIP = b"\x1f\x8b\x08"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second begins a zip without members

_MOST_MEMBERS = 10_000
_MEMBER = b"PK\x01\x02"
_CHUNK = 1 << 16
_HIDDEN = re.compile(r"(?:^|/)(?:\.[^./]|__MACOSX/)")
_OFFICE = {"[Content_Types].xml": "an Office file (.xlsx, .docx)", "mimetype": "an OpenDocument or EPUB file"}


@dataclass(slots=True)
class Budget:
    """How many bytes may be unpacked in all, and how many were."""

    most: int
    used: int = 0

    @property
    def spent(self) -> bool:
        """Whether more than that was asked for."""
        return self.used > self.most

    def take(self, size: int) -> None:
        """Use so many bytes. Raises ListingError if that is too much."""
        self.used += size
        if self.spent:
            raise ListingError(f"it unpacks to more than {self.most:,} bytes; split it into smaller files")


def gunzipped(part: Part, budget: Budget) -> Iterator[Part | Rejection]:
    """The one part in a gzip file. Raises ListingError."""
    unpacked = bytearray()
    place, members = 0, 0
    while part.content.startswith(GZIP, place):
        members += 1
        if members > _MOST_MEMBERS:
            raise ListingError(f"it is a gzip file of more than {_MOST_MEMBERS:,} members; split it into smaller files")
        place = _gunzip(part.content, place, unpacked, budget)
    behind = len(part.content[place:].lstrip(b"\0"))
    if behind:
        yield Rejection(0, f"{behind:,} bytes behind the end of the gzip data were passed over")
    yield part._replace(name="", content=bytes(unpacked))


def _gunzip(content: bytes, place: int, into: bytearray, budget: Budget) -> int:
    """Append what the member unpacks to that begins here; the place where it ends."""
    engine = zlib.decompressobj(wbits=31)
    chunk = 256  # a small one first, for members may be tiny, and what is behind them is copied
    while not engine.eof:
        given = engine.unconsumed_tail or content[place : place + chunk]
        if not given:
            raise ListingError("the gzip data end too early; was it copied or fetched to its end?")
        place += 0 if engine.unconsumed_tail else len(given)
        chunk = _CHUNK
        try:
            found = engine.decompress(given, _CHUNK)
        except zlib.error as error:
            raise ListingError(f"the gzip data are damaged ({error}); fetch or pack the file again") from None
        budget.take(len(found))
        into += found
    return place - len(engine.unused_data)


def unzipped(part: Part, budget: Budget) -> Iterator[Part | Rejection]:
    """The parts in a zip file. Raises ListingError."""
    if part.content.count(_MEMBER) > _MOST_MEMBERS:
        raise ListingError(f"it is a zip file of more than {_MOST_MEMBERS:,} members; split it into smaller files")
    try:
        archive = zipfile.ZipFile(BytesIO(part.content))
    except _FAULTS as error:
        raise ListingError(f"the zip file is damaged ({error}); fetch or pack it again") from None
    members = [member for member in archive.infolist() if not _passed_over(member)]
    for member in members:
        if member.filename in _OFFICE:
            raise ListingError(f"this is {_OFFICE[member.filename]}, no listing; save it as text or CSV")
    for member in members:
        yield _member(archive, member, part, budget)


def _passed_over(member: zipfile.ZipInfo) -> bool:
    return member.filename.endswith("/") or bool(_HIDDEN.search(member.filename))


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, part: Part, budget: Budget) -> Part | Rejection:
    name = tidy(member.filename[-200:]) or "a member without a name"
    if member.flag_bits & 1:
        return Rejection(0, f"{name}: it is encrypted; pack it without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Rejection(0, f"{name}: it is compressed in an uncommon way ({member.compress_type}); pack it again")
    budget.take(member.file_size)
    try:
        with archive.open(member) as file:
            content = file.read(member.file_size)
    except _FAULTS as error:
        return Rejection(0, f"{name}: it is damaged ({error}); pack it again")
    return Part(name, content, "", part.day)


_FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, OverflowError, StructError,
    LookupError,
)  # fmt: skip
