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
from collections.abc import Iterator
from datetime import date
from functools import partial
from urllib.parse import quote

from digest.listings import json_text
from digest.listings.drafts import Draft, RecordError
from digest.listings.gathering import Gathering
from digest.listings.json_text import Cursor
from digest.listings.keys import arxiv_id
from digest.listings.origin import Origin
from digest.listings.records import day_of, kind
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


def parse(text: str, origin: Origin) -> Listing:  # noqa: ARG001 - every format has this signature
    """The entries of a reply of the API."""
    gathering = Gathering()
    json_text.read(text, gathering, partial(_read_value, gathering=gathering))
    return gathering.listing(FORMAT, source=SOURCE)


def _read_value(cursor: Cursor, gathering: Gathering) -> None:
    """One value at the top: a list of papers, or a paper."""
    for value, line, excerpt in cursor.members() if cursor.peek() == "[" else _alone(cursor):
        try:
            gathering.add(_draft(value), line, excerpt)
        except RecordError as error:
            gathering.reject(line, str(error), excerpt)


def _alone(cursor: Cursor) -> Iterator[tuple[object, int, str]]:
    line, excerpt = cursor.line(), cursor.excerpt()
    yield cursor.value(), line, excerpt


def _draft(value: object) -> Draft:
    """What an object says. Raises RecordError."""
    if not isinstance(value, dict):
        raise RecordError(f"expected a paper (an object), found {kind(value)}")
    inner = value.get("paper")
    paper = value | {key: said for key, said in inner.items() if said is not None} if isinstance(inner, dict) else value
    title, number, votes = _text(paper.get("title")), _text(paper.get("id")), paper.get("upvotes")
    if not title:
        raise RecordError('no "title"')
    return Draft(
        title=title,
        abstract=_text(paper.get("summary")),
        authors=_names(paper.get("authors")),
        categories=tuple(_texts(paper.get("ai_keywords"))),
        source=SOURCE,
        url=f"https://huggingface.co/papers/{quote(number, errors='replace')}" if number else "",
        published=_day(paper.get("publishedAt")),
        votes=votes if isinstance(votes, int) and not isinstance(votes, bool) else None,
        arxiv=number if arxiv_id(number) else "",
        links=tuple(link for link in map(_text, (paper.get("githubRepo"), paper.get("projectPage"))) if _is_web(link)),
    )


def _names(value: object) -> tuple[str, ...]:
    """The names of authors; "hidden" ones wrote the paper as well."""
    people = value if isinstance(value, list) else []
    return tuple(_texts([one.get("name") if isinstance(one, dict) else one for one in people]))


def _texts(value: object) -> Iterator[str]:
    return filter(None, map(_text, value)) if isinstance(value, list) else iter(())


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _day(value: object) -> date | None:
    try:
        return day_of(value)
    except RecordError:
        return None


def _is_web(link: str) -> bool:
    return link.startswith(("https://", "http://"))
