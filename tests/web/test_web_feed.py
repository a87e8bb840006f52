"""The Atom feed of one's matches: well formed whatever the entries hold, and nobody's but one's own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st
from visits import URL, Visit
from workplace import ADA, DAY, NOON, paper

from digest.backtest import Arrival
from digest.model import Entry, Match, Reason
from digest.store import members
from digest.web import feed

ATOM = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SCRIPT = "Reward models <script>alert(1)</script> & \u201c{{ 7*7 }}\u201d ]]>"


def path(visit: Visit, email: str = ADA) -> str:
    return f"/feed/{visit.token('feed', visit.subscriber(email))}"


def read(content: bytes) -> ElementTree.Element:
    """A feed that keeps the rules of RFC 4287, sections 4.1.1 and 4.1.2."""
    root = ElementTree.fromstring(content)
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            (one,) = element.findall(ATOM + name)
            assert one.text
        assert MOMENT.fullmatch(said(element, "updated"))
        assert all(author.findtext(f"{ATOM}name") for author in element.findall(f"{ATOM}author"))
    assert root.find(f"{ATOM}author") is not None
    for entry in root.findall(f"{ATOM}entry"):
        links = entry.findall(f"{ATOM}link[@rel='alternate']")
        assert len(links) == len(entry.findall(f"{ATOM}summary")) == 1 - len(entry.findall(f"{ATOM}content"))
    names = [said(entry, "id") for entry in root.findall(f"{ATOM}entry")]
    assert len(set(names)) == len(names)
    return root


def said(element: ElementTree.Element, name: str) -> str:
    return element.findtext(ATOM + name) or ""


def entries(root: ElementTree.Element) -> list[ElementTree.Element]:
    return root.findall(f"{ATOM}entry")


def test_a_feed_holds_ones_matches(visit: Visit) -> None:
    """With link, moment, what the abstract says and why; what an exclusion keeps out is not in it."""
    answer = visit.client.get(path(visit))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml")
    assert answer.headers["cache-control"] == "private, max-age=900"
    root = read(answer.content)
    (entry,) = entries(root)
    assert said(root, "title") == "Digest: matches of the last 30 days"
    assert root.find(f"{ATOM}link[@rel='self']").attrib["href"] == URL + path(visit)  # type: ignore[union-attr]  # there is one, or the test fails
    assert said(entry, "title") == "Reward models that age well"
    assert entry.find(f"{ATOM}link").attrib["href"] == "https://example.org/1"  # type: ignore[union-attr]  # likewise
    assert said(entry, "updated") == said(root, "updated") == "2026-11-20T12:00:00Z"
    text = said(entry, "summary")
    assert text == "A reward model is trained once. We let it learn again.\n\nWhy: reward model"


def test_what_entries_hold_is_data(visit: Visit) -> None:
    """Markup, signs that XML forbids, and links that are none."""
    papers = [
        paper(SCRIPT, "\x00\x0bBell\x07, \ufffe, \ud800 and <b>bold</b>", url="javascript:alert(1)"),
        paper("Reward models & more", authors=["A <b>", " \x01 ", "C & D"], url="https://example.org/?a=1&b=<2>"),
    ]
    visit.place.listing("tuesday.jsonl", papers)
    visit.app.pipeline.load()
    root = read(visit.client.get(path(visit)).content)
    by_title = {said(entry, "title"): entry for entry in entries(root)}
    assert set(by_title) == {SCRIPT, "Reward models & more", "Reward models that age well"}
    assert by_title[SCRIPT].find(f"{ATOM}link") is None
    assert said(by_title[SCRIPT], "content").endswith("Why: reward model")
    more = by_title["Reward models & more"]
    assert [said(author, "name") for author in more.findall(f"{ATOM}author")] == ["A <b>", "C & D"]
    assert more.find(f"{ATOM}link").attrib["href"] == "https://example.org/?a=1&b=<2>"  # type: ignore[union-attr]  # likewise


anything = st.text(st.characters(codec=None), max_size=60)


@given(anything, anything, anything, st.lists(anything, max_size=3), anything, st.integers(0, 2**33))
@settings(max_examples=150, deadline=None)
def test_any_text_makes_a_feed(
    title: str, abstract: str, url: str, authors: list[str], keyword: str, loaded_at: int
) -> None:
    """Whatever characters there are, surrogates and controls among them."""
    entry = Entry(("title:x",), title, abstract, authors=tuple(authors), url=f"https://example.org/{url}")
    reason = Reason(keyword, keyword, "author", (title,))
    found = [Arrival(Match(1, 1.0, (reason,)), entry, loaded_at)]
    root = read(feed.document(feed.Head(7, "Digest", f"{URL}/", f"{URL}/feed/7"), found, NOON))
    assert len(entries(root)) == 1


def test_the_newest_stand_first(visit: Visit) -> None:
    """And at most a hundred; the feed is as new as its newest entry."""
    visit.place.clock.at = NOON + DAY
    titles = [f"Reward model number {number} of {number * 7}" for number in range(120)]
    visit.place.listing("tuesday.jsonl", [paper(title) for title in titles])
    visit.app.pipeline.load()
    root = read(visit.client.get(path(visit)).content)
    assert len(entries(root)) == feed.MOST
    assert {said(entry, "updated") for entry in entries(root)} == {said(root, "updated")} == {"2026-11-21T12:00:00Z"}


def test_an_id_is_for_good(visit: Visit) -> None:
    """The same when the entry is looked at another day, by another subscriber, beside other entries."""
    before = {said(one, "title"): said(one, "id") for one in entries(read(visit.client.get(path(visit)).content))}
    visit.place.clock.at += DAY
    visit.place.listing("tuesday.jsonl", [paper("Reward models on a Tuesday")])
    visit.app.pipeline.load()
    after = {said(one, "title"): said(one, "id") for one in entries(read(visit.client.get(path(visit)).content))}
    assert len(after) == 2
    assert before.items() <= after.items()
    assert all(re.fullmatch(r"tag:digest\.example\.net,2026:entry/[0-9a-f]{32}", name) for name in after.values())


def test_a_reader_that_has_it_is_told_so(visit: Visit) -> None:
    """Until something new is in it."""
    first = visit.client.get(path(visit))
    for given_tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = visit.client.get(path(visit), headers={"If-None-Match": given_tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert visit.client.get(path(visit), headers={"If-None-Match": '"other"'}).content == first.content
    visit.place.listing("tuesday.jsonl", [paper("Reward models on a Tuesday")])
    visit.app.pipeline.load()
    assert visit.client.get(path(visit), headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_the_feed_of_somebody_who_left_is_a_dead_link(visit: Visit) -> None:
    """As is one without a genuine token, or with one for another purpose."""
    number = visit.subscriber(ADA)
    assert visit.client.get(f"/feed/{visit.token('view', number)}").status_code == 404
    assert visit.client.get(f"/feed/{visit.token('feed', number + 1)}").status_code == 404
    assert visit.client.get(f"/feed/{number}.forged").status_code == 404
    mine = path(visit)
    assert visit.client.get(mine).status_code == 200
    with visit.app.store.write() as connection:
        member = members.find(connection, number)
        assert member
        members.leave(connection, member, NOON)
    assert visit.client.get(mine).status_code == 404


def test_to_read_a_feed_changes_nothing(visit: Visit) -> None:
    """However often, and nobody may post to it."""
    before = visit.place.dump()
    assert all(visit.client.get(path(visit)).status_code == 200 for _ in range(20))
    assert visit.client.head(path(visit)).content == b""
    assert visit.place.dump() == before
    assert visit.client.post(path(visit)).status_code == 405


def test_no_address_is_in_a_feed(visit: Visit) -> None:
    """Feeds are passed on."""
    content = visit.client.get(path(visit)).text
    assert "ada" not in content.lower()
