"""Bytes to text, and text to one clean line.

Rules
-----
1. A byte order mark decides; else UTF-8; else Windows-1252, with a warning.
2. Every line end becomes LF. A few NULs are dropped, with a warning; many mean that the file is no text.
3. `tidy` changes white space only, but for what no text may hold: control characters go, lone surrogates become U+FFFD.
"""

from __future__ import annotations

import codecs
import re

from digest.errors import ListingError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile("\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(content: bytes, charset: str = "") -> tuple[str, tuple[str, ...]]:
    """The text of a file and what was odd about its encoding. `charset`: the declared one ("": none is).

    Raises ListingError for a binary file.
    """
    text, warnings = _characters(content)
    nuls = text.count("\0")
    if nuls * 100 > len(text):
        raise ListingError("this is a binary file, not text; save the listing as plain text or JSON in UTF-8")
    if nuls:
        text, warnings = text.replace("\0", ""), (*warnings, f"dropped NUL characters ({nuls})")
    return _LINE_END.sub("\n", text), warnings


def tidy(text: str) -> str:
    """The same text on one line: runs of white space become one space, and what no text may hold goes."""
    return " ".join(_SURROGATE.sub("\ufffd", _CONTROL.sub("", text)).split())


def _characters(content: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding, "replace")
            return text, (f"some characters are not {encoding} and were replaced",) if "\ufffd" in text else ()
    try:
        return content.decode(), ()
    except UnicodeDecodeError as error:
        warning = f"not UTF-8 (byte {error.start + 1}); read as Windows-1252"
        return content.decode("cp1252", "replace"), (warning,)
