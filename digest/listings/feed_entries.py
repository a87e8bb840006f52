"""An entry of RSS or Atom, of whatever version, to one Draft.

Rules
-----
1. In Atom the type of a text says whether it is HTML. Elsewhere it is what it looks like to `readable`.
2. Of summary and content the longer is the abstract, unless it has more than 5,000 characters: then it is a whole page.
   If the summary is an excerpt, the content is the abstract all the same, cut at 20,000 characters. What only points to
   the page goes from either (see `excerpts`). An entry without a text has what it says of its film (YouTube).
3. The address is that of the web page; without one, the id that is a web address. Relative ones are completed by
   xml:base, else by the feed's own address.
4. The day is that of publication, else that of the last change.
5. An entry without a title is called by the first words of its text, as short messages have it. A text that says no
   more than the title is no abstract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape, unescape
from textwrap import shorten
from typing import NamedTuple

from digest.listings.days import day_in, mail_day
from digest.listings.drafts import Draft, RecordError
from digest.listings.excerpts import is_excerpt, without_pointer
from digest.listings.keys import doi_name
from digest.listings.names import people
from digest.listings.tree.elements import Element, joined
from digest.listings.wording.readable import readable

Fields = Mapping[str, Sequence[Element]]

_SUMMARIES = ("description", "summary", "dcterms:abstract", "dc:description")
_CONTENTS = ("content:encoded", "content", "body")
_DAYS = (
    "published", "pubDate", "issued", "dc:date", "dcterms:issued", "prism:publicationDate", "created", "updated",
    "modified",
)  # fmt: skip
_LONGEST = 5_000
_PAGE = 20_000
_TITLE = 80
_TAG = re.compile(r"<[^<>]*>")
_NOBODY = re.compile(r"\s*\S*@\S*\s*")
_DOI = re.compile(r"\s*(?:(?:info:)?doi[:/]|https?://(?:dx\.)?doi\.org/)?\s*10\.", re.IGNORECASE)


class Text(NamedTuple):
    """A text, and whether it is HTML."""

    text: str
    html: bool

    def as_html(self) -> str:
        """The text as HTML."""
        return self.text if self.html else escape(self.text, quote=False)


@dataclass(frozen=True, slots=True)
class Head:
    """What a feed says before its entries: its address, and who wrote the entries that name nobody."""

    address: str = ""
    authors: tuple[str, ...] = ()


def head_of(root: Element) -> Head:
    """The head of a feed, as far as it is read."""
    fields = _about(root)
    return Head(address_of(fields, ""), named(fields))


def title_of(root: Element) -> str:
    """The title of a feed."""
    title = _first(_about(root), ("title",))
    return readable(title.as_html(), html=True) if title else ""


def _about(root: Element) -> Fields:
    """What a feed says of itself: in its channel, or beside its entries."""
    outermost = list(root.children())
    channels = [one for outer in outermost for one in outer.children() if one.name == "channel"]
    return fields_of(*(channels or outermost))


def fields_of(*elements: Element) -> Fields:
    """The elements that stand in these, by name and in their order."""
    fields: dict[str, list[Element]] = {}
    for element in elements:
        for child in element.children():
            fields.setdefault(child.name, []).append(child)
    return fields


def draft(entry: Element, head: Head) -> Draft:
    """What an entry says. Raises RecordError."""
    fields = fields_of(entry)
    abstract = _abstract(fields)
    title = _first(fields, ("title", "dc:title")) or called(abstract)
    abstract = beyond(title, abstract)
    html = title.html or abstract.html
    return Draft(
        title=title.as_html() if html else title.text,
        abstract=abstract.as_html() if html else abstract.text,
        authors=_authors(fields) or head.authors,
        categories=categories(fields),
        source=_source(fields),
        url=address_of(fields, joined(head.address, entry.base)),
        published=published(fields),
        doi=_doi(fields),
        html=html,
    )


def plain(fields: Fields, *names: str) -> str:
    """The text of the first of these that is there and not empty."""
    return next((text for name in names for one in fields.get(name, ()) if (text := one.text().strip())), "")


def categories(fields: Fields) -> tuple[str, ...]:
    """The categories of an entry: in RSS the text, in Atom the label or term."""
    names = (
        one.attributes.get("label") or one.attributes.get("term") or one.text()
        for name in ("category", "dc:subject")
        for one in fields.get(name, ())
    )
    return tuple(dict.fromkeys(" ".join(name.split()) for name in names))


def published(fields: Fields) -> date | None:
    """The day of an entry (rule 4)."""
    return next((day for name in _DAYS for one in fields.get(name, ()) if (day := day_of(one.text()))), None)


def day_of(text: str) -> date | None:
    """The day that a date names, in the zone in which it is written."""
    return day_in(text) or mail_day(text)


def _first(fields: Fields, names: Sequence[str]) -> Text | None:
    texts = (_text(one) for name in names for one in fields.get(name, ()))
    return next((text for text in texts if text.text.strip()), None)


def _text(element: Element) -> Text:
    """A text and whether it is HTML (rule 1); what is neither text nor HTML (a picture) is empty."""
    kind = element.attributes.get("type", "").lower()
    if any(True for _ in element.children()):
        return Text(element.markup(), True)
    if "html" in kind:
        return Text(element.text(), True)
    if kind not in ("", "text") and not kind.startswith("text/"):
        return Text("", False)
    return Text(element.text(), False)


def _abstract(fields: Fields) -> Text:
    texts = [text for names in (_SUMMARIES, _CONTENTS) if (text := _first(fields, names))]
    film = None if texts else _first(fields_of(*fields.get("media:group", ())), ("media:description",))
    return film or fitting(texts)


def fitting(texts: Sequence[Text]) -> Text:
    """Of several texts of an entry, the summary first, its abstract (rule 2)."""
    lengths = {len(_TAG.sub("", text.text)): text for text in texts}
    if not lengths:
        return Text("", False)
    short = lengths if is_excerpt(texts[0].text) else [length for length in lengths if length <= _LONGEST]
    text, html = lengths[max(short) if short else min(lengths)]
    return _cut(Text(without_pointer(text), html))


def _cut(text: Text) -> Text:
    """A text that is not too long; of one that is, its readable beginning."""
    if len(text.text) <= _PAGE:
        return text
    words = readable(text.text, html=text.html)
    if len(words) > _PAGE:
        end = max(words.rfind(" ", 0, _PAGE), _PAGE - 100)  # not every script has blanks
        words = f"{words[:end]}…"
    return Text(words, False)


def called(text: Text) -> Text:
    """A title for an entry that has but a text (rule 5). Raises RecordError if it has none."""
    words = readable(text.text[: _TITLE * 20], html=text.html)
    if not words:
        raise RecordError("it has neither title nor text")
    return Text(shorten(words, _TITLE, placeholder="…") if " " in words[:_TITLE] else words[:_TITLE], False)


def beyond(title: Text, abstract: Text) -> Text:
    """The abstract; empty if it says no more than the title."""
    return Text("", False) if _bare(title) == _bare(abstract) else abstract


def _bare(text: Text) -> str:
    return " ".join(unescape(_TAG.sub("", text.text)).split()).rstrip(".")


def named(fields: Fields) -> tuple[str, ...]:
    """The authors of Atom, who have an element each."""
    return tuple(one.text() for one in fields_of(*fields.get("author", ())).get("name", ()))


def _authors(fields: Fields) -> tuple[str, ...]:
    texts = [one.text() for name in ("dc:creator", "author") for one in fields.get(name, ())]
    return named(fields) or tuple(
        name for text in texts if not _NOBODY.fullmatch(text) for name in people(text.strip())
    )


def _source(fields: Fields) -> str:
    """Where an entry was taken from, if it is another feed."""
    inner = fields_of(*fields.get("source", ()))
    return plain(inner, "title") if inner else plain(fields, "source")


def address_of(fields: Fields, base: str) -> str:
    """The address of an entry (rule 3); "" if it has none that leads to the web."""
    return first_on_the_web(joined(base, address) for address in _addresses(fields))


def first_on_the_web(addresses: Iterable[str]) -> str:
    """The first of these that leads to the web; "" if none does."""
    return next((address for address in addresses if address.startswith(("http://", "https://"))), "")


def _addresses(fields: Fields) -> Iterator[str]:
    links = fields.get("link", ())
    yield from (one.text().strip() for one in fields.get("feedburner:origLink", ()))
    yield from (href for one in links if _leads_to_the_page(one) and (href := one.attributes["href"].strip()))
    yield from (text for one in links if (text := one.text().strip()))
    for one in (*fields.get("guid", ()), *fields.get("id", ())):
        if one.attributes.get("isPermaLink") != "false" and one.text().strip().startswith("http"):
            yield one.text().strip()


def _leads_to_the_page(link: Element) -> bool:
    return "href" in link.attributes and link.attributes.get("rel", "alternate") == "alternate"


def _doi(fields: Fields) -> str:
    texts = (one.text() for name in ("prism:doi", "dc:identifier", "guid", "id") for one in fields.get(name, ()))
    return next((doi_name(text) for text in texts if _DOI.match(text)), "")
