"""The daily papers of Hugging Face, as its API gives them.

https://huggingface.co/api/daily_papers and …/api/papers/search give a list of objects with "paper"; …/api/papers/ID
gives such a paper alone. A paper is an object with these keys, of which any but "title" may be missing or null:

    id                       an arXiv id; its page on Hugging Face is the entry's address
    title, summary           may stand beside "paper", too, as may "publishedAt"
    authors                  list of objects with "name"
    publishedAt              when the paper was published (of another version, or on the day of the list: not asked)
    upvotes                  whole number
    ai_keywords              list of strings; they are the entry's categories
    projectPage, githubRepo  web addresses

The keys are not ours, so a value of another kind counts as missing. A paper without a title is rejected alone; where
the JSON itself breaks, what stands before is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import quote

from digest.listings import json_text
from digest.listings.days import day_in
from digest.listings.drafts import Draft, RecordError
from digest.listings.gathering import Gathering
from digest.listings.json_text import Cursor, said, several
from digest.listings.keys import arxiv_id
from digest.listings.origin import Origin
from digest.listings.records import kind
from digest.model import Listing

FORMAT = "hf-daily"
SOURCE = "Hugging Face daily papers"
_ENOUGH = 50_000  # characters that show what a text is; a paper may have hundreds of authors
_BEGINNING = re.compile(r"\s*(?:\[\s*)?\{")
_LISTED = re.compile(r'"paper"\s*:\s*\{')
_PAPER = re.compile(r'"(?:upvotes|discussionId|submittedOnDailyAt|ai_summary)"\s*:')
_SUMMARY = re.compile(r'"summary"\s*:')


def recognise(text: str) -> bool:
    """Whether a text begins like JSON with "paper" in it, or with "summary" and a key that nobody else has."""
    if not _BEGINNING.match(text):
        return False
    head = text[:_ENOUGH]
    return bool(_LISTED.search(head) or (_PAPER.search(head) and _SUMMARY.search(head)))


def parse(text: str, _: Origin) -> Listing:
    """The entries of a reply of the API."""
    gathering = Gathering()
    json_text.read(text, gathering, partial(_read_value, gathering=gathering))
    return gathering.listing(FORMAT, source=SOURCE)


def _read_value(cursor: Cursor, gathering: Gathering) -> None:
    """One value at the top: a list of papers, or a paper."""
    for value, line, excerpt in cursor.values():
        gathering.add(partial(_draft, value), line, excerpt)


def _draft(value: object) -> Draft:
    """What an object says. Raises RecordError."""
    if not isinstance(value, dict):
        raise RecordError(f"expected a paper (an object), found {kind(value)}")
    inner = value.get("paper")
    paper = value | {key: one for key, one in inner.items() if one is not None} if isinstance(inner, dict) else value
    title, number, votes = said(paper, "title"), said(paper, "id"), paper.get("upvotes")
    if not title:
        raise RecordError('no "title"')
    return Draft(
        title=title,
        abstract=said(paper, "summary"),
        authors=tuple(_names(paper)),
        categories=tuple(word for word in several(paper, "ai_keywords") if isinstance(word, str)),
        source=SOURCE,
        url=f"https://huggingface.co/papers/{quote(number, errors='replace')}" if number else "",
        published=day_in(said(paper, "publishedAt")),
        votes=votes if isinstance(votes, int) and not isinstance(votes, bool) else None,
        arxiv=number if arxiv_id(number) else "",
        links=(said(paper, "githubRepo"), said(paper, "projectPage")),
    )


def _names(paper: Mapping[str, object]) -> Iterator[str]:
    """The names of authors; "hidden" ones wrote the paper as well."""
    for one in several(paper, "authors"):
        name = one.get("name") if isinstance(one, dict) else one
        if isinstance(name, str):
            yield name
