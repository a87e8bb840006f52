"""Which format a text is."""

from __future__ import annotations

from datetime import date

import pytest

from digest.errors import ListingError
from digest.listings import Origin, parse, read
from digest.listings.sniff import sniff

TODAY = Origin(date(2026, 2, 1))
ABSTRACT = (
    "We count the words of a sentence, and find that it has some. The rest of this text is here to be long enough."
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[{"title": "a"}]', "json"),
        ('\n {\n "title": "a"\n}', "json"),
        ('{"entries": [{"title": "a"}]}', "json"),
        ('{"title": "a"}', "jsonl"),
        ('{"title": "a"}\n{"title"\n', "jsonl"),
        ("Subscribe\nGet trending papers in your email inbox!", "trending"),
        (f"NetA: One Net\n{ABSTRACT}\nNetB: Two Nets\n{ABSTRACT * 3}", "trending"),
        (f"A title\n\n{ABSTRACT}", "trending"),
        ("", None),
        ("hello", None),
        (f"{ABSTRACT}\n" * 9, None),
        ("title,abstract,url\na,b,c\n", "csv"),
        ("<?xml version='1.0'?><rss></rss>", "rss"),
        ("@article{a, title={b}}", "bibtex"),
        ("<?xml version='1.0'?><opml></opml>", None),
        ("[section]\nkey = value\n", None),
    ],
)
def test_the_format_is_told_from_the_content(text: str, name: str | None) -> None:
    """Each format is known by its content, and what is none of them is None."""
    assert sniff(text) == name


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"<?xml version='1.0'?>\n<opml version='2.0'/>", "XML"),
        (b"hello", "plain text"),
    ],
)
def test_an_unknown_format_says_what_it_looks_like(content: bytes, looks: str) -> None:
    """The refusal names what the file looks like and what is supported."""
    with pytest.raises(ListingError) as caught:
        read(content, TODAY)
    assert looks in str(caught.value)
    assert "supported are arxiv-api, " in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty; was it saved to its end?"),
        (b" \n", "the file is empty; was it saved to its end?"),
        (b"<!doctype html><p>x", "this looks like a web page; save the listing as text, or use its feed"),
    ],
)
def test_what_can_be_said_without_the_formats_is(content: bytes, words: str) -> None:
    """Nobody who saved nothing, or a page, looks for another format."""
    with pytest.raises(ListingError) as caught:
        read(content, TODAY)
    assert str(caught.value) == words


def test_warnings_of_encoding_and_format_are_kept_together() -> None:
    """A listing carries the warnings of its bytes and of its records."""
    listing = read('[{"title": "Caf\xe9", "mood": 1}]'.encode("cp1252"), TODAY)
    assert [warning.split()[0] for warning in listing.warnings] == ["not", "ignored"]
    assert listing.entries == parse('[{"title": "Café"}]', TODAY).entries
