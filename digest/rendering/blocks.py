"""The templates as encoded pieces: frames, cards and rows, each rendered once and kept.

A *frame* is all that is not a card or a row. It is the same for every edition of one *shape*: the parts that an edition
has. Frames hold slots for what is an edition's own; a card has one slot, its rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from digest.model import Entry, Reason
from digest.rendering.cards import card, row
from digest.rendering.quoted import encode
from digest.rendering.slots import Pieces, pieces, slot
from digest.rendering.templates import Template, load_html, load_text

CARDS, ROWS = 1 << 14, 1 << 14  # how many are kept, of about 3 and 1 kB
_HTML_BLOCKS = {"card": slot("cards"), "contents_row": slot("contents"), "more_row": slot("rows")}
_TEXT_BLOCKS = {"card": slot("cards"), "more_row": slot("rows")}
_EDITION = ("date", "summary", "preheader", "email")
_LINKS = ("manage", "pause", "unsubscribe", "view")


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
    """A title in the list of those without a card, and in the contents, there in pieces with b"" for its rank."""

    html: bytes
    text: bytes
    contents: tuple[bytes, ...]


class Ranked(NamedTuple):
    """The pieces of a card, and of its row of contents, with the rank in its places."""

    html: list[bytes]
    text: list[bytes]
    contents: list[bytes]


@dataclass(frozen=True, slots=True)
class EncodedCard:
    """A card in both forms, in pieces with b"" for its rank; and what the contents, the subject and the preheader need.

    `size` is in octets of HTML, with its row of contents.
    """

    html: tuple[bytes, ...]
    text: tuple[bytes, ...]
    contents: tuple[bytes, ...]
    row: EncodedRow
    size: int
    title: str
    keywords: tuple[str, ...]
    _ranked: dict[int, Ranked] = field(default_factory=dict)

    def at(self, rank: int) -> Ranked:
        """The card with this rank: the same pieces, put together once."""
        if not (found := self._ranked.get(rank)):
            figure = encode(str(rank))
            blocks = (self.html, self.text, self.contents)
            found = self._ranked[rank] = Ranked(*([piece or figure for piece in block] for block in blocks))
        return found


class Blocks:
    """The pieces of both templates. A fault in a template is a `TemplateError`."""

    def __init__(self, templates: Path | None, site: object) -> None:
        """`templates` is the operator's own folder, if any; `site` is what templates know under that name."""
        self.html, self.text = load_html(templates, _HTML_BLOCKS), load_text(templates, _TEXT_BLOCKS)
        self.site = site
        self.card = lru_cache(CARDS)(self._card)
        self.row = lru_cache(ROWS)(self._row)
        self.frames = cache(self._frames)

    def _card(self, entry: Entry, reasons: tuple[Reason, ...], several: bool) -> EncodedCard:
        seen, title = card(slot("rank"), entry, reasons, several=several), self.row(entry)
        values = {"site": self.site, "card": seen}
        html, text = _block(self.html, "card", values), _block(self.text, "card", values)
        return EncodedCard(
            html=html,
            text=text,
            contents=title.contents,
            row=title,
            size=_size(html) + _size(title.contents),
            title=seen.heading,
            keywords=tuple(reason.text for reason in seen.reasons),
        )

    def _row(self, entry: Entry) -> EncodedRow:
        values = {"site": self.site, "entry": row(slot("rank"), entry)}
        html, text = _block(self.html, "more_row", values), _block(self.text, "more_row", values)
        return EncodedRow(b"".join(html), b"".join(text), _block(self.html, "contents_row", values))

    def _frames(self, shape: Shape) -> Frames:
        values = {"site": self.site, **_slots(shape)}
        html, text = self.html.frame(values), self.text.frame(values)
        return Frames(pieces(html, self.html.source), pieces(text, self.text.source))


def _block(template: Template, name: str, values: Mapping[str, object]) -> tuple[bytes, ...]:
    """The pieces of a block, with b"" in every place of its rank."""
    first, *others = pieces(template.block(name, values), template.source).fixed
    return tuple([first] * bool(first) + [piece for other in others for piece in (b"", other)[: 1 + bool(other)]])


def _size(block: Sequence[bytes]) -> int:
    """The octets of a block with a rank of two figures."""
    return sum(len(piece or b"99=\r\n") for piece in block)


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
