"""Trending-papers pages: the two real files, header words, days, and any text at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.listings import Origin, parse, trending
from digest.listings.page import headers
from digest.listings.wording.decode import tidy
from digest.listings.wording.readable import readable
from digest.model import Listing

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "listings"
MODIFIED = Origin(date(2026, 2, 1))
ABSTRACT = "We study how header words and titles meet, and find that they seldom quarrel. This matters to few."


def load(name: str) -> tuple[str, Listing]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project")
    text = path.read_text()
    return text, parse(text, MODIFIED)


def paired(text: str, header_lines: int) -> list[tuple[str, str]]:
    """Title and abstract by counting lines, which is right for these two files alone."""
    lines = [readable(line) for line in text.splitlines() if line.strip()][header_lines:]
    lines[0] = lines[0].removeprefix("Subscribe")
    return list(zip(lines[::2], lines[1::2], strict=True))


def test_the_spaced_page_gives_every_entry() -> None:
    """The real page with blank lines holds 82 entries, its curator and its day."""
    text, listing = load("trending-spaced.txt")
    assert [(entry.title, entry.abstract) for entry in listing.entries] == paired(text, 5)
    assert (len(listing.entries), listing.curator, listing.date) == (82, "AK", date(2025, 3, 13))
    assert {(entry.source, entry.published) for entry in listing.entries} == {("Trending papers", date(2025, 3, 13))}


def test_the_compact_page_gives_every_entry() -> None:
    """The real page without blank lines holds 217 entries, the first freed of the word glued to it."""
    text, listing = load("trending-compact.txt")
    assert [(entry.title, entry.abstract) for entry in listing.entries] == paired(text, 2)
    assert (len(listing.entries), listing.curator, listing.date) == (217, "", None)


def test_both_pages_hold_293_distinct_entries() -> None:
    """An entry that stands on both real pages has one key."""
    pages = [load(name)[1] for name in ("trending-spaced.txt", "trending-compact.txt")]
    assert len({entry.key for page in pages for entry in page.entries}) == 293


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("SubscribeNetA: A Net", "NetA: A Net"),
        ("SubscribeiBOT: Bots", "iBOT: Bots"),
        ("SubscribexFinder", "xFinder"),
        ("Subscribeh-calibration: More", "h-calibration: More"),
        ("Subscribes1: Simple Scaling", "s1: Simple Scaling"),
        ("Subscribe3D Gardens", "3D Gardens"),
        ("Subscribe“Why?” and Other Questions", "“Why?” and Other Questions"),
        ("SubscribeNew Ways to Water", "New Ways to Water"),
        ("Subscribe小型模型", "小型模型"),
        ("Mar 13OneNet", "OneNet"),
        ("Mar 13, 2025OneNet", "OneNet"),
        ("Mar 133D Gardens", "3D Gardens"),
        ("byAK and the research communityMar 13xNet: A Net", "xNet: A Net"),
        ("newGet trending papers in your email inbox!SubscribebyAK and the research communityNet", "Net"),
    ],
)
def test_header_words_glued_to_a_title_are_peeled(line: str, title: str) -> None:
    """Header words glued to a title go, and the title is whole."""
    header, rest = headers.peel(line, MODIFIED.day)
    assert (header is not None, rest) == (True, title)


@pytest.mark.parametrize(
    "title",
    [
        "Subscriber Churn in Small Clubs",
        "Subscribers, Where Are You?",
        "Subscribe or Not? A Study",
        "Subscribe: A Protocol",
        "Subscribed and Forgotten",
        "New Ways to Water",
        "newNet: Nets Anew",
        "May 2025 in Review",
        "Mar 13th and Other Days",
        "10 Decoding Tricks",
        "May 4bit Weights Suffice?",
        "Feb 30 Is No Day",
        "By Hand: Writing Labels",
        "March Madness",
    ],
)
def test_titles_that_begin_like_header_words_stay_whole(title: str) -> None:
    """A word or number of its own is no header."""
    assert headers.peel(title, MODIFIED.day) == (None, title)


@pytest.mark.parametrize(
    ("line", "modified", "day"),
    [
        ("Mar 13", date(2025, 3, 13), date(2025, 3, 13)),
        ("Mar 13", date(2025, 3, 12), date(2024, 3, 13)),
        ("March 13", date(2026, 1, 1), date(2025, 3, 13)),
        ("13 Mar", date(2026, 1, 1), date(2025, 3, 13)),
        ("Sept. 9", date(2026, 1, 1), date(2025, 9, 9)),
        ("Mar 13, 2024", date(2026, 1, 1), date(2024, 3, 13)),
        ("Feb 29", date(2027, 1, 1), date(2024, 2, 29)),
        ("Feb 29", date(1904, 2, 28), date(1896, 2, 29)),
        ("Dec 31", date(1, 1, 1), None),
    ],
)
def test_a_day_without_a_year_is_the_latest_not_after_the_file(line: str, modified: date, day: date | None) -> None:
    """The year is that of the latest such day not after the file was modified."""
    header, _ = headers.peel(line, modified)
    assert (header.date if header else None) == day


def test_entries_after_a_repeated_header_take_its_day() -> None:
    """Each entry is published on the day of the last header before it."""
    papers = [f"Net{letter}: A Net\n{ABSTRACT}\n" for letter in "ABC"]
    text = f"Mar 13\n{papers[0]}Subscribe\n{papers[1]}Mar 14\n{papers[2]}"
    days = [entry.published for entry in trending.parse(text, MODIFIED).entries]
    assert days == [date(2025, 3, 13), date(2025, 3, 13), date(2025, 3, 14)]


def test_a_header_between_title_and_abstract_does_not_part_them() -> None:
    """An abstract belongs to its title even where header words stand between."""
    text = f"NetA: One Net\nSubscribe\n{ABSTRACT}\nNetB: Two Nets\n{ABSTRACT}"
    assert [entry.abstract for entry in trending.parse(text, MODIFIED).entries] == [ABSTRACT, ABSTRACT]


LINES = st.one_of(
    st.sampled_from([ABSTRACT, "NetA: A Net of Nets", "- a point", "小型模型", "x", "Is it?", "", " "]),
    st.text(st.characters(exclude_characters="\n\r\\$&<{}`-"), max_size=60),  # no markup, which goes
)


@given(st.lists(LINES, max_size=12))
@example(["Sub\x00scribe or not"])
@settings(max_examples=300, deadline=None)
def test_no_text_is_lost(lines: list[str]) -> None:
    """Titles and abstracts together are the text, white space and header words apart."""
    rests = [headers.peel(line, MODIFIED.day)[1] for line in headers.cut(tidy(line) for line in lines)]
    entries = trending.parse("\n".join(lines), MODIFIED).entries
    kept = "".join(entry.title + entry.abstract for entry in entries)
    assert "".join(kept.split()) == "".join("".join(rests).split())


@given(st.lists(LINES.filter(lambda line: not any(sign in line for sign in "SsGgbBAnN0123456789")), max_size=12))
@settings(max_examples=100, deadline=None)
def test_lines_without_header_words_are_all_kept(lines: list[str]) -> None:
    """Where no header word can be, every letter comes out in its order."""
    entries = trending.parse("\n".join(lines), MODIFIED).entries
    assert "".join(entry.title + entry.abstract for entry in entries).replace(" ", "") == "".join(
        tidy(line).replace(" ", "") for line in lines
    )


@given(
    st.lists(
        st.one_of(
            LINES,
            st.sampled_from(
                ["Subscribe", "new", "by AK and the research community", "Mar 13", "Feb 29, 2100", "May", "13"]
            ),
        ),
        max_size=6,
    ).map("".join),
    st.dates(),
)
@settings(max_examples=300, deadline=None)
def test_peeling_never_loses_what_is_no_header(line: str, modified: date) -> None:
    """What is left of any line is its end."""
    header, rest = headers.peel(tidy(line), modified)
    assert tidy(line).endswith(rest)
    assert header is not None or rest == tidy(line)


@pytest.mark.parametrize(
    "titles",
    [
        ["Attention is what you need.", "Scaling laws for small gardens.", "Stop!", "What does a mop look at?"],
        ["on the convergence of gardens", "robots are poor learners", "lost at home: how robots use long maps"],
        ["ON THE CONVERGENCE OF GARDENS", "ROBOTS ARE POOR LEARNERS"],
        [r"$\alpha$-Mops for $k$-Floors", "ε-greedy Is Enough", "(Almost) Free Water", "'Tis but a Mop", "S4"],
        ["Towards Better Mops: " + "A Study of Floors, Carpets and Stairs " * 7 + "in Nine Cities", "GPT"],
        ["小型天气模型的评估方法", "작은 로봇을 위한 지도"],
    ],
)
def test_titles_of_every_kind_are_told_from_abstracts(titles: list[str]) -> None:
    """Short, long, closed with a stop, in small letters or in capitals: a title before an abstract is a title."""
    for abstract in (ABSTRACT, "We show that mops suffice for floors of most kinds."):
        text = "\n".join(line for title in titles for line in (title, abstract))
        assert [(one.title, one.abstract) for one in trending.parse(text, MODIFIED).entries] == [
            (readable(title), abstract) for title in titles
        ]


def test_a_list_belongs_to_its_abstract() -> None:
    """Points of a list, with or without a stop at their end, are part of the abstract."""
    points = ["1. A new garden", "2) we water it;", "• It grows", "- and grows"]
    text = "\n\n".join(["NetA: A Net", ABSTRACT, *points, ABSTRACT, "NetB: Two Nets", ABSTRACT])
    assert [one.abstract for one in trending.parse(text, MODIFIED).entries] == [
        " ".join([ABSTRACT, *points, ABSTRACT]),
        ABSTRACT,
    ]
