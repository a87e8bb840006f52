"""Well-formed XML to records, by expat. It fetches nothing, and knows no entity but those of XML itself.

A file that declares entities is refused: they are how a kilobyte becomes gigabytes, and no feed has a need of them. A
document type without entities, as RSS 0.91 has it, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import NoReturn
from xml.parsers import expat

from digest.errors import ListingError
from digest.listings.lines import ENOUGH
from digest.listings.tree.elements import DEEPEST, Record, Tree

_AT_ONCE = 1 << 16  # characters, so that records come as they are read, and the file is never all there as bytes


class IllFormedError(ValueError):
    """The XML is not well-formed; the message says where (line and column are 1-based) and why."""


def records(text: str, tree: Tree) -> Iterator[Record]:
    """The records of a feed; `tree` gets the rest. Raises IllFormedError, and ListingError for declared entities."""
    view = _View()
    parser = _parser(tree, view)
    try:
        for start in range(0, len(text), _AT_ONCE):
            stop = start + _AT_ONCE
            parser.Parse(view.moved(text[start:stop], text[stop : stop + ENOUGH]), False)
            yield from tree.ended()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise IllFormedError(f"line {error.lineno}, column {error.offset + 1}: {reason}") from None
    yield from tree.ended()


@dataclass(slots=True)
class _View:
    """The bytes that the parser reads, with those before and some that follow; `start` is the place of the first."""

    content: bytes = b""
    start: int = 0
    _read: bytes = b""
    _end: int = 0

    def moved(self, piece: str, ahead: str) -> bytes:
        """The bytes of the next piece, now in view."""
        read = piece.encode("utf-8", "replace")
        self.start = self._end - len(self._read)
        self.content = self._read + read + ahead.encode("utf-8", "replace")
        self._read = read
        self._end += len(read)
        return read

    def at(self, place: int) -> str:
        """What stands at a place."""
        start = max(0, place - self.start)
        return self.content[start : start + ENOUGH].decode("utf-8", "ignore")


def refuse_entities(line: int) -> NoReturn:
    """Refuse a file for its declarations."""
    raise ListingError(
        f"declares entities (line {line}), which are not read, for they can make a small file endless; "
        "save the feed without its <!DOCTYPE …>"
    )


def _parser(tree: Tree, view: _View) -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8")  # what `decode` made of it, whatever the file declares
    parser.buffer_text = True

    def place() -> tuple[int, str]:
        return parser.CurrentLineNumber, view.at(parser.CurrentByteIndex)

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(tree.open) == DEEPEST:
            where = f"line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber + 1}"
            raise IllFormedError(f"{where}: more than {DEEPEST} elements in one another")
        tree.start(name, attributes)

    tree.place = place
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: tree.end()
    parser.CharacterDataHandler = tree.data
    parser.SkippedEntityHandler = lambda name, _: tree.data(unescape(f"&{name};"))
    parser.EntityDeclHandler = lambda *_: refuse_entities(parser.CurrentLineNumber)
    return parser
