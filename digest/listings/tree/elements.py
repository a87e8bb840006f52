"""The elements of a feed, however its XML is read: one spelling for each name, text in its order, records one by one.

Rules
-----
1. A name has the prefix that _PREFIXES gives its namespace, whatever the file calls it; the elements of RSS and Atom
   themselves have none. A prefix that is not declared, or means something else, stays.
2. `item` and `entry` are records. A record is handed out when it ends, and is not kept in the tree.
3. What a feed says of itself, and each record, keeps at most _MOST elements; so no file fills the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple
from urllib.parse import urljoin

RECORDS = frozenset(("item", "entry"))
VOID = frozenset(("br", "hr", "img", "wbr"))
"""Elements of HTML that hold nothing and need no end."""

DEEPEST = 100
"""Elements that may be open at a time."""

_MOST = 10_000
_PREFIXES = {
    "http://www.w3.org/2005/Atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://www.w3.org/1999/xhtml": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://search.yahoo.com/mrss/": "media",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://arxiv.org/schemas/atom": "arxiv",
    "http://prismstandard.org/namespaces/basic/2.0/": "prism",
    "http://prismstandard.org/namespaces/1.2/basic/": "prism",
    "http://purl.org/rss/1.0/modules/prism/": "prism",
}


@dataclass(slots=True, eq=False)
class Element:
    """An element: its name, attributes as they stand, and its texts and child elements in their order.

    `base` is the address that relative links in it are relative to, by xml:base ("": none is given).
    """

    name: str
    attributes: Mapping[str, str]
    base: str = ""
    parts: list[str | Element] = field(default_factory=list)

    def children(self) -> Iterator[Element]:
        """The elements in it."""
        return (part for part in self.parts if not isinstance(part, str))

    def text(self) -> str:
        """All text in it."""
        return "".join(part if isinstance(part, str) else part.text() for part in self.parts)

    def markup(self) -> str:
        """What stands in it, as HTML; the names of elements without prefix, and of the attributes only href."""
        return "".join(escape(part, quote=False) if isinstance(part, str) else part._outer() for part in self.parts)

    def _outer(self) -> str:
        name = self.name.rpartition(":")[2]
        href = self.attributes.get("href")
        target = f' href="{escape(href)}"' if href else ""
        return f"<{name}{target}>" + ("" if name in VOID else f"{self.markup()}</{name}>")


class Record(NamedTuple):
    """An item or entry, the 1-based line where it begins, and how it begins. `whole`: its end was found."""

    element: Element
    line: int
    excerpt: str
    whole: bool = True


@dataclass(slots=True)
class Tree:
    """The elements read so far. `place` gives the line of the reader and what stands there.

    `root` holds the outermost element; `open` are those that have not ended, outermost first.
    """

    place: Callable[[], tuple[int, str]] = lambda: (0, "")
    root: Element = field(default_factory=lambda: Element("", {}))
    open: list[Element] = field(default_factory=list)
    begun: Record | None = None
    _ended: list[Record] = field(default_factory=list)
    _prefixes: dict[str, str] = field(default_factory=dict)
    _in_record: int = 0
    _outside: int = 0

    def name(self, written: str) -> str:
        """A name as it is known here (rule 1)."""
        prefix, colon, local = written.partition(":")
        if not colon:
            return written
        known = self._prefixes.get(prefix, prefix)
        return f"{known}:{local}" if known else local

    def start(self, written: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        parent = self.open[-1] if self.open else self.root
        base = parent.base
        if attributes:
            self._declare(attributes)
            base = joined(base, attributes["xml:base"]) if "xml:base" in attributes else base
        element = Element(self.name(written), attributes, base)
        if element.name in RECORDS and self.begun is None:
            self.begun, self._in_record = Record(element, *self.place()), 0
        elif self._has_room():
            parent.parts.append(element)
        self.open.append(element)

    def data(self, text: str) -> None:
        """Text stands here."""
        if self.open:
            self.open[-1].parts.append(text)

    def end(self) -> None:
        """The innermost open element ends."""
        element = self.open.pop()
        if self.begun and self.begun.element is element:
            self._ended.append(self.begun)
            self.begun = None

    def ended(self) -> list[Record]:
        """The records that ended since this was last asked."""
        ended, self._ended = self._ended, []
        return ended

    def _has_room(self) -> bool:
        if self.begun:
            self._in_record += 1
            return self._in_record <= _MOST
        self._outside += 1
        return self._outside <= _MOST

    def _declare(self, attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            if name.startswith("xmlns:") and value in _PREFIXES:
                self._prefixes[name[6:]] = _PREFIXES[value]


def joined(base: str, reference: str) -> str:
    """An address that is written relative to another; "" for a broken one."""
    try:
        return urljoin(base, reference.strip())
    except ValueError:  # a broken IPv6 host
        return ""
