"""Links in abstracts and notes: kept, cleaned, found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.addresses import addresses, same, untracked, usable
from digest.listings.drafts import Draft, entry
from digest.listings.links import named_links
from digest.listings.wording.readable import readable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at https://x.org{https://x.org}.", "at https://x.org."),
        ("at https://github.com/a/b.git{https://github.com/a/b}.", "at https://github.com/a/b."),
        ("at https://x.org/y{URL}.", "at https://x.org/y."),
        (r"for development\url{https://x.org/a\_b}.", "for development https://x.org/a_b."),
        (
            r"\href{https://x.org}{the \emph{code}}, \href{https://x.org}{x.org}",
            "the code (https://x.org), https://x.org",
        ),
        (r"so\footnote{Code: \url{https://x.org}} it is", "so (Code: https://x.org) it is"),
        (r"https://x.org/a\_b\%20c and https://x.org/~me_too", "https://x.org/a_b%20c and https://x.org/~me_too"),
        ("[the code](https://x.org/a_(b)) or <https://y.org>.", "the code (https://x.org/a_(b)) or https://y.org."),
        ("https : //x.org stays, so does https://x.org/{id}", "https : //x.org stays, so does https://x.org/{id}"),
    ],
)
def test_links_in_text_are_clean(text: str, expected: str) -> None:
    """However a link is wrapped, its address stands in the text once and plainly."""
    assert readable(text) == expected
    assert readable(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 pages, 5 figures", []),
        ("Code: github.com/a/b.", ["https://github.com/a/b"]),
        ("see www.x.org, huggingface.co/x/y and a.github.io/z", ["www.x.org", "huggingface.co/x/y", "a.github.io/z"]),
        (r"Code at \url{https://x.org/a\_b}, ICML", ["https://x.org/a_b"]),
        ("(https://x.org/a), https://x.org/A/ and http://www.x.org/a.git", ["https://x.org/a"]),
        ("https://x.org/a_(b), [https://y.org]!", ["https://x.org/a_(b)", "https://y.org"]),
        ("https://x.org,https://y.org;https://z.org/a,b", ["https://x.org", "https://y.org", "https://z.org/a,b"]),
        ("代码：https://x.org，见（https://y.org）。", ["https://x.org", "https://y.org"]),
        ('<a href="https://x.org">code</a>', ["https://x.org"]),
        ("me@github.com/x, notgithub.com/x, javascript:alert(1), https://, http://[", []),
        ("github.com is a host; x/www.y.org/z a path", []),
    ],
)
def test_named_links_of_notes(text: str, expected: list[str]) -> None:
    """Every address of a note is found once and in order; well-known hosts need no scheme."""
    assert list(named_links(text)) == [one if "://" in one else f"https://{one}" for one in expected]


HOSTS = st.sampled_from(
    ["https://github.com/a/b", "http://x.org/a_b?c=d&e=%20", "https://y.io/~me/#top", "https://z.org/(a)"]
)
WRAPS = st.sampled_from(
    ["%s", "%s.", "(%s)", r"\url{%s}", r"\href{%s}{here}", "[here](%s)", "<%s>", "%s{%s}", "see %s, or"]
)


@given(st.lists(st.tuples(WRAPS, HOSTS), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_every_link_is_found_clean(links: list[tuple[str, str]]) -> None:
    """Whatever is around links, exactly they are found in the readable text."""
    text = "We show that " + " and ".join(wrap.replace("%s", address) for wrap, address in links) + " for all."
    assert addresses(readable(text)) == tuple(dict.fromkeys(address for _, address in links))


@given(st.text(" htps:/.()[]giub,com{}\\w<>", max_size=60))
@settings(max_examples=300, deadline=None)
def test_what_is_found_is_usable(text: str) -> None:
    """Any text gives addresses that are usable, clean at their end, and each another."""
    found = named_links(text)
    assert all(usable(one) and one[-1] not in ".,;:!?" and addresses(one) == (one,) for one in found)
    assert len({same(one) for one in found}) == len(found)


@pytest.mark.parametrize(
    ("address", "rest"),
    [
        ("https://a.org/b?utm_source=rss&utm_medium=rss&UTM_campaign=x", "https://a.org/b"),
        ("https://a.org/b?utm_source=rss&c=%20d&e=f&utm_term=g#h?utm_i=j", "https://a.org/b?c=%20d&e=f#h?utm_i=j"),
        ("https://a.org/utm_b?c=utm_d", "https://a.org/utm_b?c=utm_d"),
        ("", ""),
    ],
)
def test_parameters_that_count_readers_go(address: str, rest: str) -> None:
    """What begins with utm_ is no part of an address; all else stays as it stands, and the two are one."""
    assert untracked(address) == rest
    assert same(address) == same(rest)


def test_the_address_of_an_entry_counts_no_readers() -> None:
    """An entry is shown with the address of its page."""
    assert entry(Draft("T", url="https://a.org/b?utm_source=rss")).url == "https://a.org/b"
