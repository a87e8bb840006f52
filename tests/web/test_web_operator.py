"""The operator's pages: behind a token, complete, without an address in any of their addresses."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient
from visits import OPERATOR_TOKEN, SECRETS, URL, WEB, Visit, visiting
from web_site import says, serving
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest.model import Profile, State, Subscriber
from digest.store import letters, members, subscribers, suppressions
from digest.store.schema import editions
from digest.store.subscribers import Named
from digest.tokens import sign, sign_passing

PATHS = ("", "/subscribers", "/subscribers/1", "/editions", "/editions?state=failed", "/sources", "/runs", "/letters")
ACTIONS = ("resend", "suppress", "allow", "unsubscribe")


def sign_in(visit: Visit) -> None:
    """Begin a session."""
    answer = visit.client.post("/operator/sign-in", data={"token": OPERATOR_TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator")


def see(visit: Visit, path: str) -> str:
    """The HTML of an operator's page that is there."""
    answer = visit.client.get(f"/operator{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


def do(visit: Visit, number: int, action: str, **fields: str) -> str:
    """Do something for a subscriber; the page that comes then."""
    answer = visit.client.post(f"/operator/subscribers/{number}/{action}", data=fields)
    assert answer.status_code == 303, answer.text
    return see(visit, answer.headers["location"].removeprefix("/operator"))


def add(visit: Visit, *emails: str) -> None:
    """Subscribe people whom the configuration does not name."""
    people = [Named(email, Subscriber(email, (Profile("Digest", ("reward model",)),))) for email in emails]
    with visit.app.store.write() as connection:
        subscribers.put(connection, people, NOON, 7)


def be(visit: Visit, state: State, reason: str = "") -> int:
    """Put the newest edition into a state; return its id."""
    with visit.app.store.write() as connection:
        newest: int = connection.execute(select(editions.c.id).order_by(editions.c.id.desc())).scalars().first() or 0
        values = {"state": state, "reason": reason, "next_at": NOON + DAY}
        connection.execute(update(editions).where(editions.c.id == newest).values(values))
        return newest


@pytest.mark.parametrize("path", PATHS)
def test_without_a_session_there_is_only_the_way_in(visit: Visit, path: str) -> None:
    """Whichever page is asked for; nothing of it is remembered for later."""
    answer = visit.client.get(f"/operator{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator/sign-in")
    assert ADA not in answer.text


@pytest.mark.parametrize("action", ACTIONS)
def test_without_a_session_nothing_can_be_done(visit: Visit, action: str) -> None:
    """The page says how to go on."""
    before = visit.place.dump("rates", "secrets")
    answer = visit.client.post(f"/operator/subscribers/1/{action}", data={"edition": "1"})
    assert answer.status_code == 403
    assert "/operator/sign-in" in answer.text
    assert visit.place.dump("rates", "secrets") == before


def test_the_token_opens_every_page(visit: Visit) -> None:
    """Each says where one is; the cookie is for this site alone and no script's."""
    answer = visit.client.post("/operator/sign-in", data={"token": f" {OPERATOR_TOKEN}\n"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-operator=0.")
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=43200"):
        assert attribute in cookie
    for path in PATHS:
        assert see(visit, path).count('aria-current="page"') == 1
    assert visit.client.post("/operator/subscribers", data={"q": "a"}).status_code == 200


def test_a_wrong_token_is_said_beside_the_field(visit: Visit) -> None:
    """And not kept in it."""
    answer = visit.client.post("/operator/sign-in", data={"token": "an operator's guess"})
    assert answer.status_code == 403
    assert 'id="token-fault"' in answer.text
    assert "guess" not in answer.text
    assert "set-cookie" not in answer.headers


def test_tries_are_few(visit: Visit) -> None:
    """After ten even the right token has to wait."""
    answers = [visit.client.post("/operator/sign-in", data={"token": "wrong"}).status_code for _ in range(11)]
    assert answers == [403] * 10 + [429]
    assert visit.client.post("/operator/sign-in", data={"token": OPERATOR_TOKEN}).status_code == 429


def test_one_s_wish_where_to_go_is_not_asked(visit: Visit) -> None:
    """The token leads to our own first page, whatever the address says."""
    answer = visit.client.post(
        "/operator/sign-in?next=//evil.example", data={"token": OPERATOR_TOKEN, "next": "https://evil.example"}
    )
    assert answer.headers["location"] == "/operator"


def test_a_session_ends(visit: Visit) -> None:
    """By signing out, and after twelve hours."""
    sign_in(visit)
    assert visit.client.post("/operator/sign-out").status_code == 303
    assert visit.client.get("/operator").status_code == 303
    sign_in(visit)
    visit.place.clock.at += 12 * 3600 - 1
    assert visit.client.get("/operator").status_code == 200
    visit.place.clock.at += 1
    assert visit.client.get("/operator").status_code == 303


@pytest.mark.parametrize(
    "cookie",
    [
        sign("manage", 0, SECRETS),
        sign_passing("sign-in", 0, SECRETS, NOON),
        sign_passing("confirm", 0, SECRETS, NOON),
        sign_passing("operator", 0, SECRETS, NOON),
        sign_passing("operator", 0, [f"{SECRETS[0]} another token"], NOON),
        sign_passing("operator", 0, [f"secrets that are no more {OPERATOR_TOKEN}"], NOON),
        f"0.{NOON}.",
        "",
        "é",
    ],
)
def test_a_cookie_of_another_purpose_opens_nothing(visit: Visit, cookie: str) -> None:
    """Nor does one of secrets or a token that are no longer accepted; one of ours does."""
    headers = {"Cookie": f"__Host-operator={cookie}".encode()}
    assert visit.client.get("/operator", headers=headers).status_code == 303  # type: ignore[arg-type]  # octets, as a browser sends them
    signed = sign_passing("operator", 0, [f"{SECRETS[0]} {OPERATOR_TOKEN}"], NOON)
    ours = {"Cookie": f"__Host-operator={signed}"}
    assert visit.client.get("/operator", headers=ours).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_act_for_the_operator(visit: Visit, headers: dict[str, str]) -> None:
    """Though the browser has a session: a cross-site post is refused before any page."""
    sign_in(visit)
    answer = visit.client.post("/operator/subscribers/1/suppress", headers=headers)
    assert answer.status_code == 403
    with visit.app.store.read() as connection:
        assert not suppressions.count_by_kind(connection)


def test_a_site_without_https_or_in_a_folder_has_a_plain_cookie(place: Workplace) -> None:
    """Browsers take `__Host-` from neither; the cookie stays within the folder."""
    place.configure(subscriber(), extra=WEB.replace(URL, "http://localhost/digest"))
    with place.opened() as app, TestClient(app.web(), base_url="http://localhost", follow_redirects=False) as client:
        answer = client.post("/digest/operator/sign-in", data={"token": OPERATOR_TOKEN})
        assert answer.headers["location"] == "/digest/operator"
        assert answer.headers["set-cookie"].startswith("operator=0.")
        assert "Path=/digest" in answer.headers["set-cookie"]
        assert "Secure" not in answer.headers["set-cookie"]
        assert client.get("/digest/operator").status_code == 200


def test_without_a_token_in_the_configuration_there_are_no_pages(place: Workplace) -> None:
    """Not even one to sign in."""
    place.configure(subscriber(), extra=re.sub("operator_token.*\n", "", WEB))
    with place.opened() as app, TestClient(app.web(), base_url=URL) as client:
        assert client.get("/operator/sign-in").status_code == 404
        assert client.post("/operator/sign-in", data={"token": ""}).status_code == 404


def test_the_first_page_says_how_things_stand(visit: Visit) -> None:
    """Who is there, what was sent, what the last run did, and what is broken."""
    sign_in(visit)
    assert "There was none yet." in see(visit, "")
    visit.app.run()
    found = see(visit, "")
    assert "1 sent, 1 at most on a day" in found
    assert "0 failed, 0 at most on a day" in found
    assert "1 new subscribers, 1 at most on a day" in found
    assert "1 planned, 1 sent" in found
    assert "Nothing is broken." in found
    (visit.place.listings / "tuesday.json").write_text("[]")
    visit.place.clock.at += 1
    visit.app.run()
    assert 'class="notice wrong"' in see(visit, "")


def test_who_is_looked_for_stands_in_no_address(visit: Visit) -> None:
    """The form is posted, and leads on by a number."""
    sign_in(visit)
    answer = visit.client.post("/operator/subscribers", data={"q": "ADA@exam"})
    assert ADA in answer.text
    assert 'value="ADA@exam"' in answer.text
    assert not re.search(r'(href|action)="[^"]*@', answer.text)
    assert '/operator/subscribers/1"' in answer.text
    assert "No address begins like this." in visit.client.post("/operator/subscribers", data={"q": "zoe"}).text


def test_the_beginning_of_an_address_is_taken_as_addresses_are(visit: Visit) -> None:
    """Capitals do not count, and ß is no ss."""
    add(visit, "straße@example.org")
    sign_in(visit)
    for typed, found in (("STRAß", True), ("strass", False)):
        page = visit.client.post("/operator/subscribers", data={"q": typed}).text
        assert (typed, "straße@example.org" in page) == (typed, found)


@pytest.mark.parametrize("typed", ["", "@example.org", "a\0b", "a\u202eb"])
def test_a_search_that_cannot_be_says_so(visit: Visit, typed: str) -> None:
    """Beside the field, which keeps what was typed."""
    sign_in(visit)
    answer = visit.client.post("/operator/subscribers", data={"q": typed})
    assert 'id="q-fault"' in answer.text
    assert ADA not in answer.text


def test_a_long_list_goes_on_by_number(visit: Visit) -> None:
    """Whether all are shown or those found; nobody is left out or shown twice."""
    add(visit, *(f"reader{name:03}@example.org" for name in range(120)))
    sign_in(visit)
    shown, path = [], "/subscribers"
    while path:
        page = see(visit, path)
        shown += re.findall(r">(\w+@example.org)</a>", page)
        on = re.search(r'href="/operator(/subscribers\?before=\d+)"', page)
        path = on[1] if on else ""
    assert shown == [f"reader{name:03}@example.org" for name in reversed(range(120))] + [ADA]
    found, after = [], ""
    while True:
        page = visit.client.post("/operator/subscribers", data={"q": "reader", "after": after}).text
        found += re.findall(r">(\w+@example.org)</a>", page)
        more = re.search(r'name="after" value="(\d+)"', page)
        if not more:
            break
        after = more[1]
    assert found == [f"reader{name:03}@example.org" for name in range(120)]


def test_a_subscriber_s_page_tells_all(visit: Visit) -> None:
    """What they want, what they got, with a link to it, and their letters."""
    visit.app.run()
    with visit.app.store.write() as connection:
        letters.write(connection, "sign-in", ADA, 1, NOON)
    sign_in(visit)
    found = see(visit, "/subscribers/1")
    for words in (ADA, "reward model", "daily", "2026-11-20", "to sign-in", "in the configuration file"):
        assert words in found
    assert "take them out there, or suppress the address" in found
    assert f'href="/editions/{visit.token("view", 1)}"' in found
    assert "/resend" not in found


@pytest.mark.parametrize("number", ["2", "0", "9" * 18, "9" * 40, "x", "-1", "１"])
def test_a_number_that_nobody_has_is_a_page_that_says_so(visit: Visit, number: str) -> None:
    """However large, and whatever it is."""
    sign_in(visit)
    for path in (f"/subscribers/{number}", f"/sources/{number}"):
        assert visit.client.get(f"/operator{path}").status_code == 404
    assert visit.client.post(f"/operator/subscribers/{number}/suppress").status_code == 404
    assert visit.client.get(f"/operator/runs?before={number}").status_code == 200


def test_an_address_is_suppressed_and_allowed_again(visit: Visit) -> None:
    """Nothing goes there meanwhile."""
    sign_in(visit)
    found = do(visit, 1, "suppress")
    assert "Nothing more is sent to this address" in found
    assert "manual: by the operator" in found
    visit.app.run()
    assert not visit.mails.kept
    assert "may get mail again" in do(visit, 1, "allow")
    with visit.app.store.read() as connection:
        assert not suppressions.count_by_kind(connection)


def test_a_subscription_is_ended(visit: Visit) -> None:
    """Of one whom the configuration does not name; of others it is said where."""
    add(visit, BAO)
    sign_in(visit)
    assert "The subscription has ended." in do(visit, visit.subscriber(BAO), "unsubscribe")
    refused = visit.client.post("/operator/subscribers/1/unsubscribe")
    assert refused.status_code == 409
    assert "configuration file" in refused.text
    visit.app.run()
    assert not visit.mails.to(BAO)
    assert len(visit.mails.to(ADA)) == 1


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN, State.DEFERRED])
def test_an_edition_is_sent_again_at_once(visit: Visit, state: State) -> None:
    """The same mail, to the octet; of an unknown one the page warns that it may come twice."""
    visit.app.run()
    number = be(visit, state, "550 no, not now")
    sign_in(visit)
    found = see(visit, "/subscribers/1")
    assert "550 no, not now" in found
    assert ("may get it twice" in found) == (state is State.UNKNOWN)
    assert "is on its way again" in do(visit, 1, "resend", edition=str(number))
    visit.app.run()
    first, second = visit.mails.to(ADA)
    assert first == second
    assert "/resend" not in see(visit, "/subscribers/1")


def test_what_is_sent_again_is_never_merged(visit: Visit) -> None:
    """Later entries were sent since; the failed edition goes alone, with its own."""
    visit.app.run()
    number = be(visit, State.FAILED)
    visit.place.listing("tuesday.jsonl", [paper("Reward models again", url="https://example.org/9")])
    visit.place.run(NOON + DAY)
    sign_in(visit)
    do(visit, 1, "resend", edition=str(number))
    visit.place.run(NOON + 2 * DAY)
    first, second, third = visit.mails.to(ADA)
    assert (first, second) == (third, second)
    assert first != second


@pytest.mark.parametrize("fields", [{"edition": "1"}, {"edition": "99"}, {"edition": "x"}, {}])
def test_what_was_sent_is_not_sent_again(visit: Visit, fields: dict[str, str]) -> None:
    """Nor what is not there; the page says so."""
    visit.app.run()
    sign_in(visit)
    assert visit.client.post("/operator/subscribers/1/resend", data=fields).status_code == 409
    visit.app.run()
    assert len(visit.mails.to(ADA)) == 1


def test_nothing_is_sent_again_to_who_may_get_nothing(visit: Visit) -> None:
    """Though the edition could be."""
    visit.app.run()
    number = be(visit, State.FAILED)
    sign_in(visit)
    do(visit, 1, "suppress")
    assert "/resend" not in see(visit, "/subscribers/1")
    assert visit.client.post("/operator/subscribers/1/resend", data={"edition": str(number)}).status_code == 409


def test_editions_are_listed_by_what_became_of_them(visit: Visit) -> None:
    """With the reason, and the way to the subscriber."""
    visit.app.run()
    be(visit, State.FAILED, "550 <b>nobody</b>")
    sign_in(visit)
    failed = see(visit, "/editions?state=failed")
    assert "550 &lt;b&gt;nobody&lt;/b&gt;" in failed
    assert 'href="/operator/subscribers/1"' in failed
    assert "There is none here." in see(visit, "/editions?state=unknown")
    assert ADA in see(visit, "/editions?state=rubbish")


def test_sources_tell_what_they_brought(visit: Visit) -> None:
    """And which records could not be loaded, why."""
    visit.app.run()
    (visit.place.listings / "odd.jsonl").write_text('{"title": "One"}\n{"title": 3}\n[broken\n')
    visit.app.run()
    sign_in(visit)
    found = see(visit, "/sources")
    assert "monday.jsonl" in found
    assert ">fine<" in found
    number = re.search(r'href="/operator(/sources/\d+)">odd', found)
    assert number
    assert "[broken" in see(visit, number[1])


def test_a_source_without_entries_is_in_trouble(visit: Visit) -> None:
    """As the alarm says it."""
    visit.app.run()
    (visit.place.listings / "tuesday.json").write_text("[]")
    visit.place.clock.at += 1
    visit.app.run()
    sign_in(visit)
    assert "gave no entries" in see(visit, "/sources")


def test_a_source_has_its_name_and_its_last_fetch(place: Workplace, mails: Mails) -> None:
    """Without the token in its address; and why nothing came, if nothing did."""
    with serving() as site:
        site.on("/papers", says(200, b'{"title": "One"}'), says(404))
        table = f'\n[[sources]]\nname = "arxiv"\nurl = "{site.url}/papers?token=t"\nallow_private = true\n'
        with visiting(place, mails, subscriber(), extra=table) as visit:
            sign_in(visit)
            assert f"arxiv: {site.url}/papers?…, fetched 2026-11-20 12:00" in see(visit, "/sources")
            visit.place.run(NOON + 3600)
            assert "Not fetched: 404 Not Found" in see(visit, "/sources")


def test_letters_are_listed_by_what_became_of_them(visit: Visit) -> None:
    """Those that wait, and those that failed."""
    with visit.app.store.write() as connection:
        for email in (ADA, BAO):
            letters.write(connection, "confirm", email, 1, NOON)
        (first, _) = letters.claim(connection, NOON, 2)
        letters.settle(connection, first.id, State.FAILED, 550, "nobody", NOON)
    sign_in(visit)
    waiting, failed = see(visit, "/letters"), see(visit, "/letters?state=failed")
    assert (ADA in failed, BAO in failed, "550 nobody" in failed) == (True, False, True)
    assert (ADA in waiting, BAO in waiting) == (False, True)


def test_who_was_forgotten_has_no_page(visit: Visit) -> None:
    """Only a place in the list."""
    with visit.app.store.write() as connection:
        member = members.find(connection, 1)
        assert member
        members.forget(connection, member, NOON)
    sign_in(visit)
    assert visit.client.get("/operator/subscribers/1").status_code == 404
    assert "forgotten" in see(visit, "/subscribers")
