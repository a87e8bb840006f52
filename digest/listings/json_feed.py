"""JSON Feed, versions 1 and 1.1 (jsonfeed.org).

Rules
-----
1. An entry is told by these keys, of which any may be missing; a value of another kind counts as missing:

       title           without one, an entry is called by the first words of its text, as short messages have it
       content_html, content_text, summary
                       the abstract, by the rules of `feed_entries`
       url, external_url
                       the address; else the id, if it is one
       date_published, else date_modified
       authors (each with "name"), else author; else those of the feed
       tags            the categories
2. What is no object, or has neither title nor text, is rejected alone. Where the JSON itself breaks, what stands before
   is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from digest.listings import json_text
from digest.listings.drafts import Draft, RecordError
from digest.listings.feed_entries import Text, beyond, called, day_of, first_on_the_web, fitting
from digest.listings.gathering import Gathering
from digest.listings.json_text import Cursor, said, several
from digest.listings.origin import Origin
from digest.listings.records import kind
from digest.listings.tree.elements import joined
from digest.model import Listing

FORMAT = "jsonfeed"
_BEGINNING = re.compile(r"\s*\{")
_VERSION = re.compile(r'"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version\\?/1')


def recognise(text: str) -> bool:
    """Whether a text is a JSON object that says so."""
    return bool(_BEGINNING.match(text) and _VERSION.search(text))


def parse(text: str, _: Origin) -> Listing:
    """The entries of a feed."""
    gathering, about = Gathering(), dict[str, object]()
    json_text.read(text, gathering, partial(_read, gathering=gathering, about=about))
    return gathering.listing(FORMAT, source=said(about, "title"))


def _read(cursor: Cursor, gathering: Gathering, about: dict[str, object]) -> None:
    """Read the feed; `about` gets what it says beside its "items"."""
    for key in cursor.names():
        if key == "items" and cursor.peek() == "[":
            for value, line, excerpt in cursor.values():
                gathering.add(partial(_draft, value, about), line, excerpt)
        else:
            about[key] = cursor.value()


def _draft(value: object, about: Mapping[str, object]) -> Draft:
    """What an object says. Raises RecordError."""
    if not isinstance(value, dict):
        raise RecordError(f"expected an entry (an object), found {kind(value)}")
    abstract = fitting(list(_texts(value)))
    title = Text(said(value, "title"), False)
    title = title if title.text else called(abstract)
    abstract = beyond(title, abstract)
    return Draft(
        title=title.as_html() if abstract.html else title.text,
        abstract=abstract.text,
        authors=tuple(_authors(value)) or tuple(_authors(about)),
        categories=tuple(tag for tag in several(value, "tags") if isinstance(tag, str)),
        url=_url(value, said(about, "home_page_url")),
        published=day_of(said(value, "date_published")) or day_of(said(value, "date_modified")),
        html=abstract.html,
    )


def _texts(value: Mapping[str, object]) -> Iterator[Text]:
    for key in ("summary", "content_text", "content_html"):
        if text := said(value, key):
            yield Text(text, key == "content_html")


def _url(value: Mapping[str, object], base: str) -> str:
    addresses = [joined(base, text) for key in ("url", "external_url") if (text := said(value, key))]
    return first_on_the_web([*addresses, said(value, "id")])


def _authors(value: Mapping[str, object]) -> Iterator[str]:
    for author in (*several(value, "authors"), value.get("author")):
        if isinstance(author, dict) and (name := said(author, "name")):
            yield name
