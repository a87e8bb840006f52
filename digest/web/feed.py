"""One's own matches as an Atom feed (RFC 4287).

Rules
-----
1. The newest MOST matches of the last days, with why they match; what was mailed plays no part.
2. An id is a tag URI (RFC 4151) of the site's host and the entry's key, the same for good.
3. An entry without a link has content in place of a summary, as section 4.1.2 asks for.
4. A reader that has this feed already is told so (304), by the hash of what it would get.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.responses import Response

from digest.backtest import DAYS, Arrival
from digest.profiles import check
from digest.rendering.cards import NAME, Label, card
from digest.rendering.clean import clean, cut
from digest.web import member
from digest.web.desk import Asked, Page, dead_link

MOST, MOST_AUTHORS = 100, 20
_KEPT = "private, max-age=900"
_YEAR = 2026  # the year in our tag URIs; another one would make every entry new


def _feed(asked: Asked) -> Response:
    desk, found = asked.desk, member.of_link(asked, "feed")
    if not found.active:
        raise dead_link()
    readable = [profile for profile in found.subscriber.profiles if not check(profile)]
    name, address = clean(desk.editions.name), f"{desk.site}/feed/{asked.place['token']}"
    arrivals = desk.trials.newest(readable, desk.clock(), MOST)
    body = document(Head(found.subscriber.id, name, f"{desk.site}/", address), arrivals, found.created_at)
    tag = f'"{_hash(body)}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT}
    if _is_known(tag, asked.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/atom+xml", headers=headers)


class Head(NamedTuple):
    """What is said of a feed: whose it is (a subscriber's number), the site's name and address, and its own address."""

    number: int
    name: str
    site: str
    address: str


def document(head: Head, arrivals: Sequence[Arrival], since: int) -> bytes:
    """The feed as XML, in UTF-8. `since`: when it was last changed if it is empty, in epoch seconds."""
    host = urlsplit(head.site).hostname
    feed = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    _add(feed, "id", f"tag:{host},{_YEAR}:feed/{head.number}")
    _add(feed, "title", f"{head.name}: matches of the last {DAYS} days")
    _add(feed, "updated", _moment(max((one.loaded_at for one in arrivals), default=since)))
    SubElement(feed, "link", {"rel": "self", "href": head.address})
    SubElement(feed, "link", {"rel": "alternate", "href": head.site})
    _add(SubElement(feed, "author"), "name", head.name)
    for arrival in arrivals:
        _add_entry(feed, arrival, f"tag:{host},{_YEAR}:entry/{_hash(arrival.entry.key.encode())}")
    written: bytes = tostring(feed, "utf-8", xml_declaration=True)
    return written


def _add_entry(feed: Element, arrival: Arrival, name: str) -> None:
    shown = card("", arrival.entry, arrival.match.reasons, several=False)
    element = SubElement(feed, "entry")
    _add(element, "id", name)
    _add(element, "title", shown.title)
    _add(element, "updated", _moment(arrival.loaded_at))
    if shown.url:
        SubElement(element, "link", {"rel": "alternate", "href": shown.url})
    for author in arrival.entry.authors[:MOST_AUTHORS]:
        if known := cut(clean(author), NAME):
            _add(SubElement(element, "author"), "name", known)
    why = f"Why: {', '.join(map(_said, shown.reasons))}"
    paragraphs = filter(None, (shown.updated, shown.snippet, why))
    _add(element, "summary" if shown.url else "content", "\n\n".join(paragraphs))


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _said(label: Label) -> str:
    return f"{label.field}: {label.text}" if label.field else label.text


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _is_known(tag: str, given: str) -> bool:
    """Whether If-None-Match names this tag (RFC 9110 13.1.2)."""
    return given.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in given.split(",")}


PAGES: tuple[Page, ...] = (Page("/feed/{token}", _feed),)
