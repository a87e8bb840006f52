"""Why an entry was in a mail or not: every standing, told of real runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest.app import App
from digest.delivery.address import identity
from digest.explain import Opened, Standing, Verdict, explain, of_window
from digest.model import Profile, State, Subscriber
from digest.planning import MORE
from digest.store import editions, entries, members, subscribers, suppressions
from digest.store.members import Member
from digest.store.subscribers import Named

REWARD = paper("Reward models that age well", "We let a reward model learn again.")
SURVEY = paper("A survey of reward models", "All of them.")
MAPS = paper("Maps of streets", "A reward for who finds home.")
LONG = "Reward models. " + "Words of no use at all, again and again. " * 20


def person(app: App, email: str = ADA) -> Member:
    """A subscriber as the store has them."""
    with app.store.read() as connection:
        found = members.find_by_identity(connection, identity(email))
    assert found
    return found


def verdict(place: Workplace, title: str, email: str = ADA) -> Verdict:
    """What is told of the entry of this title."""
    with place.opened() as app, app.rehearsal() as rehearsed:
        rehearsed.pipeline.enrol()
        with rehearsed.store.read() as connection:
            (entry,) = [one for one in entries.window(connection, 0) if one.title == title]
        return explain(rehearsed.store, person(rehearsed, email), entry, place.clock(), rehearsed.press)


def newest(place: Workplace, app: App) -> Opened:
    """Ada's newest edition, opened."""
    member = person(app)
    with app.store.read() as connection:
        (edition,) = editions.latest_to(connection, [ADA])
        kept = editions.find(connection, edition.id)
    assert kept
    return of_window(app.store, kept, member.subscriber.profiles, app.press)


def load(place: Workplace, name: str, papers: Sequence[dict[str, object]], at: int) -> None:
    """Load a file at a time; nothing is planned."""
    place.listing(name, papers)
    place.clock.at = at
    with place.opened() as app:
        app.pipeline.enrol()
        app.pipeline.load()


def test_what_was_sent_is_told_with_its_rank_and_reasons(place: Workplace) -> None:
    """And the day on which it was."""
    place.listing("a.jsonl", [REWARD, SURVEY, MAPS])
    place.run()
    told = verdict(place, "Reward models that age well")
    assert told.standing is Standing.SENT
    assert told.words == f"Sent on Friday, 20 November 2026, as number {told.rank} of 2."
    assert (str(told.slot), told.state) == ("2026-11-20", State.SENT)
    assert {(reason.keyword, reason.field) for reason in told.reasons} == {
        ("reward model", "title"),
        ("reward model", "abstract"),
    }


def test_a_mail_that_did_not_go_out_says_why(place: Workplace, mails: Mails) -> None:
    """The relay's words stand in the sentence."""
    mails.refused.add(ADA)
    place.listing("a.jsonl", [REWARD])
    place.run()
    told = verdict(place, "Reward models that age well")
    assert (told.standing, told.state) == (Standing.SENT, State.FAILED)
    assert told.words.startswith(
        "It is number 1 of 1 in the mail of Friday, 20 November 2026, which could not be sent: 5"
    )


def test_what_the_mail_could_not_hold_is_told_by_title_or_for_size(place: Workplace, mails: Mails) -> None:
    """Long cards do not all fit; the verdicts agree with what the mail shows."""
    place.configure(subscriber(max_entries=120))
    place.listing("a.jsonl", [paper(f"Reward model {number:03}", f"{number} {LONG}") for number in range(120)])
    place.run()
    with place.opened() as app:
        opened = newest(place, app)
        told = opened.told(opened.placed)
    cards, titles = opened.shown
    sizes = 120 - cards - titles
    standings = [one.standing for one in told]
    assert standings == [Standing.SENT] * cards + [Standing.TITLE] * titles + [Standing.SIZE] * sizes
    assert min(cards, titles, sizes) > 0
    (text,) = mails.texts(ADA)
    assert [one.entry.title in text for one in told] == [True] * (cards + titles) + [False] * sizes
    assert told[cards].words.endswith("in the mail of Friday, 20 November 2026. Its card was left out for size.")
    assert told[-1].words == (
        "Left out for size on Friday, 20 November 2026: it is number 120 of 120, "
        f"and the mail could hold {cards + titles}."
    )


def test_what_is_below_the_cut_is_told_with_its_rank(place: Workplace) -> None:
    """The first maximum ones have a card, forty more their title, and all others are matched again."""
    place.configure(subscriber(max_entries=2))
    place.listing("a.jsonl", [paper(f"Reward model {number}") for number in range(MORE + 10)])
    place.run()
    with place.opened() as app:
        opened = newest(place, app)
        told = opened.told(opened.placed)
    standings = [one.standing for one in told]
    assert standings == [Standing.SENT] * 2 + [Standing.TITLE] * MORE + [Standing.CUT] * 8
    assert [one.rank for one in told] == list(range(1, MORE + 11))
    assert told[-1].words == (
        "Below the cut on Friday, 20 November 2026: it is number 50 of 50; 2 have a card, 40 more their title."
    )


def test_what_an_exclusion_keeps_out_names_it_and_its_words(place: Workplace) -> None:
    """With its profile, where there are several; a profile that does not want it anyway says nothing."""
    place.configure(subscriber(keywords=["reward model", "-survey*"]))
    place.listing("a.jsonl", [REWARD, SURVEY])
    place.run()
    told = verdict(place, "A survey of reward models")
    assert told.standing is Standing.EXCLUDED
    assert told.words == "Kept out by -survey* (“survey” in the title), as the keywords are now."
    other = '[[subscribers.profiles]]\nname = "Other"\nkeywords = ["cooking", "-models"]\n'
    mine = '[[subscribers.profiles]]\nname = "Mine"\nkeywords = ["reward model", "-(a survey)"]\n'
    place.configure(f'[[subscribers]]\nemail = "{ADA}"\n{mine}{other}')
    told = verdict(place, "A survey of reward models")
    assert told.words == "Kept out by -(a survey) of Mine (“A survey” in the title), as the keywords are now."


def test_what_no_keyword_hits_comes_with_near_misses(place: Workplace) -> None:
    """As the keywords are now."""
    place.listing("a.jsonl", [REWARD, MAPS])
    place.run()
    told = verdict(place, "Maps of streets")
    assert (told.standing, told.words) == (Standing.MISSED, "No keyword hits it, as they are now.")
    assert [miss.words for miss in told.misses] == ["reward hits, model does not"]


def test_a_near_duplicate_names_the_one_that_counts(place: Workplace) -> None:
    """Whether either matches or not."""
    first = paper("Reward models that age well and long", url="https://example.org/1")
    again = paper("Reward model that ages well and long", url="https://another.example/2")
    place.listing("a.jsonl", [MAPS, first, again])
    place.run()
    told = verdict(place, "Reward model that ages well and long")
    assert told.standing is Standing.REPEAT
    assert told.words == "Nearly the same as “Reward models that age well and long” (entry 2), which counts instead."


def test_what_is_listed_again_comes_only_once(place: Workplace) -> None:
    """The entry is told of its own edition; the window of the later one says that it was there already."""
    place.listing("a.jsonl", [REWARD, MAPS])
    place.run()
    place.listing("b.jsonl", [REWARD, MAPS, paper("Another reward model")])
    place.run(NOON + DAY)
    told = verdict(place, "Reward models that age well")
    assert told.standing is Standing.EARLIER
    assert told.words == (
        "Sent on Friday, 20 November 2026, as number 1 of 1. "
        "It was listed again on Saturday, 21 November 2026, and comes only once."
    )
    with place.opened() as app:
        opened = newest(place, app)
        words = {one.entry.title: one.words for one in opened.told(opened.placed)}
    assert words == {
        "Another reward model": "Sent on Saturday, 21 November 2026, as number 1 of 1.",
        "Reward models that age well": "Already in the mail of Friday, 20 November 2026, as number 1.",
        "Maps of streets": "It came before, and was looked at for the mail of Friday, 20 November 2026.",
    }


def test_what_matches_only_now_is_told_so(place: Workplace) -> None:
    """When the keywords have changed since."""
    place.listing("a.jsonl", [REWARD, MAPS])
    place.run()
    place.configure(subscriber(keywords=["reward model", "maps"]))
    told = verdict(place, "Maps of streets")
    assert (told.standing, told.rank) == (Standing.SINCE, 0)
    assert told.words.startswith("It was not among the matches on Friday, 20 November 2026;")


def test_what_came_after_the_last_mail_waits_for_the_next(place: Workplace) -> None:
    """With the date of that, and where it would stand; what would not match says so."""
    place.listing("a.jsonl", [REWARD])
    place.run()
    load(place, "b.jsonl", [SURVEY, paper("Cooking")], NOON + 3_600)
    told = verdict(place, "A survey of reward models")
    assert (told.standing, told.rank, told.slot) == (Standing.COMING, 1, None)
    assert told.words == "It waits for the next mail, on Saturday, 21 November 2026, so far as number 1 of 1."
    assert verdict(place, "Cooking").standing is Standing.MISSED
    place.clock.at = NOON + DAY
    assert "the next mail, which the next run makes," in verdict(place, "A survey of reward models").words


def test_what_came_before_the_subscription_is_told_so(place: Workplace) -> None:
    """The first window begins a few days before."""
    load(place, "a.jsonl", [REWARD], NOON - 30 * DAY)
    place.configure(subscriber(BAO))
    load(place, "b.jsonl", [SURVEY], NOON)
    place.run()
    assert verdict(place, "Reward models that age well", BAO).standing is Standing.BEFORE
    assert verdict(place, "A survey of reward models", BAO).standing is Standing.SENT


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"min_matches": 2},
            "No mail was made for Friday, 20 November 2026: 1 of at least 2 matches; they wait for the next. "
            "It waits for the next mail, on Saturday, 21 November 2026, so far as number 1 of 1.",
        ),
        (
            {"paused_until": "2026-12-01"},
            "No mail was made for Friday, 20 November 2026: paused until 2026-12-01. "
            "It waits for the first mail after the pause, which ends on Tuesday, 1 December 2026, "
            "so far as number 1 of 1.",
        ),
        (
            {"skip": ["2026-11-20"]},
            "No mail was made for Friday, 20 November 2026: skipped: a day to skip. "
            "It waits for the next mail, on Saturday, 21 November 2026, so far as number 1 of 1.",
        ),
    ],
)
def test_a_day_without_a_mail_gives_its_reason(place: Workplace, settings: dict[str, Any], words: str) -> None:
    """What matched waits; what does not match says just that."""
    place.configure(subscriber(**settings))
    place.listing("a.jsonl", [REWARD, MAPS])
    place.run()
    told = verdict(place, "Reward models that age well")
    assert (told.standing, told.words) == (Standing.WAITING, words)
    assert verdict(place, "Maps of streets").standing is Standing.MISSED


def test_who_gets_nothing_more_is_told_so(place: Workplace) -> None:
    """Suppressed or unsubscribed; what was sent stays told."""
    place.configure()
    wanted = Subscriber(ADA, (Profile("Digest", ("reward model",)),))
    with place.opened() as app, app.store.write() as connection:
        subscribers.put(connection, [Named(identity(ADA), wanted)], NOON, first_days=3)
    place.listing("a.jsonl", [REWARD])
    place.run()
    load(place, "b.jsonl", [SURVEY], NOON + 3_600)
    with place.opened() as app, app.store.write() as connection:
        suppressions.add(connection, identity(ADA), "bounce", "5.1.1 nobody", NOON)
    told = verdict(place, "A survey of reward models")
    assert told.standing is Standing.GONE
    assert told.words == "Nothing goes to this address any more: bounce: 5.1.1 nobody."
    with place.opened() as app, app.store.write() as connection:
        suppressions.remove(connection, identity(ADA))
        subscribers.remove(connection, identity(ADA))
    assert verdict(place, "A survey of reward models").words.startswith("This subscription has ended")
    assert verdict(place, "Reward models that age well").standing is Standing.SENT


def test_keywords_that_cannot_be_read_are_named(place: Workplace) -> None:
    """They came from elsewhere, and nothing matches."""
    place.configure()
    place.listing("a.jsonl", [REWARD])
    wanted = Subscriber(ADA, (Profile("Digest", ("reward model", "(")),))
    with place.opened() as app, app.store.write() as connection:
        subscribers.put(connection, [Named(identity(ADA), wanted)], NOON, first_days=3)
    place.run()
    told = verdict(place, "Reward models that age well")
    assert told.standing is Standing.MISSED
    assert told.words.startswith("Nothing matches, for the keyword ( cannot be read: ")


def test_every_entry_of_a_window_stands_there_once(place: Workplace) -> None:
    """In the order of the standings, whatever they are."""
    place.configure(subscriber(keywords=["reward model", "-survey"], max_entries=1))
    double = (
        paper("Maps of the streets", url="https://example.org/2"),
        paper("The maps of the streets of Rome and Oslo"),
    )
    place.listing("a.jsonl", [REWARD, SURVEY, MAPS, *double, paper("Reward models of mice"), paper("Tea")])
    place.run()
    with place.opened() as app:
        opened = newest(place, app)
        with app.store.read() as connection:
            everything = [entry.number for entry in entries.window(connection, 0)]
    assert sorted(one.number for one in opened.placed) == everything
    assert [one.standing for one in opened.placed] == sorted(
        (one.standing for one in opened.placed), key=list(Standing).index
    )
