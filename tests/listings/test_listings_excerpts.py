"""What blogs write below the texts in their feeds, and texts that are only the beginning of others."""

from __future__ import annotations

from datetime import date
from xml.sax.saxutils import escape

import pytest

from digest.listings import Origin, parse
from digest.listings.excerpts import is_excerpt, without_pointer
from digest.model import Entry

POST = (
    '<p>The post <a href="https://b.org/x">On &#8220;The post&#8221; &amp; Co.</a> '
    'appeared first on <a href="https://b.org">B</a>.</p>\n'
)
MORE = ' &#8230; <a href="https://b.org/x" class="more-link">Continue reading <span class="meta-nav">&#8594;</span></a>'
NAMESPACE = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'


def item(description: str, content: str = "") -> Entry:
    encoded = f"<content:encoded>{escape(content)}</content:encoded>" if content else ""
    inside = f"<title>T</title><description>{escape(description)}</description>{encoded}"
    [entry] = parse(
        f"<rss {NAMESPACE}><channel><item>{inside}</item></channel></rss>", Origin(date(2026, 2, 1))
    ).entries
    return entry


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (f"<p>We prune.</p>\n{POST}", "<p>We prune.</p>\n<p></p>\n"),
        ("We prune. The post On Pruning appeared first on B.", "We prune."),
        ('We prune.\n<p>The post <a href="x">A</a> first appeared on <a href="y">B</a>.</p>', "We prune.\n<p></p>"),
        (f"<p>We prune{MORE}</p>", "<p>We prune &#8230;</p>"),
        (f"<p>We prune{MORE}</p>\n{POST}", "<p>We prune &#8230;</p>\n<p></p>\n"),
        ("We prune … Continue reading →", "We prune …"),
        ("We prune. Continue reading Pruning, at last →", "We prune."),
        ("We prune [&#8230;]", "We prune …"),
        ("<p>We prune [...]</p>", "<p>We prune …</p>"),
    ],
)
def test_what_only_points_to_the_page_goes(text: str, rest: str) -> None:
    """Sentences that WordPress adds are no part of the text; one that they end is an excerpt."""
    assert without_pointer(text) == rest
    assert is_excerpt(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The post office problem appeared first on page 1 of Knuth. We solve it.",
        "Continue reading aloud improves fluency.",
        "We prune, train, ...",
        "Masks [...] are kept.",
    ],
)
def test_other_texts_stay(text: str) -> None:
    """What only looks like such a sentence, or stands within the text, is text."""
    assert without_pointer(text) == text
    assert not is_excerpt(text)


def test_the_whole_text_is_taken_instead_of_an_excerpt() -> None:
    """However long the text is of which the description is the beginning, it is the abstract, cut at a word."""
    words = "pruning " * 1000
    assert item(f"We prune [&#8230;]{POST}", f"<p>{words}</p>{POST}").abstract == words.strip()
    long = item("We prune [&#8230;]", f"<p>{words * 5}</p>").abstract
    assert len(long) <= 20_000
    assert long.endswith("pruning…")
    assert item("Our summary.", f"<p>{words}</p>").abstract == "Our summary."
    assert item(f"<p>We prune.</p>{POST}").abstract == "We prune."


@pytest.mark.parametrize(
    "piece", ["The post ", "Continue reading <a>", "<p>", " ", "appeared first on ", "[...]", "<a "]
)
def test_long_texts_take_linear_time(piece: str) -> None:
    """A piece repeated many thousands of times is read at once."""
    assert isinstance(without_pointer(piece * 50_000), str)
