"""Files in files: what is unpacked, what is refused, and that no bomb goes off."""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ListingError
from digest.listings import Origin, read
from digest.listings.packed.unpack import Part, unpacked
from digest.model import Rejection

DAY = date(2026, 2, 1)
gz = partial(gzip.compress, mtime=0)  # no clock in the names of tests
LISTING = b'[{"title": "Cut Twice"}]'


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def opened(content: bytes, most: int = 1_000_000) -> tuple[dict[str, bytes], list[str]]:
    """The parts by name, and the reasons of what was rejected."""
    found = list(unpacked(content, DAY, most))
    parts = {part.name: part.content for part in found if isinstance(part, Part)}
    return parts, [one.reason for one in found if isinstance(one, Rejection)]


def test_what_is_not_packed_is_the_part() -> None:
    """A plain file is one part without a name."""
    assert list(unpacked(LISTING, DAY, 10)) == [Part("", LISTING, "", DAY)]


def test_gzip_is_unpacked_with_all_its_members() -> None:
    """Members one behind the other are one text; zeros behind them are padding, anything else is told of."""
    packed = gz(LISTING) + gz(b"\n" * 100_000) + bytes(500)
    assert opened(packed) == ({"": LISTING + b"\n" * 100_000}, [])
    assert opened(packed + b"junk") == (
        {"": LISTING + b"\n" * 100_000},
        ["4 bytes behind the end of the gzip data were passed over"],
    )


@pytest.mark.parametrize("missing", range(1, 40))
def test_a_gzip_file_cut_short_is_refused(missing: int) -> None:
    """No half listing comes out of a file that was not copied to its end."""
    with pytest.raises(ListingError, match="copied or fetched to its end"):
        opened(gz(LISTING)[:-missing])


def test_a_damaged_gzip_file_is_refused() -> None:
    """A checksum that is wrong refuses the whole file."""
    packed = bytearray(gz(LISTING))
    packed[-5] ^= 1
    with pytest.raises(ListingError, match="damaged"):
        opened(bytes(packed))


def test_the_members_of_a_zip_are_parts_with_names() -> None:
    """Every file in a zip is a part, in order; folders, dot files and what macOS adds are not."""
    members = {"b/": b"", "b/2.json": LISTING, "../a.json": b"1", ".x": b"", "c/.git/y": b"", "__MACOSX/z": b""}
    assert opened(zipped(members)) == ({"b/2.json": LISTING, "../a.json": b"1"}, [])
    assert opened(zipped(members, zipfile.ZIP_STORED))[0] == {"b/2.json": LISTING, "../a.json": b"1"}


def test_what_is_packed_again_is_unpacked_again() -> None:
    """A zip in a gzip in a zip is opened, and the name says the way."""
    inner = gz(zipped({"a.json": LISTING}))
    assert opened(zipped({"x.zip.gz": inner, "b.json": b"2"})) == (
        {"x.zip.gz: a.json": LISTING, "b.json": b"2"},
        [],
    )


def test_a_member_that_cannot_be_read_is_rejected_alone() -> None:
    """An encrypted, damaged, oddly compressed or foreign member is rejected with its name; the others are read."""
    content = bytearray(
        zipped({"bad.json": LISTING * 9, "locked.json": b"2", "good.json": LISTING, "t.xz": b"\xfd7zXZ\0"})
    )
    content[content.index(b"bad.json") + 12] ^= 0xFF
    directory = content.index(b"PK\x01\x02")
    content[content.index(b"PK\x01\x02", directory + 1) + 8] |= 1
    parts, reasons = opened(bytes(content))
    assert parts == {"good.json": LISTING}
    assert [reason.split(" (")[0] for reason in reasons] == [
        "bad.json: it is damaged",
        "locked.json: it is encrypted; pack it without a password",
        "t.xz: this is an xz archive, no listing; unpack it, or pack it as gzip or zip",
    ]
    assert opened(zipped({"a": LISTING}, zipfile.ZIP_BZIP2))[1] == [
        "a: it is compressed in an uncommon way (12); pack it again"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xfd7zXZ\0\0", "an xz archive"),
        (b"BZh91AY&SY", "a bzip2 archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (b"a.csv".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (gz(b"a.csv".ljust(257, b"\0") + b"ustar  \0"), "a tar archive"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b""}), "an Office file"),
        (zipped({"mimetype": b"application/epub+zip"}), "an OpenDocument or EPUB file"),
        (b"PK\x03\x04junk", "the zip file is damaged"),
    ],
)
def test_what_is_no_listing_is_named(content: bytes, words: str) -> None:
    """A known kind of file that holds no listing is refused by its name, with what to do."""
    with pytest.raises(ListingError, match=words):
        opened(content)


def lying_zip() -> bytes:
    """A zip whose member says that it is small."""
    content = bytearray(zipped({"a": bytes(50_000_000)}))
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
    return bytes(content)


def overlapping_zip() -> bytes:
    """A zip with a thousand entries for the same data."""
    content = zipped({"a": bytes(1_000_000)})
    directory = content.index(b"PK\x01\x02")
    entry = content[directory : content.index(b"PK\x05\x06")]
    count, size = (1000).to_bytes(2, "little"), (1000 * len(entry)).to_bytes(4, "little")
    end = b"PK\x05\x06\0\0\0\0" + count * 2 + size + directory.to_bytes(4, "little") + b"\0\0"
    return content[:directory] + entry * 1000 + end


@pytest.mark.parametrize(
    "bomb",
    [
        gz(bytes(50_000_000)),
        zipped({"a": bytes(50_000_000)}),
        zipped({f"{number}": bytes(900_000) for number in range(9)}),
        zipped({"ok.json": LISTING, "inner.zip": zipped({"a": bytes(5_000_000)})}),
        zipped({"x.gz": gz(bytes(600_000)), "y.gz": gz(bytes(600_000))}),
        gz(gz(bytes(50_000_000))),
        overlapping_zip(),
    ],
)
def test_a_bomb_is_refused_as_a_whole_and_takes_no_memory(bomb: bytes) -> None:
    """What unpacks to more than the limit, in one member or in all together, is refused before it is unpacked."""
    tracemalloc.start()
    with pytest.raises(ListingError, match="unpacks to more than 1,000,000 bytes"):
        opened(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_member_that_lies_about_its_size_is_read_no_further() -> None:
    """A member is read up to the size that it names, and is then found to be damaged."""
    content = lying_zip()
    tracemalloc.start()
    parts, [reason] = opened(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (parts, reason.startswith("a: it is damaged"), peak < 10_000_000) == ({}, True, True)


def test_too_many_members_are_refused() -> None:
    """A zip or gzip file of more than 10,000 members is refused before its members are looked at."""
    with pytest.raises(ListingError, match="more than 10,000 members"):
        opened(b"PK\x03\x04" + b"PK\x01\x02" * 10_001)
    with pytest.raises(ListingError, match="more than 10,000 members"):
        opened(gz(b"") * 10_001)


def test_what_is_packed_too_often_is_refused() -> None:
    """Five times packed is one too many, and so a file that holds itself comes to an end."""
    content = LISTING
    for _ in range(4):
        content = gz(content)
    assert opened(content) == ({"": LISTING}, [])
    with pytest.raises(ListingError, match="more than 4 times over"):
        opened(gz(content))
    assert opened(zipped({"a.gz": content})) == ({}, ["a.gz: it is packed more than 4 times over; unpack it"])


def test_a_listing_out_of_an_archive_is_read() -> None:
    """The entries of all members are one listing; what is wrong says in which member."""
    listing = read(zipped({"a.json": LISTING, "b.json": b'[{"title": 1}]', "c.txt": b"hello"}), Origin(DAY))
    assert [entry.title for entry in listing.entries] == ["Cut Twice"]
    assert [one.reason.split(":")[0] for one in listing.rejected] == ["b.json", "c.txt"]


def mutated(seed: bytes) -> st.SearchStrategy[bytes]:
    """A file with a few bytes set, cut out or put in."""
    place = st.integers(0, len(seed))
    change = st.tuples(place, st.integers(0, 12), st.binary(max_size=6))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        content = seed
        for start, length, new in changes:
            content = content[:start] + new + content[start + length :]
        return content

    return st.lists(change, max_size=4).map(apply)


def seeds() -> Iterator[bytes]:
    yield zipped({"a/b.json": LISTING, "x.gz": gz(LISTING), "y.zip": zipped({"z": LISTING * 5})})
    yield gz(LISTING) + gz(zipped({"a": LISTING}))
    yield zipped({"a": LISTING}, zipfile.ZIP_STORED)
    yield b"\x1f\x8b\x08\x1f\0\0\0\0\0\0" + zlib.compress(LISTING)


@given(st.one_of([mutated(seed) for seed in seeds()]))
def test_damaged_archives_give_parts_or_a_refusal(content: bytes) -> None:
    """Whatever becomes of an archive, parts, rejections or a ListingError come out, within the limit."""
    try:
        found = list(unpacked(content, DAY, 10_000))
    except ListingError:
        return
    assert sum(len(part.content) for part in found if isinstance(part, Part)) <= max(10_000, len(content))


@given(st.binary(max_size=400))
def test_any_bytes_give_parts_or_a_refusal(content: bytes) -> None:
    """Whatever the bytes, it ends with parts, rejections or a ListingError."""
    try:
        found = list(unpacked(content, DAY, 10_000))
    except ListingError:
        return
    assert found or content.startswith(b"PK")
