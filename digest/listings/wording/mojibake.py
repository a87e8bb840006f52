"""Text that was UTF-8 and was once read as Windows-1252 ("cafÃ©", "donâ€™t"), read again as it was meant.

Rules
-----
1. Only lines in which a telltale stands are touched: signs that are, as bytes of Windows-1252, one character of UTF-8,
   or a control character that is a quotation mark or dash of Windows-1252.
2. A line that shows such signs in quotation marks is about them, and "AMANHÃ”" is a Portuguese word; both stay.
3. What a line means is ftfy's judgement, but for its guesses at blanks and characters that were lost.
"""

from __future__ import annotations

import re

_HIGH = "".join(bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0))
_NEXT = f"[\x80-\xbf{_HIGH}]"
_TELLTALE = re.compile(  # one class of signs first, then what it is: five times as fast as a choice of four
    rf"[\x80-\x84\x86-\x9fÂ-ô](?:(?<=[Â-ß]){_NEXT}|(?<=[à-ï]){_NEXT}{{2}}|(?<=[ð-ô]){_NEXT}{{3}}|(?<=[\x80-\x9f]))"
)
_MEANT = re.compile(f"([\"'“‘«(`])[Â-ô]{_NEXT}{{1,3}}[\"'”’»)`]|[A-ZÀ-Þ]Ã[‘’“”–—…™]")
_PIECE = re.compile(r".{1,2000}\S{0,200}\s*", re.DOTALL)


def repaired(text: str) -> tuple[str, list[int]]:
    """The text with LF line ends, with what was misread repaired, and the 1-based numbers of the lines that changed."""
    if text.isascii() or not _TELLTALE.search(text):
        return text, []
    lines, changed = text.split("\n"), list[int]()
    for number, line in enumerate(lines, 1):
        if not line.isascii() and _TELLTALE.search(line):
            lines[number - 1] = _PIECE.sub(lambda piece: _piece(piece[0]), line)
            if lines[number - 1] != line:
                changed.append(number)
    return "\n".join(lines), changed


def _piece(text: str) -> str:
    """A line, or as much of a long one as is judged together."""
    import ftfy  # noqa: PLC0415 - it takes longer to load than most listings, and few need it

    if not _TELLTALE.search(text) or _MEANT.search(text):
        return text
    return ftfy.fix_encoding(text, restore_byte_a0=False, replace_lossy_sequences=False)
