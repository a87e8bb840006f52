"""`digest backtest`: what keywords would have brought, for people and as JSON."""

from __future__ import annotations

import json

import pytest
from workplace import ADA, BAO, DAY, NOON, Ended, Workplace, paper, subscriber

PAPERS = (
    paper("Reward models that age well", "A reward model is trained once.", url="https://example.org/1"),
    paper("A survey of reward models", "All of them."),
    paper("Rewards of patience", "By Ada."),
    paper("Graph transformers on maps", "Attention over graphs."),
)
NOW = ("--now", "2026-11-20T12:00+00:00")


@pytest.fixture(autouse=True)
def _four_papers(place: Workplace) -> None:
    """Three loaded two days ago, one not yet."""
    place.configure(subscriber(ADA, ["reward model", "-survey", "transfomers"]))
    place.listing("wednesday.jsonl", PAPERS[:3])
    place.run(NOON - 2 * DAY)
    place.listing("friday.jsonl", PAPERS[3:])


def tried(place: Workplace, *arguments: str) -> Ended:
    return place.invoke("backtest", *arguments, *NOW)


def test_it_tells_what_a_subscriber_would_have_had(place: Workplace) -> None:
    """How much, by keyword and by day, the best with their reasons, and advice; what waits to be loaded counts."""
    ended = tried(place, ADA)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "Last 3 days: 1 of 4 entries matches, 0.3 a day.\n"
        "\n"
        "Keyword       entries  share  only this\n"
        "reward model        1   100%          1\n"
        "transfomers         0     0%          0\n"
        "-survey       keeps out 1 entry\n"
        "\n"
        "By day (UTC)\n"
        "Wed 18 Nov      1 ████████████████████████████████████████\n"
        "Thu 19 Nov      0\n"
        "Fri 20 Nov      0\n"
        "\n"
        "Best\n"
        " 1. Reward models that age well\n"
        "    reward model\n"
        "\n"
        "Advice\n"
        "  transfomers: “transfomers” stands in no entry of the last 3 days. Did you mean “transformers”?\n"
    )


def test_keywords_can_be_tried(place: Workplace) -> None:
    """Without a subscriber, in any mode."""
    assert tried(place, "--keyword", "reward patience").stdout.startswith("Last 3 days: 1 of 4 entries matches")
    ended = tried(place, "-k", "reward patience", "-k", "graph", "--match", "any")
    assert ended.stdout.startswith("Last 3 days: 4 of 4 entries match, 1.3 a day.\n")
    assert "\nreward patience        3    75%          3\ngraph                  1    25%          1\n" in ended.stdout
    assert "Wed 18 Nov      3 █" in ended.stdout
    assert "Fri 20 Nov      1 █████████████▍\n" in ended.stdout


def test_nothing_is_changed(place: Workplace) -> None:
    """Not even what is new is loaded."""
    before = place.dump()
    assert tried(place, ADA).returncode == 0
    assert place.dump() == before


def test_without_a_match_it_says_so(place: Workplace) -> None:
    """And stops there, but for advice."""
    assert tried(place, "-k", "zebra").stdout.splitlines() == [
        "Last 3 days: 0 of 4 entries match, 0.0 a day.",
        "",
        "Keyword  entries  share  only this",
        "zebra          0      –          0",
        "",
        "Advice",
        "  zebra: No hit in the last 3 days. Keep it if it is rare, or try fewer or other words.",
    ]


def test_it_is_told_as_json(place: Workplace) -> None:
    """The same figures, by their names."""
    facts = json.loads(tried(place, ADA, "--json").stdout)
    assert {name: facts[name] for name in ("days", "considered", "matched")} == {
        "days": 3,
        "considered": 4,
        "matched": 1,
    }
    assert facts["by_day"] == {"2026-11-18": 1, "2026-11-19": 0, "2026-11-20": 0}
    assert facts["keywords"][0] == {"profile": "Digest", "keyword": "reward model", "entries": 1, "alone": 1}
    assert facts["kept_out"] == [{"profile": "Digest", "keyword": "-survey", "entries": 1}]
    (best,) = facts["best"]
    assert (best["title"], best["url"], best["reasons"]) == (
        "Reward models that age well",
        "https://example.org/1",
        ["reward model"],
    )
    assert [advice["keyword"] for advice in facts["advice"]] == ["transfomers"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name a subscriber or keywords"),
        ((ADA, "-k", "reward"), "name a subscriber or keywords"),
        ((BAO,), f"{BAO} is not subscribed; see: digest subscribers list"),
        (("-k", " "), "--keyword is empty"),
        (("-k", "reward", "-k", "(model"), "never closed (column 1)"),
        (("-k", "reward", "--match", "all"), "'near', 'any', 'phrase'"),
        (("nobody",), "nobody"),
    ],
)
def test_what_cannot_be_done_is_said(place: Workplace, arguments: tuple[str, ...], words: str) -> None:
    """With what to do, and exit code 2."""
    ended = tried(place, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
