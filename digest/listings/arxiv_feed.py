r"""arXiv's own feeds: the announcements of a day (RSS or Atom) and the answers of its API (Atom).

Rules
-----
1. The id says what an entry is: "oai:arXiv.org:2501.01234v2" or "http://arxiv.org/abs/2501.01234v2".
2. The address is the page of the newest version, whatever the entry links to.
3. What is announced as `replace` or `replace-cross` is a new version. In an answer of the API no version is news.
4. Title and abstract are plain text with LaTeX. Before an announced abstract stands "arXiv:… Announce Type: …
   Abstract:", which goes.
5. Categories are the subjects of arXiv, the primary one first; classes of the ACM and the MSC are not.
"""

from __future__ import annotations

import re

from digest.listings.arxiv_authors import split_authors
from digest.listings.drafts import Draft, RecordError
from digest.listings.feed_entries import Fields, Head, address_of, categories, fields_of, named, plain, published
from digest.listings.feeds import listing, root
from digest.listings.keys import arxiv_page
from digest.listings.origin import Origin
from digest.listings.tree.elements import Element
from digest.model import Listing

RSS = "arxiv-rss"
API = "arxiv-api"
SOURCE = "arXiv"
_ENOUGH = 20_000  # characters that show whose feed it is

_ANSWER = re.compile(r"<(?:id>|link\b[^<>]*\bhref=[\"'])https?://(?:export\.)?arxiv\.org/api/")
_ANNOUNCEMENT = re.compile(r"<(?:link|id|guid)\b[^<>]*>\s*(?:https?://rss\.arxiv\.org/|oai:arXiv\.org:)")
_ID = re.compile(r"(?:oai:arXiv\.org:|https?://(?:export\.|www\.)?arxiv\.org/abs/|arXiv:)(?P<id>\S+)", re.IGNORECASE)
_LEAD = re.compile(r"\s*arXiv:\S+\s+Announce\s+Type:\s*(?P<type>[\w-]+)\s+(?:Abstract:\s*)?", re.IGNORECASE)
_SUBJECT = re.compile(r"[a-z-]+(?:\.[A-Za-z-]+)?")


def recognise_api(text: str) -> bool:
    """Whether a text is an answer of the API."""
    return root(text) == "feed" and bool(_ANSWER.search(text, 0, _ENOUGH))


def recognise_rss(text: str) -> bool:
    """Whether a text is a feed of announcements."""
    return root(text) in ("rss", "feed") and bool(_ANNOUNCEMENT.search(text, 0, _ENOUGH))


def parse_api(text: str, _: Origin) -> Listing:
    """The entries of an answer."""
    return listing(text, API, _answered, SOURCE)


def parse_rss(text: str, _: Origin) -> Listing:
    """The entries of a feed of announcements."""
    return listing(text, RSS, _announced, SOURCE)


def _announced(entry: Element, _: Head) -> Draft:
    fields = fields_of(entry)
    text = plain(fields, "description", "summary")
    lead = _LEAD.match(text)
    kind = plain(fields, "arxiv:announce_type") or (lead["type"] if lead else "")
    authors = ", ".join(one.text() for one in fields.get("dc:creator", ()))
    return _draft(
        fields,
        abstract=text[lead.end() :] if lead else text,
        authors=split_authors(authors),
        updated=kind.lower().startswith("replace"),
    )


def _answered(entry: Element, _: Head) -> Draft:
    fields = fields_of(entry)
    text = plain(fields, "summary")
    if "/api/errors" in plain(fields, "id"):
        raise RecordError(f"arXiv did not answer: {text}")
    return _draft(fields, abstract=text, authors=named(fields), updated=False)


def _draft(fields: Fields, *, abstract: str, authors: tuple[str, ...], updated: bool) -> Draft:
    found = _ID.match(plain(fields, "guid", "id")) or _ID.match(address_of(fields, ""))
    name = found["id"] if found else ""
    return Draft(
        title=plain(fields, "title"),
        abstract=abstract,
        authors=authors,
        categories=_subjects(fields),
        url=arxiv_page(name) or address_of(fields, ""),
        published=published(fields),
        doi=plain(fields, "arxiv:doi", "arxiv:DOI"),
        arxiv=name,
        updated=updated,
        notes=plain(fields, "arxiv:comment"),
    )


def _subjects(fields: Fields) -> tuple[str, ...]:
    """The subjects of arXiv that an entry names (rule 5)."""
    primary = (one.attributes.get("term", "") for one in fields.get("arxiv:primary_category", ()))
    return tuple(dict.fromkeys(name for name in (*primary, *categories(fields)) if _SUBJECT.fullmatch(name)))
