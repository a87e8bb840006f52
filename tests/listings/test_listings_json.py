"""JSON and JSON Lines: what is loaded, what is rejected, and that nothing raises."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import ListingError
from digest.listings import Origin, parse, read
from digest.listings.drafts import RecordError, entry
from digest.listings.records import draft
from digest.model import Listing

TODAY = Origin(date(2026, 2, 1))
GOOD = [f'{{"title": "Paper {number}", "votes": {number}}}' for number in range(3)]


def rejections(text: str) -> list[tuple[int, str]]:
    return [(rejection.line, rejection.reason) for rejection in parse(text, TODAY).rejected]


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_bad_line_is_rejected_alone(place: int) -> None:
    """A broken line of JSON Lines is rejected with its number; the others are loaded."""
    listing = parse("\n".join([*GOOD[:place], '{"title": "cut sh', *GOOD[place:]]), TODAY)
    assert (listing.format, len(listing.entries)) == ("jsonl", 3)
    assert [(one.line, one.excerpt) for one in listing.rejected] == [(place + 1, '{"title": "cut sh')]


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_fault_inside_a_list_keeps_what_stands_before(place: int) -> None:
    """Where a JSON list breaks, the records before are loaded, and the fault has line and column."""
    text = "[\n" + ",\n".join([*GOOD[:place], '{"title" "no colon"}', *GOOD[place:]]) + "\n]"
    listing = parse(text, TODAY)
    assert [paper.title for paper in listing.entries] == [f"Paper {number}" for number in range(place)]
    [rejection] = listing.rejected
    assert rejection.line == place + 2
    assert f"line {place + 2}, column 10" in rejection.reason


@pytest.mark.parametrize("length", range(1, 95, 7))
def test_a_truncated_file_gives_the_records_that_are_whole(length: int) -> None:
    """A file cut anywhere gives its whole records, and one rejection for the rest."""
    text = json.dumps({"entries": [json.loads(record) for record in GOOD]})[:length]
    listing = parse(text, TODAY)
    assert len(listing.entries) == text.count("}")
    assert len(listing.rejected) == 1


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, 'no "title"'),
        ({"title": " "}, "the title is empty"),
        ({"title": ["x"]}, '"title" must be a string, not a list'),
        ({"title": "x", "authors": {"name": "A"}}, '"authors" must be a string or a list'),
        ({"title": "x", "authors": ["A", 1]}, "nothing but strings"),
        ({"title": "x", "published": "13/3/2025"}, "ISO date"),
        ({"title": "x", "published": 2025}, '"published"'),
        ({"title": "x", "votes": True}, '"votes" must be a whole number'),
        ({"title": "x", "votes": 1.5}, "not 1.5"),
        ({"title": "x", "votes": 10**30}, "not 1e+30"),
        ({"title": "x", "arxiv": 2501.01234}, '"arxiv" must be a string'),
    ],
)
def test_a_record_against_the_schema_says_which_key(record: dict[str, object], words: str) -> None:
    """A record of the wrong shape is refused by the name of the key and what was expected."""
    with pytest.raises(RecordError) as caught:
        entry(draft(record))
    assert words in str(caught.value)


def test_a_full_record_becomes_an_entry() -> None:
    """Every key of the schema arrives in the entry; names are split and days read as written."""
    record = {
        "title": " A\n title ", "abstract": "Text.", "authors": "Ada A; Ben B and Cem C", "categories": "cs.LG; cs.CL",
        "source": "Here", "published": "2025-03-13T23:59:00-08:00", "votes": 7, "arxiv": "arXiv:2501.01234v2",
    }  # fmt: skip
    found = entry(draft(record))
    assert (found.title, found.abstract, found.source, found.votes) == ("A title", "Text.", "Here", 7)
    assert (found.authors, found.categories) == (("Ada A", "Ben B", "Cem C"), ("cs.LG", "cs.CL"))
    assert (found.published, found.url) == (date(2025, 3, 13), "https://arxiv.org/abs/2501.01234")
    assert found.keys == ("arxiv:2501.01234", "title:a title")


def test_the_listing_speaks_for_entries_that_are_silent() -> None:
    """Source and date of the whole object go to entries without their own, wherever they stand in it."""
    text = '{"entries": [{"title": "a"}, {"title": "b", "source": "B"}], "source": "A", "date": "2025-01-02"}'
    listing = parse(text, TODAY)
    assert [(one.source, one.published) for one in listing.entries] == [
        ("A", date(2025, 1, 2)),
        ("B", date(2025, 1, 2)),
    ]


def test_what_a_listing_says_wrongly_of_itself_is_a_warning() -> None:
    """A curator or date that cannot be read costs no entry."""
    listing = parse('{"curator": 1, "date": "soon", "entries": [{"title": "a"}]}', TODAY)
    assert len(listing.entries) == 1
    assert [warning.split('"')[1] for warning in listing.warnings] == ["curator", "date"]


def test_unknown_keys_are_one_warning() -> None:
    """Unknown keys are named once, however many records have them."""
    text = "\n".join(f'{{"title": "{number}", "mood": 1, "colour": 2}}' for number in range(5))
    assert parse(text, TODAY).warnings == ("ignored unknown keys: colour, mood",)


@pytest.mark.parametrize("text", ["[]", '{"entries": []}', "Subscribe\nGet trending papers in your email inbox!"])
def test_a_known_format_without_entries_is_a_warning(text: str) -> None:
    """A listing that yields nothing says so."""
    listing = parse(text, TODAY)
    assert listing.entries == ()
    assert "no entries found" in listing.warnings[-1]


@pytest.mark.parametrize(
    "text",
    [
        '[{"title": "a"}, ' + "[" * 100_000,
        '{"title": ' + '{"a":' * 100_000,
        '[{"title": "a", "votes": ' + "9" * 10_000 + "}]",
        '[{"title": "a", "votes": NaN}]',
        '[{"title": "a", "votes": 1e999}]',
        '{"title": "a", "authors": ' + "[" * 900 + "]" * 900 + "}",
        "[{},]",
        '{"entries": [{"title": "a"}] "x"',
    ],
)
def test_hostile_json_is_rejected_and_never_raises(text: str) -> None:
    """Deep nesting, huge numbers and what JSON does not have end in a rejection."""
    assert rejections(text)


def test_lone_surrogates_and_control_characters_are_cleaned() -> None:
    """A title holds nothing that cannot be written as UTF-8 or that a mail must not hold."""
    [found] = parse(r'[{"title": "a\ud800b\u0000c\u001bd\ud83d\ude00"}]', TODAY).entries
    assert found.title == "a\ufffdbcd\U0001f600"


@given(st.binary() | st.text().map(str.encode) | st.text('[]{}",:\n 1ae\\').map(str.encode), st.dates())
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_a_listing_or_a_listing_error(content: bytes, modified: date) -> None:
    """No file raises anything but ListingError."""
    with suppress(ListingError):
        assert isinstance(read(content, Origin(modified)), Listing)
