"""Signing in by a mailed link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select
from visits import SECRETS, Visit, visiting
from workplace import ADA, DAY, NOON, Mails, Workplace, subscriber

from digest.store.schema import letters
from digest.tokens import Passing, sign_passing

STRANGER = "nobody@example.org"


@pytest.fixture
def busy(place: Workplace, mails: Mails) -> Iterator[Visit]:
    """A site that sends two letters an hour."""
    with visiting(place, mails, subscriber(), extra="letters_per_hour = 2\n") as opened:
        yield opened


def asked(visit: Visit, email: str) -> Response:
    """The answer to an address."""
    return visit.client.post("/sign-in", data={"email": email})


def written(visit: Visit) -> list[tuple[Any, ...]]:
    """The letters that there are: kind, address, whose."""
    with visit.app.store.read() as connection:
        rows = connection.execute(select(letters.c.kind, letters.c.email, letters.c.whose).order_by(letters.c.id))
        return [tuple(row) for row in rows]


def link(visit: Visit, purpose: Passing, number: int, at: int = NOON) -> str:
    """The path of a mailed sign-in link, were it made for a purpose."""
    return f"/sign-in/{sign_passing(purpose, number, SECRETS, at)}"


def test_the_answer_does_not_tell_who_is_known(visit: Visit) -> None:
    """Status, headers and body are the same; only one of the two has a letter."""
    known, unknown = asked(visit, ADA), asked(visit, STRANGER)
    assert (known.status_code, known.headers["location"]) == (303, "/check-your-mail")
    assert (unknown.status_code, unknown.headers, unknown.content) == (known.status_code, known.headers, known.content)
    assert written(visit) == [("sign-in", ADA, visit.subscriber(ADA))]


def test_another_spelling_finds_the_subscriber_and_writes_to_the_address_we_have(visit: Visit) -> None:
    """Nobody gets a letter at an address that they have not confirmed."""
    asked(visit, "  ADA@Example.org ")
    assert written(visit) == [("sign-in", ADA, visit.subscriber(ADA))]


def test_the_mailed_link_leads_to_the_preferences(visit: Visit) -> None:
    """By way of the link that does not end."""
    entered = visit.client.get(link(visit, "sign-in", visit.subscriber(ADA)))
    assert entered.status_code == 303
    assert entered.headers["location"] == f"/preferences/{visit.token('manage', visit.subscriber(ADA))}"
    assert visit.client.get(entered.headers["location"]).status_code == 200


def test_the_letter_holds_that_link(visit: Visit) -> None:
    """As it comes into the mailbox."""
    asked(visit, ADA)
    assert visit.client.get(visit.link(ADA, "sign-in")).status_code == 303


@pytest.mark.parametrize(("purpose", "number", "at"), [("sign-in", 1, NOON - 3600), ("sign-in", 999, NOON)])
def test_a_link_that_is_over_or_nobodys_is_dead(visit: Visit, purpose: Passing, number: int, at: int) -> None:
    """An hour later, and for a number that nobody has."""
    assert visit.client.get(link(visit, purpose, number, at)).status_code == 404


def test_no_other_link_signs_in(visit: Visit) -> None:
    """A link to confirm, and links without an end, are refused; so is a sign-in token for the preferences."""
    assert visit.client.get(link(visit, "confirm", 1)).status_code == 404
    assert visit.client.get(f"/sign-in/{visit.token('manage', 1)}").status_code == 404
    token = sign_passing("sign-in", 1, SECRETS, NOON)
    assert visit.client.get(f"/preferences/{token}").status_code == 404


def test_what_is_no_address_is_said_beside_the_field(visit: Visit) -> None:
    """With what was typed kept, and no letter."""
    for typed in ("", "ada", "a@b, c@d", "a@example.org\r\nBcc: x@example.org", "a" * 65 + "@example.org"):
        answer = asked(visit, typed)
        assert (typed, answer.status_code) == (typed, 422)
        assert 'id="email-fault"' in answer.text
        assert typed.partition("\r")[0] in answer.text
    assert written(visit) == []


def test_an_address_has_three_letters_a_day(visit: Visit) -> None:
    """And the same answer to the fourth asking; on the next day there is one again."""
    answers = {asked(visit, ADA).status_code for _ in range(5)}
    assert (answers, len(written(visit))) == ({303}, 3)
    visit.place.clock.at += DAY
    asked(visit, ADA)
    assert len(written(visit)) == 4


@pytest.mark.parametrize("email", [ADA, STRANGER])
def test_all_together_have_so_many_an_hour(busy: Visit, email: str) -> None:
    """Then the page says so, to known and unknown, and nothing is kept of the asking."""
    for number in range(2):
        busy.client.post("/subscribe", data={"email": f"other{number}@example.org", "keywords-0": "reward model"})
    before = busy.place.dump("rates", "letters")
    answer = asked(busy, email)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert busy.place.dump("rates", "letters") == before
    assert len(written(busy)) == 2
    busy.place.clock.at += 3600
    assert asked(busy, email).status_code == 303


def test_who_has_left_gets_no_letter(visit: Visit) -> None:
    """Whoever asks: nothing more comes to them."""
    visit.client.post(f"/unsubscribe/{visit.token('unsubscribe', visit.subscriber(ADA))}")
    assert asked(visit, ADA).status_code == 303
    assert written(visit) == []


def test_addresses_that_get_no_letter_cost_the_others_nothing(busy: Visit) -> None:
    """Whoever asks for strangers cannot keep subscribers out."""
    for number in range(5):
        assert asked(busy, f"other{number}@example.org").status_code == 303
    assert asked(busy, ADA).status_code == 303
    assert len(written(busy)) == 1


def test_who_waits_in_vain_is_told_where_to_subscribe(visit: Visit) -> None:
    """The page after it is the same for everybody, and says that only subscribers get a letter to sign in."""
    page = visit.client.get("/check-your-mail").text
    assert re.search(r'letter to sign in goes to subscribers only.*<a href="/">subscribe on the first page</a>', page)
