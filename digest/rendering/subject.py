"""The words that a person sees first: the subject, the preheader, and the date and summary on top of the mail.

Rules
-----
1. An edition of one day is dated with that day; one of several with the first and the last.
2. Of the first date only that is said in which it differs from the last. The subject has years only where they differ.
3. In the body, a range breaks nowhere but behind its dash.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from digest.rendering.cards import MONTHS
from digest.rendering.clean import cut

SUBJECT, KEYWORDS, PREHEADER = 78, 3, 140
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def subject(matched: int, keywords: Iterable[str], since: date, day: date) -> str:
    """The subject, as in "7 new papers: reward model, LoRA — 20 Nov"; `since` is the first day covered, `day` the last.

    At most three keywords, as many as 78 characters hold.
    """
    count = "1 new paper" if matched == 1 else f"{matched:,} new papers"
    end = f" — {short_dates(since, day)}"
    room = SUBJECT - len(count) - len(end)
    named: dict[str, str] = {}
    for keyword in keywords:
        folded = keyword.lower()
        if folded not in named and len(keyword) + 2 <= room:
            named[folded] = keyword
            room -= len(keyword) + 2
            if len(named) == KEYWORDS:
                break
    return f"{count}: {', '.join(named.values())}{end}" if named else count + end


def preheader(titles: Iterable[str]) -> str:
    """The line that an inbox shows behind the subject: the best titles."""
    return cut(" · ".join(titles), PREHEADER)


def long_date(day: date) -> str:
    """As in "Friday, 20 November 2026"."""
    return f"{WEEKDAYS[day.weekday()]}, {' '.join(_words(day))}"


@lru_cache(maxsize=1 << 10)
def long_dates(since: date, day: date) -> str:
    """As in "Friday, 20 November 2026", "16 – 20 November 2026" or "28 October – 3 November 2026"."""
    if since == day:
        return long_date(day)
    first, last, said = _words(since), _words(day), _said(since, day)
    dash = "\u00a0– " if said > 1 else "\u00a0–\u00a0"
    return "\u00a0".join(first[:said]) + dash + "\u00a0".join(last)


@lru_cache(maxsize=1 << 10)
def short_dates(since: date, day: date) -> str:
    """As in "20 Nov", "16–20 Nov", "28 Oct–3 Nov" or "28 Dec 2026–2 Jan 2027"."""
    first, last, said = _words(since, 3), _words(day, 3), _said(since, day)
    start = "" if since == day else f"{' '.join(first[:said])}–"
    return start + " ".join(last[: max(said, 2)])


def _words(day: date, letters: int | None = None) -> tuple[str, str, str]:
    return str(day.day), MONTHS[day.month - 1][:letters], str(day.year)


def _said(since: date, day: date) -> int:
    """How many of the words of `since` are said: its day, its month, its year."""
    return 3 if since.year != day.year else 2 if since.month != day.month else 1


def summary(matched: int, considered: int) -> str:
    """As in "7 of 217 new papers match your keywords"."""
    papers = "new paper" if considered == 1 else "new papers"
    return f"{matched:,} of {considered:,} {papers} {'matches' if matched == 1 else 'match'} your keywords"
