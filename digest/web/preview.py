"""What a preview shows of profiles as they are typed: the same on the first page and among the preferences.

Rules
-----
1. A keyword that cannot be read yet stops no other: it is named with its place, and the others are looked at.
2. What is typed is bounded like what is saved: so many keywords in so many profiles, and no more.
3. Strangers type here, and others wait meanwhile: what would take seconds to try is left out and said to be. A part of
   a keyword (word, phrase, prefix) costs 1, a pattern PATTERN, and ROOM is what one preview may cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from starlette.responses import Response

from digest.backtest import Backtest, Change, KeptOut, KeywordHits, Trials
from digest.errors import QueryError
from digest.model import Profile
from digest.profiles import Advice, And, InField, Not, Or, Pattern, Query, parse
from digest.rendering.cards import Card, Row, card, row, short_date
from digest.rendering.clean import cut
from digest.store.rates import Rate
from digest.web import forms
from digest.web.desk import Asked
from digest.web.forms import ProfileFields

MOST_CARDS, MOST_TITLES = 10, 20
RATE = Rate("preview", 120, 60)
"""Of one client, wherever it types."""
PATTERN, ROOM = 100, 450
_TOO_DEAR = "Not tried here, for so many take too long while you type"
_AROUND, _LEAST_BARS = 60, 3


@dataclass(frozen=True, slots=True)
class Fault:
    """A keyword that cannot be read: what stands before the fault and from there on, why, and what to do."""

    before: str
    after: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a template shows. `bars` are the matches of each day, `more` counts those without a card."""

    summary: str
    faults: tuple[Fault, ...] = ()
    cards: tuple[Card, ...] = ()
    more: int = 0
    keywords: tuple[KeywordHits, ...] = ()
    kept_out: tuple[KeptOut, ...] = ()
    matched: int = 0
    several: bool = False
    bars: tuple[tuple[str, int], ...] = ()
    chart: str = ""
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What an edit changes: how many entries come in and fall out, and of the best of them the titles.

    `period`: the last days, in words ("": they could not be looked at).
    """

    period: str
    plus: int
    minus: int
    added: tuple[Row, ...]
    removed: tuple[Row, ...]

    @property
    def summary(self) -> str:
        """All of it in one line."""
        change = f"+{self.plus:,} −{self.minus:,}" if self.plus or self.minus else "Nothing changes"
        return f"{change} in {self.period}."


def preview(trials: Trials, typed: Sequence[ProfileFields], now: int) -> Preview:
    """What the profiles in a form would have brought in the last days."""
    profiles, faults, left = _typed(typed)
    if not any(profile.keywords for profile in profiles):
        return Preview("Write a keyword to see what it would have brought.", tuple(faults), advice=tuple(left))
    found = trials.backtest(profiles, now, MOST_CARDS)
    several = len(profiles) > 1
    return Preview(
        summary=summary(found),
        faults=tuple(faults),
        cards=tuple(
            card(str(rank), entry, match.reasons, several=several)
            for rank, (match, entry) in enumerate(found.shown, start=1)
        ),
        more=found.matched - len(found.shown),
        keywords=found.keywords,
        matched=found.matched,
        several=several,
        kept_out=found.kept_out,
        bars=tuple((short_date(day), number) for day, number in found.by_day) if found.days >= _LEAST_BARS else (),
        chart=_chart_words(found),
        advice=(*found.advice, *left),
    )


def difference(trials: Trials, before: Sequence[Profile], typed: Sequence[ProfileFields], now: int) -> Difference:
    """What would be different if the profiles in a form were saved."""
    return told(trials.change(_tried(before).profiles, _typed(typed).profiles, now), MOST_TITLES)


def told(change: Change, titles: int) -> Difference:
    """A change, with so many titles of each kind at most."""
    added, removed = (tuple(row("", entry) for entry in entries[:titles]) for entries in (change.added, change.removed))
    period = f"the last {_days(change.days)}" if change.days else ""
    return Difference(period, len(change.added), len(change.removed), added, removed)


def shown(asked: Asked, found: Preview, change: Difference | None = None) -> Response:
    """The part of a page that a preview is, for htmx."""
    return asked.show_part("preview.html", "preview", preview=found, difference=change, part=True)


def summary(found: Backtest) -> str:
    """One line: how many match, of how many, how often."""
    if not found.considered:
        return f"Nothing came in during the last {_days(found.days)}, so there is nothing to show yet."
    match = "matches" if found.matched == 1 else "match"
    return f"{found.matched:,} of {found.considered:,} entries in the last {_days(found.days)} {match}{_often(found)}."


class _Tried(NamedTuple):
    """Profiles of the keywords that are looked at, what is wrong with others, and what was left out."""

    profiles: list[Profile]
    faults: list[Fault]
    left: list[Advice]


def _typed(fields: Sequence[ProfileFields]) -> _Tried:
    return _tried([one.profile for one in fields[: forms.MOST_PROFILES]])


def _tried(wanted: Sequence[Profile]) -> _Tried:
    tried, room = _Tried([], [], []), ROOM
    for profile in wanted:
        keywords: list[str] = []
        for keyword in profile.keywords:
            try:
                cost = _cost(parse(keyword).query)
            except QueryError as error:
                tried.faults.append(_fault(error))
                continue
            if cost <= room:
                keywords.append(keyword)
                room -= cost
            else:
                tried.left.append(Advice(keyword, _TOO_DEAR, "It counts in the mail all the same."))
        tried.profiles.append(replace(profile, keywords=tuple(keywords)))
    return tried


def _cost(query: Query) -> int:
    match query:
        case And(queries) | Or(queries):
            return sum(map(_cost, queries))
        case Not(inner) | InField(_, inner):
            return _cost(inner)
        case Pattern():
            return PATTERN
    return 1


def _fault(error: QueryError) -> Fault:
    before, after = error.keyword[: error.column], error.keyword[error.column :]
    begins = f"…{before[-_AROUND:]}" if len(before) > _AROUND else before
    return Fault(begins, cut(after, _AROUND), error.reason, error.hint)


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"


def _often(found: Backtest) -> str:
    a_day = found.matched / max(1, found.days)
    return f", {a_day:.1f} a day" if found.days > 1 and a_day >= 0.1 else ""


def _chart_words(found: Backtest) -> str:
    most = max(found.by_day, key=lambda day: day[1], default=None)
    if most is None or not most[1]:
        return f"No matches in the last {_days(found.days)}"
    return f"Matches of each day; the most, {most[1]:,}, on {short_date(most[0])}"
