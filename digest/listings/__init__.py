"""A listing file becomes a Listing: `read` takes bytes, `parse` takes text; `folder` finds the files.

The formats are listed in `sniff`; each has a file of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from digest.errors import ListingError
from digest.listings.decode import decode
from digest.listings.sniff import FORMATS, look, sniff
from digest.model import Listing

__all__ = ["parse", "read"]


def read(content: bytes, modified: date) -> Listing:
    """The listing in a file's bytes. `modified` is the day on which the file was. Raises ListingError."""
    text, warnings = decode(content)
    listing = parse(text, modified)
    return replace(listing, warnings=warnings + listing.warnings)


def parse(text: str, modified: date) -> Listing:
    """The listing in a text. Raises ListingError if the format is unknown; a listing without entries is a warning."""
    name = sniff(text)
    if name is None:
        known = ", ".join(sorted(FORMATS))
        raise ListingError(f"unknown format: this looks like {look(text)}; supported are {known}")
    listing = FORMATS[name].parse(text, modified)
    if listing.entries:
        return listing
    return replace(listing, warnings=(*listing.warnings, f"no entries found, though the format is {name}"))
