"""JSON Feed: what is loaded, and what is rejected."""

from __future__ import annotations

import json
from datetime import date

import pytest

from digest.listings import Origin, json_feed, parse
from digest.listings.sniff import sniff
from digest.model import Entry

TODAY = Origin(date(2026, 2, 1))
VERSION = "https://jsonfeed.org/version/1.1"
ABOUT = {"version": VERSION, "title": "Here", "home_page_url": "https://x.example/a/", "author": {"name": "Ada B"}}


def feed(*items: object) -> str:
    return json.dumps({**ABOUT, "items": items})


def only(**item: object) -> Entry:
    [entry] = parse(feed({"title": "T", **item}), TODAY).entries
    return entry


@pytest.mark.parametrize(
    "text", [feed(), feed().replace("/", "\\/"), json.dumps({"items": [{"title": "a"}], **ABOUT}, indent=1)]
)
def test_a_feed_says_that_it_is_one(text: str) -> None:
    """The version is looked for wherever it stands and however it is escaped; other JSON is left to others."""
    assert sniff(text) == "jsonfeed"
    assert not json_feed.recognise(text.replace("jsonfeed", "other"))
    assert not json_feed.recognise(f"[{text}]")


@pytest.mark.parametrize(
    ("item", "field", "value"),
    [
        ({"content_html": "<p>k &lt; n</p>"}, "abstract", "k < n"),
        ({"content_text": "k < n"}, "abstract", "k < n"),
        ({"content_html": "<p>long enough</p>", "summary": "short"}, "abstract", "long enough"),
        ({"content_text": "page " * 2000, "summary": "short"}, "abstract", "short"),
        ({"title": "k < n", "content_html": "<p>x</p>"}, "title", "k < n"),
        ({"url": "1"}, "url", "https://x.example/a/1"),
        ({"external_url": "https://y.example/1"}, "url", "https://y.example/1"),
        ({"id": "https://y.example/1"}, "url", "https://y.example/1"),
        ({"id": 17}, "url", ""),
        ({"authors": [{"name": "C D"}, {"url": "x"}, 4]}, "authors", ("C D",)),
        ({"author": {"name": "C D"}}, "authors", ("C D",)),
        ({}, "authors", ("Ada B",)),
        ({"tags": ["a", "b", "a", None]}, "categories", ("a", "b")),
        ({"date_published": "2025-01-03T23:59:00-08:00"}, "published", date(2025, 1, 3)),
        ({"date_published": 4, "date_modified": "2025-01-03"}, "published", date(2025, 1, 3)),
        ({}, "source", "Here"),
    ],
)
def test_the_fields_of_an_entry(item: dict[str, object], field: str, value: object) -> None:
    """Each key arrives where it belongs; a value of another kind counts as missing."""
    assert getattr(only(**item), field) == value


def test_short_messages_are_called_by_their_first_words() -> None:
    """An entry without a title has one from its text."""
    [entry] = parse(feed({"content_html": "<p>Just <b>a</b> word</p>"}), TODAY).entries
    assert (entry.title, entry.abstract) == ("Just a word", "")


def test_what_is_no_entry_is_rejected_alone() -> None:
    """An entry without any text, or of another kind, is rejected with its line."""
    listing = parse(
        '{"version": "https://jsonfeed.org/version/1", "items": [\n4,\n{"id": "1"},\n{"title": "T"}]}', TODAY
    )
    assert [(one.line, one.reason) for one in listing.rejected] == [
        (2, "expected an entry (an object), found 4"),
        (3, "it has neither title nor text"),
    ]
    assert len(listing.entries) == 1


@pytest.mark.parametrize("length", range(160, 260, 9))
def test_a_truncated_feed_gives_the_entries_that_are_whole(length: int) -> None:
    """A feed cut anywhere gives its whole entries, and one rejection for the rest."""
    text = feed(*({"title": f"Paper {number}"} for number in range(9)))[:length]
    listing = parse(text, TODAY)
    assert (len(listing.entries), len(listing.rejected)) == (text.count('"}', text.index("items")), 1)
