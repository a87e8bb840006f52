"""What more or less of an entry would change in somebody's profiles."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from matching_samples import entry, history, profile, select

from digest.matching import Reader, built_in
from digest.matching.suggest import Suggestion, Way, suggest
from digest.model import Entry, Profile, Reason
from digest.profiles import check

PAPER = entry(
    1,
    "Graph Transformers on Street Maps",
    "We give process supervision to a graph transformer. Process supervision needs labels; RLHF does not, and RLHF "
    "learns. A reward model sees it, and a reward model is small. Fine-tuning, always fine-tuning.",
)
SEEN = history(model=300, learn=400, street=80, map=60)


def reason(keyword: str, name: str = "mine") -> Reason:
    return Reason(name, keyword, "abstract", ("reward model",))


def given_by(way: Way, *profiles: Profile, why: tuple[Reason, ...], paper: Entry = PAPER) -> list[Suggestion]:
    return list(suggest(way, paper, why, profiles, SEEN))


def words(way: Way, *profiles: Profile, why: tuple[Reason, ...], paper: Entry = PAPER) -> list[str]:
    return [one.words for one in given_by(way, *profiles, why=why, paper=paper)]


def test_more_counts_the_keyword_more_and_adds_phrases() -> None:
    """What stands more than once or in the title, in the words of the entry; a compound stays whole."""
    found = given_by("more", profile("reward model"), why=(reason("reward model"),))
    assert found[0].words == "Count `reward model` 1.5 times"
    assert found[0].profiles == (profile("reward model^1.5"),)
    assert {one.words for one in found[1:]} == {
        'Also look for `"process supervision"`',
        'Also look for `"graph transformer"`',
        "Also look for `fine-tuning`",
        "Also look for `RLHF`",
    }
    assert all(one.profiles[0].keywords[0] == "reward model" for one in found[1:])


def test_less_counts_it_half_removes_it_and_excludes_phrases() -> None:
    """Only those of the title are excluded, in any form if they are one word."""
    found = given_by("less", profile("trees", "reward model^2"), why=(reason("reward model^2"),))
    assert [one.words for one in found] == [
        "Count `reward model` once",
        "Look no more for `reward model`",
        'Leave out entries with `"graph transformer"`',
        'Leave out entries with `"street maps"`',
    ]
    assert [one.profiles[0].keywords for one in found] == [
        ("trees", "reward model"),
        ("trees",),
        ("trees", "reward model^2", '-"graph transformer"'),
        ("trees", "reward model^2", '-"street maps"'),
    ]


def test_the_last_keyword_that_asks_for_something_stays() -> None:
    """Exclusions and keywords that cannot be read do not count as one."""
    found = words("less", profile("reward model", "-survey", '"never'), why=(reason("reward model"),))
    assert not any("Look no more" in one for one in found)


def test_a_weight_ends_at_ten() -> None:
    """Up to there it grows; what is more already is not lowered."""
    assert words("more", profile("a b^8"), why=(reason("a b"),))[0] == "Count `a b` 10 times"
    for weight in ("^10", "^50"):
        assert not any("Count" in one for one in words("more", profile(f"a b{weight}"), why=(reason("a b"),)))


def test_a_phrase_that_a_keyword_hits_or_holds_is_not_proposed() -> None:
    """A prefix, an unquoted pair, a pattern; and a word of a longer keyword."""
    covering = profile("supervis*", "graph transformer", "/r.hf/", "fine-tuning of street maps", "reward*")
    assert words("more", covering, why=()) == []


def test_a_common_word_is_no_addition() -> None:
    """It may be an exclusion: a survey is not rare, and not wanted."""
    paper = entry(1, "A Survey of Streets", "Streets, and a survey of them. Models.")
    seen = history(survey=50, street=1)
    mine = (profile("trees"),)
    assert [one.words for one in suggest("more", paper, (), mine, seen)] == ["Also look for `streets`"]
    excluded = [one.words for one in suggest("less", paper, (), mine, seen)]
    assert set(excluded) == {"Leave out entries with `streets`", "Leave out entries with `survey`"}


def test_several_profiles_are_named() -> None:
    """Additions go to the first profile that brought the entry, exclusions to all that did, weights to each."""
    one, two, three = (profile("reward model", "trees", name=name) for name in ("one", "two", "three"))
    why = (reason("reward model", "two"), reason("reward model", "three"))
    more, less = (given_by(way, one, two, three, why=why) for way in ("more", "less"))
    assert [found.words for found in more[:2]] == [f"Count `reward model` 1.5 times in {n}" for n in ("two", "three")]
    assert more[2].words.endswith(" in two")
    assert more[2].profiles[0::2] == (one, three)
    assert less[-1].words.endswith(" in two and three")
    assert [len(found.keywords) for found in less[-1].profiles] == [2, 3, 3]


def test_the_profiles_are_taken_as_they_are_now() -> None:
    """A keyword with another weight, under another name of the profile, or gone."""
    assert words("more", profile("trees", "reward model^4"), why=(reason("reward model"),))[0].endswith("6 times")
    renamed = profile("reward model", name="renamed")
    assert words("more", renamed, why=(reason("reward model"),))[0] == "Count `reward model` 1.5 times"
    assert not any("Count" in one for one in words("more", profile("trees"), why=(reason("reward model"),)))


def test_what_there_is_advice_against_is_left_out() -> None:
    """A phrase that an exclusion keeps out anyway; advice on what was there before stops nothing."""
    found = words("more", profile("trees", "-RLHF", "the"), why=(reason("the"),))
    assert "Count `the` 1.5 times" in found
    assert not any("RLHF" in one for one in found)


def test_phrases_do_not_cross_what_parts_a_sentence() -> None:
    """Neither punctuation nor words that say nothing; half a compound is no word, nor is a link."""
    paper = entry(
        1,
        "",
        "Zeta, eta. Zeta, eta. Theta of iota, theta of iota. Ctrl-U, Ctrl-U. Isn't it, isn't it. https://abc.io/a, https://abc.io/a.",
    )
    found = words("more", profile("trees"), why=(), paper=paper)
    assert set(found) == {f"Also look for `{word}`" for word in ("zeta", "eta", "theta", "iota")}


def test_an_entry_without_words_gives_no_phrases() -> None:
    """A title of signs, or in a script without spaces."""
    for title in ("", "?!", "2026", "a b c"):
        assert words("more", profile("trees"), why=(), paper=entry(1, title)) == []


TEXTS = st.text(st.sampled_from("abcdefg -.,'\"()^*:/\\奖éAB1\n"), max_size=80)


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS, st.sampled_from(("more", "less")))
def test_every_suggestion_is_sound_and_does_what_it_says(title: str, abstract: str, way: Way) -> None:
    """Whatever a listing holds: keywords that can be read; an addition finds the entry, an exclusion loses it."""
    paper = entry(1, title, f"trees {abstract} {abstract}")
    mine = profile("trees", "forests")
    for found in suggest(way, paper, (reason("trees"),), (mine,), built_in().of):
        assert found.profiles != (mine,)
        assert check(found.profiles[0]) == []
        new = [keyword for keyword in found.profiles[0].keywords if keyword not in mine.keywords]
        if found.before == "Also look for":
            assert select([paper], Reader((profile(*new),)))[0].matched == 1
        elif found.before == "Leave out entries with":
            assert select([paper], Reader(found.profiles))[0].matched == 0
