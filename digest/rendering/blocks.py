"""The templates as encoded pieces: frames, cards and rows, each rendered once and kept.

A *frame* is all that is not a card or a row. It is the same for every edition of one *shape*: the parts that an edition
has. Frames hold slots for what is an edition's own; a card has them for its rank and for its links to feedback, whose
address up to the rank is the edition's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import chain, product
from pathlib import Path
from typing import NamedTuple

from digest.model import Entry, Movement, Reason
from digest.rendering.cards import OWN, Card, Row, card, row
from digest.rendering.memory import Memory
from digest.rendering.quoted import encode
from digest.rendering.slots import HTML, Encoded, Pieces, pieces, slot
from digest.rendering.split import Run, Split
from digest.rendering.templates import Template, load_html, load_text

CARDS, ROWS = 1 << 14, 1 << 14  # how many are kept, of about 1 kB
KEPT = 48 << 20  # octets of the parts of cards, for each of the templates
_HTML_BLOCKS = {"card": slot("cards"), "contents_row": slot("contents"), "more_row": slot("rows")}
_TEXT_BLOCKS = {"card": slot("cards"), "more_row": slot("rows")}
_EDITION = ("date", "summary", "preheader", "email")
_LINKS = ("manage", "pause", "unsubscribe", "view")
_FEEDBACK = ("more", "less")
_SMALL = 512  # octets
ADDRESS = b"\0"
"""Stands in a card where the address of an edition's feedback belongs."""


class Shape(NamedTuple):
    """Which parts an edition has."""

    contents: bool
    more: bool
    others: bool
    profiles: bool
    links: bool

    @staticmethod
    def every() -> Iterator[Shape]:
        """Every shape that there is; `others` are left out of a list of more titles, never without one."""
        for flags in product((False, True), repeat=5):
            if (shape := Shape(*flags)).more or not shape.others:
                yield shape


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of both bodies."""

    html: Pieces
    text: Pieces


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """A title in the list of those without a card, and in the contents."""

    html: bytes
    text: bytes
    contents: Sequence[Pieces]


class Ranked(NamedTuple):
    """The pieces of a card, and of its row of contents, with the rank in its places, and ADDRESS."""

    html: list[bytes]
    text: list[bytes]
    contents: list[bytes]


@dataclass(frozen=True, slots=True)
class EncodedCard:
    """A card in both forms; and what the contents, the subject and the preheader need."""

    html: Sequence[Pieces]
    text: Sequence[Pieces]
    row: EncodedRow
    title: str
    keywords: tuple[str, ...]
    _size: int
    _links: int
    _once: list[int] = field(default_factory=list)
    _ranked: dict[int, Ranked] = field(default_factory=dict)

    def at(self, rank: int) -> Ranked:
        """The card with this rank; the pieces are put together when it is asked for again."""
        if found := self._ranked.get(rank):
            return found
        made = Ranked(_at(self.html, rank), _at(self.text, rank), _at(self.row.contents, rank))
        if rank in self._once:
            made = self._ranked[rank] = Ranked(*map(_joined, made))
        self._once.append(rank)
        return made

    def size(self, address: int) -> int:
        """The octets of its HTML with its row of contents, and an address of feedback of so many octets."""
        return self._size + self._links * address


class Blocks:
    """The pieces of both templates. A fault in a template is a `TemplateError`."""

    def __init__(self, templates: Path | None, site: object) -> None:
        """`templates` is the operator's own folder, if any; `site` is what templates know under that name."""
        self.html, self.text = load_html(templates, _HTML_BLOCKS), load_text(templates, _TEXT_BLOCKS)
        self.site = site
        self._cards = [_Parts(one, "card", "card", Card, site) for one in (self.html, self.text)]
        self._contents = _Parts(self.html, "contents_row", "entry", Row, site)
        for template in (self.html, self.text):
            own = [one.split.bodies for one in (*self._cards, self._contents) if one.template is template]
            template.add({"more_row": template.bodies["more_row"]} | dict(chain.from_iterable(map(dict.items, own))))
        self.card = lru_cache(CARDS)(self._card)
        self.row = lru_cache(ROWS)(self._row)
        self.frames = cache(self._frames)

    def _card(
        self, entry: Entry, reasons: tuple[Reason, ...], several: bool, linked: bool, movement: Movement | None
    ) -> EncodedCard:
        more, less = (slot(name) if linked else "" for name in _FEEDBACK)
        seen = card(slot("rank"), entry, reasons, several=several, movement=movement, more=more, less=less)
        title = self.row(entry)
        of_html, of_text = self._cards
        html, text = of_html.of(seen), of_text.of(seen)
        return EncodedCard(
            html=html,
            text=text,
            row=title,
            title=seen.heading,
            keywords=tuple([reason.text for reason in seen.reasons]),
            _size=sum([_size(piece) for piece in (*html, *title.contents)]),
            _links=sum([name in _FEEDBACK for piece in html for name in piece.names]),
        )

    def _row(self, entry: Entry) -> EncodedRow:
        seen = row(slot("rank"), entry)
        values = {"site": self.site, "entry": seen}
        html, text = _block(self.html, "more_row", values), _block(self.text, "more_row", values)
        return EncodedRow(b"".join(html.fixed), b"".join(text.fixed), self._contents.of(seen))

    def _frames(self, shape: Shape) -> Frames:
        values = {"site": self.site, **_slots(shape)}
        html, text = self.html.whole(values), self.text.whole(values)
        return Frames(pieces(html, self.html.source), pieces(text, self.text.source))


class _Parts:
    """The block of a template that shows a thing of this type under this name, made of parts that are kept."""

    def __init__(self, template: Template, block: str, name: str, type_: type, site: object) -> None:
        self.template, self._name, self._site = template, name, site
        self.split = Split(template.bodies[block], name, type_, OWN)
        self._kept = Memory[Pieces](KEPT)

    def of(self, seen: Card | Row) -> list[Pieces]:
        """The block with a thing in it, encoded."""
        found: list[Pieces] = []
        for run in self.split.runs(seen):
            read = run.name, run.read(seen)
            keys = [(*read, value) for value in run.each.values(seen)] if run.each else [read]
            found += [self._kept.get(key) or self._made(run, key, seen) for key in keys]
        return found

    def _made(self, run: Run, key: tuple[object, ...], seen: Card | Row) -> Pieces:
        each = {run.each.name: key[-1]} if run.each else {}
        made = _block(self.template, run.name, {"site": self._site, self._name: seen, **each})
        return self._kept.keep(key, made, 2 * made.octets)  # the key holds what it says


def _block(template: Template, name: str, values: Mapping[str, object]) -> Pieces:
    return pieces(template.block(name, values), template.source)


@cache
def _of_rank(rank: int) -> dict[str, Encoded]:
    """What the slots of a card hold."""
    figure = (encode(str(rank)),)
    ends = {name: (ADDRESS, encode(f"/{rank}/{name}")) for name in _FEEDBACK}
    return {"rank": (figure, figure)} | {name: (end, end) for name, end in ends.items()}


def _size(block: Pieces) -> int:
    """The octets of a block with a rank of two figures."""
    return sum(map(len, _ranked(block, 99))) if block.names else block.octets


def _at(whole: Sequence[Pieces], rank: int) -> list[bytes]:
    """The pieces of a card with this rank in their places."""
    found: list[bytes] = []
    for part in whole:
        found += _ranked(part, rank) if part.names else part.fixed
    return found


@lru_cache(1 << 14)
def _ranked(part: Pieces, rank: int) -> list[bytes]:
    return _joined(part.fill(_of_rank(rank), HTML))  # a rank is the same in both forms


def _joined(whole: Iterable[bytes]) -> list[bytes]:
    """The same with small neighbours made one: what an edition costs is the number of its pieces."""
    joined = [b""]
    for piece in whole:
        if piece is ADDRESS or joined[-1] is ADDRESS or len(piece) + len(joined[-1]) > _SMALL:
            joined.append(piece)
        else:
            joined[-1] += piece
    return [piece for piece in joined if piece]


def _slots(shape: Shape) -> dict[str, object]:
    """What a frame is rendered with: a slot for each value that such an edition has, and lists of one for loops."""
    edition = {name: slot(name) for name in _EDITION}
    edition |= {name: slot(name) if getattr(shape, name) else "" for name in ("more", "others", "profiles")}
    return {
        "edition": edition,
        "links": {name: slot(name) for name in _LINKS} if shape.links else None,
        "cards": [None],
        "contents": [None] if shape.contents else [],
        "more": [None] if shape.more else [],
    }
