"""One Draft to one Entry: what every format says of a paper becomes the same text, the same names and the same keys.

Rules
-----
1. A format finds the pieces; here they are made readable (see `readable`), so that one paper has one text in all of
   them.
2. An entry without an address gets that of its DOI or arXiv id.
3. The version is that of the field, else the one at the end of the arXiv id or address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from sys import intern

from digest.addresses import untracked
from digest.listings.keys import arxiv_page, arxiv_version, doi_name, keys
from digest.listings.links import named_links
from digest.listings.names import person
from digest.listings.wording.readable import readable
from digest.model import Entry

VOTES = range(-(2**31), 2**31)
"""What every database can hold."""


class RecordError(ValueError):
    """A record is none; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a format says of one paper, in the format's own words.

    `authors` are single names, "First Last" or "Last, First". `arxiv` is an id with or without version. `updated`: it
    is announced as a new version. `notes` is text in which links may stand (the comments of arXiv), `links` are pages
    of code or of the project. `html`: title and abstract are HTML.
    """

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source: str = ""
    url: str = ""
    published: date | None = None
    votes: int | None = None
    doi: str = ""
    arxiv: str = ""
    version: int = 0
    updated: bool = False
    notes: str = ""
    links: tuple[str, ...] = ()
    html: bool = False


def entry(draft: Draft) -> Entry:
    """The entry of a draft. Raises RecordError if it has no title."""
    title = readable(draft.title, html=draft.html)
    if not title:
        raise RecordError("the title is empty")
    url = untracked(readable(draft.url))
    return Entry(
        keys=keys(title, url, draft.doi, draft.arxiv),
        title=title,
        abstract=readable(draft.abstract, html=draft.html),
        authors=tuple(dict.fromkeys(name for name in map(person, draft.authors) if name)),
        categories=tuple(dict.fromkeys(intern(name) for name in map(readable, draft.categories) if name)),
        source=readable(draft.source),
        url=url or _url(draft.doi, draft.arxiv),
        published=draft.published,
        votes=draft.votes if isinstance(draft.votes, int) and draft.votes in VOTES else None,
        links=named_links("\n".join((*draft.links, draft.notes))),
        version=draft.version or arxiv_version(draft.arxiv) or arxiv_version(url),
        updated=draft.updated,
    )


def _url(doi: str, arxiv: str) -> str:
    """Where an entry without a URL is found."""
    name = doi_name(doi)
    return f"https://doi.org/{name}" if name else arxiv_page(arxiv)
