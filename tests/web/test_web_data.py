"""One's own data: taken along, and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select
from visits import PAPERS, SECRETS, Visit
from workplace import ADA, BAO, DAY, NOON

from digest.delivery.address import identity
from digest.model import Profile, State, Subscriber
from digest.store import letters, members, overview, signups
from digest.store.schema import editions
from digest.store.schema import letters as letters_table
from digest.store.subscribers import Named
from digest.tokens import sign_passing

CLEO = "Cleo.Example@Example.org"
FIRST_DAYS = 7


def subscribed(visit: Visit, email: str = CLEO, name: str = "Cleopatra Xyzzy") -> int:
    """Somebody who asked on the web pages, and said yes; return their number."""
    wanted = Subscriber(email, (Profile("Digest", ("reward model",)),), name)
    with visit.app.store.write() as connection:
        signup = signups.ask(connection, Named(identity(email), wanted), NOON)
        letters.write(connection, "confirm", email.lower(), signup.id, NOON)
        member = signups.confirm(connection, signup, NOON, FIRST_DAYS)
        letters.write(connection, "sign-in", email, member, NOON)
        return member


def path(visit: Visit, number: int, more: str) -> str:
    """The path of a page of somebody."""
    return f"/preferences/{visit.token('manage', number)}/{more}"


def links(visit: Visit, number: int) -> list[str]:
    """Every link that their mails held."""
    of_person = {"manage": "preferences", "pause": "pause", "feed": "feed"}
    found = [f"/{page}/{visit.token(purpose, number)}" for purpose, page in of_person.items()]  # type: ignore[arg-type]  # keys of a literal dict
    found += [path(visit, number, "data.json"), path(visit, number, "delete")]
    found += [f"/sign-in/{sign_passing('sign-in', number, SECRETS, NOON)}"]
    with visit.app.store.read() as connection:
        (edition,) = connection.execute(select(editions.c.id).where(editions.c.subscriber == number)).scalars()
    return [*found, f"/editions/{visit.token('view', edition)}", f"/feedback/{visit.token('feedback', edition)}/1/more"]


def test_the_download_has_everything(visit: Visit) -> None:
    """What was asked for, set, written and sent, as a file without an address in its name."""
    number = subscribed(visit)
    visit.place.run()
    answer = visit.client.get(path(visit, number, "data.json"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="my-digest.json"'
    told: dict[str, Any] = json.loads(answer.text)
    assert (told["subscriber"]["email"], told["subscriber"]["name"]) == (CLEO, "Cleopatra Xyzzy")
    assert told["subscriber"]["profiles"][0]["keywords"] == ["reward model"]
    assert told["signup"]["confirmed_at"] == "2026-11-20 12:00 UTC"
    assert [letter["kind"] for letter in told["letters"]] == ["confirm", "sign-in"]
    (edition,) = told["editions"]
    assert (edition["state"], edition["matched"]) == (State.SENT, 2)
    assert {entry["title"] for entry in edition["entries"]} == {paper["title"] for paper in PAPERS[:2]}
    assert edition["entries"][0]["because"][0] == "Digest: reward model, in the title"
    assert ADA not in answer.text


def test_to_ask_deletes_nothing(visit: Visit) -> None:
    """The page says what would go; only its button does it, and only from there."""
    number = subscribed(visit)
    before = visit.place.dump("letters")
    assert "cannot be undone" in visit.client.get(path(visit, number, "delete")).text
    answer = visit.client.post(path(visit, number, "delete"), headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert visit.place.dump("letters") == before


@pytest.mark.parametrize("sent", [True, False])
def test_no_table_holds_who_was_deleted(visit: Visit, sent: bool) -> None:
    """Neither the address in any spelling nor the name, whether an edition was sent or only planned."""
    number = subscribed(visit)
    if sent:
        visit.place.run()
    else:
        visit.app.pipeline.plan()
    assert "xyzzy" in repr(visit.place.dump()).lower()
    answer = visit.client.post(path(visit, number, "delete"))
    assert (answer.status_code, "Everything is deleted" in answer.text) == (200, True)
    left = repr(visit.place.dump()).lower()
    assert "cleo" not in left
    assert "xyzzy" not in left
    assert ADA in left


def test_what_was_planned_is_not_sent_and_does_not_wait(visit: Visit) -> None:
    """The runs that follow have nothing to do with it."""
    number = subscribed(visit)
    visit.app.pipeline.plan()
    visit.client.post(path(visit, number, "delete"))
    report = visit.place.run()
    assert [recipient for recipient, _ in visit.mails.kept if recipient != CLEO] == [ADA]
    assert CLEO not in {recipient for recipient, mail in visit.mails.kept if b"List-Unsubscribe" in mail}
    assert visit.place.states() == {State.SENT: 1, State.SUPPRESSED: 1}
    assert report.left == 0


def test_every_old_link_is_dead_or_harmless(visit: Visit) -> None:
    """Unsubscribing still answers that it is done; nothing brings the person back."""
    number = subscribed(visit)
    visit.place.run()
    visit.client.post(path(visit, number, "delete"))
    before = visit.place.dump("rates", "secrets")
    assert {visit.client.get(link).status_code for link in links(visit, number)} == {404}
    unsubscribe = f"/unsubscribe/{visit.token('unsubscribe', number)}"
    for answer in (visit.client.get(unsubscribe), visit.client.post(unsubscribe)):
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    for link in (f"{unsubscribe}/undo", f"{unsubscribe}/weekly", path(visit, number, "delete")):
        assert visit.client.post(link).status_code == 404
    assert visit.place.dump("rates", "secrets") == before


def test_nobody_new_gets_the_number_of_who_was_deleted(visit: Visit) -> None:
    """Neither as a subscriber nor as a signup, though they were the newest: an old link to confirm opens nothing."""
    number = subscribed(visit)
    old = f"/confirm/{sign_passing('confirm', 1, SECRETS, NOON)}"
    visit.client.post(path(visit, number, "delete"))
    assert subscribed(visit, BAO, "Bao") != number
    with visit.app.store.write() as connection:
        assert signups.ask(connection, Named("dora@example.org", Subscriber("dora@example.org", ())), NOON).id > 2
        assert signups.find(connection, 1) is None
        assert overview.count_waiting(connection, NOON).number == 1
    assert visit.client.get(old).status_code == 404


def test_who_was_deleted_can_subscribe_again(visit: Visit) -> None:
    """As somebody new: to confirm ends what kept mail away."""
    visit.client.post(path(visit, subscribed(visit), "delete"))
    number = subscribed(visit)
    with visit.app.store.read() as connection:
        member = members.find(connection, number)
    assert member
    assert (member.subscribed, member.subscriber.email) == (True, CLEO)
    assert visit.client.get(path(visit, number, "data.json")).status_code == 200


def test_who_stands_in_the_configuration_is_not_mailed_to_again(visit: Visit) -> None:
    """The file still names them, so a row comes back; no mail does."""
    visit.client.post(path(visit, visit.subscriber(ADA), "delete"))
    visit.place.run()
    visit.place.listing("more.jsonl", [{"title": "Reward models once more", "url": "https://example.org/9"}])
    visit.place.run(NOON + DAY)
    assert visit.mails.kept == []


def test_the_letters_of_others_stay(visit: Visit) -> None:
    """Only one's own are deleted."""
    number = subscribed(visit)
    with visit.app.store.write() as connection:
        letters.write(connection, "sign-in", ADA, visit.subscriber(ADA), NOON)
    visit.client.post(path(visit, number, "delete"))
    with visit.app.store.read() as connection:
        assert list(connection.execute(select(letters_table.c.email)).scalars()) == [ADA]
