"""XML that is not well-formed, to the same records: nothing that is whole is lost, before a fault or after it.

Rules
-----
1. What begins like a tag and is none is text; so is an entity that nobody knows. Entities of HTML are known.
2. An end tag ends all that was left open in its element; one without a start is passed over.
3. A record ends where the next begins, and a field of a record where the next field begins, unless that may be HTML in
   a text that was not escaped. VOID have no end.
4. What is in more than DEEPEST elements belongs to the outer ones.
5. The record in which the file ends is not whole.

It looks at every character a bounded number of times, whatever the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from digest.listings.lines import Lines
from digest.listings.tree.elements import DEEPEST, RECORDS, VOID, Record, Tree
from digest.listings.tree.xml import refuse_entities
from digest.listings.wording.hypertext import unescaped

DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[]*(?:\[[^\]]*\]\s*)?>")
_NAME = r"[^\W\d][\w.:-]*(?![\w.:-])"
_TAG = re.compile(rf"<(/?)({_NAME})((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*|[^<>]*)>")
_ATTRIBUTE = re.compile(rf"(?<![\w.:-])({_NAME})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_SPANS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
_FIELDS = frozenset(
    ("title", "link", "description", "summary", "content", "content:encoded", "guid", "id", "pubDate", "published")
) | frozenset(("updated", "author", "category", "dc:creator", "dc:date", "dc:subject", "dc:identifier", "comments"))
_PROSE = frozenset(("description", "summary", "content", "content:encoded"))
_HTML = frozenset(("title", "link", "summary", "content"))
_PARENTS = frozenset(("author", "source", "contributor"))


def records(text: str, tree: Tree) -> Iterator[Record]:
    """The records of a feed; `tree` gets the rest. Raises ListingError for declared entities."""
    reader = _Reader(text, tree)
    tree.place = reader.here
    while reader.step():
        yield from tree.ended()
    yield from tree.ended()
    if tree.begun:
        yield tree.begun._replace(whole=False)


class _Reader:
    """A place in a text, moved tag by tag. `_passed`: what opens a span that has no end."""

    def __init__(self, text: str, tree: Tree) -> None:
        self.text, self.tree, self.at = text, tree, 0
        self._lines, self._passed = Lines(text), set[str]()

    def here(self) -> tuple[int, str]:
        """The 1-based line of this place, and what stands here."""
        return self._lines.at(self.at)

    def step(self) -> bool:
        """Read up to the end of the next tag; False at the end of the text."""
        start = self.text.find("<", self.at)
        if start < 0:
            self._say(self.text[self.at :])
            return False
        self._say(self.text[self.at : start])
        self.at = start
        if not self._span() and not self._tag():
            self._say("<")
            self.at += 1
        return True

    def _say(self, text: str) -> None:
        if text:
            self.tree.data(unescaped(text))

    def _span(self) -> bool:
        """Pass over what is no element: a comment, an instruction, a document type; CDATA is text."""
        if self.text[self.at + 1 : self.at + 2] not in ("!", "?"):
            return False
        for opening, closing in _SPANS.items():
            if self.text.startswith(opening, self.at) and opening not in self._passed:
                end = self.text.find(closing, self.at)
                if end < 0:
                    self._passed.add(opening)  # there is none, and it is not looked for again
                    return False
                if opening == "<![CDATA[":
                    self.tree.data(self.text[self.at + len(opening) : end])
                self.at = end + len(closing)
                return True
        return self._document_type()

    def _document_type(self) -> bool:
        """Pass over the document type; there is no second."""
        if "<!" in self._passed or not self.text.startswith("<!DOCTYPE", self.at):
            return False
        self._passed.add("<!")
        found = DOCTYPE.match(self.text, self.at)
        if found and "<!ENTITY" in found[0]:
            refuse_entities(self.here()[0])
        self.at = found.end() if found else self.at
        return bool(found)

    def _tag(self) -> bool:
        found = _TAG.match(self.text, self.at)
        if not found:
            return False
        name = self.tree.name(found[2])
        if found[1]:
            self._end(name)
        else:
            self._start(found[2], name, found[3])
        self.at = found.end()
        return True

    def _end(self, name: str) -> None:
        """End the innermost open element of this name, and all in it (rule 2)."""
        for depth in range(len(self.tree.open) - 1, -1, -1):
            if self.tree.open[depth].name == name:
                self._end_through(depth)
                break

    def _end_through(self, depth: int) -> None:
        """End the open element of this depth, and all in it."""
        while len(self.tree.open) > depth:
            self.tree.end()

    def _start(self, written: str, name: str, rest: str) -> None:
        self._make_room(name)
        if len(self.tree.open) == DEEPEST:
            return
        attributes = {
            found[1]: unescaped(found[2] or found[3] or found[4] or "") for found in _ATTRIBUTE.finditer(rest)
        }
        self.tree.start(written, attributes)
        if rest.endswith("/") or name in VOID:
            self.tree.end()

    def _make_room(self, name: str) -> None:
        """End what was left open and cannot hold an element of this name (rule 3)."""
        if self.tree.begun is None:
            return
        depth = next(at for at, one in enumerate(self.tree.open) if one is self.tree.begun.element)
        if name in RECORDS:
            self._end_through(depth)
        elif name in _FIELDS and len(self.tree.open) > depth + 1:
            holder = self.tree.open[depth + 1].name
            if holder not in _PARENTS and not (holder in _PROSE and name in _HTML):
                self._end_through(depth + 1)
