"""What profiles would have brought: the same as the mail, by keyword and day, with advice, whoever else is typing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_samples import GREEK, profile

from digest import backtest
from digest.backtest import Backtest, KeptOut, KeywordHits, Trials
from digest.errors import QueryError
from digest.matching import Reader, Selector
from digest.matching.index import Window
from digest.model import Entry, Listing, Profile
from digest.store import entries, filing
from digest.store.entries import File
from digest.store.store import Store, open_store
from digest.window import lookup

DAY = 86_400
TODAY = 20_777  # 20 November 2026, in days since the epoch
NOW = TODAY * DAY + 12 * 3600
_files = count()


def load(store: Store, papers: Iterable[Entry], at: int = NOW) -> None:
    """Load a listing at some moment."""
    name = f"{next(_files)}"
    with store.write() as connection:
        filing.save(connection, File(name, name, 0, 0), Listing("made", tuple(papers)), at)


def titled(*titles: str) -> list[Entry]:
    return [Entry((f"title:{title}",), title) for title in titles]


def papers(number: int) -> list[Entry]:
    """Papers of a few words each, every one of its own."""
    words = [GREEK[(number * step + step) % len(GREEK)] for number in range(number) for step in (1, 5, 7)]
    return [
        Entry(
            (f"title:paper{place}",),
            f"Paper{place} about {words[3 * place]}",
            " ".join(words[3 * place : 3 * place + 3]),
        )
        for place in range(number)
    ]


def loaded(store: Store, *titles: str) -> Trials:
    load(store, titled(*titles))
    return Trials(store)


def tried(trials: Trials, *keywords: str, most: int = 10) -> Backtest:
    return trials.backtest([profile(*keywords)], NOW, most)


@pytest.mark.parametrize(
    "profiles",
    [
        [profile("alpha", "beta gamma^2")],
        [profile("alpha", "-beta", name="one"), profile("beta", "theta", name="two", match="any")],
        [profile("-alpha")],
        [profile("title:omega OR (kappa AND NOT zeta)", "lambd*", name="odd {{ name }}")],
        [],
        [Profile("empty", ())],
    ],
)
def test_it_is_what_the_mail_would_have(store: Store, profiles: Sequence[Profile]) -> None:
    """The same matches in the same order, with the same scores and reasons."""
    load(store, papers(60))
    with store.read() as connection:
        window = entries.window(connection, 0)
    found = Trials(store).backtest(profiles, NOW, 15)
    if not any(one.keywords for one in profiles):
        assert (found.matched, found.shown, found.keywords) == (0, (), ())
        return
    (selection,) = Selector(window, lookup(store)).select([Reader(tuple(profiles), most=15)], more=0)
    assert tuple(match for match, _ in found.shown) == selection.matches
    assert (found.matched, found.considered) == (selection.matched, selection.considered)
    assert all(match.entry == shown.number for match, shown in found.shown)


def test_near_duplicates_are_one(store: Store) -> None:
    """As in the mail, the one loaded first."""
    trials = loaded(store, "Reward models for the very patient reader", "Reward models for the very patient readers")
    assert (tried(trials, "reward").matched, tried(trials, "reward").considered) == (1, 1)


def test_each_day_is_counted(store: Store) -> None:
    """All thirty by UTC, also those without a match; what came in before is not looked at."""
    start = (TODAY - 29) * DAY
    load(store, titled("Alpha of old"), start - 1)
    load(store, titled("Alpha at midnight"), start)
    load(store, titled("Alpha one", "Two alpha", "Three"), NOW - DAY)
    load(store, titled("Beta of today"))
    found = tried(Trials(store), "alpha")
    assert (found.days, found.considered, found.matched) == (30, 5, 3)
    assert found.by_day[0] == (date(2026, 10, 22), 1)
    assert found.by_day[-2:] == ((date(2026, 11, 19), 2), (date(2026, 11, 20), 0))
    assert [number for _, number in found.by_day[1:-2]] == [0] * 27


def test_a_young_site_looks_back_less(store: Store) -> None:
    """It says how many days there are, so that what comes in a day is not made less."""
    load(store, titled("Alpha"), NOW - 2 * DAY)
    found = tried(Trials(store), "alpha")
    assert (found.days, [number for _, number in found.by_day]) == (3, [1, 0, 0])


def test_only_the_newest_are_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many came in; the days are those that they cover."""
    monkeypatch.setattr(backtest, "MOST_ENTRIES", 4)
    load(store, papers(10)[:8], NOW - 9 * DAY)
    load(store, papers(12)[8:], NOW - DAY)
    found = tried(Trials(store), "paper*")
    assert (found.considered, found.days, [number for _, number in found.by_day]) == (4, 2, [4, 0])


def test_what_a_keyword_brings(store: Store) -> None:
    """Its share of the profile's matches, what only it brings, and what an exclusion keeps out."""
    trials = loaded(store, "alpha", "alpha beta", "beta gamma", "delta", "alpha omega", "omega")
    found = tried(trials, "alpha", "beta", "delta zeta", "-omega")
    assert found.keywords == (
        KeywordHits("mine", "alpha", 2, 1),
        KeywordHits("mine", "beta", 2, 1),
        KeywordHits("mine", "delta zeta", 0, 0),
    )
    assert found.kept_out == (KeptOut("mine", "-omega", 1),)


words = st.sampled_from([*GREEK[:6], "-alpha", "-beta", "alpha beta", "gamma^2", "eps*"])
profiles_of_words = st.lists(st.lists(words, min_size=1, max_size=4, unique=True), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Trials]:
    """Sixty papers."""
    with closing(open_store("sqlite:///sixty.db", tmp_path_factory.mktemp("sixty"))) as store:
        load(store, papers(60))
        yield Trials(store)


@given(profiles_of_words, st.data())
@settings(max_examples=60, deadline=None)
def test_alone_is_what_goes_with_a_keyword(sixty: Trials, typed: list[list[str]], data: st.DataObject) -> None:
    """Without it there are as many matches fewer, and a change names them."""
    before = [profile(*keywords, name=str(place)) for place, keywords in enumerate(typed)]
    found = sixty.backtest(before, NOW, 0)
    if not found.keywords:
        return
    hits = data.draw(st.sampled_from(found.keywords))
    after = [
        Profile(one.name, tuple(word for word in one.keywords if (one.name, word) != (hits.profile, hits.keyword)))
        for one in before
    ]
    change = sixty.change(before, after, NOW)
    assert (len(change.removed), len(change.added)) == (hits.alone, 0)
    assert sixty.backtest(after, NOW, 0).matched == found.matched - hits.alone
    assert hits.alone <= hits.entries <= found.matched == sum(number for _, number in found.by_day)


def test_a_change_names_what_comes_and_goes(store: Store) -> None:
    """Best first; what stays is not named."""
    trials = loaded(store, "alpha beta", "alpha", "epsilon with gamma", "gamma gamma", "delta")
    change = trials.change([profile("alpha", "delta")], [profile("gamma", "delta", "-beta")], NOW)
    assert [one.title for one in change.added] == ["gamma gamma", "epsilon with gamma"]
    assert [one.title for one in change.removed] == ["alpha", "alpha beta"]
    assert trials.change([profile("alpha")], [profile("alpha", name="other")], NOW) == backtest.Change(1, (), ())


def advised(trials: Trials, *keywords: str, **more: Any) -> list[tuple[str, str, str]]:
    found = trials.backtest([profile(*keywords, **more)], NOW)
    return [(advice.keyword, advice.reason, advice.hint) for advice in found.advice]


def test_a_keyword_that_never_hits_is_told(store: Store) -> None:
    """Without a guess at what was meant where nothing is near."""
    trials = loaded(store, "Graph transformers", "Reward models")
    (found,) = advised(trials, "reward", "zebra")
    assert found[:2] == ("zebra", "No hit in the last day")
    assert advised(trials, "reward") == []


@pytest.mark.parametrize("typed", ["transfomers", "graph transfomers", '"graph transfomers"', "reward OR transfomers"])
def test_a_slip_is_told(store: Store, typed: str) -> None:
    """By the word of the entries that is nearest, wherever in the keyword it stands."""
    trials = loaded(store, "Graph transformers", "Reward models")
    assert advised(trials, typed) == [
        (typed, "“transfomers” stands in no entry of the last day", "Did you mean “transformers”?")
    ]


def test_a_slip_in_an_exclusion_is_told(store: Store) -> None:
    """It would keep nothing out; an exclusion that merely keeps nothing out is no matter."""
    trials = loaded(store, "A survey of reward models")
    assert [found[2] for found in advised(trials, "reward", "-surveyy", "-zebra")] == ["Did you mean “survey”?"]


def test_a_word_that_is_known_is_no_slip(store: Store) -> None:
    """If it stood in some entries before, it is rare, not wrong; nor is one that stands in another field."""
    load(store, titled("Transfomers one", "Transfomers two", "Transfomers three"), NOW - 40 * DAY)
    trials = loaded(store, "Graph transformers")
    assert [found[1] for found in advised(trials, "transfomers")] == ["No hit in the last 30 days"]
    assert [found[1] for found in advised(trials, "author:graph")] == ["No hit in the last 30 days"]


def test_a_broad_keyword_is_told(store: Store) -> None:
    """One that hits more than a quarter of twenty entries and more."""
    some = [f"Paper{place} of {'alpha' if place < 30 else 'beta' if place < 55 else 'gamma'}" for place in range(60)]
    trials = loaded(store, *some)
    assert [found[:2] for found in advised(trials, "alpha", "beta", "gamma")] == [
        ("alpha", "Very broad: it hits 30 of the 60 entries of the last day"),
        ("beta", "Very broad: it hits 25 of the 60 entries of the last day"),
    ]


def test_a_keyword_that_exclusions_undo_is_told(store: Store) -> None:
    """With the exclusion that does it, or all that take part."""
    trials = loaded(store, "alpha beta", "alpha gamma", "alpha beta gamma", "delta gamma", "delta")
    assert [found[:2] for found in advised(trials, "alpha", "delta", "-gamma", "-beta")] == [
        ("alpha", "All 3 entries that it hits in the last day: kept out by -gamma and -beta")
    ]
    assert [found[:2] for found in advised(trials, "title:beta", "delta", "-alpha", "-gamma")] == [
        ("title:beta", "All 2 entries that it hits in the last day: kept out by -alpha")
    ]


def test_advice_comes_in_the_order_of_keywords(store: Store) -> None:
    """What the keywords tell alone and what the entries tell together, one word on each keyword."""
    trials = loaded(store, "alpha beta")
    found = advised(trials, "zebra", "the", "alpha", "alph*", "transfomer")
    assert [keyword for keyword, _, _ in found] == ["zebra", "the", "alpha", "transfomer"]
    assert found[1][1].startswith("Too broad")
    assert advised(trials, "-alpha")[0][0] == ""


def test_without_entries_there_is_no_advice_from_them(store: Store) -> None:
    """Nothing is known yet."""
    found = tried(Trials(store), "alpha", "-beta")
    assert (found.days, found.considered, found.matched, found.advice) == (30, 0, 0, ())
    assert found.keywords == (KeywordHits("mine", "alpha", 0, 0),)


def test_a_keyword_that_cannot_be_read_is_refused(store: Store) -> None:
    """And harms nobody who comes after."""
    trials = loaded(store, "alpha")
    for _ in range(2):
        with pytest.raises(QueryError):
            tried(trials, "alpha", "(beta")
        with pytest.raises(QueryError):
            trials.change([profile("alpha")], [profile("beta)")], NOW)
    assert tried(trials, "alpha").matched == 1


def test_the_newest_come_first(store: Store) -> None:
    """Those of one day best first, with their reasons and when they came."""
    load(store, [Entry(("title:a",), "alpha of alpha")], NOW - DAY)
    load(store, [Entry(("title:b",), "beta", "Words about alpha")], NOW - 7)
    load(store, [Entry(("title:c",), "alpha gamma")], NOW - 8)
    found = Trials(store).newest([profile("alpha")], NOW, 2)
    assert [(one.entry.title, one.loaded_at) for one in found] == [("alpha gamma", NOW - 8), ("beta", NOW - 7)]
    assert found[1].match.reasons[0][:3] == ("mine", "alpha", "abstract")


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the windows that are indexed."""
    sizes: list[int] = []

    def window(some: Sequence[Entry]) -> Window:
        sizes.append(len(some))
        return Window(some)

    monkeypatch.setattr(backtest, "Window", window)
    return sizes


def test_the_index_is_kept(store: Store, built: list[int]) -> None:
    """Until another file is loaded or the day changes."""
    trials = loaded(store, "alpha")
    built.clear()
    assert [tried(trials, word).matched for word in ("alpha", "beta", "alpha*")] == [1, 0, 1]
    assert built == [1]
    load(store, papers(3), NOW + 60)
    assert trials.backtest([profile("alpha")], NOW + 60).considered == 4
    assert trials.backtest([profile("alpha")], NOW + DAY).by_day[-1] == (date(2026, 11, 21), 0)
    assert built == [1, 4, 4]
    assert trials.backtest([profile("alpha")], NOW + 30 * DAY).considered == 0


def test_what_is_typed_takes_bounded_memory(store: Store, monkeypatch: pytest.MonkeyPatch, built: list[int]) -> None:
    """Beyond some thousands of keywords all but the index is made anew, and every answer stays the same."""
    monkeypatch.setattr(backtest, "MOST_ROWS", 20)
    load(store, papers(30))
    trials = Trials(store)
    built.clear()
    expected = tried(trials, "alpha", "beta")
    for number in range(60):
        tried(trials, f"alpha{number}", name := f"beta*^{1 + number}")
        trials.backtest([profile(name, name=f"name {number}")], NOW)
        assert len(trials._bench._selector.table.rows) <= 22
    assert tried(trials, "alpha", "beta") == expected
    assert built == [30]
    monkeypatch.setattr(backtest, "MOST_CELLS", 0)
    assert tried(trials, "alpha", "beta") == expected


def test_many_may_type_at_once(tmp_path: Path) -> None:
    """Each gets what they would get alone, also while files come in."""
    with closing(open_store("sqlite:///many.db", tmp_path)) as store:
        load(store, papers(60))
        asked = [[profile(word, f"-{other}")] for word in GREEK for other in GREEK[:4]]
        expected = [Trials(store).backtest(one, NOW) for one in asked[:6]]
        trials = Trials(store)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda one: trials.backtest(one, NOW), asked))
            assert found[:6] == expected
            assert len(found) == len(asked)


def test_while_an_index_is_built_others_have_the_old_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only whoever came first waits."""
    trials = loaded(store, "alpha")
    assert tried(trials, "alpha").considered == 1
    begun, go_on = Event(), Event()

    def slowly(some: Sequence[Entry]) -> Window:
        begun.set()
        assert go_on.wait(20)
        return Window(some)

    monkeypatch.setattr(backtest, "Window", slowly)
    load(store, papers(3))
    first: list[Backtest] = []
    thread = Thread(target=lambda: first.append(tried(trials, "alpha")))
    thread.start()
    assert begun.wait(20)
    assert tried(trials, "alpha").considered == 1
    go_on.set()
    thread.join(20)
    assert first[0].considered == tried(trials, "alpha").considered == 4
