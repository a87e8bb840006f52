"""Links in notes about a paper, such as the comments of arXiv."""

from __future__ import annotations

from digest.addresses import addresses
from digest.listings.wording.readable import readable


def named_links(text: str) -> tuple[str, ...]:
    """The addresses that a text names, clean, each once, in its order."""
    return addresses(readable(text)) if "." in text and "/" in text else ()
