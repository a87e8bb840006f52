"""Unsubscribing: the page, RFC 8058's one click, and less instead of nothing."""

from __future__ import annotations

import pytest
from visits import PAPERS, Visit
from workplace import ADA, DAY, paper

from digest.model import State
from digest.store import members, suppressions

EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'


def path(visit: Visit, more: str = "") -> str:
    """The path of Ada's link."""
    return f"/unsubscribe/{visit.token('unsubscribe', visit.subscriber(ADA))}{more}"


def ada(visit: Visit) -> members.Member:
    """What is stored of her."""
    with visit.app.store.read() as connection:
        member = members.find(connection, visit.subscriber(ADA))
    assert member
    return member


def test_to_look_changes_nothing(visit: Visit) -> None:
    """GET and HEAD, as often as scanners like; the page has one button that ends it all."""
    before = visit.place.dump()
    pages = [visit.client.get(path(visit)) for _ in range(20)] + [visit.client.head(path(visit))]
    assert {page.status_code for page in pages} == {200}
    assert visit.place.dump() == before
    assert pages[0].text.count(f'action="{path(visit)}"') == 1


BODIES = (
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
    ("multipart/form-data; boundary=x", MULTIPART),
    ("multipart/form-data", b"without a boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    ("application/json", b"{"),
    ("", b""),
    ("text/plain; charset=nothing", b"\xff\x00" * 1000),
)


def test_one_click_is_done_before_the_answer(visit: Visit) -> None:
    """Whatever the body is, from another site and without a cookie: 200, no redirect, and no subscription."""
    for kind, body in BODIES:
        assert ada(visit).subscribed
        answer = visit.client.post(path(visit), content=body, headers=EVIL | ({"Content-Type": kind} if kind else {}))
        assert (kind, answer.status_code, "You are unsubscribed" in answer.text) == (kind, 200, True)
        assert not ada(visit).subscribed
        visit.client.post(path(visit, "/undo"))


def test_again_is_the_same(visit: Visit) -> None:
    """And changes nothing more; nor is it ever too often."""
    first = visit.client.post(path(visit))
    before = visit.place.dump()
    answers = [visit.client.post(path(visit)) for _ in range(80)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, first.text)}
    assert visit.place.dump() == before
    assert "You are unsubscribed" in visit.client.get(path(visit)).text


def test_a_link_that_is_not_ours_is_refused(visit: Visit) -> None:
    """One cut off, one for another purpose, one of another number."""
    genuine = visit.token("unsubscribe", visit.subscriber(ADA))
    for token in (genuine[:-1], visit.token("pause", 1), visit.token("manage", 1), "2." + genuine.partition(".")[2]):
        assert visit.client.post(f"/unsubscribe/{token}").status_code == 404
        assert visit.client.get(f"/unsubscribe/{token}").status_code == 404
    assert ada(visit).subscribed


def test_an_edition_that_is_planned_is_not_sent(visit: Visit) -> None:
    """It was written down before; the click came before the run that would have sent it."""
    visit.app.pipeline.plan()
    assert visit.place.states() == {State.PLANNED: 1}
    visit.client.post(path(visit))
    visit.place.run()
    assert (visit.mails.kept, visit.place.states()) == ([], {State.SUPPRESSED: 1})


def test_no_run_brings_back_who_stands_in_the_configuration(visit: Visit) -> None:
    """Nor does anything come to them on later days, with new entries."""
    visit.client.post(path(visit))
    for day in (1, 2):
        visit.place.listing(f"{day}.jsonl", [paper(f"Reward models of day {day}", url=f"https://example.org/d{day}")])
        visit.place.run(visit.place.clock.at + DAY)
    assert visit.mails.kept == []
    assert not ada(visit).subscribed


def test_undo_brings_everything_back(visit: Visit) -> None:
    """The button on the page afterwards; what was planned goes out again."""
    visit.app.pipeline.plan()
    visit.client.post(path(visit))
    undone = visit.client.post(path(visit, "/undo"))
    assert undone.status_code == 303
    assert "subscribed again" in visit.client.get(undone.headers["location"]).text
    visit.place.run()
    assert len(visit.mails.to(ADA)) == 1


@pytest.mark.parametrize("what", ["undo", "pause", "weekly"])
def test_other_sites_can_do_nothing_else(visit: Visit, what: str) -> None:
    """The one click is the only thing that is taken from anywhere; and to look does not do it."""
    before = visit.place.dump()
    assert visit.client.post(path(visit, f"/{what}"), headers=EVIL).status_code == 403
    assert visit.client.get(path(visit, f"/{what}")).status_code == 405
    assert visit.place.dump() == before


def test_a_pause_instead(visit: Visit) -> None:
    """A month without a mail; then what came in meanwhile."""
    paused = visit.client.post(path(visit, "/pause"))
    assert "Nothing comes before Sunday, 20 December 2026" in visit.client.get(paused.headers["location"]).text
    visit.place.run()
    visit.place.run(visit.place.clock.at + 29 * DAY)
    assert visit.mails.kept == []
    visit.place.run(visit.place.clock.at + DAY)
    assert len(visit.mails.to(ADA)) == 1


def test_weekly_instead(visit: Visit) -> None:
    """Mondays from now on, also after the configuration was read again; the offer is then gone."""
    weekly = visit.client.post(path(visit, "/weekly"))
    shown = visit.client.get(weekly.headers["location"]).text
    assert "The next one comes on Monday, 23 November 2026" in shown
    assert "weekly instead" not in shown
    visit.place.run()
    assert ada(visit).subscriber.cadence.days == "mon"


@pytest.mark.parametrize("what", ["pause", "weekly"])
def test_who_has_left_changes_nothing_more(visit: Visit, what: str) -> None:
    """A page that was still open subscribes nobody again."""
    visit.client.post(path(visit))
    before = visit.place.dump("rates", "secrets")
    assert visit.client.post(path(visit, f"/{what}")).status_code == 409
    assert visit.place.dump("rates", "secrets") == before


def test_undo_does_not_end_what_else_keeps_mail_away(visit: Visit) -> None:
    """Their mail came back: the page says whom to write to."""
    with visit.app.store.write() as connection:
        suppressions.add(connection, ada(visit).identity, "bounce", "5.1.1 nobody", 1)
    visit.client.post(path(visit))
    undone = visit.client.post(path(visit, "/undo"))
    assert (undone.status_code, "digest@example.org" in undone.text) == (409, True)
    visit.place.listing("again.jsonl", PAPERS)
    visit.place.run()
    assert visit.mails.kept == []


def test_the_page_gives_no_way_into_the_preferences(visit: Visit) -> None:
    """Its link may be known to mail programs and to those a mail was forwarded to."""
    for answer in (visit.client.get(path(visit)), visit.client.post(path(visit))):
        assert "/preferences/" not in answer.text
