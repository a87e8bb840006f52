"""Names of people, written one way: "Ada Lovelace"."""

from __future__ import annotations

from digest.listings.readable import readable


def person(name: str) -> str:
    """A name as "First Last", in readable letters."""
    return readable(name)
