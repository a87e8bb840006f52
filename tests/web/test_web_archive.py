"""The pages of an edition: the mail as it was sent, all that matched, and why the rest was not in."""

from __future__ import annotations

import re
from html import unescape

import pytest
from visits import PAPERS, WEB, Visit
from workplace import ADA, BAO, DAY, NOON, body_of, paper, subscriber

from digest.store import editions, members
from digest.web import archive

OPEN = "Stored <script>alert(1)</script> reward models"


def sent(visit: Visit, email: str = ADA) -> str:
    """The page of somebody's newest edition, after a run."""
    visit.app.run()
    return page(visit, email)


def page(visit: Visit, email: str = ADA) -> str:
    """Its path."""
    with visit.app.store.read() as connection:
        (edition,) = editions.latest_to(connection, [email])
    return f"/editions/{visit.token('view', edition.id)}"


def shown(visit: Visit, path: str) -> str:
    """What a page shows."""
    answer = visit.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


def plain(html: str) -> str:
    """The words of a page, each stretch of white space one space."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def words_of(visit: Visit, path: str) -> str:
    """The words that a page shows."""
    return plain(shown(visit, path))


def test_the_link_of_the_mail_opens_its_edition(visit: Visit) -> None:
    """With the same dates, cards and reasons, and the mail as it was sent behind a link."""
    visit.app.run()
    path = visit.link(ADA, "editions")
    html = shown(visit, path)
    words = plain(html)
    assert "Friday, 20 November 2026" in words
    assert "1 of 4 new papers matches your keywords" in words
    assert "<mark>Reward models</mark> that age well" in html
    assert f'href="{path}/mail"' in html


def test_what_was_not_in_says_why(visit: Visit) -> None:
    """Under the heading of its standing, with the keyword that kept it out, or those that came near."""
    words = words_of(visit, sent(visit))
    else_ = words[words.index("What else came in") :]
    assert "3 entries were not in" in else_
    assert "Kept out by an exclusion A survey of reward models" in else_
    assert "Kept out by -survey (“survey” in the title), as the keywords are now." in else_
    assert "No keyword hits these Quantization for the patient Graph transformers on maps" in else_


def test_near_misses_are_told(visit: Visit) -> None:
    """Of those on the page."""
    visit.place.listing("more.jsonl", [paper("A reward for all")])
    html = shown(visit, sent(visit))
    assert '<span class="label">reward model</span> <span class="quiet">reward hits, model does not</span>' in html


def test_all_that_matched_is_listed(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the titles of the mail, too, on pages that number on."""
    monkeypatch.setattr(archive, "MORE", 30)
    visit.place.listing("many.jsonl", [paper(f"Reward model {number}") for number in range(90)])
    path = sent(visit)
    first, second, third = (shown(visit, f"{path}?more={number}") for number in (1, 2, 3))
    assert "71 more matched" in first
    assert "Listed by title in the mail" in first
    assert "Below the cut" not in first
    assert 'start="21"' in first
    assert 'start="51"' in second
    assert 'start="61"' in second
    assert "Below the cut" in second
    assert "Page 3 of 3" in third
    titles = [
        title
        for html in (first, second, third)
        for title in re.findall(r"<li><a[^>]*>(Reward model[^<]+)", html.split('id="more"')[1].split('id="others"')[0])
    ]
    assert len(titles) == len(set(titles)) == 71


def test_the_others_are_turned_over_and_searched(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is none is the nearest that there is; a search is over everything, and keeps its words."""
    monkeypatch.setattr(archive, "OTHERS", 2)
    path = sent(visit)
    pages = [words_of(visit, f"{path}?page={number}") for number in (1, 2, 99, "x", "-1")]
    assert [re.findall(r"Page (\d) of 2", words) for words in pages] == [["1"], ["2"], ["2"], ["1"], ["1"]]
    assert "Graph transformers" in pages[1]
    assert "Graph transformers" not in pages[0]
    html = shown(visit, f"{path}?q=REWARD+model&page=1")
    assert "2 titles of all that came in have these words" in plain(html)
    assert "Sent on Friday, 20 November 2026, as number 1 of 1." in plain(html)
    assert 'value="REWARD model"' in html
    assert "0 titles" in words_of(visit, f"{path}?q=%3C%25_")
    assert "2 titles" in words_of(visit, f"{path}?q=reward%00+model%ED%A0%80")
    assert 'value="&lt;%_"' in shown(visit, f"{path}?q=%3C%25_")


def test_what_was_sent_before_is_told(visit: Visit) -> None:
    """When it is listed again."""
    visit.app.run()
    visit.place.listing("again.jsonl", [*PAPERS, paper("Reward models, and again")])
    visit.place.clock.at = NOON + DAY
    words = words_of(visit, sent(visit))
    assert "New before, and listed again" in words
    assert "Already in the mail of Friday, 20 November 2026, as number 1." in words


def test_changed_keywords_change_why_but_not_what_was_sent(visit: Visit) -> None:
    """What matched then and does not now is counted; what matches only now says so."""
    path = sent(visit)
    visit.place.configure(subscriber(ADA, ["quantization"]), extra=WEB)
    with visit.place.opened() as app:
        app.pipeline.enrol()
    words = words_of(visit, path)
    assert "Reward models that age well" in words
    assert "Not then, but by the keywords as they are now Quantization for the patient" in words


def test_the_mail_is_what_was_sent(visit: Visit) -> None:
    """To the letter; it runs nothing, loads nothing, and stands in a frame of ours only."""
    path = sent(visit)
    answer = visit.client.get(f"{path}/mail")
    assert answer.text.splitlines() == body_of(visit.mail(ADA), "html").splitlines()
    rules = answer.headers["content-security-policy"]
    assert "default-src 'none'" in rules
    assert "frame-ancestors 'self'" in rules
    assert "sandbox allow-popups" in rules
    assert "allow-scripts" not in rules
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_what_an_entry_says_is_text(visit: Visit) -> None:
    """A script, a link that runs one, and a template in a title stay what they are, on both pages, in and out."""
    evil = [
        paper(OPEN, "<img src=x onerror=alert(1)> {{ 7*7 }}", url="javascript:alert(1)"),
        paper("<b>Cooking</b> {{ 7*7 }} reward", url="javascript:alert(2)"),
    ]
    visit.place.listing("evil.jsonl", evil)
    path = sent(visit)
    for html in (shown(visit, path), shown(visit, f"{path}/mail"), shown(visit, f"{path}?q=<script>")):
        assert "<script>alert" not in html
        assert "<b>Cooking" not in html
        assert "<img" not in html
        assert 'href="javascript' not in html
        assert "49" not in plain(html)
    assert "{{ 7*7 }}" in words_of(visit, path)


def test_a_keyword_is_text(visit: Visit) -> None:
    """That of a near miss, and of an exclusion, in the words of whoever typed it."""
    visit.place.configure(subscriber(ADA, ['"<i>reward</i> people"', "reward"]), extra=WEB)
    visit.place.listing("more.jsonl", [paper("The people of Rome")])
    visit.place.run()
    html = shown(visit, page(visit))
    assert "&lt;i&gt;reward" in html
    assert "<i>reward" not in html


def test_a_link_of_nobody_is_dead(visit: Visit) -> None:
    """A token of another purpose, of no edition, of one that is empty, and of somebody who is forgotten."""
    path = sent(visit)
    number = visit.subscriber(ADA)
    visit.place.clock.at = NOON + DAY
    visit.app.run()  # nothing new
    dead = [visit.token("feedback", 1), visit.token("view", 99), visit.token("view", 2), "1.x", "x"]
    for token in dead:
        for end in ("", "/mail"):
            assert visit.client.get(f"/editions/{token}{end}").status_code == 404
    with visit.app.store.write() as connection:
        member = members.find(connection, number)
        assert member
        members.forget(connection, member, NOON)
    assert [visit.client.get(path + end).status_code for end in ("", "/mail")] == [404, 404]


def test_a_mail_that_was_not_sent_says_so(visit: Visit) -> None:
    """In words, above what would have been in it."""
    visit.mails.refused.add(ADA)
    assert "This is the mail of Friday, 20 November 2026, which could not be sent" in words_of(visit, sent(visit))


def test_looking_changes_nothing(visit: Visit) -> None:
    """Not a row of any table, however often."""
    path = sent(visit)
    before = visit.place.dump()
    for address in (path, f"{path}/mail", f"{path}?q=model", f"{path}?page=2"):
        assert visit.client.get(address).status_code == 200
        assert visit.client.head(address).status_code in (200, 405)
    assert visit.place.dump() == before


def test_only_the_newest_of_a_very_large_window_are_looked_at(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the mail stays; the page says that it does not tell of all."""
    monkeypatch.setattr(archive, "MOST", 2)
    words = words_of(visit, sent(visit))
    assert "only the newest 2 are looked at here" in words
    assert "Reward models that age well" in words
    assert "Kept out by" not in words


def test_every_subscriber_sees_their_own(visit: Visit) -> None:
    """Of one window, by their own keywords."""
    tables = subscriber(ADA, ["reward model", "-survey"]), subscriber(BAO, ["quantization", "graph transformer"])
    visit.place.configure(*tables, extra=WEB)
    visit.place.run()
    ada, bao = words_of(visit, page(visit)), words_of(visit, page(visit, BAO))
    assert "1 of 4 new papers matches" in ada
    assert "2 of 4 new papers match" in bao
    assert "No keyword hits these Reward models that age well" in bao
