"""What each keyword of some profiles does in a window, and advice from that.

Rules (advice is given only in clear cases, and on a keyword that `lint` has nothing to say of)
-----
1. A word of it stands in no entry, and one that is nearly the same does.
2. It hits nothing.
3. Exclusions of its profile keep out all that it hits.
4. It hits more than BROAD of the entries, and at least BROAD_FROM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from digest.matching.arrays import Flags, unpacked
from digest.matching.search import Sense
from digest.matching.spelling import Spelling
from digest.matching.table import Row, Table
from digest.model import Profile
from digest.profiles import Advice, And, InField, Not, Or, Phrase, Query, Words, lint

BROAD, BROAD_FROM = 0.25, 20


@dataclass(frozen=True, slots=True)
class KeywordHits:
    """Of a keyword: the entries in the profile's matches that it hits, and those that only it brings."""

    profile: str
    keyword: str
    entries: int
    alone: int


@dataclass(frozen=True, slots=True)
class KeptOut:
    """Of an exclusion: the entries that its profile would have matched without exclusions, and that it keeps out."""

    profile: str
    keyword: str
    entries: int


class Trace(NamedTuple):
    """A keyword of a profile as typed, its row, and which columns it hits."""

    keyword: str
    row: Row
    columns: Flags

    @property
    def excluded(self) -> bool:
        """Whether it is an exclusion."""
        return self.row.keyword.excluded


class Usage(NamedTuple):
    """A profile with the traces of its keywords, the columns that any one hits, and those that exclusions leave."""

    profile: Profile
    traces: tuple[Trace, ...]
    hit: Flags
    left: Flags


def usages(table: Table, profiles: Sequence[Profile]) -> list[Usage]:
    """What the keywords of these profiles do. Raises QueryError."""
    rows = [table.numbers(profile) for profile in profiles]
    bits, width = table.evaluated().bits, len(table.window.entries)
    found = []
    for profile, mine in zip(profiles, rows, strict=True):
        traces = []
        for keyword, row in zip(profile.keywords, mine, strict=True):
            traces.append(Trace(keyword, table.rows[row], unpacked(bits[row : row + 1], width)[0]))
        hit, kept_out = (_any(traces, width, excluded=excluded) for excluded in (False, True))
        found.append(Usage(profile, tuple(traces), hit, hit & ~kept_out))
    return found


def _any(traces: Sequence[Trace], width: int, *, excluded: bool) -> Flags:
    flags = np.zeros(width, dtype=bool)
    for trace in traces:
        if trace.excluded == excluded:
            flags |= trace.columns
    return flags


def keyword_hits(found: Sequence[Usage]) -> Iterator[KeywordHits]:
    """What each keyword brings, in order; exclusions bring nothing and are left out."""
    bringing = [(usage, trace) for usage in found for trace in usage.traces if not trace.excluded]
    if not bringing:
        return
    times = np.sum([trace.columns & usage.left for usage, trace in bringing], axis=0, dtype=np.int32)
    for usage, trace in bringing:
        columns = trace.columns & usage.left
        alone = int((columns & (times == 1)).sum())
        yield KeywordHits(usage.profile.name, trace.keyword, int(columns.sum()), alone)


def kept_out(found: Sequence[Usage]) -> Iterator[KeptOut]:
    """What each exclusion keeps out, in order."""
    for usage in found:
        for trace in usage.traces:
            if trace.excluded:
                yield KeptOut(usage.profile.name, trace.keyword, int((trace.columns & usage.hit).sum()))


def advice(found: Sequence[Usage], table: Table, spelling: Spelling, days: int) -> list[Advice]:
    """All advice on these profiles, each in the order of its keywords; `days`: how long the window is."""
    said: list[Advice] = []
    for usage in found:
        linted = lint(usage.profile)
        quiet = {trace.keyword: trace for trace in usage.traces} if len(table.window.entries) else {}
        for one in linted:
            quiet.pop(one.keyword, None)
        told = (_told(trace, usage, table, spelling, days) for trace in quiet.values())
        places = {keyword: place for place, keyword in enumerate(usage.profile.keywords)}
        own = [*linted, *(one for one in told if one)]
        said += sorted(own, key=lambda one: places.get(one.keyword, -1))
    return list(dict.fromkeys(said))


def _told(trace: Trace, usage: Usage, table: Table, spelling: Spelling, days: int) -> Advice | None:
    """The first rule that holds for a keyword."""
    period = f"the last {days} days" if days > 1 else "the last day"
    for word, meant in _misspelled(trace.row, table, spelling):
        return Advice(trace.keyword, f"“{word}” stands in no entry of {period}", f"Did you mean “{meant}”?")
    if trace.excluded:
        return None
    hits = int(trace.columns.sum())
    if not hits:
        return Advice(trace.keyword, f"No hit in {period}", "Keep it if it is rare, or try fewer or other words.")
    if not (trace.columns & usage.left).any():
        names = " and ".join(_keeping_out(trace, usage))
        what = "The one entry" if hits == 1 else f"All {hits:,} entries"
        return Advice(trace.keyword, f"{what} that it hits in {period}: kept out by {names}", "Remove one of them.")
    entries = len(table.window.entries)
    if hits >= BROAD_FROM and hits > BROAD * entries:
        reason = f"Very broad: it hits {hits:,} of the {entries:,} entries of {period}"
        return Advice(trace.keyword, reason, "Add a word to it, or put its words in quotes.")
    return None


def _keeping_out(trace: Trace, usage: Usage) -> list[str]:
    """The exclusions that keep out what a keyword hits: one, if one does it all, else all of them."""
    against = [other for other in usage.traces if other.excluded and (other.columns & trace.columns).any()]
    whole = [other for other in against if not (trace.columns & ~other.columns).any()]
    return [other.keyword for other in whole[:1] or against]


def _misspelled(row: Row, table: Table, spelling: Spelling) -> Iterator[tuple[str, str]]:
    """The words of a keyword that stand nowhere, and what was meant where that is clear and stands there."""
    terms = table.search.terms
    for word, sense in _words(row.keyword.query, row.sense):
        view = sense.view._replace(strictness="free")
        (number,) = terms.words((word,), view)
        if number in terms.absent and (meant := spelling.meant(word)):
            (other,) = terms.words((meant,), view)
            if other not in terms.absent:
                yield word, meant


def _words(query: Query, sense: Sense) -> Iterator[tuple[str, Sense]]:
    """The words that a query wants, and in which sense."""
    match query:
        case Words(words):
            yield from ((word, sense) for word in words)
        case Phrase(phrase):
            yield from ((word, sense) for word in phrase.split())
        case InField(field, inner):
            yield from _words(inner, sense.within(field))
        case And(queries) | Or(queries):
            for each in queries:
                if not isinstance(each, Not):
                    yield from _words(each, sense)
        case _:
            pass
