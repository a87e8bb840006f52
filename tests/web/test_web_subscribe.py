"""Subscribing: the first page, the letter, and the button that begins it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from httpx2 import Response
from sqlalchemy import event, func, select
from visits import SECRETS, Visit, until, visiting
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, subscriber

from digest.store import members, overview, suppressions
from digest.store.schema import letters, metadata, subscribers
from digest.store.suppressions import Kind
from digest.tokens import sign, sign_passing

WISHES = {"keywords-0": "quantiz*\n-survey", "zone": "Europe/Berlin", "send_at": "07:30", "days": "daily"}
HOUR = 3600
RATES = ("rates", "secrets")
"""What every post may write, and the key for it."""
NO_ADDRESSES = (
    "",
    "nobody",
    "a@b.example\r\nBcc: x@y.example",
    "a@b.example\nRCPT TO:<x@y.example>",
    "a@b.example, x@y.example",
    "a@b.example x@y.example",
    "<a@b.example>",
    f"{'a' * 65}@b.example",
    f"a@{'b.' * 130}example",
    "a\x00@b.example",
)


def ask(visit: Visit, email: str, **more: str) -> Response:
    """Send the form of the first page."""
    return visit.client.post("/subscribe", data=WISHES | {"email": email} | more)


def written(visit: Visit) -> list[tuple[str, str]]:
    """The letters written so far: of which kind, to whom."""
    with visit.app.store.read() as connection:
        rows = connection.execute(select(letters.c.kind, letters.c.email).order_by(letters.c.id))
        return [(row.kind, row.email) for row in rows]


def states(visit: Visit) -> list[str]:
    """What became of the letters so far."""
    with visit.app.store.read() as connection:
        return list(connection.execute(select(letters.c.state).order_by(letters.c.id)).scalars())


def confirming(visit: Visit, email: str) -> str:
    """Ask for a digest; the path of the page that a letter leads to."""
    assert ask(visit, email).status_code == 303
    return visit.link(email, "confirm")


def subscribed(visit: Visit) -> int:
    """How many subscribers there are."""
    with visit.app.store.read() as connection:
        return connection.execute(select(func.count()).select_from(subscribers)).scalar_one()


@pytest.fixture
def few(place: Workplace, mails: Mails) -> Iterator[Visit]:
    """A site that sends two letters an hour."""
    with visiting(place, mails, extra="letters_per_hour = 2\n") as opened:
        yield opened


def test_the_first_page_says_what_this_is_and_asks(visit: Visit) -> None:
    """With labels for each field, and a sample in a frame that can do nothing."""
    page = visit.client.get("/").text
    assert "<h1>" in page
    for name in ("keywords-0", "email", "zone", "send_at", "days"):
        assert f'<label for="{name}">' in page
        assert re.search(rf'name="{name}"', page)
    assert re.search(r'<iframe[^>]+title="[^"]+"[^>]+sandbox>', page)
    assert "data-own-zone" in page


def test_a_stranger_subscribes_by_letter_and_button(visit: Visit) -> None:
    """The letter first; the digest only after the button; in between nobody is subscribed."""
    path = confirming(visit, "Cleo+papers@Example.org")
    assert subscribed(visit) == 1  # Ada, of the configuration
    page = visit.client.get(path)
    assert (page.status_code, page.text.count("<button")) == (200, 1)
    assert "<code>quantiz*</code>" in page.text
    assert "Every day at 07:30, Europe/Berlin time" in page.text
    done = visit.client.post(path)
    assert "You are subscribed<" in done.text
    assert "Your first digest comes as soon as" in done.text  # it is noon; the slot of this morning is due
    visit.place.run()
    (_, digest) = visit.mails.parsed("Cleo+papers@Example.org")
    assert "1 new paper" in str(digest["Subject"])


def test_the_first_digest_is_announced_by_ones_own_clock(visit: Visit) -> None:
    """In the subscriber's zone, with the date there."""
    ask(visit, BAO, zone="Asia/Tokyo", send_at="22:15", days="mon")
    done = visit.client.post(visit.link(BAO, "confirm"))
    assert "on Monday, 23 November 2026 at 22:15 (Asia/Tokyo)" in done.text


def test_the_links_of_the_last_page_are_ones_own(visit: Visit) -> None:
    """To the preferences and the feed."""
    done = visit.client.post(confirming(visit, BAO)).text
    number = visit.subscriber(BAO)
    assert f"/preferences/{visit.token('manage', number)}" in done
    assert f"/feed/{visit.token('feed', number)}" in done


def test_to_look_changes_nothing(visit: Visit) -> None:
    """Scanners open every link, and more than once."""
    path = confirming(visit, BAO)
    before = visit.place.dump()
    for _ in range(5):
        assert visit.client.get(path).status_code == 200
        assert visit.client.head(path).status_code == 200
    for page in ("/", "/sample", "/check-your-mail"):
        visit.client.get(page)
    assert visit.place.dump() == before


def test_to_confirm_again_undoes_nothing(visit: Visit) -> None:
    """What was changed since stays, whoever opens the old letter and presses its button."""
    path = confirming(visit, BAO)
    visit.client.post(path)
    with visit.app.store.write() as connection:
        member = members.find(connection, visit.subscriber(BAO))
        assert member
        changed = member.subscriber.__class__(BAO, member.subscriber.profiles, max_entries=3)
        members.change(connection, member, changed, NOON, 7)
    before = visit.place.dump(*RATES)
    again = visit.client.post(path)
    assert "subscribed already" in again.text
    assert "subscribed already" in visit.client.get(path).text
    assert visit.place.dump(*RATES) == before


def test_who_has_left_can_come_back_by_the_button(visit: Visit) -> None:
    """To say yes again ends only what they did themselves."""
    path = confirming(visit, BAO)
    visit.client.post(path)
    with visit.app.store.write() as connection:
        member = members.find(connection, visit.subscriber(BAO))
        assert member
        members.leave(connection, member, NOON)
    assert "<button" in visit.client.get(path).text
    assert "You are subscribed<" in visit.client.post(path).text
    with visit.app.store.read() as connection:
        assert suppressions.find(connection, BAO) is None


def test_known_and_unknown_addresses_are_answered_alike(visit: Visit) -> None:
    """The same status, place, headers and length; only the letters differ."""
    known, unknown = ask(visit, ADA), ask(visit, BAO)
    assert known.status_code == unknown.status_code == 303
    assert dict(known.headers) == dict(unknown.headers)
    assert known.content == unknown.content
    assert "@" not in known.headers["location"]
    assert sorted(written(visit)) == [("confirm", BAO), ("sign-in", ADA)]


def test_a_blocked_address_is_answered_alike_and_gets_nothing(visit: Visit) -> None:
    """What bounced or complained is not written to."""
    with visit.app.store.write() as connection:
        suppressions.add(connection, BAO, "complaint", "", NOON)
    assert ask(visit, BAO).headers["location"] == "/check-your-mail"
    confirming(visit, "cleo@example.org")  # sent later, and there
    assert not visit.mails.to(BAO)


@pytest.mark.parametrize("kind", ["bounce", "complaint", "manual"])
def test_a_blocked_address_is_told_whom_to_write_to(visit: Visit, kind: Kind) -> None:
    """It was blocked between the letter and the button."""
    path = confirming(visit, BAO)
    with visit.app.store.write() as connection:
        suppressions.add(connection, BAO, kind, "", NOON)
    but = (*RATES, "letters")  # the letter may still be on its way
    before = visit.place.dump(*but)
    for answer in (visit.client.get(path), visit.client.post(path)):
        assert answer.status_code == 403
        assert "write to digest@example.org" in answer.text
    assert visit.place.dump(*but) == before


def test_an_address_gets_one_letter_a_day(visit: Visit) -> None:
    """However it is spelled; the newer wishes take the place of the older ones."""
    path = confirming(visit, BAO)
    for spelling in (BAO, BAO.upper(), BAO.capitalize()):
        assert ask(visit, spelling, **{"keywords-0": "graph transformer"}).status_code == 303
    assert len(written(visit)) == 1
    assert "<code>graph transformer</code>" in visit.client.get(path).text
    visit.place.clock.at += DAY
    ask(visit, BAO)
    assert len(written(visit)) == 2


def test_a_known_address_gets_one_letter_a_day_too(visit: Visit) -> None:
    """Strangers cannot bomb those who are subscribed."""
    for _ in range(4):
        assert ask(visit, ADA).status_code == 303
    assert written(visit) == [("sign-in", ADA)]


def test_all_together_get_so_many_letters_an_hour(few: Visit) -> None:
    """Beyond that a page says so, and nothing is written, not even that it was asked."""
    ask(few, "a@example.org")
    ask(few, "b@example.org")
    before = few.place.dump(*RATES, "letters")
    refused = ask(few, "c@example.org")
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert few.place.dump(*RATES, "letters") == before
    few.place.clock.at += HOUR
    assert ask(few, "c@example.org").status_code == 303
    assert len(written(few)) == 3


def test_a_link_confirms_the_address_that_it_was_sent_to(visit: Visit) -> None:
    """Whoever asks again in another spelling changes nothing of where the digest goes."""
    path = confirming(visit, "Bao@example.org")
    for spelling in ("bao@example.org", "BAO@Example.ORG"):
        ask(visit, spelling)
    visit.client.post(path)
    assert visit.subscriber("Bao@example.org")


def test_a_letter_goes_to_the_address_that_its_link_confirms(visit: Visit) -> None:
    """Also the next day's, though it was asked for in another spelling."""
    confirming(visit, "Bao@example.org")
    visit.place.clock.at += DAY
    ask(visit, "bao@example.org")
    assert written(visit) == [("confirm", "Bao@example.org")] * 2


def test_no_link_confirms_the_address_of_somebody_else(visit: Visit) -> None:
    """Letters that fold into others are others: a mailbox with ß is not the one with ss."""
    path = confirming(visit, "strasse@example.org")
    ask(visit, "straße@example.org")
    visit.client.post(path)
    with visit.app.store.read() as connection:
        people = set(connection.execute(select(subscribers.c.email)).scalars())
    assert people == {ADA, "strasse@example.org"}


def test_known_and_unknown_addresses_cost_the_same(visit: Visit) -> None:
    """The same statements, so that no clock tells them apart; who is subscribed is not counted as waiting."""
    ask(visit, "cleo@example.org")  # the first of all makes the key for rates
    statements: list[list[str]] = []
    engine = visit.app.store.engine
    for email in (ADA, BAO):
        seen: list[str] = []

        def kept(_connection: object, _cursor: object, statement: str, *_: object, seen: list[str] = seen) -> None:
            ours = any(name in statement for name in ("signups", "rates", "subscribers", "INTO letters"))
            if ours and "suppressions" not in statement:  # those are the postman's
                seen.append(statement)

        event.listen(engine, "before_cursor_execute", kept)
        ask(visit, email)
        event.remove(engine, "before_cursor_execute", kept)
        statements.append(seen)
    assert statements[0] == statements[1]
    with visit.app.store.read() as connection:
        assert overview.count_waiting(connection, NOON).number == 2  # Cleo and Bao


def test_what_a_stranger_asks_for_a_subscriber_is_of_no_use(visit: Visit) -> None:
    """Not even when they leave, and press the button of an old letter: what they get is what they had."""
    path = confirming(visit, BAO)
    visit.client.post(path)
    ask(visit, BAO.upper(), **{"keywords-0": "evil"})
    visit.client.post(f"/unsubscribe/{visit.token('unsubscribe', visit.subscriber(BAO))}")
    assert "evil" not in visit.client.get(path).text
    visit.client.post(path)
    with visit.app.store.read() as connection:
        member = members.find_by_identity(connection, BAO)
    assert member
    assert (member.subscribed, member.subscriber.email) == (True, BAO)
    assert member.subscriber.profiles[0].keywords == ("quantiz*", "-survey")


def test_whose_letter_came_back_can_ask_again(visit: Visit) -> None:
    """On the same day, when the mailbox is there."""
    visit.mails.refused.add(BAO)
    ask(visit, BAO)
    until(lambda: states(visit) == ["failed"])
    visit.mails.refused.clear()
    assert visit.client.get(confirming(visit, BAO)).status_code == 200


def test_who_deleted_their_data_can_ask_again(visit: Visit) -> None:
    """On the same day."""
    visit.client.post(confirming(visit, BAO))
    visit.client.post(f"/preferences/{visit.token('manage', visit.subscriber(BAO))}/delete")
    ask(visit, BAO)
    assert "<button" in visit.client.get(visit.link(BAO, "confirm", 2)).text


def test_who_opens_the_address_of_the_form_comes_to_the_first_page(visit: Visit) -> None:
    """As after a fault, when the address is opened again; and Back brings what was typed."""
    answer = visit.client.get("/subscribe")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    field = re.search(r'<textarea id="keywords-0"[^>]*>', visit.client.get("/").text)
    assert field
    assert "autocomplete" not in field[0]


def test_a_form_with_faults_is_no_subscription(visit: Visit) -> None:
    """Whoever needs several tries has their ten all the same."""
    assert {ask(visit, "ada@").status_code for _ in range(12)} == {422}
    assert ask(visit, BAO).status_code == 303


def test_one_client_subscribes_ten_times_an_hour_at_most(visit: Visit) -> None:
    """With the time after which it may go on."""
    answers = [ask(visit, f"a{number}@example.org") for number in range(11)]
    assert [answer.status_code for answer in answers] == [303] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_what_is_no_address_is_refused_beside_its_field(visit: Visit) -> None:
    """Nothing is written, and everything that was typed is still there, the preview, too."""
    before = visit.place.dump(*RATES)
    for address in NO_ADDRESSES:
        visit.place.clock.at += HOUR
        answer = ask(visit, address)
        assert answer.status_code == 422
        assert '<p class="fault" id="email-fault">' in answer.text
        assert 'aria-describedby="email-fault" aria-invalid="true"' in answer.text
        assert "quantiz*\n-survey</textarea>" in answer.text
        assert "1 of 4 entries" in answer.text
        assert '"Europe/Berlin" selected' in answer.text
    assert visit.place.dump(*RATES) == before


def test_unusual_addresses_are_written_to_as_typed(visit: Visit) -> None:
    """A new domain, a plus sign, letters beyond ASCII, a relay of one's own."""
    unusual = ["a@lab.science", "Ada+Digest@example.com", "zoe@bücher.example", "me@mail.local"]
    assert [ask(visit, address).status_code for address in unusual] == [303] * 4
    assert written(visit) == [("confirm", address) for address in unusual]


def test_a_fault_keeps_several_fields(visit: Visit) -> None:
    """Each fault stands beside its own field."""
    form = {"keywords-0": 'rewa"rd', "zone": "Mars/Phobos", "email": "ada"}
    answer = visit.client.post("/subscribe", data=form)
    assert answer.status_code == 422
    for name in ("keywords-0", "zone", "email"):
        assert f'id="{name}-fault"' in answer.text
    assert '<option value="Mars/Phobos" selected>' in answer.text


def test_a_closed_site_shows_no_form_and_takes_none(place: Workplace, mails: Mails) -> None:
    """Who is in can still sign in."""
    with visiting(place, mails, subscriber(), extra="signups = false\n") as visit:
        page = visit.client.get("/").text
        assert "<form" not in page
        assert "/sign-in" in page
        assert ask(visit, BAO).status_code == 403
        assert visit.client.post("/preview", data=WISHES).status_code == 403
        assert written(visit) == []


def test_links_that_are_foreign_cut_or_over_lead_nowhere(visit: Visit) -> None:
    """Another purpose's token, another secret's, another signup's, a cut one, one of four days ago."""
    path = confirming(visit, BAO)
    number = path.split("/")[2].split(".")[0]
    foreign = sign_passing("confirm", int(number), ("somebody else's secret",), NOON)
    dead = [
        foreign,
        sign_passing("sign-in", int(number), SECRETS, NOON),
        sign("manage", int(number), SECRETS),
        sign_passing("confirm", 999, SECRETS, NOON),
        path.removeprefix("/confirm/")[:-1],
        "0",
    ]
    before = visit.place.dump(*RATES)
    for token in dead:
        for answer in (visit.client.get(f"/confirm/{token}"), visit.client.post(f"/confirm/{token}")):
            assert answer.status_code == 404
            assert 'href="/"' in answer.text
    visit.place.clock.at += 3 * DAY
    assert visit.client.post(path).status_code == 404
    assert visit.place.dump(*RATES) == before


def test_stored_html_is_shown_as_text(visit: Visit) -> None:
    """Whoever opens the confirmation sees what was typed, and nothing runs."""
    ask(visit, BAO, **{"keywords-0": '"<script>alert"', "profile-0": "<img src=x>"})
    page = visit.client.get(visit.link(BAO, "confirm")).text
    assert "&lt;script&gt;alert" in page
    assert not re.search(r"<script>|<img", page)


def test_the_letter_holds_nothing_that_a_stranger_typed(visit: Visit) -> None:
    """Or it would be a way to have spam sent."""
    ask(visit, BAO, **{"keywords-0": "buy-cheap-pills", "profile-0": "Visit evil.example", "name": "Win a prize"})
    raw = visit.mail(BAO).as_string()
    assert not re.search(r"pills|evil|prize", raw)


def test_another_site_cannot_subscribe_anybody(visit: Visit) -> None:
    """Its form is refused before anything is written."""
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = visit.client.post("/subscribe", data=WISHES | {"email": BAO}, headers=headers)
        assert answer.status_code == 403
    path = confirming(visit, "cleo@example.org")
    assert visit.client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert written(visit) == [("confirm", "cleo@example.org")]
    assert subscribed(visit) == 1


def test_a_rolled_back_transaction_leaves_no_trace(few: Visit) -> None:
    """The address's own rate is not spent either where all together had enough."""
    ask(few, "a@example.org")
    ask(few, "b@example.org")
    ask(few, "c@example.org")
    with few.app.store.read() as connection:
        assert overview.count_waiting(connection, NOON).number == 2
        rates = metadata.tables["rates"]
        counted = select(func.count()).select_from(rates).where(rates.c.scope == "letter")
        assert connection.execute(counted).scalar_one() == 2
