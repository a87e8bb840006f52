"""The feeds of arXiv: announcements, and answers of its API."""

from __future__ import annotations

from datetime import date

import pytest

from digest.listings import Origin, parse
from digest.model import Entry, Listing

TODAY = Origin(date(2026, 2, 1))


def announced(kind: str, *, title: str = "A Title", lead: bool = True, element: bool = True) -> Entry:
    before = f"arXiv:2501.01234v2 Announce Type: {kind} \nAbstract: " if lead else ""
    text = f"""<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<link>http://rss.arxiv.org/rss/cs.CL</link><item><title>{title}</title><link>https://arxiv.org/abs/2501.01234</link>
<description>{before}We count.</description><guid isPermaLink="false">oai:arXiv.org:2501.01234v2</guid>
{f"<arxiv:announce_type>{kind}</arxiv:announce_type>" if element else ""}
<dc:creator>Ada B, Bao C (1), Cem D Jr.</dc:creator>
</item></channel></rss>"""
    [entry] = parse(text, TODAY).entries
    return entry


def answered(inside: str) -> Listing:
    return parse(f"<feed><id>http://arxiv.org/api/x</id><entry>{inside}</entry></feed>", TODAY)


@pytest.mark.parametrize(
    ("kind", "updated"), [("new", False), ("cross", False), ("replace", True), ("replace-cross", True)]
)
@pytest.mark.parametrize(("lead", "element"), [(True, True), (True, False), (False, True)])
def test_what_is_announced_as_replaced_is_updated(kind: str, updated: bool, lead: bool, element: bool) -> None:
    """A new version is told by the announce type, in its element or before the abstract, which is freed of it."""
    entry = announced(kind, lead=lead, element=element)
    assert (entry.updated, entry.version, entry.abstract) == (updated, 2, "We count.")
    assert (entry.key, entry.url, entry.source) == ("arxiv:2501.01234", "https://arxiv.org/abs/2501.01234", "arXiv")
    assert entry.authors == ("Ada B", "Bao C", "Cem D Jr.")


def test_titles_of_arxiv_are_no_html() -> None:
    """What looks like HTML in a title of arXiv is text."""
    assert announced("new", title="Where k&lt;n and n&gt;m").title == "Where k<n and n>m"


def test_a_later_version_is_no_news_in_an_answer() -> None:
    """The API gives the latest version, which says nothing of when it was announced."""
    [entry] = answered("<id>http://arxiv.org/abs/math.GT/0309136v4</id><title>T</title>").entries
    assert (entry.key, entry.version, entry.updated) == ("arxiv:math/0309136", 4, False)


def test_an_error_of_the_api_is_rejected_with_its_words() -> None:
    """What the API says instead of an answer is no entry."""
    listing = answered("<id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>bad id</summary>")
    assert (listing.entries, listing.rejected[0].reason) == ((), "arXiv did not answer: bad id")


def test_an_id_that_is_none_costs_no_entry() -> None:
    """An entry with an id of another kind keeps its link."""
    [entry] = answered("<id>urn:x</id><title>T</title><link href='https://x.example/1'/>").entries
    assert (entry.key, entry.url) == ("url:https://x.example/1", "https://x.example/1")
