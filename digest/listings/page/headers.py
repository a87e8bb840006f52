"""The header words of a trending-papers page: which lines are nothing else, and which are glued to a title.

Rules
-----
1. The pieces: "new", the line about the email inbox, "Subscribe", "byAK and the research community", and a day.
2. A line of pieces alone, in any order, is header. Pieces may be glued to each other and to the title after them.
3. A word of its own stays whole: "Subscriber Churn", "Subscribe or Not?", "May 2025 in Review", "newNet".
4. Pages saved one behind the other, without a line end between, glue a header to the text before it.
5. A day without a year is the latest such day not after the day on which the file was modified.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from digest.listings.days import calendar_day, month

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = rf"(?:(?P<month>{_MONTH}) (?P<day>\d{{1,2}})|(?P<day_first>\d{{1,2}}) (?P<month_last>{_MONTH}))"
_DATE = rf"(?P<date>{_DAY}(?:,? (?P<year>(?:19|20)\d\d)(?!\d{{2}}))?)"
_INBOX = r"Get trending papers in your email inbox(?: once a day)?!?"
_CURATOR = r"(?:by ?(?P<curator>\S.{0,40}?)|(?P<alone>AK)) and the research community"
_PIECE = re.compile(
    rf"\s*(?:(?P<inbox>{_INBOX})|(?P<subscribe>Subscribe)|{_CURATOR}|{_DATE}|(?P<new>new))", re.IGNORECASE
)

# What may follow a glued piece without a space (rule 3).
_TITLE_START = r"[^\W\d_a-z]|[\"“‘«(\[{$#*\\<¿¡]|['’][A-Z]|\d[A-Z]"
_AFTER_SUBSCRIBE = re.compile(rf"(?!(?:r|rs|d|s|rship)(?!\w))(?:\w|{_TITLE_START})")
_GOES_ON = re.compile(r"\s*[,.;]|\s+[a-z]")
_AFTER_DATE = re.compile(rf"{_TITLE_START}|[a-z]{{1,3}}[A-Z]|[a-z]-")

# Where a header begins inside a line (rule 4).
_GLUED_BEHIND = re.compile(
    r"(?<=\S)(?=Get trending papers in your email inbox)"
    r"|(?<=[.!?)\"”])(?=Subscribe(?:$|[A-Z])|by ?AK and the research)"
    rf"|(?<=[.!?)\"”])(?={_MONTH} \d{{1,2}}$)"
)
_NEW_BEHIND = re.compile(r"new$(?<=\Snew)(?<!\brenew)(?<!\banew)(?<!\bknew)(?<!\bsinew)")


@dataclass(frozen=True, slots=True)
class Header:
    """What the header pieces of a line say. `date` and `curator` are None where they say nothing of it."""

    date: date | None = None
    curator: str | None = None


def cut(lines: Iterable[str]) -> Iterator[str]:
    """The lines, each cut before a header that is glued to the end of its text (rule 4)."""
    waiting = list[str]()  # a line that ends in "new", and the blank ones after it
    for line in lines:
        if line and waiting:
            yield from _without_new(waiting, bool(_PIECE.match(line)))
            waiting = []
        *whole, last = _GLUED_BEHIND.split(line)
        yield from whole
        if waiting or _NEW_BEHIND.search(last):
            waiting.append(last)
        else:
            yield last
    yield from waiting


def _without_new(lines: list[str], before_header: bool) -> list[str]:
    return [_NEW_BEHIND.sub("", lines[0]), "new", *lines[1:]] if before_header else lines


def peel(line: str, modified: date) -> tuple[Header | None, str]:
    """The header pieces at the beginning of a line, if any, and the text that is left."""
    pieces = list(_pieces(line, modified))
    for end in range(len(pieces), 0, -1):
        rest = line[pieces[end - 1].end() :]
        if not rest.strip() or _ends_here(pieces[:end], rest):
            return _header(pieces[:end], modified), rest.strip()
    return None, line


def _pieces(line: str, modified: date) -> Iterator[re.Match[str]]:
    place = 0
    while (found := _PIECE.match(line, place)) and (not found["date"] or _date(found, modified)):
        yield found
        place = found.end()


def _ends_here(pieces: list[re.Match[str]], rest: str) -> bool:
    """Whether what follows the pieces is a text of its own rather than the rest of a word or sentence."""
    last = pieces[-1]
    if last["subscribe"]:
        return last["subscribe"] == "Subscribe" and bool(_AFTER_SUBSCRIBE.match(rest))
    if last["date"]:
        after_others = len(pieces) > 1 and rest[0].isspace()
        return after_others or bool(_AFTER_DATE.match(rest))
    return not last["new"] and not _GOES_ON.match(rest)


def _header(pieces: list[re.Match[str]], modified: date) -> Header:
    days = [_date(piece, modified) for piece in pieces if piece["date"]]
    curators = [piece["curator"] or piece["alone"] for piece in pieces if piece["curator"] or piece["alone"]]
    return Header(days[0] if days else None, curators[0] if curators else None)


def _date(found: re.Match[str], modified: date) -> date | None:
    """The day that a piece names (rule 5); None if there is no such day."""
    number = month(found["month"] or found["month_last"])
    day = int(found["day"] or found["day_first"])
    if found["year"]:
        return calendar_day(int(found["year"]), number, day)
    years = range(modified.year, max(0, modified.year - 9), -1)  # 29 February is at most eight years away (1896, 1904)
    days = (calendar_day(year, number, day) for year in years)
    return next((known for known in days if known and known <= modified), None)
