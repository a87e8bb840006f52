"""What an attacker would try: each is refused, and nothing is changed by it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from visits import URL, Visit
from workplace import ADA, DAY, body_of

from digest.store.schema import letters, signups
from digest.tokens import Purpose

CROSS_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
SCRIPT = "<script>alert(1)</script>"
PICTURE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("headers", [CROSS_SITE, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize(
    ("path", "purpose", "form"),
    [
        ("/preferences/{}", "manage", {"keywords-0": "spam", "action": "save"}),
        ("/preferences/{}/delete", "manage", {}),
        ("/pause/{}", "pause", {"until": "2027-01-01"}),
        ("/unsubscribe/{}/undo", "unsubscribe", {}),
        ("/subscribe", None, {"email": "eve@example.org", "keywords-0": "spam"}),
    ],
)
def test_a_form_on_another_site_changes_nothing(
    visit: Visit, path: str, purpose: Purpose | None, form: dict[str, str], headers: dict[str, str]
) -> None:
    """Cross-site request forgery: even with a true token in the address."""
    before = visit.place.dump()
    where = path.format(visit.token(purpose, visit.subscriber(ADA))) if purpose else path
    assert visit.client.post(where, data=form, headers=headers).status_code == 403
    assert visit.place.dump() == before


@pytest.mark.parametrize(
    ("path", "made_for"),
    [
        ("/preferences/{}", "unsubscribe"),
        ("/preferences/{}", "pause"),
        ("/preferences/{}/data.json", "view"),
        ("/preferences/{}/delete", "unsubscribe"),
        ("/unsubscribe/{}", "manage"),
        ("/pause/{}", "manage"),
        ("/editions/{}", "feedback"),
        ("/feedback/{}/1/more", "view"),
        ("/feed/{}", "manage"),
        ("/confirm/{}", "manage"),
        ("/sign-in/{}", "unsubscribe"),
    ],
)
def test_a_token_opens_nothing_but_what_it_was_made_for(visit: Visit, path: str, made_for: Purpose) -> None:
    """Token reuse across purposes, by GET and by POST: as if there were nothing."""
    visit.app.run()
    before = visit.place.dump()
    where = path.format(visit.token(made_for, 1))
    assert visit.client.get(where).status_code == 404
    assert visit.client.post(where).status_code in (404, 405)
    assert visit.place.dump("rates", "secrets") == {
        name: rows for name, rows in before.items() if name not in ("rates", "secrets")
    }


@pytest.mark.parametrize(
    "address",
    [
        "eve@example.org\r\nBcc: all@example.org",
        "eve@example.org%0d%0aBcc: all@example.org",
        "eve@example.org, all@example.org",
        "Eve <eve@example.org>",
        "eve@example.org\x00",
        "=?utf-8?q?eve=40example.org=0ABcc:all=40example.org?=",
    ],
)
def test_an_address_cannot_carry_a_header(visit: Visit, address: str) -> None:
    """Header injection: refused beside the field, with nothing written and no letter."""
    answer = visit.client.post("/subscribe", data={"email": address, "keywords-0": "reward model"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    with visit.app.store.read() as connection:
        assert connection.execute(select(signups)).all() == []
        assert connection.execute(select(letters)).all() == []


def test_a_name_cannot_carry_a_header(visit: Visit) -> None:
    """What is typed as a name goes into To as text, on one line."""
    where = f"/preferences/{visit.token('manage', visit.subscriber(ADA))}"
    form = {
        "name": "Ada\r\nBcc: all@example.org",
        "profile-0": "Digest",
        "keywords-0": "reward model",
        "action": "save",
    }
    assert visit.client.post(where, data=form).status_code == 303
    visit.app.run()
    mail = visit.mail(ADA)
    assert mail["Bcc"] is None
    assert mail["To"].addresses[0].addr_spec == ADA


@pytest.mark.parametrize("evil", [SCRIPT, PICTURE])
def test_what_is_stored_is_shown_as_text(visit: Visit, evil: str) -> None:
    """Stored HTML in the name of a profile and in a keyword: on every page, and in the mail."""
    number = visit.subscriber(ADA)
    manage = f"/preferences/{visit.token('manage', number)}"
    form = {"name": evil, "profile-0": evil, "keywords-0": f'reward model\n"{evil}"', "action": "save"}
    form |= {"profile-1": "B" + evil, "keywords-1": "quantiz*"}
    assert visit.client.post(manage, data=form).status_code == 303
    visit.app.run()
    seen = [manage, f"/unsubscribe/{visit.token('unsubscribe', number)}", f"/pause/{visit.token('pause', number)}"]
    seen += [f"/editions/{visit.token('view', 1)}", f"/editions/{visit.token('view', 1)}/mail"]
    seen += [f"/feedback/{visit.token('feedback', 1)}/1/less", f"/feed/{visit.token('feed', number)}"]
    for path in seen:
        answer = visit.client.get(path)
        assert answer.status_code == 200, path
        assert evil not in answer.text, path
    assert evil not in body_of(visit.mail(ADA), "html")


def test_an_old_link_to_confirm_opens_nothing(visit: Visit) -> None:
    """After 72 hours, by GET and by POST."""
    visit.client.post("/subscribe", data={"email": "bea@example.org", "keywords-0": "reward model"})
    link = visit.link("bea@example.org", "confirm")
    visit.place.clock.at += 3 * DAY
    assert visit.client.get(link).status_code == 404
    assert visit.client.post(link).status_code == 404


def test_nothing_leads_to_another_site(visit: Visit) -> None:
    """No open redirect: whatever is in the query, a redirect stays here."""
    for path in ("/sign-in", "/operator", "/subscribe"):
        for name in ("next", "url", "return", "redirect"):
            answer = visit.client.get(path, params={name: "https://evil.example/"})
            assert "evil.example" not in answer.headers.get("location", "")
    answer = visit.client.post("/sign-in?next=//evil.example", data={"email": ADA})
    assert answer.headers["location"] in ("/check-your-mail", f"{URL}/check-your-mail")
