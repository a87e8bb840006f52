"""An edition and its entries become a subject and two bodies."""

from __future__ import annotations

import quopri
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from editions import LINKS, SITE, sample, synthetic, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import DigestError
from digest.model import Edition, Entry, Match, Movement, Reason
from digest.rendering.edition import BUDGET, Renderer
from digest.rendering.slots import slot
from digest.rendering.templates import load_html, load_text

DAY = date(2026, 11, 20)
RENDERER = Renderer(None, SITE)
BLOCKS: dict[str, str] = {}
HTML, TEXT = load_html(None, BLOCKS), load_text(None, BLOCKS)


def one(entry: Entry, *reasons: Reason) -> tuple[Edition, dict[int, Entry]]:
    edition = Edition(1, 1, "ada@example.org", "", DAY, DAY, "UTC", 0, 0, (Match(1, 1.0, reasons),), (), 1, 9)
    return edition, {1: entry}


def decoded(body: bytes) -> str:
    return quopri.decodestring(body).decode()


class Reader(HTMLParser):
    """What a person sees in the HTML: links, and text with white space made even."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.seen: list[str] = []
        self.feed(page)
        self.text = " ".join("".join(self.seen).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value and not value.startswith("#")]

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


@pytest.mark.parametrize("links", [None, LINKS])
def test_pieces_put_together_are_what_jinja_renders(links: object) -> None:
    """The fast way gives exactly the bytes that rendering each template in one go would give."""
    own = LINKS if links else None
    several, moved = [synthetic(30, size, seed=size) for size in (1, 5, 6, 20)], {1: Movement("arXiv", 14, 3)}
    merged = replace(sample()[0], since=date(2026, 10, 28)), sample()[1]
    for edition, entries in [
        sample(),
        merged,
        *((edition, papers) for editions, papers in several for edition in editions),
    ]:
        rendered = RENDERER.render(edition, entries, own, moved=moved)
        values = whole(edition, entries, own, moved)
        assert decoded(rendered.html) == HTML.whole(values).replace("\n", "\r\n")
        assert decoded(rendered.text) == TEXT.whole(values).replace("\n", "\r\n")


def facts(entry: Entry, movement: Movement | None = None) -> tuple[str, str]:
    """What the HTML and the text say of an entry between its title and its keywords."""
    edition, entries = one(replace(entry, title="The title"), Reason("Digest", "kw", "title", ()))
    rendered = RENDERER.render(edition, entries, LINKS, moved={1: movement} if movement else {})
    page, text = Reader(decoded(rendered.html)).text, " ".join(decoded(rendered.text).split())
    html = page.split("The title")[-1].split("kw")[0].strip()
    return html, text.split("The title")[-1].split("Keywords")[0].strip()


PAPER = Entry(("a",), "x", source="arXiv", published=DAY, votes=2, version=3)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (PAPER, "arXiv · 20 Nov 2026 · 2 votes"),
        (replace(PAPER, updated=True), "Updated to v3 · arXiv · 20 Nov 2026 · 2 votes"),
        (replace(PAPER, updated=True, version=0), "Updated · arXiv · 20 Nov 2026 · 2 votes"),
        (Entry(("a",), "x", updated=True), "Updated"),
        (Entry(("a",), "x", version=2), ""),
    ],
)
def test_only_an_update_says_so(entry: Entry, said: str) -> None:
    """In words, in both bodies, with its version if that is known; an entry that is none tells of no version."""
    assert facts(entry) == (said, said)


@pytest.mark.parametrize(
    ("entry", "movement", "said"),
    [
        (PAPER, Movement("arXiv", 14, 3), "arXiv · 20 Nov 2026 · 2 votes · #14 → #3"),
        (PAPER, Movement("Trending", 3, 1014), "arXiv · 20 Nov 2026 · 2 votes · #3 → #1,014 on Trending"),
        (Entry(("a",), "x"), Movement("Trending", 2, 1), "#2 → #1 on Trending"),
        (Entry(("a",), "x"), Movement("<b>", 2, 1), "#2 → #1 on <b>"),
    ],
)
def test_how_an_entry_moved_stands_behind_its_facts(entry: Entry, movement: Movement, said: str) -> None:
    """In both bodies; the ranking is named where that is not the source beside it."""
    assert facts(entry, movement) == (said, said)


def test_a_movement_is_said_aloud_in_words() -> None:
    """Signs are read badly: a screen reader says which way it went."""
    for movement, words in (
        (Movement("arXiv", 14, 3), "rose from 14 to 3"),
        (Movement("<i>", 3, 14), "fell from 3 to 14 on &lt;i&gt;"),
    ):
        page = decoded(RENDERER.render(*one(PAPER), moved={1: movement}).html)
        assert f'<span role="img" aria-label="{words}">#' in page


def test_a_card_is_kept_for_each_movement() -> None:
    """The same entry for the same reasons, planned on two days, shows what was then so."""
    shown = [decoded(RENDERER.render(*one(PAPER), moved=moved).html) for moved in ({}, {1: Movement("arXiv", 2, 1)})]
    assert ["→\u00a0#1" in page for page in shown] == [False, True]


def test_the_same_edition_gives_the_same_bytes() -> None:
    """A retry, also by another process, sends what was sent before."""
    made = [renderer.render(*sample(), LINKS) for renderer in (RENDERER, RENDERER, RENDERER, Renderer(None, SITE))]
    assert len({(one.subject, one.html, one.text) for one in made}) == 1


def test_every_title_and_link_of_the_html_is_in_the_text() -> None:
    """Someone who reads plain text misses nothing."""
    edition, entries = sample()
    rendered = RENDERER.render(edition, entries, LINKS)
    page, text = Reader(decoded(rendered.html)), decoded(rendered.text)
    assert set(page.links) <= set(re.findall(r"https?://\S+", text))
    for entry in entries.values():
        assert entry.title in page.text
        assert entry.title in text
    for label in ("reward model", "calibrat*", "author: Brandt", "small model"):
        assert label in page.text
        assert label in text


def test_the_parts_of_an_edition() -> None:
    """Contents from six cards on, profile names for a subscriber with several, titles without a card, what is left."""
    edition, entries = sample()
    page = Reader(decoded(RENDERER.render(replace(edition, matched=31), entries, LINKS).html))
    assert "31 of 217 new papers match your keywords." in page.text
    assert "24 more matched" in page.text
    assert "and 21 not listed here" in page.text
    assert "in Alignment" in page.text
    assert page.links.count(LINKS.unsubscribe) == 2
    few = replace(edition, matches=edition.matches[:5], more=(), matched=5, profiles=("Alignment",))
    html = decoded(RENDERER.render(few, entries).html)
    assert 'href="#e1"' not in html
    assert "more matched" not in html
    assert "in Alignment" not in html
    assert f"mailto:{SITE.sender_address}" in html


def test_every_card_leads_to_the_pages_for_more_and_less_like_it() -> None:
    """By its rank, in both bodies; without a web page there is no such link."""
    rendered, bare = RENDERER.render(*sample(), LINKS), RENDERER.render(*sample())
    ways = [f"{LINKS.feedback}/{rank}/{way}" for rank in range(1, 8) for way in ("more", "less")]
    assert [link for link in Reader(decoded(rendered.html)).links if "/feedback/" in link] == ways
    assert re.findall(r"\S+/feedback/\S+", decoded(rendered.text)) == ways
    assert "like this" not in decoded(bare.html) + decoded(bare.text)


@settings(max_examples=40, deadline=None)
@given(st.text("abz09-_./~&'", min_size=1, max_size=160))
def test_any_address_lies_well_between_the_pieces_of_a_card(path: str) -> None:
    """Whatever its length and signs: it is read back whole, and no line is too long or begins with a dot."""
    edition, entries = sample()
    own = replace(LINKS, feedback=f"https://example.org/{path}")
    rendered = RENDERER.render(edition, entries, own)
    assert f"{own.feedback}/7/less" in Reader(decoded(rendered.html)).links
    assert f"{own.feedback}/7/less" in decoded(rendered.text)
    for body in (rendered.html, rendered.text):
        assert all(len(line) <= 76 and not line.startswith(b".") for line in body.split(b"\r\n"))


def test_the_head_of_the_page() -> None:
    """Language, title, preheader, both colour schemes; no image, no script, and every table is layout."""
    html = decoded(RENDERER.render(*sample(), LINKS).html)
    assert re.search(r'<html [^>]*lang="en"', html)
    assert "<title>Digest, Friday, 20 November 2026</title>" in html
    assert '<meta name="color-scheme" content="light dark" />' in html
    assert '<meta name="supported-color-schemes" content="light dark" />' in html
    assert re.search(r'<div style="display:none[^>]*>What a Reward Model Knows', html)
    assert not re.search(r"<img|<script|<link|@import|url\(", html)
    assert html.count("<table") == len(re.findall(r'<table[^>]*role="presentation"', html))


@pytest.mark.parametrize(
    ("since", "slot", "long", "short"),
    [
        (date(2026, 11, 16), DAY, "16 – 20 November 2026", "16–20 Nov"),
        (date(2026, 10, 28), date(2026, 11, 3), "28 October – 3 November 2026", "28 Oct–3 Nov"),
        (date(2026, 12, 28), date(2027, 1, 2), "28 December 2026 – 2 January 2027", "28 Dec 2026–2 Jan 2027"),
    ],
)
def test_a_merged_edition_is_labelled_with_its_range(since: date, slot: date, long: str, short: str) -> None:
    """Title, masthead and text say the same range, the subject ends with it, and no single day is named for it."""
    edition, entries = sample()
    rendered = RENDERER.render(replace(edition, since=since, slot=slot), entries, LINKS)
    page, text = (decoded(body).replace("\u00a0", " ") for body in (rendered.html, rendered.text))
    assert f"<title>Digest, {long}</title>" in page
    assert f">{long}</div>" in page
    assert text.splitlines()[:2] == ["Digest", long]
    assert rendered.subject.endswith(f" — {short}")
    assert not re.search(r"\w+day, ", page + text)


HOSTILE = (
    "{{7*7}} <mj-raw> <script>alert(1)</script> k<n & \"q\" 'r' {% raw %} </td></table> \n.\n \r.\r .\r\nMAIL FROM:"
)


def test_what_a_listing_says_is_data() -> None:
    """Tags, template code and command lines in an entry stay literal text; a link that is none is dropped."""
    entry = Entry(("a",), HOSTILE, HOSTILE, (HOSTILE,), (), HOSTILE, "javascript:alert(1)", number=1)
    reason = Reason("<b>", "<i>{{1}}", "abstract", ("<script>",))
    rendered = RENDERER.render(*one(entry, reason), LINKS)
    page, plain = decoded(rendered.html), Reader(decoded(RENDERER.render(*one(Entry(("a",), "x"))).html))
    assert "script" not in Reader(page).tags
    assert "mj-raw" not in Reader(page).tags
    assert "javascript" not in page
    assert Reader(page).tags.count("td") == plain.tags.count("td") + 1  # the links beside the masthead
    assert "{{7*7}} <mj-raw> <script>alert(1)</script> k<n & \"q\" 'r' {% raw %}" in Reader(page).text
    assert "<i>{{1}}" in Reader(page).text
    for body in (rendered.html, rendered.text):
        assert all(len(line) <= 76 and not line.startswith(b".") for line in body.split(b"\r\n"))


def test_an_entry_cannot_forge_a_slot() -> None:
    """A slot's marker in a title is taken out, in an edition's values as well."""
    forged = slot("unsubscribe")
    edition, entries = one(Entry(("a",), f"x{forged}"), Reason(forged, forged, "title", ()))
    edition = replace(edition, profiles=(forged, "b"), email=f"a{forged}@example.org")
    rendered = RENDERER.render(edition, entries, LINKS)
    assert "\ue000" not in decoded(rendered.html) + decoded(rendered.text) + rendered.subject


def test_html_keeps_to_its_budget() -> None:
    """Of 500 huge matches the best have cards and some have titles, the rest are counted; the text shows the same."""
    reasons = tuple(Reason(f"Profile {n}", f"keyword {'<&' * 40} {n}", "abstract", ("é" * 9,)) for n in range(30))
    entries = {
        number: Entry(
            (str(number),),
            f"{number} " + "<&é" * 5000,
            "é奖<& " * 9000,
            ("<é>" * 90,) * 9,
            (),
            "<&" * 99,
            number=number,
        )
        for number in range(1, 601)
    }
    matches = tuple(Match(number, 1.0 / number, reasons) for number in range(1, 501))
    more = tuple(range(501, 601))
    edition = Edition(1, 1, "a@example.org", "", DAY, DAY, "UTC", 0, 0, matches, more, 700, 900, ("a", "b"))
    rendered = RENDERER.render(edition, entries, LINKS)
    page, text = decoded(rendered.html), decoded(rendered.text)
    assert BUDGET * 0.8 < len(rendered.html) <= BUDGET
    cards = len(re.findall(r'id="e\d+"', page))
    assert cards == len(re.findall(r"(?m)^\d+\. ", text)) > 5
    left = re.search(r"and (\d+) not listed here", page)
    titles = len(re.findall(r"(?m)^ \* ", text))
    assert left
    assert cards + titles + int(left[1]) == 700
    assert f"{700 - cards} more matched" in text


def test_an_entry_that_was_not_given() -> None:
    """An edition that names an unknown entry is refused by name."""
    edition, _ = one(Entry(("a",), "x"))
    with pytest.raises(DigestError, match="edition 1 names entry 1"):
        RENDERER.render(edition, {})


anything = st.text(max_size=60)


@settings(max_examples=60, deadline=None)
@given(anything, anything, anything, anything, st.sampled_from(["title", "abstract", "author", "category", "source"]))
def test_any_entry_can_be_rendered(title: str, abstract: str, url: str, keyword: str, field: str) -> None:
    """Whatever a listing holds, both bodies are valid, and the subject is one line."""
    entry = Entry(("a",), title, abstract, (title,), (), abstract, url, votes=1, number=1)
    rendered = RENDERER.render(*one(entry, Reason(keyword, keyword, field, (keyword, title[:3]))), LINKS)
    assert Reader(decoded(rendered.html)).tags.count("script") == 0
    assert decoded(rendered.text)
    assert len(rendered.subject.splitlines()) == 1
