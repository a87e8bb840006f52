"""Which format a listing is, told from its content and never from its name.

To add a format, write its file and give it a line in FORMATS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from digest.listings import json_records, trending
from digest.listings.origin import Origin
from digest.model import Listing


@dataclass(frozen=True, slots=True)
class Format:
    """How to know a format and how to read it. `ranked`: the order of its entries is a ranking."""

    recognise: Callable[[str], bool]
    parse: Callable[[str, Origin], Listing]
    ranked: bool = False


# The first that recognises the text is taken, so the loosest stands last.
FORMATS: dict[str, Format] = {
    json_records.JSON_LINES: Format(json_records.recognise_lines, json_records.parse_lines),
    json_records.JSON: Format(json_records.recognise, json_records.parse),
    trending.FORMAT: Format(trending.recognise, trending.parse, ranked=True),
}

# What people take for a listing, for the message that refuses it.
_OTHERS = {
    "a PDF": re.compile(r"%PDF-"),
    "BibTeX": re.compile(r"\s*@\w+\s*\{"),
    "RSS or Atom": re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:rss|feed|rdf:RDF)\b", re.DOTALL),
    "a web page": re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE),
    "XML": re.compile(r"\s*<\?xml"),
    "a mail": re.compile(r"(?:From |Return-Path:|Received:|From:|Subject:|MIME-Version:)"),
    "a table (CSV)": re.compile(r"[^\n,;\t]+(?:[,;\t][^\n,;\t]*){2,}\n"),
}


def sniff(text: str) -> str | None:
    """The name of the format of a text; None if it is none of FORMATS."""
    return next((name for name, known in FORMATS.items() if known.recognise(text)), None)


def look(text: str) -> str:
    """In a few words, what a text of no known format looks like."""
    if not text.strip():
        return "an empty file"
    return next(
        (name for name, pattern in _OTHERS.items() if pattern.match(text)), "plain text without titles and abstracts"
    )
