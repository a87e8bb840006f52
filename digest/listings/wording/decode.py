"""Bytes to text, and text to one clean line.

Rules
-----
1. A byte order mark decides. Else UTF-16 is known by its NULs.
2. Else the declared charset (by the mail, the XML declaration or the first line of a BibTeX file) is tried, then UTF-8.
   What is declared and cannot be true is a warning. Latin-1 and Windows-1252 take any bytes, so they give way to UTF-8.
3. Else every line that is not UTF-8 is Windows-1252, with a warning. Latin-1 is always read as Windows-1252, as in
   browsers, and GB 2312, Shift JIS and EUC-KR as the larger sets of their makers.
4. Every line end becomes LF. A few NULs are dropped, with a warning; many mean that the file is no text.
5. Lines that were once read in a wrong charset are repaired (see `mojibake`), with a warning.
6. `tidy` changes white space only, but for what no text may hold: control characters go, lone surrogates become U+FFFD.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from digest.errors import ListingError
from digest.listings.wording.mojibake import repaired

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = re.compile(
    rb"""\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([^"'>]{1,40})["']|%\s*encoding:\s*(\S{1,40})""", re.IGNORECASE
)
_CHARSET = re.compile(r"[A-Za-z0-9][\w.:+-]{0,40}", re.ASCII)
_NO_CHARSETS = frozenset(("idna", "punycode", "raw-unicode-escape", "unicode-escape"))
_LARGER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_WESTERN = frozenset(("iso8859-1", "cp1252"))
_WINDOWS = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_SAMPLE = 4096

_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")

Decoded = tuple[str, tuple[str, ...]]


def decode(content: bytes, charset: str = "") -> Decoded:
    """The text of a file and what was odd about its encoding. `charset`: the declared one ("": none is).

    Raises ListingError for a binary file.
    """
    text, warnings = _marked(content) or _utf16(content) or _declared(content, charset)
    nuls = text.count("\0")
    if nuls * 100 > len(text):
        raise ListingError("this is a binary file, not text; save the listing as plain text or JSON in UTF-8")
    if nuls:
        text, warnings = text.replace("\0", ""), (*warnings, f"dropped NUL characters ({nuls})")
    text, lines = repaired(text.replace("\r\n", "\n").replace("\r", "\n"))
    if lines:
        warnings = (*warnings, f"repaired text that was once read in a wrong charset (first in line {lines[0]})")
    return text, warnings


def tidy(text: str) -> str:
    """The same text on one line: runs of white space become one space, and what no text may hold goes."""
    if text.isascii() and text.isprintable():
        if "  " not in text and text == text.strip(" "):
            return text
    else:
        text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
    return " ".join(text.split())


def _marked(content: bytes) -> Decoded | None:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding, "replace")
            return text, (f"some characters are not {encoding} and were replaced",) if "\ufffd" in text else ()
    return None


def _utf16(content: bytes) -> Decoded | None:
    """A text in UTF-16 without a mark, if nearly every second byte of its beginning, and no other one, is NUL."""
    sample = content[:_SAMPLE]
    first, second = sample[::2].count(0), sample[1::2].count(0)
    if max(first, second) * 3 < len(sample) or min(first, second) * 50 > len(sample):
        return None
    encoding = "utf-16-be" if first > second else "utf-16-le"
    try:
        return content.decode(encoding), ()
    except UnicodeDecodeError:
        return None


def _declared(content: bytes, charset: str) -> Decoded:
    """The text in the first charset that fits."""
    warnings = list[str]()
    for name in _names(content, charset):
        codec = _codec(name)
        try:
            if codec in _WESTERN:
                return _western(content, name, warnings)
            if codec:
                return content.decode(codec), tuple(warnings)
            warnings.append(f"unknown charset “{name}”")
        except UnicodeDecodeError as error:
            warnings.append(f"not {name}, though it says so (byte {error.start + 1})")
    try:
        return content.decode(), tuple(warnings)
    except UnicodeDecodeError as error:
        warnings.append(f"not UTF-8 (byte {error.start + 1}); read as Windows-1252; save it as UTF-8 to be sure")
        return "".join(map(_line, content.splitlines(keepends=True))), tuple(warnings)


def _names(content: bytes, charset: str) -> Iterator[str]:
    """The declared charsets. One that is declared in ASCII is not that of a text in UTF-16, whatever it says."""
    if charset:
        yield tidy(charset)[:40]
    found = _DECLARATION.match(content[:_SAMPLE])
    inside = (found[1] or found[2]).decode("ascii", "replace").lower() if found else ""
    if inside and not inside.startswith(("utf-16", "utf-32", "utf16", "utf32", "ucs", "iso-10646")):
        yield inside


def _codec(name: str) -> str:
    """The name of Python's codec for a charset; "" if there is none for text."""
    try:
        found = codecs.lookup(name).name if _CHARSET.fullmatch(name) else ""
        bytes(4).decode(found)  # refuses what is no charset, such as rot13
    except (LookupError, ValueError):
        return ""
    return "" if found in _NO_CHARSETS else _LARGER.get(found, found)


def _western(content: bytes, name: str, warnings: list[str]) -> Decoded:
    """A text declared to be in a charset that any bytes are: it is UTF-8 if it can be."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return _windows(content), tuple(warnings)
    says_so = () if text.isascii() else (f"not {name}, though it says so, but UTF-8",)
    return text, (*warnings, *says_so)


def _line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return _windows(line)


def _windows(content: bytes) -> str:
    """Windows-1252; its five undefined bytes are the control characters that they are in Latin-1."""
    return codecs.charmap_decode(content, "strict", _WINDOWS)[0]
