"""A listing in a file."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Part(NamedTuple):
    """A listing in a file: its name there ("": it is the file), bytes, declared charset ("": none), and its day."""

    name: str
    content: bytes
    charset: str
    day: date


SUFFIXES = frozenset(
    (
        *(".txt", ".json", ".jsonl", ".ndjson", ".xml", ".rss", ".atom", ".csv", ".tsv", ".bib", ".ris"),
        *(".eml", ".emlx", ".mbox", ".gz", ".zip"),
    )
)
"""How the names of listing files end, in most cases; nothing is read or left for its name alone."""
