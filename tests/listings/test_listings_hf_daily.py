"""The daily papers of Hugging Face: every shape of the API, missing and odd values, broken JSON."""

from __future__ import annotations

import json
from datetime import date

import pytest

from digest.listings import hf_daily
from digest.listings.origin import Origin
from digest.listings.sniff import sniff
from digest.model import Entry, Listing

TODAY = Origin(date(2026, 2, 1))
PAPER: dict[str, object] = {
    "id": "2501.01234",
    "authors": [{"_id": "1", "name": "Ada B.", "hidden": False}, {"_id": "2", "name": "Bao C.", "hidden": True}],
    "publishedAt": "2025-01-17T19:04:11.000Z",
    "submittedOnDailyAt": "2025-01-21T03:55:12.777Z",
    "title": "A Title\n  on Two Lines",
    "summary": "Some\nwords.",
    "upvotes": 42,
    "discussionId": "d",
    "projectPage": "https://example.org/a",
    "githubRepo": "https://github.com/example/a",
    "ai_summary": "Other words.",
    "ai_keywords": ["speech", "pruning"],
}
LISTED: dict[str, object] = {
    "paper": PAPER, "publishedAt": "2025-01-18T00:00:00Z", "title": "Outer", "summary": "Outer.", "numComments": 1,
}  # fmt: skip


def parsed(value: object) -> Listing:
    return hf_daily.parse(json.dumps(value), TODAY)


def only(value: object) -> Entry:
    listing = parsed(value)
    assert listing.rejected == ()
    [entry] = listing.entries
    return entry


@pytest.mark.parametrize("shape", [[LISTED], [PAPER], PAPER, LISTED])
def test_every_shape_gives_the_same_entry(shape: object) -> None:
    """The daily list, the search and a single paper say the same of a paper."""
    assert sniff(json.dumps(shape)) == "hf-daily"
    found = only(shape)
    assert found.keys[0] == "arxiv:2501.01234"
    assert (found.title, found.abstract) == ("A Title on Two Lines", "Some words.")
    assert (found.authors, found.categories) == (("Ada B.", "Bao C."), ("speech", "pruning"))
    assert (found.source, found.url) == ("Hugging Face daily papers", "https://huggingface.co/papers/2501.01234")
    assert (found.published, found.votes) == (date(2025, 1, 17), 42)
    assert set(found.links) == {"https://github.com/example/a", "https://example.org/a"}


def test_what_the_paper_lacks_is_taken_from_beside_it() -> None:
    """Title, summary and day stand beside the paper, too, and serve where its own are missing or null."""
    found = only([LISTED | {"paper": {"id": "2501.01234", "title": None}}])
    assert (found.title, found.abstract, found.published) == ("Outer", "Outer.", date(2025, 1, 18))


def test_the_words_of_a_machine_are_no_abstract() -> None:
    """Without a summary there is no abstract, for the one by AI is not the authors'."""
    assert only({key: value for key, value in PAPER.items() if key != "summary"}).abstract == ""


@pytest.mark.parametrize(
    "odd", [None, -(10**40), 1.5, True, "odd", [], [None], [1], {}, {"name": 1}, [{"name": None}], "\ud800"]
)
@pytest.mark.parametrize("key", [key for key in PAPER if key != "title"])
def test_an_odd_value_costs_only_itself(key: str, odd: object) -> None:
    """A value of another kind counts as missing; the paper is loaded, and can be stored."""
    found = only([{"paper": PAPER | {key: odd}}])
    assert found.title == "A Title on Two Lines"
    assert repr(found).encode()
    assert found.votes is None or found.votes == 42
    assert all(link.startswith("https://") for link in found.links)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"paper": {"id": "1"}}, 'no "title"'),
        ({"paper": {"title": " "}, "title": ""}, 'no "title"'),
        ({"paper": None, "upvotes": 1}, 'no "title"'),
        ("words", 'expected a paper (an object), found "words"'),
        ([], "expected a paper (an object), found a list"),
    ],
)
def test_what_is_no_paper_is_rejected_alone(value: object, reason: str) -> None:
    """A value without a title is rejected with its line; those around it are loaded."""
    listing = hf_daily.parse(json.dumps([PAPER, value, LISTED], indent=None).replace("}, ", "},\n"), TODAY)
    assert len(listing.entries) == 2
    [rejected] = listing.rejected
    assert rejected.reason == reason
    assert rejected.line > 1


def test_papers_one_after_the_other_are_read() -> None:
    """Replies saved into one file, one behind the other, are read as one."""
    text = json.dumps(PAPER) + "\n" + json.dumps([LISTED | {"paper": PAPER | {"id": "2501.00002"}}])
    assert [entry.keys[0] for entry in hf_daily.parse(text, TODAY).entries] == ["arxiv:2501.01234", "arxiv:2501.00002"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[{"title": "a", "abstract": "b", "votes": 3}]', "json"),
        ('[{"title": "a", "abstract": "\\"paper\\": {", "keywords": []}]', "json"),
        ('{"title": "a", "summary": "b"}', "jsonl"),
        ('{"entries": [{"title": "upvotes", "abstract": "summary"}]}', "json"),
        ("[]", "json"),
        ('  [\n {\n "paper" : {', "hf-daily"),
    ],
)
def test_other_json_is_left_to_its_formats(text: str, name: str) -> None:
    """Only what has the keys of the API is read as such."""
    assert sniff(text) == name
