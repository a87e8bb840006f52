"""Which format a listing is, told from its content and never from its name.

To add a format, write its file and give it a line in FORMATS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from digest.listings import (
    arxiv_feed,
    arxiv_mail,
    bibtex,
    feeds,
    hf_daily,
    json_feed,
    json_records,
    ris,
    tables,
    trending,
)
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
    arxiv_feed.API: Format(arxiv_feed.recognise_api, arxiv_feed.parse_api),
    arxiv_feed.RSS: Format(arxiv_feed.recognise_rss, arxiv_feed.parse_rss),
    feeds.ATOM: Format(feeds.recognise_atom, feeds.parse_atom),
    feeds.RSS: Format(feeds.recognise_rss, feeds.parse_rss),
    json_feed.FORMAT: Format(json_feed.recognise, json_feed.parse),
    hf_daily.FORMAT: Format(hf_daily.recognise, hf_daily.parse, ranked=True),
    json_records.JSON_LINES: Format(json_records.recognise_lines, json_records.parse_lines),
    json_records.JSON: Format(json_records.recognise, json_records.parse),
    arxiv_mail.FORMAT: Format(arxiv_mail.recognise, arxiv_mail.parse),
    bibtex.FORMAT: Format(bibtex.recognise, bibtex.parse),
    ris.FORMAT: Format(ris.recognise, ris.parse),
    tables.FORMAT: Format(tables.recognise, tables.parse),
    trending.FORMAT: Format(trending.recognise, trending.parse, ranked=True),
}

_WEB_PAGE = re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_XML = re.compile(r"\s*<\?xml")


def sniff(text: str) -> str | None:
    """The name of the format of a text; None if it is none of FORMATS."""
    return next((name for name, known in FORMATS.items() if known.recognise(text)), None)


def refusal(text: str) -> str:
    """Why a text of no known format is not read, and what to do about it: people take much for a listing."""
    if not text.strip():
        return "the file is empty; was it saved to its end?"
    if _WEB_PAGE.match(text):
        return "this looks like a web page; save the listing as text, or use its feed"
    kind = "XML" if _XML.match(text) else "plain text without titles and abstracts"
    return f"unknown format: this looks like {kind}; supported are {', '.join(sorted(FORMATS))}"
