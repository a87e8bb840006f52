"""Links that may be followed: that of an entry, and the code and project pages that are named with it.

What an address is, and which two are one, stands in `addresses`. At most three are shown: those of the abstract, then
those named beside it. The entry's own, and the front page of its site, are no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from digest import addresses
from digest.rendering.clean import clean

MOST = 3
_CODE_HOSTS = frozenset(("github.com", "gist.github.com", "codeberg.org", "bitbucket.org", "huggingface.co", "hf.co"))
_CODE_PREFIXES = ("gitlab.", "git.")
_PAPER_HOSTS = frozenset(("arxiv.org", "doi.org", "dx.doi.org"))


class Link(NamedTuple):
    """A link: "Code", "Paper" or "Project", and where it leads."""

    label: str
    url: str


def safe_url(url: str) -> str:
    """The address if it may stand in a link, else nothing."""
    url = clean(url)
    return url if addresses.usable(url) else ""


def links(text: str, known: str = "", named: Sequence[str] = ()) -> tuple[Link, ...]:
    """The links of a clean text and the `named` ones, each once, without the `known` one's; at most three."""
    known = addresses.same(known)
    own, found = (known, known.partition("/")[0]), dict[str, Link]()
    for url in map(addresses.untracked, (*addresses.addresses(text), *filter(None, map(safe_url, named)))):
        if addresses.same(url) not in own:
            found.setdefault(addresses.same(url), Link(_label(url), url))
    return tuple(found.values())[:MOST]


def _label(url: str) -> str:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    if host in _CODE_HOSTS or host.startswith(_CODE_PREFIXES):
        return "Code"
    return "Paper" if host in _PAPER_HOSTS else "Project"
