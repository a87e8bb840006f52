"""How entries are ordered."""

from __future__ import annotations

from datetime import date

import pytest
from matching_samples import GREEK, chosen, entry, history, profile, select

from digest.matching import Count, Frequencies, Reader
from digest.model import Entry

FILLER = " ".join(GREEK)


@pytest.mark.parametrize(
    ("keyword", "row", "apart"),
    [
        ("reward model", "reward models", "model of reward"),
        ("reward model", "reward model", "model reward"),
        ("reward-model", "reward-model", "rewardmodel"),
        ("noisy label learning", "noisy label learning", "learning noisy labels"),
        ('"noisy labels"~5', "noisy labels", "labels noisy"),
        ("fine-tuning data", "finetuning data", "data finetuning"),
    ],
)
def test_a_row_of_words_scores_more(keyword: str, row: str, apart: str) -> None:
    """The words of a keyword side by side and in order are worth at least as much as apart or turned round."""
    papers = [entry(1, "", f"{FILLER} {apart} {FILLER}"), entry(2, "", f"{FILLER} {row} {FILLER}")]
    (selection,) = select(papers, Reader((profile(keyword),)), seen=history(reward=50, model=50, noisi=50, label=50))
    scores = {match.entry: match.score for match in selection.matches}
    assert scores[2] >= scores[1]
    assert scores[2] > scores[1] or "-" in row


def test_a_hit_in_the_title_scores_more() -> None:
    """A title hit is worth more than one in an abstract of the same words."""
    papers = [entry(1, f"one {FILLER}", f"reward {FILLER}"), entry(2, f"reward {FILLER}", f"one {FILLER}")]
    assert chosen(papers, profile("reward")) == [2, 1]


def test_a_rare_word_scores_more() -> None:
    """Of two keywords the one rare in all entries ever seen decides, whatever is common today."""
    papers = [
        entry(1, f"alpha {FILLER[6:]}"),
        entry(2, "quark one"),
        *(entry(n, f"quark {n} {n}") for n in range(3, 9)),
    ]
    asked = profile("alpha", "quark")
    assert chosen(papers, asked, seen=history(alpha=500, quark=5))[-1] == 1
    assert chosen(papers, asked, seen=history(alpha=5, quark=500))[0] == 1


def test_weights() -> None:
    """A weight multiplies what a keyword is worth."""
    papers = [entry(1, "alpha paper"), entry(2, "beta paper")]
    seen = history(alpha=10, beta=10)
    assert chosen(papers, profile("alpha^2", "beta"), seen=seen) == [1, 2]
    assert chosen(papers, profile("alpha", "beta^2"), seen=seen) == [2, 1]


def test_words_of_other_keywords_add_to_the_score() -> None:
    """An entry that qualifies through one keyword gains from a word of another that does not hit."""
    papers = [entry(1, "alpha paper one"), entry(2, "alpha paper gamma")]
    assert chosen(papers, profile("alpha", "gamma delta")) == [2, 1]


def test_common_words_count_only_where_their_keyword_hits() -> None:
    """A word in more than a tenth of all entries adds nothing to an entry in which its keyword does not hit."""
    papers = [entry(1, "alpha paper one"), entry(2, "alpha paper gamma")]
    (selection,) = select(papers, Reader((profile("alpha", "gamma delta"),)), seen=history(gamma=200))
    assert selection.matches[0].score == selection.matches[1].score


def test_a_field_scores_by_its_share_of_the_window() -> None:
    """A category that every entry has does not outweigh a rare word; words of fields are not counted over time."""
    papers = [entry(n, f"paper {n}", categories=("cs",)) for n in range(1, 9)]
    papers.append(entry(9, "quark paper"))
    assert chosen(papers, profile("category:cs", "quark"), seen=history(quark=5))[0] == 9


def test_capitals_share_the_frequency_of_their_stem() -> None:
    """RAG is rarer than rag: it has that part of the stem's frequency which it has today."""
    papers = [entry(1, "RAG one"), entry(2, "rag two"), entry(3, "rag three"), entry(4, "beta four")]
    asked = profile("RAG", "beta")
    assert chosen(papers, asked, seen=history(rag=100, beta=60)) == [1, 4]
    assert chosen(papers, asked, seen=history(rag=100, beta=10)) == [4, 1]


def test_ties() -> None:
    """Equal scores are ordered by votes, then the newest, then by key."""

    def same(number: int, key: str, **others: object) -> Entry:
        return Entry((key,), f"Quark number {'x' * number}", number=number, **others)  # type: ignore[arg-type]

    papers = [
        same(1, "d"),
        same(2, "c"),
        same(3, "b", published=date(2026, 1, 1)),
        same(4, "a", published=date(2026, 1, 2)),
        same(5, "e", votes=3),
    ]
    assert chosen(papers, profile("quark")) == [5, 4, 3, 2, 1]
    assert chosen(papers[::-1], profile("quark")) == [5, 4, 3, 2, 1]


def test_without_any_history() -> None:
    """Scores are finite and positive when nothing was ever counted."""
    papers = [entry(1, "quark and alpha"), entry(2, "beta")]
    nothing = Frequencies(0, {})
    (selection,) = select(papers, Reader((profile("quark alpha", "be*", "title:beta"),)), seen=lambda _: nothing)
    assert [match.score > 0 for match in selection.matches] == [True, True]


def test_frequencies_add_up() -> None:
    """Entries and occurrences are counted by stem over title and abstract, and two counts make one."""
    one = Frequencies.count([entry(1, "Models", "a model"), entry(2, "Other", authors=("Model",))])
    assert one.entries == 2
    assert one.by_stem["model"] == Count(1, 2)
    both = one + Frequencies.count([entry(3, "model")])
    assert both.entries == 3
    assert both.by_stem["model"] == Count(2, 3)
    assert both.by_stem["other"] == Count(1, 1)
