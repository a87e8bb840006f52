"""Links in running text."""

from __future__ import annotations


def named_links(text: str) -> tuple[str, ...]:
    """The addresses that a text names, clean, each once, in its order."""
    return ()
