"""The papers as feeds, each by the definition of its format.

RSS 0.91 (Netscape, 1999), RSS 1.0 (web.resource.org, 2000), RSS 2.0 (rssboard.org), Atom (RFC 4287), JSON Feed 1.1, and
what arXiv makes of RSS (rss.arxiv.org) and of Atom (info.arxiv.org/help/api).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from papers import Paper, wrapped

TITLE, HOME = "Papers of the Week & More", "https://papers.example.org/"
_DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'


def rss_2(papers: Sequence[Paper]) -> str:
    """RSS 2.0 with Dublin Core for the names; descriptions are escaped HTML."""
    items = (
        _element(
            "item",
            _text("title", paper.title),
            _text("link", paper.url),
            f'<guid isPermaLink="false">{paper.published}-{number}</guid>',
            _text("description", html(paper)),
            *(_text("dc:creator", name.shown) for name in paper.authors),
            *(_text("category", category) for category in paper.categories),
            _text("pubDate", format_datetime(paper.moment)),
            _text("dc:identifier", f"doi:{paper.doi}" if paper.doi else ""),
        )
        for number, paper in enumerate(papers)
    )
    channel = _element("channel", _text("title", TITLE), _text("link", HOME), _text("description", "New"), *items)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {_DC}>\n{channel}\n</rss>\n'


def rss_1(papers: Sequence[Paper]) -> str:
    """RSS 1.0 (RDF); descriptions are HTML in CDATA, several subjects stand in several elements."""
    items = "\n".join(
        f"<item rdf:about={quoteattr(paper.url)}>\n"
        + "\n".join(
            (
                _text("title", paper.title),
                _text("link", paper.url),
                f"<description><![CDATA[{html(paper)}]]></description>",
                *(_text("dc:creator", name.shown) for name in paper.authors),
                *(_text("dc:subject", category) for category in paper.categories),
                _text("dc:date", paper.moment.isoformat()),
                _text("dc:identifier", f"doi:{paper.doi}" if paper.doi else ""),
            )
        )
        + "\n</item>"
        for paper in papers
    )
    listed = "".join(f"<rdf:li rdf:resource={quoteattr(paper.url)}/>" for paper in papers)
    return (
        '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"\n'
        f' xmlns="http://purl.org/rss/1.0/" {_DC}>\n'
        f"<channel rdf:about={quoteattr(HOME)}>{_text('title', TITLE)}{_text('link', HOME)}"
        f"<description>New</description><items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n{items}\n</rdf:RDF>\n"
    )


def rss_091(papers: Sequence[Paper]) -> str:
    """RSS 0.91: a title, a link and a description, with the document type that it asks for."""
    items = (
        _element("item", _text("title", p.title), _text("link", p.url), _text("description", html(p))) for p in papers
    )
    about = (_text("title", TITLE), _text("link", HOME), _text("description", "New"), _text("language", "en"))
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"\n'
        ' "http://my.netscape.com/publish/formats/rss-0.91.dtd">\n'
        f'<rss version="0.91">\n{_element("channel", *about, *items)}\n</rss>\n'
    )


def atom(papers: Sequence[Paper]) -> str:
    """Atom, whose titles are plain text, and whose abstracts are HTML or XHTML in turn."""
    entries = (
        _element(
            "entry",
            _text("id", f"urn:uuid:60a76c80-d399-11d9-b93c-{number:012}"),
            _text("title", paper.title),
            f"<link href={quoteattr(paper.url)}/>" if paper.url else "",
            _text("published", paper.moment.isoformat()),
            _text("updated", paper.moment.isoformat()),
            *(_element("author", _text("name", name.shown)) for name in paper.authors),
            *(f"<category term={quoteattr(category)}/>" for category in paper.categories),
            f'<summary type="html">{escape(html(paper))}</summary>'
            if number % 2
            else f'<summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{html(paper)}</div></summary>',
        )
        for number, paper in enumerate(papers)
    )
    about = (
        _text("title", TITLE),
        f'<link href="{HOME}"/>',
        _text("id", HOME),
        "<updated>2026-11-18T00:00:00Z</updated>",
    )
    lines = "\n".join((*about, *entries))
    return f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n{lines}\n</feed>\n'


def json_feed(papers: Sequence[Paper]) -> str:
    """JSON Feed 1.1, with the abstract as text or as HTML in turn."""
    texts: tuple[Callable[[Paper], dict[str, str]], ...] = (
        lambda paper: {"content_text": "\n\n".join(paper.paragraphs)},
        lambda paper: {"content_html": html(paper)},
    )
    items = [
        {
            "id": paper.url or f"urn:paper:{number}",
            "title": paper.title,
            **({"url": paper.url} if paper.url else {}),
            **texts[number % 2](paper),
            "date_published": paper.moment.isoformat(),
            "authors": [{"name": name.shown} for name in paper.authors],
            "tags": list(paper.categories),
        }
        for number, paper in enumerate(papers)
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": TITLE, "home_page_url": HOME, "items": items}
    return json.dumps(feed, ensure_ascii=False, indent=1)


def arxiv_rss(papers: Sequence[Paper]) -> str:
    """The day's announcements as arXiv sends them: names in one element, the abstract after a line of its own."""
    items = (
        _element(
            "item",
            _text("title", paper.title),
            _text("link", paper.url),
            _text(
                "description",
                f"arXiv:{paper.versioned} Announce Type: {'cross' if number % 5 == 4 else 'new'} \n"
                f"Abstract: {' '.join(paper.paragraphs)}",
            ),
            f'<guid isPermaLink="false">oai:arXiv.org:{paper.versioned}</guid>',
            *(_text("category", category) for category in paper.categories),
            _text("pubDate", format_datetime(paper.moment)),
            _text("arxiv:announce_type", "cross" if number % 5 == 4 else "new"),
            _text("dc:rights", "http://creativecommons.org/licenses/by/4.0/"),
            _text("arxiv:DOI", paper.doi),
            _text("dc:creator", ", ".join(name.shown for name in paper.authors)),
        )
        for number, paper in enumerate(papers)
    )
    about = (
        _text("title", "cs updates on arXiv.org"),
        _text("link", "http://rss.arxiv.org/rss/cs"),
        _text("description", "cs updates on the arXiv.org e-print archive."),
        '<atom:link href="http://rss.arxiv.org/rss/cs" rel="self" type="application/rss+xml"/>',
        _text("docs", "http://www.rssboard.org/rss-specification"),
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:atom="http://www.w3.org/2005/Atom"'
        f' {_DC} version="2.0">\n{_element("channel", *about, *items)}\n</rss>\n'
    )


def arxiv_api(papers: Sequence[Paper]) -> str:
    """An answer of arXiv's API: titles and abstracts in lines, the comment, and the primary category twice."""
    namespace = 'xmlns:arxiv="http://arxiv.org/schemas/atom"'
    entries = (
        _element(
            "entry",
            _text("id", f"http://arxiv.org/abs/{paper.versioned}"),
            f"<updated>{paper.moment:%Y-%m-%dT%H:%M:%SZ}</updated>",
            f"<published>{paper.moment:%Y-%m-%dT%H:%M:%SZ}</published>",
            _text("title", wrapped(paper.title, "  ").lstrip()),
            _text("summary", "  " + "\n\n".join(map(wrapped, paper.paragraphs)) + "\n"),
            *(_element("author", _text("name", name.shown)) for name in paper.authors),
            _text(f"arxiv:doi {namespace}", paper.doi),
            _text(f"arxiv:comment {namespace}", paper.comments),
            f'<link href="http://arxiv.org/abs/{paper.versioned}" rel="alternate" type="text/html"/>',
            f'<link title="pdf" href="http://arxiv.org/pdf/{paper.versioned}" rel="related" type="application/pdf"/>',
            f'<arxiv:primary_category {namespace} term="{paper.categories[0]}" scheme="http://arxiv.org/schemas/atom"/>',
            *(f'<category term="{one}" scheme="http://arxiv.org/schemas/atom"/>' for one in paper.categories),
        )
        for paper in papers
    )
    about = (
        '<link href="http://arxiv.org/api/query?search_query%3Dall" rel="self" type="application/atom+xml"/>',
        '<title type="html">ArXiv Query: search_query=all&amp;id_list=&amp;start=0&amp;max_results=60</title>',
        "<id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>",
        "<updated>2026-11-18T00:00:00-05:00</updated>",
    )
    lines = "\n".join((*about, *entries))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n{lines}\n</feed>\n'


def html(paper: Paper) -> str:
    """The abstract as HTML."""
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paper.paragraphs)


def _text(name: str, text: str) -> str:
    """An element that holds text, with its attributes behind its name; nothing if the text is empty."""
    return f"<{name}>{escape(text)}</{name.partition(' ')[0]}>" if text else ""


def _element(name: str, *parts: str, between: str = "\n") -> str:
    return between.join((f"<{name}>", *_filled(parts), f"</{name}>"))


def _filled(parts: Iterable[str]) -> Iterable[str]:
    return (part for part in parts if part)
