"""What a template sees of an entry: text that is clean, cut to a decent length, and already in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from digest.model import Entry, Movement, Reason
from digest.rendering.clean import clean, cut
from digest.rendering.links import Link, links, safe_url
from digest.rendering.marks import Part, hits, parts
from digest.rendering.snippet import snippet

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

    `rank` is a slot. `updated` says that a new version was announced. `facts` stand in one line, with `moved` behind
    them. `labels` are the first keywords that hit, `more_labels` counts the others, `reasons` are all. `profiles` is
    filled only for a subscriber with several. `more` and `less` lead to the pages that ask for more or less like this.
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
    moved: Moved | None
    snippet: str
    snippet_parts: tuple[Part, ...]
    reasons: tuple[Label, ...]
    links: tuple[Link, ...]
    profiles: tuple[str, ...]
    more: str = ""
    less: str = ""

    @property
    def facts(self) -> tuple[str, ...]:
        """What is known of: whether it is an update, source, date, votes."""
        return tuple(filter(None, (self.updated, self.source, self.date, self.votes)))

    @property
    def labels(self) -> tuple[Label, ...]:
        """The first reasons, cut to the length of a label."""
        return tuple(Label(cut(label.text, LABEL), label.field) for label in self.reasons[:LABELS])

    @property
    def more_labels(self) -> int:
        """How many reasons have no label."""
        return max(0, len(self.reasons) - LABELS)


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
    abstract: str
    links: tuple[Link, ...]


@lru_cache(maxsize=1 << 12)
def facts(entry: Entry) -> Facts:
    """An entry in clean words; a very long title is cut."""
    title, url, abstract = clean(entry.title), safe_url(entry.url), clean(entry.abstract[:ABSTRACT])
    return Facts(
        url=url,
        title=cut(title, TITLE) or "(no title)",
        heading=cut(title, HEADING) or "(no title)",
        authors=authors(entry.authors),
        source=cut(clean(entry.source), NAME),
        date=short_date(entry.published) if entry.published else "",
        votes="" if entry.votes is None else "1 vote" if entry.votes == 1 else f"{entry.votes:,} votes",
        updated=updated(entry),
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
    words = _words(reasons, "abstract")
    shown = snippet(fact.abstract, hits(fact.abstract, words)[:HITS])
    return Card(
        rank=rank,
        url=fact.url,
        title=fact.title,
        title_parts=parts(fact.title, hits(fact.title, _words(reasons, "title"))),
        heading=fact.heading,
        authors=fact.authors,
        source=fact.source,
        date=fact.date,
        votes=fact.votes,
        updated=fact.updated,
        moved=moved(movement, fact.source) if movement else None,
        snippet=shown,
        snippet_parts=parts(shown, hits(shown, words)),
        reasons=tuple(dict.fromkeys(label(reason.keyword, reason.field) for reason in reasons)),
        links=fact.links,
        profiles=tuple(dict.fromkeys(clean(reason.profile) for reason in reasons)) if several else (),
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


def _words(reasons: Sequence[Reason], field: str) -> dict[str, None]:
    return dict.fromkeys(word for reason in reasons if reason.field == field for word in reason.words)
