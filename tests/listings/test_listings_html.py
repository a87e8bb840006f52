"""HTML becomes text, also where nobody said that it is HTML."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.listings.wording.readable import readable


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>We <b>show</b> x<br>y</p><p>Two</p>", "We show x y Two"),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ("CO<sub>2</sub>, x<sup>2</sup>, a<sub>ij</sub>", "CO₂, x², a_ij"),
        ('<script>alert("<p>")</script>a<style>p{}</style>b<!-- c -->d', "abd"),
        ("if k<n and m>j then <EOS>", "if k<n and m>j then <EOS>"),
        ("a&nbsp;b &mdash; c &#8217; &#x2019; &unknown;", "a b — c ’ ’ &unknown;"),
        ("<p class=\"a > b\" title='x'>q</p><p title=\"x'>r</p>", "q r"),
        ("<![CDATA[a <b>b</b>]]><![x[", "a b<![x["),
        (r"$a &lt; b$ and $\ell_p$", "a < b and ℓ_p"),
        ("the &lt;p&gt; tag", "the <p> tag"),
        ("&amp;lt;p&amp;gt;Hi&amp;lt;/p&amp;gt; there", "Hi there"),
        ("<p></p> <img src='x.png'>", ""),
    ],
)
def test_html_is_reduced_to_its_text(html: str, text: str) -> None:
    """Tags, scripts, comments and entities go, blocks leave a space, and what is no tag stays."""
    assert readable(html, html=True) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('see <a href="https://x.org/a">the code</a>.', "see the code (https://x.org/a)."),
        ("see <a class=b href='https://x.org/a/'>x.org/a</a>.", "see https://x.org/a/."),
        ('<a href="https://x.org/abcdef">https://x.org/ab…</a>', "https://x.org/abcdef"),
        ('<a href="/local">here</a> <a href="javascript:x">or</a> <a name="x">there</a>', "here or there"),
        ('<a href="https://x.org/?a=1&amp;b=2"><b>q</b></a>', "q (https://x.org/?a=1&b=2)"),
    ],
)
def test_links_keep_words_and_address(html: str, text: str) -> None:
    """A link is its words and its address, or the address alone where the words are the same."""
    assert readable(html, html=True) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("R&D, Key & Value &amp; more &#8217; k&lt;n", "R&D, Key & Value & more ’ k<n"),
        ("<jats:title>Abstract</jats:title><jats:p>We show CO<jats:sub>2</jats:sub>.</jats:p>", "We show CO₂."),
        ("a <i>word</i> here", "a word here"),
        ("&lt;p&gt;Escaped twice&lt;/p&gt;", "Escaped twice"),
        ("<p>Never closed", "Never closed"),
        ("one<br/>two", "one two"),
        ("if k<i and i>0 or <EOS>", "if k<i and i>0 or <EOS>"),
        ("the <p> tag", "the <p> tag"),
        ("<p>", "<p>"),
    ],
)
def test_html_in_plain_text(text: str, expected: str) -> None:
    """In plain text only what is clearly HTML goes, and a text of nothing else stays."""
    assert readable(text) == expected
    assert readable(expected) == expected


TAGS = (
    "<p>|</p>|<a href='https://x.org'>|</a>|<a |<!--|-->|<script>|</script>|<sub>|</sub>|&amp;|&lt;|&#0;|&#x110000;|&|"
    "<![|]]>|<b x='|\"|>|<|=| |a|é"
)
HTML = st.lists(st.sampled_from(TAGS.split("|")) | st.characters(codec="utf-8"), max_size=25).map("".join)


@given(HTML, st.booleans())
@settings(max_examples=500, deadline=None)
def test_no_html_raises(text: str, html: bool) -> None:
    """Any garbage of tags and entities gives a text on one line that can be stored."""
    found = readable(text, html=html)
    assert "\n" not in found
    assert found.encode().decode() == found


@pytest.mark.parametrize(
    "piece", ["<p ", '<p "', "<a href=x> ", "<!--", "<script>", "&a", "<sup>", "<b =", "<a x='", "&amp;amp;"]
)
def test_long_html_is_read_in_one_go(piece: str) -> None:
    """Ten thousand broken tags neither raise nor take quadratic time (then this test would hang)."""
    assert len(readable(piece * 10_000, html=True)) <= 2 * len(piece) * 10_000
