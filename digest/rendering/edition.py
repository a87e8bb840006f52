"""An edition becomes the two bodies of a mail: a pure function of the edition, its entries and the templates.

Rules
-----
1. What is the same for many is rendered and encoded once (`blocks.py`). An edition is such pieces put together, with
   its own values between them.
2. The encoded HTML stays within 100,000 octets, where mail clients begin to clip: best cards first, then titles, then a
   count of the others.
3. What the HTML shows, the text says: the same cards, titles and links, and every reason.
4. The templates are proved, in every shape, before the first edition is rendered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from functools import lru_cache
from html import escape
from itertools import accumulate, chain, product
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from digest.errors import DigestError
from digest.model import Edition, Entry, Movement, Reason, Rendered
from digest.rendering.blocks import ADDRESS, Blocks, EncodedCard, EncodedRow, Shape
from digest.rendering.cards import LABELS
from digest.rendering.clean import clean
from digest.rendering.quoted import encode
from digest.rendering.slots import HTML, TEXT, Encoded
from digest.rendering.subject import long_dates, preheader, subject, summary

BUDGET = 100_000
OWN = 1_500  # of it, first set aside for an edition's own values
CONTENTS_OVER = 5
MORE_ROWS = 40
TITLES = 4  # of the best cards, in the preheader
_NONE: Mapping[int, Movement] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Site:
    """Who sends: the address that people can reply to, the name on the masthead, and what the footer tells."""

    sender_address: str
    name: str = "Digest"
    web_url: str = ""
    postal_address: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """The web addresses of one edition, made by the caller; `feedback` goes on with `/RANK/more` or `/RANK/less`."""

    manage: str
    pause: str
    unsubscribe: str
    view: str
    feedback: str


class Shown(NamedTuple):
    """How much of an edition its mail shows: as cards, and behind these by title."""

    cards: int
    titles: int


class Renderer:
    """Renders editions. To make one compiles and proves the templates; any fault in them is a `TemplateError`."""

    def __init__(self, templates: Path | None, site: Site) -> None:
        """`templates` is the operator's own folder; what is not there comes with the package."""
        self._blocks = Blocks(templates, Site(*map(clean, astuple(site))))
        self._room = BUDGET - OWN - _prove(self._blocks)

    def render(
        self,
        edition: Edition,
        entries: Mapping[int, Entry],
        links: Links | None = None,
        budget: int = BUDGET,
        moved: Mapping[int, Movement] = _NONE,
    ) -> Rendered:
        """The subject and both bodies of an edition; `entries` holds those that it names, by number.

        `budget`: the most octets of its HTML, if that can be. `moved`: the movements of some entries, by number.
        """
        return self.fitted(edition, entries, links, budget, moved)[0]

    def fitted(
        self,
        edition: Edition,
        entries: Mapping[int, Entry],
        links: Links | None,
        budget: int,
        moved: Mapping[int, Movement],
    ) -> tuple[Rendered, Shown]:
        """The same, and how much of the edition it holds."""
        card, row, several, linked = self._blocks.card, self._blocks.row, len(edition.profiles) > 1, links is not None
        try:
            cards = [
                card(entries[number], reasons, several, linked, moved.get(number))
                for number, _, reasons in edition.matches
            ]
            rows = [row(entries[number]) for number in edition.more[:MORE_ROWS]]
        except KeyError as missing:
            raise DigestError(f"edition {edition.id} names entry {missing}, which was not given") from missing
        feedback = _encoded(links.feedback if links else "")
        address = len(feedback[HTML][0]) if links else 0
        sizes = [one.size(address) for one in cards]
        room = self._room - BUDGET + budget
        while True:
            shown, listed = _fit(cards, sizes, rows, room)
            rendered = self._assemble(edition, links, feedback, shown, listed)
            over = sum(map(len, rendered.html_pieces)) - budget
            if over <= 0 or not (shown or listed):
                return rendered, Shown(len(shown), len(listed))
            room -= over

    def _assemble(
        self,
        edition: Edition,
        links: Links | None,
        feedback: Encoded,
        cards: Sequence[EncodedCard],
        rows: Sequence[EncodedRow],
    ) -> Rendered:
        values = _values(edition, links, cards, len(rows))
        contents = len(cards) > CONTENTS_OVER
        frames = self._blocks.frames(
            Shape(contents, "more" in values, "others" in values, "profiles" in values, links is not None)
        )
        ranked = [card.at(rank) for rank, card in enumerate(cards, start=1)]
        (html,), (text,) = feedback
        values["cards"] = (
            [html if piece is ADDRESS else piece for card in ranked for piece in card.html],
            [text if piece is ADDRESS else piece for card in ranked for piece in card.text],
        )
        values["contents"] = [piece for card in ranked for piece in card.contents] if contents else (), ()
        values["rows"] = [row.html for row in rows], [row.text for row in rows]
        keywords = chain.from_iterable([card.keywords for card in cards])
        line = subject(edition.matched, keywords, edition.since, edition.slot)
        return Rendered(line, frames.html.fill(values, HTML), frames.text.fill(values, TEXT))


def _values(edition: Edition, links: Links | None, cards: Sequence[EncodedCard], rows: int) -> dict[str, Encoded]:
    """What the slots of a frame hold; a part that the edition does not have is left out."""
    more = max(rows, edition.matched - len(cards))
    values = {
        "date": _shared(long_dates(edition.since, edition.slot)),
        "summary": _shared(summary(edition.matched, edition.considered)),
        "preheader": _encoded(preheader([card.title for card in cards[:TITLES]])),
        "email": _encoded(clean(edition.email)),
    }
    if more:
        values["more"] = _shared(f"{more:,}")
    if more > rows:
        values["others"] = _shared(f"{more - rows:,}")
    if len(edition.profiles) > 1:
        values["profiles"] = _encoded(", ".join(map(clean, edition.profiles)))
    if links:
        values["manage"], values["pause"] = _encoded(links.manage), _encoded(links.pause)
        values["unsubscribe"], values["view"] = _encoded(links.unsubscribe), _encoded(links.view)
    return values


def _encoded(value: str) -> Encoded:
    """A value in both forms, encoded."""
    plain, escaped = (encode(value),), escape(value)
    return plain if escaped == value else (encode(escaped),), plain


_shared = lru_cache(maxsize=1 << 12)(_encoded)  # for values that many editions of a day have in common


def _fit(
    cards: Sequence[EncodedCard], sizes: Sequence[int], rows: Sequence[EncodedRow], room: int
) -> tuple[Sequence[EncodedCard], Sequence[EncodedRow]]:
    """The cards and titles that fit into so many octets; `sizes` are those of the cards.

    Where not all fit, titles get up to a fifth.
    """
    if sum(sizes) + sum([len(row.html) for row in rows]) <= room:
        return cards, rows
    titles = [*(card.row for card in cards), *rows]
    for_titles = min(room // 5, sum(len(row.html) for row in titles[-MORE_ROWS:]))
    shown = _fitting(sizes, room - for_titles)
    titles = titles[shown : shown + MORE_ROWS]
    return cards[:shown], titles[: _fitting([len(row.html) for row in titles], room - sum(sizes[:shown]))]


def _fitting(sizes: Sequence[int], room: int) -> int:
    """How many of these, from the first, fit into the room."""
    return sum(total <= room for total in accumulate(sizes))


def _prove(blocks: Blocks) -> int:
    """Render every shape and the barest and the fullest card, so that any fault shows before the first send.

    Returns the octets of the largest frame.
    """
    size = 0
    for shape in Shape.every():
        frames = blocks.frames(shape)
        size = max(size, sum(map(len, frames.html.fixed)))
        for name in ("cards", *(["rows"] if shape.more else [])):
            if name not in frames.html.names or name not in frames.text.names:
                raise blocks.html.source.fault(f"the template never shows its {name}")
    for several, linked in product((False, True), repeat=2):
        blocks.card(_BARE, (), several, linked, None)
        blocks.card(_FULL, _REASONS, several, linked, _MOVEMENT)
    return size


_BARE = Entry(keys=("title:a paper",), title="A paper")
_FULL = Entry(
    keys=("url:https://example.org/paper",),
    title="A paper about reward models",
    abstract="Reward models are learned. Code: https://github.com/example/paper.",
    authors=("Ada", "Ben", "Cleo", "Dan"),
    source="A source",
    url="https://example.org/paper",
    published=date(2026, 1, 1),
    votes=2,
    version=2,
    updated=True,
)
_MOVEMENT = Movement("A ranking", 14, 3)
_REASONS = tuple(
    Reason("A profile", keyword, field, ("reward models",))
    for keyword in ("reward model", *map(str, range(LABELS)))
    for field in ("title", "abstract", "author")
)
