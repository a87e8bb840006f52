"""From an edition to the bytes of its message: rendered, with links of its own, composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from digest import tokens
from digest.delivery import message
from digest.delivery.check import Checked, check
from digest.model import Edition, Entry, Movement
from digest.rendering.edition import BUDGET, Links, Renderer, Shown
from digest.store import entries, sightings
from digest.store.store import Store

MOST, PLANS = 40_000, 64  # entries, and times of planning, that are kept in memory


class Named(NamedTuple):
    """The entries that editions name, by number, and how some of them moved until an edition was planned."""

    entries: Mapping[int, Entry]
    moved: Mapping[int, Movement] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Press:
    """What makes a message of an edition.

    `secrets` sign its links to `web_url`, if there is one. `signed` gives the headers with its DKIM signatures, from
    its headers, its body in pieces, and the time.
    """

    renderer: Renderer
    sender: message.Sender
    web_url: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    signed: Callable[[bytes, Sequence[bytes], int], bytes] | None = field(default=None, repr=False)

    def message(self, edition: Edition, named: Named, room: int = 0) -> Checked:
        """An edition's mail; the same for the same edition, entries, templates and room (as in Delivery).

        Raises MessageError if it breaks a rule of the wire.
        """
        links = self._links(edition) if self.web_url else None
        rendered = self.renderer.render(edition, named.entries, links, room or BUDGET, named.moved)
        one_click = links.unsubscribe if links and links.unsubscribe.startswith("https:") else None
        return self.sealed(
            message.compose(edition, rendered, self.sender, one_click), edition.email, edition.planned_at
        )

    def sealed(self, pieces: Sequence[bytes], recipient: str, at: int) -> Checked:
        """A message signed, if it is, and judged; `at` is the time in its signatures. Raises MessageError."""
        own, shared, *body = pieces
        if self.signed:
            own = self.signed(own + shared, body, at) + own
        return check((own, shared, *body), recipient)

    def shown(self, edition: Edition, named: Named, room: int = 0) -> Shown:
        """How much of an edition its mail shows."""
        links = self._links(edition) if self.web_url else None
        return self.renderer.fitted(edition, named.entries, links, room or BUDGET, named.moved)[1]

    def _links(self, edition: Edition) -> Links:
        token = partial(tokens.sign, secrets=self.secrets)
        base = self.web_url.rstrip("/")
        return Links(
            manage=f"{base}/preferences/{token('manage', edition.subscriber)}",
            pause=f"{base}/pause/{token('pause', edition.subscriber)}",
            unsubscribe=f"{base}/unsubscribe/{token('unsubscribe', edition.subscriber)}",
            view=f"{base}/editions/{token('view', edition.id)}",
            feedback=f"{base}/feedback/{token('feedback', edition.id)}",
        )


def listed(store: Store, edition: Edition) -> Named:
    """The entries that an edition names, as they stood when it was planned."""
    return Listed(store).of(edition)


class Listed:
    """The entries that editions name, each read from the store once, and its movement once for each time of planning.

    Movements are those up to that time, so that an edition made again is the same. With more than MOST
    entries or PLANS times all are forgotten, and read again: editions come in the order in which they were planned.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: dict[int, Entry] = {}
        self._looked: dict[int, tuple[set[int], dict[int, Movement]]] = {}  # by the time of planning

    def of(self, edition: Edition) -> Named:
        """Those of one edition, and maybe others."""
        if len(self._entries) > MOST or len(self._looked) > PLANS:
            self._entries, self._looked = {}, {}
        known, until = self._entries, edition.planned_at
        looked, moved = self._looked.setdefault(until, (set(), {}))
        if not looked.issuperset(edition.entries):
            new = [number for number in edition.entries if number not in looked]
            with self._store.read() as connection:
                known |= entries.by_numbers(connection, {number for number in new if number not in known})
                moved |= sightings.movements(connection, new, until)
            looked.update(new)
        return Named(known, moved)
