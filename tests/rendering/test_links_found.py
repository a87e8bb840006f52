"""Which links a mail may hold, and which are found in an abstract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Entry
from digest.rendering.cards import facts
from digest.rendering.links import Link, links, safe_url


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "ftp://example.org/", "https:///x"),
        *("//x.org", "http://[", "", "https://example.org/a b", "mailto:a@example.org", "JaVaScRiPt:x"),
    ],
)
def test_unsafe_addresses_are_dropped(url: str) -> None:
    """Only http and https with a host may stand in a link."""
    assert safe_url(url) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Code: https://github.com/a/b.", [Link("Code", "https://github.com/a/b")]),
        ("(see https://a.github.io/x)", [Link("Project", "https://a.github.io/x")]),
        ("https://en.wikipedia.org/wiki/A_(b)", [Link("Project", "https://en.wikipedia.org/wiki/A_(b)")]),
        ("https://github.com/a/b and http://www.github.com/A/b.git", [Link("Code", "https://github.com/a/b")]),
        ("at https://huggingface.co/a/b, now", [Link("Code", "https://huggingface.co/a/b")]),
        (
            "on https://git.example.org/a and gitlab.com/b",
            [Link("Code", "https://git.example.org/a"), Link("Code", "https://gitlab.com/b")],
        ),
        ("as https://arxiv.org/abs/2501.01234", [Link("Paper", "https://arxiv.org/abs/2501.01234")]),
        ("https://known.org/paper/", []),
        ("javascript:alert(1) https://", []),
    ],
)
def test_links_of_an_abstract(text: str, expected: list[Link]) -> None:
    """Links are cleaned of the sentence around them, named, and listed once; the entry's own is left out."""
    assert list(links(text, "https://known.org/paper")) == expected


@pytest.mark.parametrize(
    "url", ["https://lab.org", "http://www.lab.org/", "https://lab.org/post?utm_source=rss&utm_medium=rss"]
)
def test_an_entry_is_no_page_of_its_own_project(url: str) -> None:
    """Neither its own address nor the front page of its site is shown a second time; other pages are."""
    found = links(f"At {url} and https://lab.org/code", "https://lab.org/post/")
    assert found == (Link("Project", "https://lab.org/code"),)


def test_shown_links_say_nothing_of_where_they_were_found() -> None:
    """Parameters that only count readers go; others stay as they stand."""
    named = ("https://b.org/?utm_source=x&q=%20a#utm_y", "https://c.org/?q=1")
    assert [link.url for link in links("", "", named)] == ["https://b.org/?q=%20a#utm_y", "https://c.org/?q=1"]


def test_links_named_beside_the_abstract_are_shown() -> None:
    """Links of a field come after those of the abstract, without what is unsafe, known or there already."""
    named = ("https://known.org/p/", "https://github.com/a/b", "javascript:x", "https://b.org")
    found = links("Code: https://github.com/a/b.git", "https://known.org/p", named)
    assert found == (Link("Code", "https://github.com/a/b.git"), Link("Project", "https://b.org"))


def test_a_card_shows_the_links_of_its_entry() -> None:
    """What a listing names as page of the code is on the card."""
    entry = Entry(("title:a",), "A", "See https://a.org.", links=("https://github.com/a/b",))
    assert [link.label for link in facts(entry).links] == ["Project", "Code"]


@given(st.text(" htps:/.()gi[]ub,com", max_size=80))
def test_at_most_three_safe_links(text: str) -> None:
    """Any text gives at most three links, all of them safe."""
    found = links(text + " https://a.org https://b.org https://c.org https://d.org")
    assert len(found) <= 3
    assert all(safe_url(link.url) == link.url for link in found)
