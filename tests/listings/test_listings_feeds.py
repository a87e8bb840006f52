"""RSS and Atom: what an entry is made of, and how files that are hostile or broken are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import feedparser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.errors import ListingError
from digest.listings import Origin, parse
from digest.listings.feed_entries import day_of
from digest.listings.sniff import sniff
from digest.listings.tree import soup, xml
from digest.listings.tree.elements import DEEPEST, Element, Tree
from digest.model import Entry, Listing

TODAY = Origin(date(2026, 2, 1))
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/" xmlns:media="http://search.yahoo.com/mrss/"'
)
GOOD = [f"<item><title>Paper {number}</title><link>https://x.example/{number}</link></item>" for number in range(3)]


def rss(*items: str) -> str:
    head = "<title>Here</title><link>https://x.example/feed/</link>"
    return f'<rss version="2.0" {NAMESPACES}><channel>{head}\n' + "\n".join(items) + "\n</channel></rss>"


def atom(*entries: str) -> str:
    return '<feed xmlns="http://www.w3.org/2005/Atom"><title>Here</title>\n' + "\n".join(entries) + "\n</feed>"


def item(inside: str) -> Entry:
    [entry] = parse(rss(f"<item><title>T</title>{inside}</item>"), TODAY).entries
    return entry


def entry_of_atom(inside: str) -> Entry:
    [entry] = parse(atom(f"<entry><title>T</title>{inside}</entry>"), TODAY).entries
    return entry


def titles(listing: Listing) -> list[str]:
    return [entry.title for entry in listing.entries]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<rss><channel/></rss>", "rss"),
        ("\n<?xml version='1.0'?><!-- a > b --><?b x?>\n<!DOCTYPE rss [<!ELEMENT a ANY>]>\n<rss a='0.91'>", "rss"),
        ('<rdf:RDF xmlns="http://purl.org/rss/1.0/"></rdf:RDF>', "rss"),
        ('<r:RDF xmlns="http://my.netscape.com/rdf/simple/0.9/"></r:RDF>', "rss"),
        ("<rdf:RDF xmlns='http://xmlns.com/foaf/0.1/'></rdf:RDF>", None),
        ("<feed></feed>", "atom"),
        ("<a:feed xmlns:a='http://www.w3.org/2005/Atom'></a:feed>", "atom"),
        ("<feed><id>http://arxiv.org/api/x</id></feed>", "arxiv-api"),
        ("<feed><id>http://rss.arxiv.org/atom/cs.CL</id></feed>", "arxiv-rss"),
        ("<rss><channel><link>http://rss.arxiv.org/rss/cs.CL</link></channel></rss>", "arxiv-rss"),
        ("<rss><channel><description>like http://rss.arxiv.org/rss/cs.CL</description></channel></rss>", "rss"),
        ("<feedback></feedback>", None),
        ("<html><rss></rss></html>", None),
        ("<!--" * 9 + "<rss>", None),
        ("<?a?>" * 500 + "<nothing>", None),
    ],
)  # fmt: skip
def test_a_feed_is_told_by_its_outermost_element(text: str, name: str | None) -> None:
    """The outermost element and its namespace say what a feed is, whatever stands before it."""
    assert sniff(text) == name


@pytest.mark.parametrize(
    ("inside", "abstract"),
    [
        ("<description>k &lt; n and a&lt;b</description>", "k < n and a<b"),
        ("<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</description>", "One two"),
        ("<description>R&amp;amp;D</description>", "R&D"),
        ("<description>short</description><content:encoded>a longer text</content:encoded>", "a longer text"),
        (f"<description>short</description><content:encoded>{'page ' * 2000}</content:encoded>", "short"),
        ("<description> </description><content:encoded>text</content:encoded>", "text"),
        ("<description>one <b>bold</b> word</description>", "one bold word"),
        ("<media:description>no</media:description>", ""),
    ],
)
def test_the_abstract_of_rss(inside: str, abstract: str) -> None:
    """A text is HTML where it looks like it; the longer text is the abstract unless it is a whole page."""
    assert item(inside).abstract == abstract


@pytest.mark.parametrize(
    ("inside", "abstract"),
    [
        ('<summary type="html">&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</summary>', "One two"),
        ('<summary type="text">k &lt; n</summary>', "k < n"),
        ("<summary>k &lt; n</summary>", "k < n"),
        (
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>1</p>k &lt; n<br/>two</div></content>',
            "1 k < n two",
        ),
        ('<content type="image/png">iVBORw0K</content><summary>text</summary>', "text"),
    ],
)
def test_the_abstract_of_atom(inside: str, abstract: str) -> None:
    """The type says whether a text is HTML, and what is neither text nor HTML is passed over."""
    assert entry_of_atom(inside).abstract == abstract


@pytest.mark.parametrize("prefix", ["media", "m"])
def test_the_abstract_of_a_film_is_its_description(prefix: str) -> None:
    """What YouTube says of a film is the abstract, unless the entry has one."""
    group = f'<{prefix}:group xmlns:{prefix}="http://search.yahoo.com/mrss/">'
    group += f"<{prefix}:title>T</{prefix}:title>"
    group += f"<{prefix}:description>We read k &lt; n.</{prefix}:description></{prefix}:group>"
    assert entry_of_atom(group).abstract == "We read k < n."
    assert entry_of_atom(f"<summary>Ours.</summary>{group}").abstract == "Ours."


def test_a_text_that_is_all_in_the_title_is_no_abstract() -> None:
    """A short message is its own title, and is not said twice."""
    text = rss(*(f"<item>{inside}</item>" for inside in (
        "<description>Papers at noon.</description>",
        "<title>Papers at noon</title><description>&lt;p&gt;Papers at noon.&lt;/p&gt;</description>",
        "<title>Papers at noon</title><description>Papers at noon, and tea.</description>",
    )))  # fmt: skip
    said = [(entry.title, entry.abstract) for entry in parse(text, TODAY).entries]
    assert said == [("Papers at noon.", ""), ("Papers at noon", ""), ("Papers at noon", "Papers at noon, and tea.")]


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        ("<link>https://a.example/1?b=2&amp;c=3</link>", "https://a.example/1?b=2&c=3"),
        ("<link>\n /1 \n</link>", "https://x.example/1"),
        ("<link>1</link>", "https://x.example/feed/1"),
        ("<link></link><guid>https://a.example/1</guid>", "https://a.example/1"),
        ('<guid isPermaLink="false">https://a.example/1</guid>', ""),
        ("<guid>17</guid>", ""),
        ("<link>javascript:alert(1)</link>", ""),
        ("<link>http://[::1</link><guid>https://a.example/1</guid>", "https://a.example/1"),
        ('<link xml:base="https://b.example/">/1</link>', "https://x.example/1"),
        ('<atom:link xmlns:atom="http://www.w3.org/2005/Atom" href="https://a.example/1"/>', "https://a.example/1"),
    ],
)
def test_the_address_of_rss(inside: str, url: str) -> None:
    """The link, else an id that is one; relative ones are completed, and what does not lead to the web is none."""
    assert item(inside).url == url


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        ('<link rel="self" href="https://a.example/0"/><link href="https://a.example/1"/>', "https://a.example/1"),
        ('<link rel="related" href="https://a.example/0"/><id>https://a.example/1</id>', "https://a.example/1"),
        ("<id>urn:uuid:1</id>", ""),
    ],
)
def test_the_address_of_atom(inside: str, url: str) -> None:
    """The link to the page itself, else an id that is an address."""
    assert entry_of_atom(inside).url == url


def test_a_base_completes_the_links_below_it() -> None:
    """xml:base of feed and entry are applied one on the other."""
    text = '<feed xml:base="https://a.example/b/"><entry xml:base="c/"><title>T</title><link href="d"/></entry></feed>'
    assert parse(text, TODAY).entries[0].url == "https://a.example/b/c/d"


@pytest.mark.parametrize(
    ("inside", "authors"),
    [
        ("<dc:creator>Ada Byron</dc:creator><dc:creator>Bao Chen</dc:creator>", ("Ada Byron", "Bao Chen")),
        ("<dc:creator>Ada Byron, Bao Chen and Cem Demir</dc:creator>", ("Ada Byron", "Bao Chen", "Cem Demir")),
        ("<dc:creator>Byron, Ada</dc:creator>", ("Ada Byron",)),
        ("<author>ada@x.example (Ada Byron)</author>", ("Ada Byron",)),
        ("<author>noreply@x.example</author>", ()),
    ],
)
def test_the_authors_of_rss(inside: str, authors: tuple[str, ...]) -> None:
    """Creators or authors, one by one, without mail addresses."""
    assert item(inside).authors == authors


def test_the_authors_of_atom_are_else_those_of_the_feed() -> None:
    """An entry that names nobody was written by the feed's author."""
    text = atom("<author><name>A B</name></author><entry><title>1</title></entry>",
                "<entry><title>2</title><author><name>C D</name></author></entry>")  # fmt: skip
    assert [entry.authors for entry in parse(text, TODAY).entries] == [("A B",), ("C D",)]


@pytest.mark.parametrize(
    ("inside", "doi"),
    [
        ("<prism:doi>10.5555/A</prism:doi>", "doi:10.5555/a"),
        ("<dc:identifier>doi:10.5555/a</dc:identifier>", "doi:10.5555/a"),
        ('<guid isPermaLink="false">https://doi.org/10.5555/a</guid>', "doi:10.5555/a"),
        ("<dc:identifier>urn:2010.5555/a</dc:identifier>", "title:t"),
    ],
)
def test_a_doi_is_the_key(inside: str, doi: str) -> None:
    """A DOI in one of its places is the identity; what only holds something like one is not."""
    assert item(inside).key == doi


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Fri, 03 Jan 2025 23:59:00 -0500", date(2025, 1, 3)),
        ("Fri, 3 January 2025 00:00:00 GMT", date(2025, 1, 3)),
        ("03 Jan 25 00:00 EST", date(2025, 1, 3)),
        ("Fri Jan  3 10:00:00 2025", date(2025, 1, 3)),
        ("2025-01-03", date(2025, 1, 3)),
        (" 2025-01-03T23:59:59.5-08:00\n", date(2025, 1, 3)),
        ("20250103", date(2025, 1, 3)),
        ("Fri, 32 Jan 2025 00:00:00 GMT", None),
        ("2025-13-40T00:00:00Z", None),
        ("10/11/2026 10:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    """The day as it is written, in the zone in which it is written; what is none or might be two is None."""
    assert day_of(text) == day


@given(st.text() | st.text("0123456789:-+/, JanFriTZGMT", max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reading_of_days(text: str) -> None:
    """Any text is a day or none."""
    assert day_of(text) is None or isinstance(day_of(text), date)


def test_the_source_is_the_feed_that_an_entry_was_taken_from() -> None:
    """The title of another feed goes before that of this one."""
    assert [item("").source, item("<source url='x'>There</source>").source] == ["Here", "There"]
    assert entry_of_atom("<source><title>There</title></source>").source == "There"


def test_an_entry_without_a_title_is_called_by_its_first_words() -> None:
    """A short message keeps its text as the abstract; one without any text is rejected with its line."""
    text = rss(f"<item><description>{'many words ' * 20}</description></item>", "<item><link>https://x/</link></item>")
    listing = parse(text, TODAY)
    [entry] = listing.entries
    assert entry.title.startswith("many words many")
    assert entry.title.endswith("…")
    assert len(entry.title) <= 80
    assert [(one.line, one.reason) for one in listing.rejected] == [(3, "it has neither title nor text")]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE rss [\n<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>',
    ],
)
@pytest.mark.parametrize("before", ["", "\n<?xml version='1.0'?>"])
def test_declared_entities_are_refused(declaration: str, before: str) -> None:
    """No file makes us expand or fetch anything, well-formed or not."""
    with pytest.raises(ListingError, match=r"declares entities \(line \d"):
        parse(f"{before}{declaration}{rss('<item><title>&b;&x;</title></item>')}", TODAY)


def test_a_document_type_without_entities_is_passed_over() -> None:
    """RSS 0.91 names its document type, which is not fetched; the entities of HTML are known all the same."""
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss-0.91.dtd">'
    listing = parse(doctype + rss("<item><title>Caf&eacute; &unknown;</title></item>"), TODAY)
    assert (titles(listing), listing.warnings) == (["Café &unknown;"], ())


@pytest.mark.parametrize("depth", [DEEPEST - 8, DEEPEST + 8, 50_000])
def test_deep_nesting_costs_no_entry(depth: int) -> None:
    """Elements in elements without end are flattened, with a warning."""
    text = rss(f"<item><title>T</title><description>{'<i>' * depth}x{'</i>' * depth}</description></item>", *GOOD)
    listing = parse(text, TODAY)
    assert (titles(listing), listing.entries[0].abstract) == (["T", "Paper 0", "Paper 1", "Paper 2"], "x")
    assert bool(listing.warnings) == (depth > DEEPEST)


def test_a_million_elements_take_no_room() -> None:
    """Elements that nobody asked for are not kept."""
    tree = Tree()
    assert len(list(xml.records(rss("<x/>" * 100_000, f"<item>{'<y/>' * 100_000}</item>"), tree))) == 1
    assert sum(1 for _ in next(next(tree.root.children()).children()).children()) < 20_000


@pytest.mark.parametrize(
    ("broken", "title"),
    [
        ("<item><title>R&D</title></item>", "R&D"),
        ("<item><title>Caf&eacute;</title></item>", "Café"),
        ("<item><title>k < n</title></item>", "k < n"),
        ("<item><title>Tab\x0b and bell\x07</title></item>", "Tab and bell"),
        ("<item><title>A <b>bold word</title></item>", "A bold word"),
        ("<item><title>Open<link>https://x.example/9</link></item>", "Open"),
        ("<item><title>Open</title><description>one<item><title>Next</title></item>", "Open|Next"),
        ("<item><title>End</title></item></item></channel>", "End"),
        ("<item><title x=y>Bare</title></item>", "Bare"),
        ('<item><title x="y>Quote</title></item>', "Quote"),
        ("<item><title>Crossed</b></title><description><i><b>x</i></b></description></item>", "Crossed"),
        ("<item><title><![CDATA[k < n]]></title><unknown:x/></item><!-- -- -->", "k < n"),
    ],
)
def test_a_fault_costs_no_entry(broken: str, title: str) -> None:
    """What is not well-formed is read all the same, before and after the fault; the warning says where and why."""
    listing = parse(rss(GOOD[0], broken, GOOD[1]), TODAY)
    assert titles(listing) == ["Paper 0", *title.split("|"), "Paper 1"]
    assert re.match(
        r"not well-formed XML \(line [35], column \d+: .+\); what is whole in it was read", listing.warnings[0]
    )


@pytest.mark.parametrize("text", [rss(*GOOD), atom(*(one.replace("item", "entry") for one in GOOD))])
def test_a_truncated_feed_gives_the_entries_that_are_whole(text: str) -> None:
    """A feed cut anywhere gives its whole entries, and rejects the one in which it ends."""
    for length in range(text.index("<title>"), len(text) - 1):
        listing = parse(text[:length], TODAY)
        ends = len(re.findall("</(?:item|entry)>", text[:length]))
        starts = len(re.findall("<(?:item|entry)>", text[:length]))
        assert titles(listing) == [f"Paper {number}" for number in range(ends)]
        assert [one.reason for one in listing.rejected] == ["the file ends within this entry"] * (starts - ends)
        assert len(listing.warnings) == (1 if listing.entries else 2)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("Paper 1", "Paper & 1"),
        lambda text: text.replace("Paper 1", "Paper &nbsp;1"),
        lambda text: text.replace("</title><link>https://x.example/1", "</title><b><link>https://x.example/1"),
        lambda text: text.replace("</channel>", ""),
        lambda text: f"\n<?xml version='1.0'?>{text}",
        lambda text: text.replace("/1</link>", "/1?a=1&b=2</link>"),
        lambda text: text.replace("Paper 1", "<![CDATA[Paper 1]]> <undeclared:x>1</undeclared:x>"),
    ],
)
def test_broken_feeds_are_read_as_feedparser_reads_them(damage: Callable[[str], str]) -> None:
    """The well-known lenient parser finds the same entries under the same addresses."""
    text = damage(rss(*GOOD))
    theirs = feedparser.parse(text, sanitize_html=False, resolve_relative_uris=False).entries
    ours = parse(text, TODAY).entries
    assert [entry.url for entry in ours] == [entry.link for entry in theirs]
    assert len(ours) == 3


NAMES = st.sampled_from(["title", "item", "link", "p", "br", "x", "x.y-z"])
SIGNS = st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=("Cs", "Cc"))
TREES = st.recursive(
    st.text(SIGNS, max_size=8).map(escape) | st.text(SIGNS, max_size=8).filter(lambda one: "]]" not in one)
    .map("<![CDATA[{}]]>".format) | st.sampled_from(["<!-- <x> -->", "<?x <y> ?>", "&#233;", "&quot;"]),
    lambda inner: st.tuples(NAMES.filter(lambda name: name not in ("item", "br")), st.lists(inner, max_size=4),
                            st.text(SIGNS, max_size=5))
    .map(lambda made: f'<{made[0]} a="{escape(made[2], {chr(34): "&quot;"})}"\n>{"".join(made[1])}</{made[0]} >'),
    max_leaves=15,
)  # fmt: skip


def flat(element: Element) -> list[object]:
    found: list[object] = [element.name, dict(element.attributes)]
    for part in element.parts:
        if isinstance(part, str) and isinstance(found[-1], str) and len(found) > 2:
            found[-1] += part
        elif part:
            found.append(part if isinstance(part, str) else flat(part))
    return found


def flat_tree(element: ElementTree.Element) -> list[object]:
    found: list[object] = [element.tag, dict(element.attrib), *([element.text] if element.text else [])]
    for child in element:
        found += [flat_tree(child), *([child.tail] if child.tail else [])]
    return found


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_both_readers_read_well_formed_xml_as_the_standard_library_does(inside: str) -> None:
    """Strict or lenient, an entry that is well-formed comes out as ElementTree has it."""
    text = f"<rss><item>{inside}</item></rss>"
    expected = flat_tree(ElementTree.fromstring(text)[0])
    assert [flat(record.element) for record in xml.records(text, Tree())] == [expected]
    if not re.search("<(?:title|link)", inside):  # which end one another in the lenient one
        assert [flat(record.element) for record in soup.records(text, Tree())] == [expected]


PARTS = """
<item> </item> <entry> <title> </title> <link/> <link> <![CDATA[ ]]> <!-- --> & &lt; &#0; &#xd800; &#99999999; < > "
<rss> </channel> </rss> <description> <pubDate> 2025-01-01 <?x ?> http://[ <author><name> <id> <content\ttype='xhtml'>
<summary> <guid> oai:arXiv.org:2501.01234v2 <a\tb=' <!DOCTYPE\tx\t[ \txml:base="http://["> \ud800
"""
PIECES = st.lists(
    st.sampled_from([part.replace("\t", " ") for part in PARTS.split(" ")]) | st.text(max_size=4), max_size=25
)
HEADS = st.sampled_from(
    ["<rss><channel>", "<feed>", "<feed><id>http://arxiv.org/api/x</id>", "<rss><link>http://rss.arxiv.org/x</link>"]
)


@given(HEADS, PIECES.map("".join))
@example("<feed>", "<entry><title>a</title><link href='http://['/><author><name>\ud800")
@settings(max_examples=500, deadline=None)
def test_any_mangled_feed_gives_a_listing_or_a_listing_error(head: str, rest: str) -> None:
    """Whatever follows the beginning of a feed, only ListingError is raised, and what comes out can be stored."""
    with suppress(ListingError):
        listing = parse(head + rest, TODAY)
        assert all(one.title and one.keys and one.title.encode() for one in listing.entries)
        assert all(one.line > 0 and one.reason and len(one.excerpt) <= 80 for one in listing.rejected)


@pytest.mark.parametrize(
    "hostile",
    [
        "<!--", "<![CDATA[", "<?", "<!DOCTYPE x [", "<a ", "<a b='", '<a b="c', "<a b b b b", "<abbbb", "<a b=", "</",
        "&amp", "<item>", "<x>", "</x>", "<title>", "<item><title>",
    ],
)  # fmt: skip
def test_hostile_feeds_take_linear_time(hostile: str) -> None:
    """A piece repeated thousands of times is read, which would take hours if each were compared with each."""
    with suppress(ListingError):
        assert isinstance(parse(f"<rss><channel>{hostile * 30_000}>", TODAY), Listing)
