"""More or less like this: from the links in a mail to other keywords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from visits import Visit, visiting
from workplace import ADA, BAO, Mails, Workplace, subscriber

from digest.model import Profile, Subscriber
from digest.store import members


@pytest.fixture
def read(visit: Visit) -> Visit:
    """Ada has had her first mail, with one entry in it."""
    visit.app.run()
    return visit


def way(visit: Visit, which: str) -> str:
    """The path of a link in her mail."""
    return visit.link(ADA, "feedback").rpartition("/")[0] + f"/{which}"


def profiles(visit: Visit, email: str = ADA) -> tuple[Profile, ...]:
    """Somebody's profiles as they are."""
    return person(visit, email).profiles


def person(visit: Visit, email: str = ADA) -> Subscriber:
    """Somebody as they are."""
    with visit.app.store.read() as connection:
        found = members.find(connection, visit.subscriber(email))
    assert found
    return found.subscriber


def change(visit: Visit, keywords: tuple[str, ...]) -> None:
    """Ada changes her keywords elsewhere."""
    with visit.app.store.write() as connection:
        found = members.find(connection, visit.subscriber(ADA))
        assert found
        wanted = Subscriber(ADA, (Profile("Digest", keywords),))
        members.change(connection, found, wanted, visit.place.clock(), 3)


def choices(page: str) -> list[str]:
    """What can be chosen on a page."""
    return [unescape(value) for value in re.findall(r'name="choice" value="([^"]*)"', page)]


def test_the_mail_links_to_both_pages(read: Visit) -> None:
    """For its entry, by rank; the pages show it, and lead to each other and to the preferences."""
    for which, other in (("more", "less"), ("less", "more")):
        page = read.client.get(way(read, which))
        assert page.status_code == 200
        assert "<h1>" + which.capitalize() + " like this</h1>" in page.text
        assert "that age well" in page.text
        assert f'href="{way(read, other)}"' in page.text
        assert f'/preferences/{read.token("manage", read.subscriber(ADA))}"' in page.text


def test_what_more_and_less_would_change(read: Visit) -> None:
    """The keyword that hit, phrases of the entry; never the last keyword."""
    more, less = (choices(read.client.get(way(read, which)).text) for which in ("more", "less"))
    assert more[0] == "Count `reward model` 1.5 times"
    assert less[0] == "Count `reward model` half"
    assert not any("Look no more" in words for words in less)
    assert all(words.startswith("Also look for") for words in more[1:])
    assert all(words.startswith("Leave out entries with") for words in less[1:])
    assert less[1:]


def test_a_choice_says_what_it_would_have_changed(read: Visit) -> None:
    """The entries of the last days that come and go, with titles."""
    page = read.client.get(way(read, "less")).text
    assert re.search(r'<span class="plus">\+0</span> <span class="minus">−1</span> in the last', page)
    assert '<span class="minus">−</span> Reward models that age well' in page
    assert "their order may change" in page


def test_looking_changes_nothing(read: Visit) -> None:
    """However often, also when it is said to be done."""
    before = read.place.dump()
    for which in ("more", "less", "more?done=yes"):
        assert read.client.get(way(read, which)).status_code == 200
    assert read.place.dump() == before


def test_a_choice_is_done_once(read: Visit) -> None:
    """The page says so and leads to all keywords; sent again, the same choice is none any more."""
    path = way(read, "more")
    answer = read.client.post(path, data={"choice": "Count `reward model` 1.5 times"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=yes")
    assert profiles(read)[0].keywords == ("reward model^1.5", "-survey")
    done = read.client.get(answer.headers["location"])
    assert 'role="status">Done' in done.text
    assert "/preferences/" in done.text
    assert not choices(done.text)
    again = read.client.post(path, data={"choice": "Count `reward model` 1.5 times"})
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert profiles(read)[0].keywords == ("reward model^1.5", "-survey")


def test_the_choice_outlives_the_configuration(read: Visit) -> None:
    """What somebody changes here is theirs: the next run does not bring the configured keywords back."""
    read.client.post(way(read, "less"), data={"choice": "Count `reward model` half"})
    read.app.run()
    assert profiles(read)[0].keywords == ("reward model^0.5", "-survey")


@pytest.mark.parametrize("choice", [None, "", "Count `survey` 99 times"])
def test_nothing_is_done_without_a_choice_that_is_offered(read: Visit, choice: str | None) -> None:
    """The page comes again, and says so."""
    answer = read.client.post(way(read, "more"), data={} if choice is None else {"choice": choice})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert choices(answer.text)
    assert profiles(read)[0].keywords == ("reward model", "-survey")


def test_profiles_that_were_changed_since_are_worked_on_as_they_are(read: Visit) -> None:
    """The keyword has another weight now, there are others beside it, or it is gone."""
    change(read, ("trees", "reward model^2"))
    assert choices(read.client.get(way(read, "more")).text)[0] == "Count `reward model` 3 times"
    assert "Look no more for `reward model`" in choices(read.client.get(way(read, "less")).text)
    change(read, ("trees",))
    assert not any("reward model`" in words for words in choices(read.client.get(way(read, "less")).text))


def test_a_keyword_that_cannot_be_read_stops_nothing(read: Visit) -> None:
    """One that was stored before it was a fault."""
    change(read, ("reward model", '"never closed'))
    page = read.client.get(way(read, "more"))
    assert choices(page.text)[0] == "Count `reward model` 1.5 times"
    assert "in the last" not in page.text


def test_a_dead_link(read: Visit) -> None:
    """A rank that the edition does not have, no rank, no such way, another purpose, nobody's edition."""
    alive = way(read, "more")
    head, token, rank, _ = alive.rsplit("/", 3)
    dead = [f"{head}/{token}/{wrong}/more" for wrong in ("0", "2", "-1", "²", "1" * 30, "x")]
    dead += [f"{head}/{token}/{rank}/most", f"{head}/{token}x/{rank}/more"]
    dead += [f"/feedback/{read.token(purpose, 1)}/1/more" for purpose in ("view", "manage", "unsubscribe")]
    dead += [f"/feedback/{read.token('feedback', 999)}/1/more"]
    assert {read.client.get(path).status_code for path in dead} == {404}
    assert {read.client.post(path, data={"choice": "x"}).status_code for path in dead} == {404}


def test_who_has_left_changes_nothing(read: Visit) -> None:
    """An old mail brings nobody back; who wanted to be forgotten has only dead links."""
    path = way(read, "more")
    with read.app.store.write() as connection:
        found = members.find(connection, read.subscriber(ADA))
        assert found
        members.leave(connection, found, read.place.clock())
    page = read.client.get(path)
    assert "not subscribed any more" in page.text
    assert not choices(page.text)
    assert read.client.post(path, data={"choice": "Count `reward model` 1.5 times"}).status_code == 409
    assert profiles(read)[0].keywords == ("reward model", "-survey")
    with read.app.store.write() as connection:
        members.forget(connection, found, read.place.clock())
    assert read.client.get(path).status_code == 404


def test_only_our_own_page_can_change_something(read: Visit) -> None:
    """A form on another site is refused."""
    answer = read.client.post(
        way(read, "more"),
        data={"choice": "Count `reward model` 1.5 times"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
    assert profiles(read)[0].keywords == ("reward model", "-survey")


@pytest.fixture
def strange(place: Workplace, mails: Mails) -> Iterator[Visit]:
    """Bao has two profiles, one with a name that is markup; so is one of the keywords."""
    named = '[[subscribers.profiles]]\nname = "<script>alert(1)</script>"\nkeywords = ["reward model"]\n'
    other = '[[subscribers.profiles]]\nname = "B"\nkeywords = [\'"<b>reward" OR quantiz*\', "trees"]\n'
    with visiting(place, mails, f'[[subscribers]]\nemail = "{BAO}"\n{named}{other}') as opened:
        opened.app.run()
        yield opened


def test_names_and_keywords_are_text(strange: Visit) -> None:
    """Markup in them stays literal, and can be chosen all the same."""
    path = strange.link(BAO, "feedback")
    page = strange.client.get(path).text
    assert "<script>alert" not in page
    assert "<b>" not in page
    chosen = choices(page)[0]
    assert strange.client.post(path, data={"choice": chosen}).status_code == 303
    assert any("^1.5" in keyword for profile in profiles(strange, BAO) for keyword in profile.keywords)


def test_a_profile_that_is_full_gets_no_more(place: Workplace, mails: Mails) -> None:
    """A hundred keywords are the most that the preferences take."""
    many = ["reward model", *(f"word{number}" for number in range(99))]
    with visiting(place, mails, subscriber(ADA, many)) as visit:
        visit.app.run()
        assert choices(visit.client.get(way(visit, "more")).text) == ["Count `reward model` 1.5 times"]
