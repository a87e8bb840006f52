"""Links that may be followed: those of an entry, and the code and project pages that its abstract names.

Rules
-----
1. Only http and https, with a host; anything else (`javascript:`, `data:`) is no link.
2. Punctuation at the end of a link in running text belongs to the sentence; a closing bracket does unless it is opened
   in the link.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from digest.rendering.clean import clean

MOST = 3
_CODE_HOSTS = ("github.com", "gitlab.com", "codeberg.org", "bitbucket.org", "huggingface.co")
_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^“”]+", re.IGNORECASE)
_BRACKETS = {")": "(", "]": "["}


class Link(NamedTuple):
    """A link found in an abstract: "Code" or "Project", and where it leads."""

    label: str
    url: str


def safe_url(url: str) -> str:
    """The address if it may stand in a link, else nothing."""
    url = clean(url)
    try:
        split = urlsplit(url)
    except ValueError:
        return ""
    return url if split.scheme in ("http", "https") and split.hostname and " " not in url else ""


def links(text: str, known: str = "") -> tuple[Link, ...]:
    """The code and project links of a clean text, each once, without the `known` one; at most three."""
    found: dict[str, Link] = {}
    for match in _URL.finditer(text):
        url = safe_url(_trimmed(match.group()))
        if url and _same(url) != _same(known):
            found.setdefault(_same(url), Link(_label(url), url))
    return tuple(found.values())[:MOST]


def _trimmed(url: str) -> str:
    while url and (
        url[-1] in ".,;:!?*。，；" or (url[-1] in _BRACKETS and url.count(_BRACKETS[url[-1]]) < url.count(url[-1]))
    ):
        url = url[:-1]
    return url


def _same(url: str) -> str:
    """What makes two links one: not the scheme, `www.`, a final slash or `.git`."""
    return re.sub(r"^https?://(www\.)?", "", url.lower()).rstrip("/").removesuffix(".git")


def _label(url: str) -> str:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return "Code" if host in _CODE_HOSTS else "Project"
