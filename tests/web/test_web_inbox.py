"""The demo's inbox page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from visits import URL, Visit
from workplace import ADA

from digest.cli.demo import Mailbox
from digest.store import members


@contextmanager
def looked_at(visit: Visit, folder: Path) -> Iterator[TestClient]:
    """The site with an inbox of the mails in a folder."""
    app = replace(visit.app, inbox=folder).web()
    with TestClient(app, base_url=URL, follow_redirects=False) as client:
        yield client


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    """What catches a demo's mails."""
    folder = tmp_path / "caught"
    folder.mkdir()
    return Mailbox(folder)


@pytest.fixture
def inbox(visit: Visit, box: Mailbox) -> Iterator[TestClient]:
    """The inbox of a site on which Ada has had a digest and a letter."""
    visit.app.run()
    visit.client.post("/sign-in", data={"email": ADA})
    visit.mail(ADA, 2)
    for number, mail in enumerate(visit.mails.to(ADA)):
        box.receive("", (ADA,), mail)
        os.utime(box.mails[ADA], (1_800_000_000 + number, 1_800_000_000 + number))
    with looked_at(visit, box.folder) as client:
        yield client


def test_only_a_demo_has_one(visit: Visit) -> None:
    """Elsewhere there is neither page nor link."""
    assert visit.client.get("/inbox").status_code == 404
    assert "/inbox" not in visit.client.get("/").text


def test_it_lists_mails_the_newest_first(inbox: TestClient) -> None:
    """With subject, recipient and time; every page leads there; no address is in a URL."""
    page = inbox.get("/inbox").text
    assert re.findall(r'href="/inbox/(\d+)"', page) == ["2", "1"]
    assert "Your link to Digest" in page.split("/inbox/1")[0]
    assert page.count(ADA) == 2
    assert "2027-01-15 08:00 UTC" in page
    assert not re.search(r'(href|src|action|hx-get)="[^"]*@', page + inbox.get("/inbox/1").text)
    assert 'href="/inbox"' in inbox.get("/").text


def test_an_empty_one_says_so(visit: Visit, box: Mailbox) -> None:
    """It is no error to look before the first mail."""
    with looked_at(visit, box.folder) as client:
        assert "No mail yet" in client.get("/inbox").text


def test_a_page_that_has_seen_all_is_left_alone(inbox: TestClient) -> None:
    """So nothing moves under who reads; else only the list comes."""
    part = {"HX-Request": "true"}
    assert inbox.get("/inbox?seen=2", headers=part).status_code == 204
    fresh = inbox.get("/inbox?seen=1", headers=part)
    assert fresh.status_code == 200
    assert fresh.text.lstrip().startswith('<div hx-get="/inbox?seen=2"')
    assert inbox.get("/inbox?seen=2").status_code == 200


def test_a_mail_is_shown_with_its_text_and_headers(inbox: TestClient, visit: Visit) -> None:
    """Both parts and all there is."""
    page = inbox.get("/inbox/1").text
    assert "Reward models that age well" in page
    for name, value in visit.mails.parsed(ADA)[0].items():
        assert f"<dt>{name}</dt>" in page
        assert value.split("<")[0].split('"')[0] in page


def test_its_html_is_in_a_sandbox(inbox: TestClient) -> None:
    """A document of its own that runs nothing; a link that is clicked leads out of the frame, to the page."""
    page, mail = inbox.get("/inbox/1").text, inbox.get("/inbox/1/mail")
    flags = "allow-top-navigation-by-user-activation allow-popups"
    assert f'<iframe class="sample whole" src="/inbox/1/mail" title="The mail" sandbox="{flags}">' in page
    policy = mail.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; ")
    assert policy.endswith(f"frame-ancestors 'self'; sandbox {flags}")
    assert "script" not in policy
    assert mail.text.count('<head><base target="_top">') == 1
    assert "Reward models that age well" in re.sub("</?mark[^>]*>|<span[^>]*>|</span>", "", mail.text)


def test_stored_html_stays_text(visit: Visit, box: Mailbox) -> None:
    """In the list and on the page of the mail."""
    mail = (
        b"Subject: <script>alert(1)</script>\r\nTo: =?utf-8?q?=3Cimg_src=3Dx=3E?= <ada@example.org>\r\n"
        b"Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nContent-Type: text/plain\r\n\r\n</pre><script>alert(2)</script>\r\n"
    )
    box.receive("", (ADA,), mail)
    with looked_at(visit, box.folder) as client:
        for page in (client.get("/inbox").text, client.get("/inbox/1").text):
            assert "<script>alert" not in page
            assert "<img" not in page
        assert client.get("/inbox/1/mail").text == ""


def test_one_click_unsubscribes_as_in_a_mail_program(inbox: TestClient, visit: Visit) -> None:
    """The form posts what RFC 8058 says; a letter has no such button."""
    form = re.search(
        r'<form method="post" action="(/unsubscribe/[\w.-]+)">\s*<input ([^>]*)>', inbox.get("/inbox/1").text
    )
    assert form
    assert 'name="List-Unsubscribe" value="One-Click"' in form[2]
    assert inbox.post(form[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with visit.app.store.read() as connection:
        member = members.find_by_identity(connection, ADA)
    assert member
    assert not member.active
    assert "<form" not in inbox.get("/inbox/2").text


@pytest.mark.parametrize("number", ["0", "3", "-1", "01", "x", "9" * 5_000, "%C2%B2", "..%2f1", "1%00"])
def test_a_mail_that_is_not_there_is_a_page_that_says_so(inbox: TestClient, number: str) -> None:
    """Whatever stands in its place."""
    for path in (f"/inbox/{number}", f"/inbox/{number}/mail"):
        answer = inbox.get(path)
        assert answer.status_code == 404
        assert "<h1>" in answer.text


def test_two_mails_of_a_day_are_two_files(box: Mailbox) -> None:
    """To one person, or to two with the same name elsewhere."""
    mail = b"Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    for recipient in (ADA, ADA, "ada@elsewhere.example"):
        box.receive("", (recipient,), mail)
    assert sorted(file.name for file in box.folder.iterdir()) == [
        f"ada-2026-11-20{more}{kind}" for more in ("-2", "-3", "") for kind in (".eml", ".html")
    ]
