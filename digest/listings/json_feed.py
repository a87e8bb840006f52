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
from dataclasses import dataclass, field

from digest.listings import json_text
from digest.listings.drafts import Draft, RecordError
from digest.listings.feed_entries import Text, called, day_of, fitting
from digest.listings.gathering import Gathering
from digest.listings.json_text import Cursor
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


def parse(text: str, origin: Origin) -> Listing:  # noqa: ARG001 - every format has this signature
    """The entries of a feed."""
    reader = _Reader()
    json_text.read(text, reader.gathering, reader.step)
    return reader.gathering.listing(FORMAT, source=_text(reader.about, "title"))


@dataclass(slots=True)
class _Reader:
    """What is read so far. `about` is what the feed says beside its "items"."""

    gathering: Gathering = field(default_factory=Gathering)
    about: dict[str, object] = field(default_factory=dict)

    def step(self, cursor: Cursor) -> None:
        """Read the feed."""
        cursor.take("{")
        more = cursor.peek() != "}" or cursor.take("}") == ","
        while more:
            key = str(cursor.value())
            cursor.take(":")
            if key == "items" and cursor.peek() == "[":
                self._read_list(cursor)
            else:
                self.about[key] = cursor.value()
            more = cursor.take(",}") == ","

    def _read_list(self, cursor: Cursor) -> None:
        for value, line, excerpt in cursor.members():
            try:
                self.gathering.add(_draft(value, self.about), line, excerpt)
            except RecordError as error:
                self.gathering.reject(line, str(error), excerpt)


def _draft(value: object, about: Mapping[str, object]) -> Draft:
    """What an object says. Raises RecordError."""
    if not isinstance(value, dict):
        raise RecordError(f"expected an entry (an object), found {kind(value)}")
    abstract = fitting(list(_texts(value)))
    title = Text(_text(value, "title"), False)
    title = title if title.text else called(abstract)
    return Draft(
        title=title.as_html() if abstract.html else title.text,
        abstract=abstract.text,
        authors=tuple(_authors(value)) or tuple(_authors(about)),
        categories=tuple(tag for tag in _list(value, "tags") if isinstance(tag, str)),
        url=_url(value, _text(about, "home_page_url")),
        published=day_of(_text(value, "date_published")) or day_of(_text(value, "date_modified")),
        html=abstract.html,
    )


def _texts(value: Mapping[str, object]) -> Iterator[Text]:
    for key in ("summary", "content_text", "content_html"):
        if text := _text(value, key):
            yield Text(text, key == "content_html")


def _url(value: Mapping[str, object], base: str) -> str:
    addresses = [joined(base, text) for key in ("url", "external_url") if (text := _text(value, key))]
    found = (address for address in (*addresses, _text(value, "id")) if address.startswith(("http://", "https://")))
    return next(found, "")


def _authors(value: Mapping[str, object]) -> Iterator[str]:
    for author in (*_list(value, "authors"), value.get("author")):
        if isinstance(author, dict) and (name := _text(author, "name")):
            yield name


def _list(value: Mapping[str, object], key: str) -> list[object]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    return found.strip() if isinstance(found, str) else ""
