"""From an edition to the bytes of its message: rendered, with links of its own, composed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from digest import tokens
from digest.delivery import message
from digest.delivery.check import Checked, check
from digest.model import Edition, Entry
from digest.rendering.edition import BUDGET, Links, Renderer, Shown
from digest.store import entries
from digest.store.store import Store


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

    def message(self, edition: Edition, named: Mapping[int, Entry], room: int = 0) -> Checked:
        """An edition's mail; the same for the same edition, entries, templates and room (as in Delivery).

        Raises MessageError if it breaks a rule of the wire.
        """
        links = self._links(edition) if self.web_url else None
        rendered = self.renderer.render(edition, named, links, room or BUDGET)
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

    def shown(self, edition: Edition, named: Mapping[int, Entry], room: int = 0) -> Shown:
        """How much of an edition its mail shows."""
        return self.renderer.shown(edition, named, self._links(edition) if self.web_url else None, room or BUDGET)

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


def listed(store: Store, edition: Edition) -> dict[int, Entry]:
    """The entries that an edition names, by number."""
    with store.read() as connection:
        return entries.by_numbers(connection, edition.entries)


class Listed:
    """The entries that editions name, each read from the store once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: dict[int, Entry] = {}

    def of(self, edition: Edition) -> Mapping[int, Entry]:
        """Those of one edition, and maybe others."""
        known = self._entries
        if new := [number for number in edition.entries if number not in known]:
            with self._store.read() as connection:
                known |= entries.by_numbers(connection, set(new))
        return known
