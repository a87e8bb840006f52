"""A digest to look at before subscribing: the packaged listings, matched and rendered like any other, made once."""

from __future__ import annotations

import quopri
from dataclasses import replace
from datetime import date
from functools import lru_cache
from importlib.resources import files

from starlette.responses import Response

from digest.listings import Origin, read
from digest.matching import Reader, Selector, built_in
from digest.model import Edition, Entry, Profile
from digest.rendering.edition import Renderer
from digest.web.desk import Asked
from digest.web.pages import sandboxed

_PROFILE = Profile("Digest", ("reward model", "RLHF", "quantiz*", '"LoRA"', "calibrat*", "-survey"))
_MOST, _MORE = 6, 4
_DAY = date(2026, 11, 20)
"""Of the packaged listings."""
_KEPT = {"Cache-Control": "private, max-age=3600"}


def sample(asked: Asked) -> Response:
    """The mail's HTML as it is, for a frame of the first page."""
    return sandboxed(_html(asked.desk.press.renderer), "allow-popups", _KEPT)


@lru_cache(maxsize=8)
def _html(renderer: Renderer) -> bytes:
    named = {entry.number: entry for entry in _entries()}
    reader = Reader((_PROFILE,), most=_MOST)
    (chosen,) = Selector(tuple(named.values()), lambda _: built_in()).select([reader], _MORE)
    edition = Edition(
        id=0,
        subscriber=0,
        email="you@example.org",
        name="",
        slot=_DAY,
        since=_DAY,
        zone="UTC",
        due_at=0,
        planned_at=0,
        matches=chosen.matches,
        more=chosen.more,
        matched=chosen.matched,
        considered=chosen.considered,
    )
    return quopri.decodestring(renderer.render(edition, named).html)


def _entries() -> list[Entry]:
    """The entries of the packaged listings, numbered."""
    folder = files("digest.samples").joinpath("listings")
    listings = [read(file.read_bytes(), Origin(_DAY)) for file in sorted(folder.iterdir(), key=lambda file: file.name)]
    found = (entry for listing in listings for entry in listing.entries)
    return [replace(entry, number=number) for number, entry in enumerate(found, start=1)]
