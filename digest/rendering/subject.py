"""The words that a person sees before opening the mail: the subject and the preheader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from digest.rendering.cards import MONTHS
from digest.rendering.clean import cut

SUBJECT, KEYWORDS, PREHEADER = 78, 3, 140


def subject(matched: int, keywords: Iterable[str], day: date) -> str:
    """The subject, as in "7 new papers: reward model, LoRA — 20 Nov".

    At most three keywords, as many as 78 characters hold.
    """
    count = "1 new paper" if matched == 1 else f"{matched:,} new papers"
    end = f" — {day.day} {MONTHS[day.month - 1][:3]}"
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


@lru_cache(maxsize=64)
def long_date(day: date) -> str:
    """As in "Friday, 20 November 2026"."""
    weekday = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]
    return f"{weekday}, {day.day} {MONTHS[day.month - 1]} {day.year}"


def summary(matched: int, considered: int) -> str:
    """As in "7 of 217 new papers match your keywords"."""
    papers = "new paper" if considered == 1 else "new papers"
    return f"{matched:,} of {considered:,} {papers} {'matches' if matched == 1 else 'match'} your keywords"
