"""What was fetched, kept as a listing file that is either there as a whole or not at all.

Rules
-----
1. It is written under a name that the loader passes over, flushed to the disk, and then renamed.
2. Its name is the moment, and its time of modification as well: the loader takes that for the day of the listing.
3. Text in a charset that only the Content-Type names would be unreadable without it, so that is kept as UTF-8. Bytes
   that say themselves what they are (a BOM, an XML declaration), or that are UTF-8, stay as they came.
"""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import suppress
from datetime import UTC, datetime
from email.message import Message
from itertools import count
from pathlib import Path

from digest.errors import FetchError

_PART = ".fetching.part"
_BOMS = (BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE)
_DECLARED = re.compile(rb"\s*<\?xml[^>]*\sencoding\s*=")
_SUFFIXES = {
    "application/json": ".json",
    "application/feed+json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/atom+xml": ".xml",
    "application/rss+xml": ".xml",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/html": ".html",
    "application/x-bibtex": ".bib",
    "application/x-research-info-systems": ".ris",
    "application/gzip": ".gz",
    "application/zip": ".zip",
    "message/rfc822": ".eml",
}


def save(folder: Path, content: bytes, kind: str, now: int) -> Path:
    """Keep what came with this Content-Type at this moment (epoch seconds). Raises FetchError."""
    part = folder / _PART
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(_readable(content, kind))
            file.flush()
            os.fsync(file.fileno())
        os.utime(part, (now, now))
        path = _free(folder, f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%M%SZ}", _suffix(kind))
        part.rename(path)
        _flush(folder)
    except OSError as error:
        raise FetchError(f"it cannot be saved in {folder}: {error.strerror or error}") from None
    return path


def _free(folder: Path, stamp: str, suffix: str) -> Path:
    """A path that nothing has; two fetches may share a second where the clock is set back."""
    names = (f"{stamp}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    return next(path for path in map(folder.joinpath, names) if not os.path.lexists(path))


def _flush(folder: Path) -> None:
    """So that the new name outlives a loss of power, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _suffix(kind: str) -> str:
    """For people who look into the folder; the loader goes by the content."""
    return _SUFFIXES.get(kind.partition(";")[0].strip().lower(), ".txt")


def _readable(content: bytes, kind: str) -> bytes:
    charset = _charset(kind)
    if not charset or content.startswith(_BOMS) or _DECLARED.match(content) or _is_utf8(content):
        return content
    with suppress(LookupError, UnicodeError):
        return content.decode(charset).encode()
    return content


def _charset(kind: str) -> str:
    """The charset of a text's Content-Type ("": none)."""
    header = Message()
    header["Content-Type"] = kind.replace("\r", " ").replace("\n", " ")
    is_text = header.get_content_maintype() == "text" or header.get_content_subtype().endswith(("json", "xml"))
    charset = header.get_content_charset("") if is_text else ""
    return "cp1252" if charset in ("iso-8859-1", "latin-1", "latin1") else charset  # as browsers read them


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
