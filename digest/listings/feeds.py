"""RSS 0.9 to 2.0 and Atom 0.3 and 1.0: well-formed XML by the strict reader, other by the lenient one.

A file that is not well-formed is read a second time as a whole, with a warning that says where and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from digest.listings.drafts import Draft, RecordError
from digest.listings.feed_entries import Head, draft, head_of, title_of
from digest.listings.gathering import Gathering
from digest.listings.origin import Origin
from digest.listings.tree import soup, xml
from digest.listings.tree.elements import Element, Record, Tree
from digest.model import Listing

RSS = "rss"
ATOM = "atom"

_BEFORE_ROOT = re.compile(rf"\s*(?:<\?.*?\?>|<!--.*?-->|{soup.DOCTYPE.pattern})", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:\w+:)?(rss|RDF|feed)\b(?P<attributes>[^<>]*)>")
_RSS_IN_RDF = ("http://purl.org/rss/1.0/", "netscape.com/rdf/simple/0.9/")

Drafter = Callable[[Element, Head], Draft]


def recognise_rss(text: str) -> bool:
    """Whether the outermost element is that of RSS, in RDF or not."""
    found = root(text)
    return found == "rss" or (found == "RDF" and any(address in text[:10_000] for address in _RSS_IN_RDF))


def recognise_atom(text: str) -> bool:
    """Whether the outermost element is a feed."""
    return root(text) == "feed"


def parse_rss(text: str, _: Origin) -> Listing:
    """The entries of an RSS feed."""
    return listing(text, RSS, draft)


def parse_atom(text: str, _: Origin) -> Listing:
    """The entries of an Atom feed."""
    return listing(text, ATOM, draft)


def root(text: str) -> str:
    """The name of the outermost element if it is that of a feed; "" if not."""
    start = 0
    while before := _BEFORE_ROOT.match(text, start, 100_000):
        start = before.end()
    found = _ROOT.match(text, start, 100_000)
    return found[1] if found else ""


def listing(text: str, name: str, drafted: Drafter, source: str = "") -> Listing:
    """All entries of a feed, each made by `drafted`; `source` instead of the feed's own title."""
    warnings = list[str]()
    try:
        gathering, about = _read(text, xml.records, drafted)
    except xml.IllFormedError as fault:
        gathering, about = _read(text, soup.records, drafted)
        warnings.append(f"not well-formed XML ({fault}); what is whole in it was read")
    return gathering.listing(name, source=source or title_of(about), warnings=warnings)


def _read(text: str, records: Callable[[str, Tree], Iterator[Record]], drafted: Drafter) -> tuple[Gathering, Element]:
    """What a reader makes of a feed: its records, and what it says of itself."""
    gathering, tree, head = Gathering(), Tree(), None
    for record in records(text, tree):
        head = head or head_of(tree.root)
        gathering.add(partial(_draft, record, drafted, head), record.line, record.excerpt)
    return gathering, tree.root


def _draft(record: Record, drafted: Drafter, head: Head) -> Draft:
    if not record.whole:
        raise RecordError("the file ends within this entry")
    return drafted(record.element, head)
