"""Which format a listing is, told from its content and never from its name.

To add a format, write its file and give it a line in FORMATS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from digest.listings.origin import Origin
from digest.model import Listing


@dataclass(frozen=True, slots=True)
class Format:
    """Which file of this folder knows and reads a format, imported when it is asked; `kind`, which of those in it.

    `ranked`: the order of its entries is a ranking.
    """

    file: str
    kind: str = ""
    ranked: bool = False

    def recognise(self, text: str) -> bool:
        """Whether a text is of this format."""
        return bool(self._function("recognise")(text))

    def parse(self, text: str, origin: Origin) -> Listing:
        """The listing in a text of this format."""
        listing: Listing = self._function("parse")(text, origin)
        return listing

    def _function(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(import_module(f"digest.listings.{self.file}"), name + self.kind)
        return found


# The first that recognises the text is taken, so the loosest stands last; and the less there is to import, the earlier.
FORMATS = {
    "jsonfeed": Format("json_feed"),
    "hf-daily": Format("hf_daily", ranked=True),
    "jsonl": Format("json_records", "_lines"),
    "json": Format("json_records"),
    "arxiv-api": Format("arxiv_feed", "_api"),
    "arxiv-rss": Format("arxiv_feed", "_rss"),
    "atom": Format("feeds", "_atom"),
    "rss": Format("feeds", "_rss"),
    "arxiv-mail": Format("arxiv_mail"),
    "bibtex": Format("bibtex"),
    "ris": Format("ris"),
    "csv": Format("tables"),
    "trending": Format("trending", ranked=True),
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
