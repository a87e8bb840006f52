"""What each reader gets of a window."""

from __future__ import annotations

from matching_samples import GREEK, chosen, entry, profile, select

from digest.matching import Reader
from digest.matching.duplicates import distinct
from digest.model import Profile

PAPERS = [entry(number, f"{word} {'quark ' * number}{word}") for number, word in enumerate(GREEK, start=1)]


def test_one_entry_once() -> None:
    """A reader with several profiles gets an entry once, with its best score and the reasons of all."""
    low, high = profile("quark", name="low"), profile("quark^3", name="high")
    (both,) = select(PAPERS[:1], Reader((low, high)))
    (best,) = select(PAPERS[:1], Reader((high,)))
    assert len(both.matches) == 1
    assert both.matched == 1
    assert both.matches[0].score == best.matches[0].score
    assert [reason.profile for reason in both.matches[0].reasons] == ["low", "high"]


def test_most_and_more() -> None:
    """The best come with reasons, the next by number, and the rest is counted."""
    (all_of_them,) = select(PAPERS, Reader((profile("quark"),), most=12))
    (some,) = select(PAPERS, Reader((profile("quark"),), most=3), more=4)
    order = [match.entry for match in all_of_them.matches]
    assert [match.entry for match in some.matches] == order[:3]
    assert list(some.more) == order[3:7]
    assert some.matched == some.considered == 12
    (none,) = select(PAPERS, Reader((profile("quark"),), most=0), more=2)
    assert (none.matches, list(none.more)) == ((), order[:2])


def test_readers_differ() -> None:
    """Each reader of one call has limits, watermark and keywords of its own."""
    first, second, third = select(
        PAPERS,
        Reader((profile("alpha"),), most=1),
        Reader((profile("quark"),), watermark=10, most=5),
        Reader((profile("nothing"),)),
        more=1,
    )
    assert ([match.entry for match in first.matches], first.more, first.considered) == ([1], (), 12)
    assert (sorted(match.entry for match in second.matches), second.matched, second.considered) == ([11, 12], 2, 2)
    assert (third.matches, third.more, third.matched, third.considered) == ((), (), 0, 12)


def test_the_same_again() -> None:
    """Later readers of a selector get what they would get first, whoever came before."""
    readers = [Reader((profile("quark", f"{word}", name=word),)) for word in GREEK]
    together = select(PAPERS, *readers, more=3)
    assert together == [select(PAPERS, reader, more=3)[0] for reader in readers]


def test_a_fault_is_the_readers_own() -> None:
    """A keyword that cannot be read leaves its reader without matches and says why; others get theirs."""
    good, bad = Reader((profile("quark"),)), Reader((profile("quark"), profile("(quark")))
    first, second, third = select(PAPERS, good, bad, good)
    assert first == third
    assert second.matches == ()
    assert "never closed" in second.fault
    assert not first.fault


def test_senses_are_told_apart() -> None:
    """The same keyword in profiles with different options is not the same query."""
    papers = [entry(1, "the reward of alpha"), entry(2, "reward model beta"), entry(3, "model of reward gamma")]
    assert sorted(chosen(papers, Profile("p", ("reward model",), "any"))) == [1, 2, 3]
    everyone = [Reader((Profile("p", ("reward model",), mode),)) for mode in ("near", "any", "phrase")]
    assert [selection.matched for selection in select(papers, *everyone)] == [2, 3, 1]


def test_near_duplicates() -> None:
    """Of entries with nearly the same title the one loaded first stays; other numbers make another title."""
    titles = [
        "Learning to Rank from Noisy Labels with Reward Models",
        "Learning to rank from noisy label with reward model",
        "Learning to Rank from Noisy Labels with Reward Models, Part 2",
        "Learning to Rank from Noisy Labels with Rewards Modells",
        "Short title",
        "Short titles",
        "Shorter title",
    ]
    papers = [entry(number, title) for number, title in enumerate(titles, start=1)]
    assert [paper.number for paper in distinct(papers[::-1])] == [7, 5, 3, 1]


def test_opposite_words_are_not_duplicates() -> None:
    """Two long titles that differ in one telling word are two entries."""
    papers = [
        entry(1, "Base pressure at supersonic speeds on two-dimensional aerofoils and bodies of revolution"),
        entry(2, "Base pressure at subsonic speeds on two-dimensional aerofoils and bodies of revolution"),
    ]
    assert len(distinct(papers)) == 2


def test_no_readers() -> None:
    """Nobody to select for is nothing to do."""
    assert select(PAPERS) == []
