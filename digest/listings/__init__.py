"""A listing file becomes a Listing: `read` takes bytes, `parse` takes text; `folder` finds the files.

The formats are listed in `sniff`; each has a file of its own, and makes drafts of what it finds. `drafts` makes
entries of them.

    bytes → packed/ → text → sniff → format → Draft → wording/ → Entry
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from digest.errors import ListingError
from digest.listings.origin import Origin
from digest.listings.packed.unpack import Part, unpacked
from digest.listings.sniff import FORMATS, refusal, sniff
from digest.listings.wording.decode import decode
from digest.model import Listing, Rejection

__all__ = ["Origin", "parse", "read"]

MOST_BYTES = 1 << 30


def read(content: bytes, origin: Origin, most: int = MOST_BYTES) -> Listing:
    """The listing in a file's bytes, which unpack to no more than `most`. Raises ListingError."""
    parts = list(unpacked(content, origin.day, most))
    del content  # a large file is in memory as bytes, then as text, then as entries, and never as all three
    parts.reverse()
    found = [_listing(parts.pop(), origin) for _ in range(len(parts))]
    return found[0] if len(found) == 1 and found[0].format else _joined(found)


def parse(text: str, origin: Origin) -> Listing:
    """The listing in a text. Raises ListingError if the format is unknown; a listing without entries is a warning."""
    name = sniff(text)
    if name is None:
        raise ListingError(refusal(text))
    listing = replace(FORMATS[name].parse(text, origin), ranked=FORMATS[name].ranked)
    if listing.entries:
        return listing
    return replace(listing, warnings=(*listing.warnings, f"no entries found, though the format is {name}"))


def _listing(part: Part | Rejection, origin: Origin) -> Listing:
    if isinstance(part, Rejection):
        return Listing("", (), rejected=(part,))
    name, origin = part.name, replace(origin, day=part.day)
    try:
        text, warnings = decode(part.content, part.charset)
        del part
        listing = parse(text, origin)
    except ListingError as error:
        if not name:
            raise
        return Listing("", (), rejected=(Rejection(0, f"{name}: {error}"),))
    listing = replace(listing, warnings=warnings + listing.warnings)
    return _named(name, listing) if name else listing


def _named(name: str, listing: Listing) -> Listing:
    """The listing of a part among others: what is wrong with it says where."""
    return replace(
        listing,
        rejected=tuple(replace(one, reason=f"{name}: {one.reason}") for one in listing.rejected),
        warnings=tuple(f"{name}: {warning}" for warning in listing.warnings),
        notes=tuple(f"{name}: {note}" for note in listing.notes),
    )


def _joined(parts: Sequence[Listing]) -> Listing:
    """Several listings as one. Raises ListingError if none of them can be read."""
    formats = dict.fromkeys(part.format for part in parts if part.format)
    rejected = tuple(one for part in parts for one in part.rejected)
    if not formats:
        raise ListingError(rejected[0].reason if rejected else "there is nothing in it")
    return Listing(
        " + ".join(formats),
        tuple(entry for part in parts for entry in part.entries),
        source=next((part.source for part in parts if part.source), ""),
        curator=next((part.curator for part in parts if part.curator), ""),
        date=next((part.date for part in parts if part.date), None),
        rejected=rejected,
        warnings=tuple(warning for part in parts for warning in part.warnings),
        notes=tuple(note for part in parts for note in part.notes),
    )
