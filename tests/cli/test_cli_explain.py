"""`digest explain`: which entry is meant, and what is said of it."""

from __future__ import annotations

import json

import pytest
from workplace import ADA, BAO, NOON, Ended, Workplace, paper, subscriber

AT = "2026-11-20T13:00+00:00"
PAPERS = (
    paper("Reward models that age well", "A reward model.", url="https://doi.org/10.1000/182"),
    paper("A survey of reward models", url="https://arxiv.org/abs/2401.00001v2"),
    paper("Élan of maps", "A reward for who finds home.", url="https://example.org/maps/"),
)


@pytest.fixture(autouse=True)
def _sent(place: Workplace) -> None:
    place.configure(subscriber(ADA, ["reward model", "-survey"]))
    place.listing("a.jsonl", PAPERS)
    place.run(NOON)


def explained(place: Workplace, *arguments: str) -> Ended:
    """`digest explain` for Ada."""
    return place.invoke("explain", ADA, *arguments, "--now", AT)


def test_an_entry_is_known_by_number_key_address_and_words(place: Workplace) -> None:
    """However it is written."""
    addresses = "https://doi.org/10.1000/182", "HTTPS://DOI.org/10.1000/182#part"
    for entry in ("1", "doi:10.1000/182", "10.1000/182", *addresses, "title:reward models that age well", "WELL, age"):
        ended = explained(place, entry)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == (
            "Reward models that age well (entry 1)\n"
            "Sent on Friday, 20 November 2026, as number 1 of 1.\n"
            "  reward model in the title: Reward models\n"
            "  reward model in the abstract: reward model\n"
        ), entry


def test_an_exclusion_is_named(place: Workplace) -> None:
    """With the words that it hit."""
    for entry in ("arxiv:2401.00001", "2401.00001v3", "http://arxiv.org/pdf/2401.00001", "SURVEY"):
        said = explained(place, entry).stdout
        assert said.startswith("A survey of reward models (entry 2)\nKept out by -survey (“survey” in the title)"), (
            entry
        )


def test_near_misses_stand_below(place: Workplace) -> None:
    """Each with what it lacks."""
    ended = explained(place, "élan")
    assert ended.stdout == (
        "Élan of maps (entry 3)\n"
        "No keyword hits it, as they are now.\n"
        "  near: reward model: reward hits, model does not\n"
    )


def test_all_of_it_is_there_as_json(place: Workplace) -> None:
    """For programs."""
    told = json.loads(explained(place, "3", "--json").stdout)
    assert told == {
        "entry": {
            "number": 3,
            "key": "url:https://example.org/maps",
            "title": "Élan of maps",
            "url": "https://example.org/maps/",
        },
        "standing": "missed",
        "words": "No keyword hits it, as they are now.",
        "slot": "2026-11-20",
        "state": "sent",
        "rank": None,
        "reasons": [],
        "misses": [{"profile": "Digest", "keyword": "reward model", "words": "reward hits, model does not"}],
    }
    told = json.loads(explained(place, "1", "--json").stdout)
    assert (told["standing"], told["state"], told["rank"]) == ("sent", "sent", 1)
    assert told["reasons"][0] == {
        "profile": "Digest",
        "keyword": "reward model",
        "field": "title",
        "words": ["Reward models"],
    }


def test_several_entries_are_listed(place: Workplace) -> None:
    """The newest first, with the numbers that tell them apart."""
    ended = explained(place, "reward models")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "digest: several entries are reward models; give the number of one:\n"
        "  2  A survey of reward models\n"
        "  1  Reward models that age well\n"
    )


def test_an_entry_that_is_not_there_is_refused(place: Workplace) -> None:
    """With what can be given."""
    for entry in ("no such words", "4", "9" * 30, "doi:10.1000/183", "%", "", "https://example.org/4"):
        ended = explained(place, entry)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "give its number, doi:…, arxiv:…, its URL, or words of its title" in ended.stderr, entry


def test_somebody_unknown_is_refused(place: Workplace) -> None:
    """With the command that lists who is there; no address at all is, too."""
    ended = place.invoke("explain", BAO, "1")
    assert (ended.returncode, ended.stderr) == (
        2,
        f"digest: {BAO} is not subscribed; see: digest subscribers list\n",
    )
    assert place.invoke("explain", "nobody", "1").returncode == 2


def test_nothing_is_changed(place: Workplace) -> None:
    """Not even who is subscribed, though the configuration has changed."""
    place.configure(subscriber(ADA, ["maps"]), subscriber(BAO))
    before = place.dump()
    assert "by the keywords as they are now it would be" in explained(place, "3").stdout
    assert place.dump() == before


def test_profiles_are_named_where_there_are_several(place: Workplace) -> None:
    """By reasons and near misses."""
    tables = "".join(
        f'[[subscribers.profiles]]\nname = "{name}"\nkeywords = ["{keyword}"]\n'
        for name, keyword in (("One", "reward model"), ("Two", "maps of streets"))
    )
    place.configure(f'[[subscribers]]\nemail = "{ADA}"\n{tables}')
    said = explained(place, "3").stdout
    assert "  near: maps of streets (Two): maps hits, streets does not\n" in said
    assert "  near: reward model (One): reward hits, model does not\n" in said
