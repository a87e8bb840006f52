"""What a template sees of an entry: text that is clean, cut to a decent length, and already in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from digest.model import Entry, Movement, Reason
from digest.rendering.clean import clean, cut
from digest.rendering.links import Link, links, safe_url
from digest.rendering.marks import Part, hits, parts
from digest.rendering.snippet import snippet
from digest.rendering.split import SLOT

TITLE, HEADING, NAME, LABEL = 300, 110, 80, 60  # longest texts shown, in characters
ABSTRACT, HITS = 20_000, 200  # how much of an abstract, and how many hits in it, the snippet is chosen from
AUTHORS, LABELS = 3, 8
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEIGHT = re.compile(r"\^[0-9.]+$")
_WRAPPED = re.compile(r'"[^"]+"|\([^()]+\)')
_FIELD = re.compile(r"^(?:title|abstract|author|category|source):(?=.)")


class Label(NamedTuple):
    """A keyword that hit; `field` is empty for title and abstract, where people expect it."""

    text: str
    field: str


class Row(NamedTuple):
    """An entry of which only the title is shown; `heading` is a shorter title, `rank` a slot for a row of contents."""

    rank: str
    title: str
    heading: str
    url: str


class Moved(NamedTuple):
    """How an entry moved in a ranking, in signs ("#14 → #3"), and as it is said aloud ("rose from 14 to 3")."""

    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Card:
    """An entry as the templates see it; what is not known is empty.

    `rank` is a slot. `updated` says that a new version was announced. `facts` are those of `updated`, `source`, `date`
    and `votes` that are known; they stand in one line, with `moved` behind them. `reasons` are all keywords that hit,
    `labels` the first of them, cut to the length of a label, `more_labels` counts the others. `profiles` is filled only
    for a subscriber with several. `more` and `less` lead to the pages that ask for more or less like this.
    """

    rank: str
    url: str
    title: str
    title_parts: tuple[Part, ...]
    heading: str
    authors: str
    source: str
    date: str
    votes: str
    updated: str
    facts: tuple[str, ...]
    moved: Moved | None
    snippet: str
    snippet_parts: tuple[Part, ...]
    reasons: tuple[Label, ...]
    labels: tuple[Label, ...]
    more_labels: int
    links: tuple[Link, ...]
    profiles: tuple[str, ...]
    more: str = ""
    less: str = ""


OWN = {
    "title_parts": "title",
    **dict.fromkeys(("snippet", "snippet_parts"), "abstract"),
    **dict.fromkeys(("reasons", "labels", "more_labels"), "reasons"),
    "profiles": "profiles",
    **dict.fromkeys(("rank", "more", "less"), SLOT),
}
"""What of a card is a reader's own: it depends on why they get it, each kind in another way, or on its rank."""


class Facts(NamedTuple):
    """What is said of an entry whoever gets it."""

    url: str
    title: str
    heading: str
    authors: str
    source: str
    date: str
    votes: str
    updated: str
    told: tuple[str, ...]
    abstract: str
    links: tuple[Link, ...]


@lru_cache(maxsize=1 << 14)
def facts(entry: Entry) -> Facts:
    """An entry in clean words; a very long title is cut."""
    title, url, abstract = clean(entry.title), safe_url(entry.url), clean(entry.abstract[:ABSTRACT])
    source = cut(clean(entry.source), NAME)
    day = short_date(entry.published) if entry.published else ""
    votes = "" if entry.votes is None else "1 vote" if entry.votes == 1 else f"{entry.votes:,} votes"
    return Facts(
        url=url,
        title=cut(title, TITLE) or "(no title)",
        heading=cut(title, HEADING) or "(no title)",
        authors=authors(entry.authors),
        source=source,
        date=day,
        votes=votes,
        updated=updated(entry),
        told=tuple(filter(None, (updated(entry), source, day, votes))),
        abstract=abstract,
        links=links(abstract, url, entry.links),
    )


def card(
    rank: str,
    entry: Entry,
    reasons: Sequence[Reason],
    *,
    several: bool,
    movement: Movement | None = None,
    more: str = "",
    less: str = "",
) -> Card:
    """An entry with the reasons why one subscriber gets it; `several`: that subscriber has several profiles."""
    fact = facts(entry)
    shown, shown_parts = _shown(fact.abstract, _words(reasons, "abstract"))
    named = _labels(reasons)
    return Card(
        rank=rank,
        url=fact.url,
        title=fact.title,
        title_parts=_marked(fact.title, _words(reasons, "title")),
        heading=fact.heading,
        authors=fact.authors,
        source=fact.source,
        date=fact.date,
        votes=fact.votes,
        updated=fact.updated,
        facts=fact.told,
        moved=moved(movement, fact.source) if movement else None,
        snippet=shown,
        snippet_parts=shown_parts,
        reasons=named,
        labels=tuple([_cut(one) for one in named[:LABELS]]),
        more_labels=max(0, len(named) - LABELS),
        links=fact.links,
        profiles=_profiles(reasons) if several else (),
        more=more,
        less=less,
    )


def row(rank: str, entry: Entry) -> Row:
    """An entry of which only the title is shown."""
    fact = facts(entry)
    return Row(rank, fact.title, fact.heading, fact.url)


def updated(entry: Entry) -> str:
    """What is said where a new version was announced: "Updated to v2"."""
    if not entry.updated:
        return ""
    return f"Updated to v{entry.version}" if entry.version else "Updated"


def moved(movement: Movement, beside: str) -> Moved:
    """A movement in a ranking, which is named unless it is the source that stands `beside` it already."""
    source, first, last = cut(clean(movement.source), NAME), f"{movement.first:,}", f"{movement.last:,}"
    where = f" on {source}" if source != beside else ""
    way = "rose" if movement.last < movement.first else "fell"
    return Moved(f"#{first}\u00a0→\u00a0#{last}{where}", f"{way} from {first} to {last}{where}")


def authors(names: Sequence[str]) -> str:
    """The first three names and how many more there are."""
    shown = [cut(clean(name), NAME) for name in names[:AUTHORS]]
    others = len(names) - len(shown)
    if not others:
        return ", ".join(shown)
    return f"{', '.join(shown)} and {others} other{'s' if others > 1 else ''}"


@lru_cache(maxsize=1 << 14)
def label(keyword: str, field: str) -> Label:
    """A keyword in the words of its owner, without weight, quotes and field prefix: `author:"Ada"^2` → Ada, author."""
    text = _FIELD.sub("", _WEIGHT.sub("", clean(keyword)))
    if _WRAPPED.fullmatch(text):
        text = text[1:-1]
    return Label(text, "" if field in ("title", "abstract") else field)


@lru_cache(maxsize=1 << 12)
def short_date(day: date) -> str:
    """As in "20 Nov 2026"."""
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def _cut(named: Label) -> Label:
    return named if len(named.text) <= LABEL else Label(cut(named.text, LABEL), named.field)


def _labels(reasons: Sequence[Reason]) -> tuple[Label, ...]:
    return tuple(dict.fromkeys([label(reason.keyword, reason.field) for reason in reasons]))


def _profiles(reasons: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([clean(reason.profile) for reason in reasons]))


def _words(reasons: Sequence[Reason], field: str) -> tuple[str, ...]:
    """The pieces of a field that hit, each once."""
    found = [reason.words for reason in reasons if reason.field == field]
    return found[0] if len(found) == 1 else tuple(dict.fromkeys(chain.from_iterable(found)))


@lru_cache(maxsize=1 << 13)
def _marked(text: str, words: tuple[str, ...]) -> tuple[Part, ...]:
    return parts(text, hits(text, words))


@lru_cache(maxsize=1 << 14)
def _shown(abstract: str, words: tuple[str, ...]) -> tuple[str, tuple[Part, ...]]:
    """The snippet, and the same in parts."""
    shown = snippet(abstract, hits(abstract, words)[:HITS])
    return shown, parts(shown, hits(shown, words))
