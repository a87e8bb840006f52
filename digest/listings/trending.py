"""The text of a trending-papers page, as a person saves it from a browser.

Two layouts: blank lines between blocks, or one line each. Header lines (see `headers`) may be missing, repeated or in
another order. What is left is a sequence of titles and abstracts, an abstract being no, one or several paragraphs (see
`blocks`). No text is lost: all but header words comes out in a title or an abstract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise

from digest.listings.drafts import Draft
from digest.listings.gathering import Gathering
from digest.listings.origin import Origin
from digest.listings.page import headers
from digest.listings.page.blocks import Kind, Line, classify
from digest.listings.page.prose import leaning
from digest.listings.wording.decode import tidy
from digest.model import Listing

FORMAT = "trending"
SOURCE = "Trending papers"
_TELLTALES = ("Get trending papers in your email inbox", "AK and the research community")
_ENOUGH = 100_000  # characters that show what a text is


def recognise(text: str) -> bool:
    """Whether a text is such a page: by its header words or, without them, by titles and abstracts taking turns."""
    if any(words in text for words in _TELLTALES):
        return True
    lines, _ = _lines(text[:_ENOUGH], date.max)
    kinds = classify(lines)
    leanings = [leaning(line.text) for line in lines]
    titles = sum(kind is Kind.TITLE and lean < 0 for kind, lean in zip(kinds, leanings, strict=True))
    abstracts = sum(kind is Kind.ABSTRACT and lean > 4 for kind, lean in zip(kinds, leanings, strict=True))
    return abstracts > 0 and min(titles, abstracts) * 2 >= kinds.count(Kind.TITLE) and len(kinds) <= 6 * abstracts


def parse(text: str, origin: Origin) -> Listing:
    """The entries of a page; a listing date without a year is told by the day of the file."""
    lines, found = _lines(text, origin.day)
    days = [header.date for header in found if header.date]
    curators = [header.curator for header in found if header.curator]
    gathering = Gathering()
    for title, *abstract in _blocks(lines):
        prose = " ".join(line.text for line in abstract)
        drafted = partial(Draft, title.text, prose, source=SOURCE, published=title.day)
        gathering.add(drafted, title.number, title.text)
    listing = gathering.listing(FORMAT, source=SOURCE, curator=curators[0] if curators else "")
    return replace(listing, date=days[0] if days else None)  # not the day of what stands before it


def _blocks(lines: list[Line]) -> Iterator[list[Line]]:
    """The lines of each entry, its title first."""
    starts = [place for place, kind in enumerate(classify(lines)) if kind is Kind.TITLE]
    for start, end in pairwise([*starts, len(lines)]):
        yield lines[start:end]


def _lines(text: str, modified: date) -> tuple[list[Line], list[headers.Header]]:
    """The lines that hold more than header words, and all headers. A day holds until a header names another."""
    lines: list[Line] = []
    found: list[headers.Header] = []
    day, after_blank, after_header = None, False, False
    for number, raw in enumerate(headers.cut(tidy(line) for line in text.split("\n")), start=1):
        header, rest = headers.peel(raw, modified)
        if header:
            found.append(header)
            day, after_header = header.date or day, True
        if rest:
            lines.append(Line(rest, after_blank, after_header, day, number))
            after_header = False
        after_blank = not raw
    return lines, found
