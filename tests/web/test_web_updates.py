"""New versions, and movement in rankings: the wish for them, and what pages say of them."""

from __future__ import annotations

import json
from html import unescape

import pytest
from visits import Visit
from workplace import ADA, BAO, body_of

from digest.backtest import Arrival
from digest.model import Entry, Match, Profile, Reason, Subscriber
from digest.settings import Editions
from digest.store import editions, members
from digest.web import feed, forms

FORM = {"keywords-0": "reward model", "zone": "UTC", "send_at": "", "days": "daily"}
RANKING = """Get trending papers in your email inbox!

{day}

{first}

We show that a reward model that is trained on few labels can be as good as one that is trained on many. However, this
holds only where raters agree, and we describe how to find out whether they do before any label is bought.

{second}

Maps are graphs, and graphs are what transformers are good at. We propose a model that reads the streets of a town and
finds shorter ways than those that people take, and we evaluate it on forty towns of different size and age.
"""


def known(visit: Visit, email: str) -> Subscriber:
    """What somebody has set."""
    with visit.app.store.read() as connection:
        member = members.find(connection, visit.subscriber(email))
    assert member
    return member.subscriber


def manage(visit: Visit, email: str = ADA, more: str = "") -> str:
    """The path of somebody's preferences."""
    return f"/preferences/{visit.token('manage', visit.subscriber(email))}{more}"


@pytest.mark.parametrize("ticked", [True, False])
def test_the_preferences_have_a_box_for_new_versions(visit: Visit, ticked: bool) -> None:
    """It shows what is set, and what it is left at is saved."""
    words = 'name="updates" value="yes"'
    assert f"{words}>Also mail me new versions" in visit.client.get(manage(visit)).text
    visit.client.post(manage(visit), data={**FORM, "do": "save", "updates": ["no", "yes"]})
    assert known(visit, ADA).updates
    assert f"{words} checked>" in visit.client.get(manage(visit)).text
    visit.client.post(manage(visit), data={**FORM, "do": "save", "updates": ["no", "yes"] if ticked else ["no"]})
    assert known(visit, ADA).updates is ticked


def test_a_form_without_the_box_leaves_the_wish() -> None:
    """As it leaves every field that it does not have; what is no answer means no."""
    wanting = Subscriber(ADA, (Profile("Digest", ("x",)),), updates=True)
    cases: list[tuple[dict[str, list[str]], bool]] = [
        ({}, True),
        ({"updates": ["no"]}, False),
        ({"updates": ["?"]}, False),
    ]
    for form, updates in cases:
        filled = forms.read(form, wanting, Editions(), ())
        assert filled.subscriber
        assert filled.subscriber.updates is updates


def test_somebody_new_can_ask_for_new_versions(visit: Visit) -> None:
    """The page to confirm says so; who does not ask gets none."""
    for email, updates in ((BAO, ["no", "yes"]), ("cleo@example.org", ["no"])):
        visit.client.post("/subscribe", data={**FORM, "email": email, "updates": updates})
        path = visit.link(email, "confirm")
        assert ("and new versions of papers that match" in visit.client.get(path).text) is (email == BAO)
        visit.client.post(path)
    assert [known(visit, email).updates for email in (BAO, "cleo@example.org")] == [True, False]
    assert json.loads(visit.client.get(manage(visit, BAO, "/data.json")).text)["subscriber"]["updates"] is True


def ranking(visit: Visit, day: str, first: str, second: str) -> None:
    """A ranking of two papers, as it is saved from a page."""
    path = visit.place.listings / f"{day}.txt"
    path.write_text(RANKING.format(day=day, first=first, second=second), encoding="utf-8")


def test_an_edition_shows_how_its_entries_had_moved_when_it_was_made(visit: Visit) -> None:
    """In the mail, on its page, and in the same mail made again, however they moved since."""
    reward, maps = "Reward Models From Few Labels", "Streets Are Graphs and Transformers Know Them"
    ranking(visit, "Nov 19", maps, reward)
    ranking(visit, "Nov 20", reward, maps)
    visit.place.run()
    mail = visit.mails.parsed(ADA)[-1]
    assert "#2 → #1" in body_of(mail, "plain").replace("\u00a0", " ")
    with visit.app.store.read() as connection:
        (edition,) = editions.latest_to(connection, [ADA])
    ranking(visit, "Nov 21", maps, reward)
    visit.place.clock.at += 3600
    visit.app.pipeline.load()
    path = f"/editions/{visit.token('view', edition.id)}"
    html = unescape(visit.client.get(path).text)
    assert '<span role="img" aria-label="rose from 2 to 1">#2\u00a0→\u00a0#1</span>' in html
    assert visit.client.get(f"{path}/mail").text.replace("\r", "") == body_of(mail, "html").replace("\r", "")


def test_an_update_is_called_so_in_the_feed() -> None:
    """Before what its abstract says."""
    entry = Entry(("title:x",), "x", "An abstract.", url="https://example.org/x", version=3, updated=True)
    found = [Arrival(Match(1, 1.0, (Reason("Digest", "x", "title", ("x",)),)), entry, 1)]
    document = feed.document(feed.Head(7, "Digest", "https://example.org/", "https://example.org/feed/7"), found, 1)
    assert b"<summary>Updated to v3\n\nAn abstract.\n\nWhy: x</summary>" in document
