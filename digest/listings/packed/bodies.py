"""The text that a mail shows, as plain text with its lines.

Rules
-----
1. Lines of format=flowed that end in a space go on in the next line of the same quotation (RFC 3676).
2. In HTML a line ends where a block begins or ends, and where the source has one in `<pre>`, whose indents stay.
3. Of alternatives the first that is a listing is taken, else the first that has any text.
"""

from __future__ import annotations

import re

from digest.errors import ListingError
from digest.listings.packed.mime import Leaf
from digest.listings.sniff import sniff
from digest.listings.wording.decode import decode
from digest.listings.wording.hypertext import text_of

_BLOCK = re.compile(
    r"</?(?:address|article|blockquote|br|center|dd|div|dl|dt|footer|h[1-6]|header|hr|li|ol|p|pre|section|table|title|tr|ul)"
    r"(?=[\s/>])",
    re.IGNORECASE,
)
_PRE = re.compile(r"(</?pre(?=[\s>]))", re.IGNORECASE)
_INDENT = re.compile(r"\n( +)")
_END, _BLANK = "\ue000", "\ue001"  # signs for private use: they are in no text, and stay when HTML becomes text
_BLANK_LINES = re.compile(r"\n{3,}")


def shown(leaf: Leaf) -> Leaf | None:
    """What a mail shows of a text, as plain text; None if that is nothing."""
    ways = [way for way in map(_as_text, (leaf, *leaf.others)) if way.content.strip()]
    if len(ways) < 2:
        return ways[0] if ways else None
    return next((way for way in ways if is_listing(way)), ways[0])


def is_listing(leaf: Leaf) -> bool:
    """Whether a plain text is of a known format."""
    try:
        return sniff(decode(leaf.content, leaf.charset)[0]) is not None
    except ListingError:
        return False


def _as_text(leaf: Leaf) -> Leaf:
    if leaf.kind == "text/plain" and not leaf.flowed:
        return leaf
    try:
        text, _ = decode(leaf.content, leaf.charset)
    except ListingError:
        return leaf  # it is refused where it is read, with the reason
    text = lines_of(text) if leaf.kind == "text/html" else unflowed(text, spaced=leaf.spaced)
    return Leaf("text/plain", text.encode(), "utf-8")


def unflowed(text: str, *, spaced: bool) -> str:
    """Text of format=flowed with its paragraphs on one line each; `spaced`: the space before a break stays."""
    paragraphs, flowing = list[list[str]](), None  # the quotation marks of the paragraph that goes on
    for line in text.split("\n"):
        quotes = line[: len(line) - len(line.lstrip(">"))]
        words = line[len(quotes) :].removeprefix(" ")
        flows = words.endswith(" ") and words != "-- "
        if quotes != flowing:
            paragraphs.append([f"{quotes} "] if quotes else [])
        paragraphs[-1].append(words if spaced or not flows else words[:-1])
        flowing = quotes if flows else None
    return "\n".join(map("".join, paragraphs))


def lines_of(html: str) -> str:
    """The text of HTML with its lines."""
    pieces = _PRE.split(html)
    for place in range(2, len(pieces), 2):
        if not pieces[place - 1].startswith("</"):
            pieces[place] = _INDENT.sub(_indented, pieces[place]).replace("\n", _END)
    marked = _BLOCK.sub(lambda tag: _END + tag[0], "".join(pieces))
    lines = (" ".join(line.split()).replace(_BLANK, " ") for line in text_of(marked).split(_END))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines))


def _indented(found: re.Match[str]) -> str:
    return "\n" + _BLANK * len(found[1])
