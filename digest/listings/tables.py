"""CSV, TSV and the like: a header row, and a row for each entry.

Rules
-----
1. Cells are parted at ",", ";", tabs or "|", whichever makes the rows agree best with a header that names a title; a
   first line such as "sep=;" (Excel) decides.
2. A cell in quotation marks may hold line ends, separators and doubled quotation marks. Quotation marks that do not
   close right before a separator or line end are text.
3. A row with more cells than the header, or without a cell that is read, cannot be right and is rejected alone. Empty
   rows and repeated headers are passed over.
4. Which column is which is told by `columns`, and shown.
5. Dates and votes that cannot be read are left out, with one warning.
6. A first line "Title" and nothing but lines below it, two or more, are a table of one column.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from itertools import islice
from typing import NamedTuple

from digest.errors import ListingError
from digest.listings import columns
from digest.listings.bibliography import address_in, arxiv_in, keywords_in, venue_in
from digest.listings.days import day_in, is_rough
from digest.listings.drafts import Draft
from digest.listings.gathering import Gathering
from digest.listings.keys import arxiv_id
from digest.listings.lines import Lines
from digest.listings.names import people
from digest.listings.origin import Origin
from digest.model import Listing

FORMAT = "csv"
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_NAMED = re.compile(r"\s*sep=([,;\t|])[ \t]*\n", re.IGNORECASE)
_ALONE = "\0"  # parts nothing: no text has one
_SHOWN = 200_000  # characters that show what a text is
_SAMPLE = 50  # rows
_UNUSED = 5  # columns that are named though nothing is read from them
_NOTHING = frozenset(("", "nan", "none", "null", "n/a", "na", "-", "[]", "[no abstract available]"))
_MEMBER = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*(?:,|\]$)", re.DOTALL)
_WHOLE = re.compile(r"[+-]?\d{1,3}(?:,?\d{3}){0,3}(?:\.0+)?")


def recognise(text: str) -> bool:
    """Whether rows agree with a header row: most of them if it names a title, else nearly all."""
    if text.lstrip()[:1] in ("<", "{", "["):
        return False
    table = _best(text)
    if table is None:
        return False
    if columns.titled(table.header) and len(columns.told(table.header, {})) > 1:
        return table.agreeing >= 0.5
    return table.agreeing >= 0.9 and len(table.sample) > 1 and _names_columns(text[: table.start], table)


def parse(text: str, origin: Origin) -> Listing:
    """The entries of a table. Raises ListingError if it has no title, or not the columns that are configured."""
    table = _best(text)
    if table is None:
        raise ListingError("this is no table: no separator parts its first row into columns")
    places = columns.told(table.header, origin.columns)
    if "title" not in places:
        raise ListingError(
            f"no column of the table looks like a title; it has {columns.quoted(table.header)}; "
            'say which one it is with the setting columns = { title = "…" }'
        )
    names = places.get("authors", len(table.header))
    semicolons = any(";" in cell for row in table.sample for cell in row.cells[names : names + 1])
    reader = _Reader(table, places, semicolons)
    lines = Lines(text)
    for row in _rows(text, table.separator, table.start):
        reader.take(row.cells, *lines.at(row.start, row.end))
    return reader.listing()


class _Row(NamedTuple):
    """The cells of a row, and from where to where it goes in the text."""

    start: int
    end: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is written. `start`: where its rows begin. `sample`: the first of them."""

    separator: str
    header: list[str]
    start: int
    sample: list[_Row]

    @property
    def agreeing(self) -> float:
        """The share of rows that have as many cells as the header."""
        fitting = sum(len(row.cells) == len(self.header) for row in self.sample)
        return fitting / len(self.sample) if self.sample else 1.0


def _best(text: str) -> _Table | None:
    """The reading of a text's beginning that makes most of a table."""
    named = _NAMED.match(text)
    start = named.end() if named else 0
    tables = [_table(text, sign, start) for sign in (named[1] if named else _SEPARATORS)]
    return max(
        (table for table in tables if table),
        key=lambda table: (columns.titled(table.header), table.agreeing, len(table.header)),
        default=_titles(text[:_SHOWN]),
    )


def _titles(shown: str) -> _Table | None:
    """A text's beginning as a table of titles (rule 6); None if it is none."""
    header, _, below = shown.partition("\n")
    lines = below.rstrip("\n").split("\n")
    if not columns.is_title(header) or len(lines) < 2 or not all(map(str.strip, lines)):
        return None
    start = len(header) + 1
    return _Table(_ALONE, [header.strip(' "')], start, list(islice(_rows(shown, _ALONE, start), _SAMPLE)))


def _table(text: str, separator: str, start: int) -> _Table | None:
    """A text's beginning read with a separator; None if that makes no columns."""
    shown = text[:_SHOWN]
    if separator not in shown:
        return None
    found = list(islice(_rows(shown, separator, start), _SAMPLE + 2))
    if not found or len(found[0].cells) < 2:
        return None
    rows = found[1:] if shown == text or len(found) > _SAMPLE else found[1:-1]  # the last may be cut
    return _Table(separator, found[0].cells, found[0].end, rows)


def _rows(text: str, separator: str, place: int) -> Iterator[_Row]:
    """The rows that are not empty."""
    match, end = _cell(separator).match, len(text)
    while place < end:
        start, cells, more = place, list[str](), True
        while more and (found := match(text, place)):  # always: it matches the empty text, too
            cells.append(_unquoted(found))
            place = found.end() + 1
            more = text.startswith(separator, found.end())
        if any(cells):
            yield _Row(start, min(place, end), cells)


@cache
def _cell(separator: str) -> re.Pattern[str]:
    """A cell."""
    sign = re.escape(separator)
    return re.compile(rf' *"((?:[^"]|"")*)" *(?={sign}|\n|\Z)|([^{sign}\n]*)')


def _unquoted(found: re.Match[str]) -> str:
    quoted, plain = found.groups()
    if quoted is not None:
        return str(quoted).replace('""', '"').strip()
    text = str(plain).strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _names_columns(line: str, table: _Table) -> bool:
    """Whether a first row may be the names of columns, and no sentence or title with a comma in it."""
    names = table.header
    short = all(0 < len(name) <= 40 and not name.endswith((".", "!", "?", ":")) for name in names)
    return short and len(set(names)) == len(names) and ", " not in line and "; " not in line


@dataclass(slots=True)
class _Reader:
    """The entries so far.

    `semicolons` part authors in this table, so commas do not. `unread`: cells that are no date or number, by field.
    """

    table: _Table
    places: Mapping[str, int]
    semicolons: bool
    gathering: Gathering = field(default_factory=Gathering)
    unread: dict[str, list[str]] = field(default_factory=dict)

    def take(self, cells: list[str], line: int, excerpt: str) -> None:
        """Keep the entry of a row, or say why it is none."""
        header = self.table.header
        if cells == header:
            return
        if any(cells[len(header) :]) or len(cells) <= max(self.places.values()):
            self.gathering.reject(line, self._ragged(len(cells)), excerpt)
        else:
            record = {name: cells[place] for name, place in self.places.items()}
            self.gathering.add(partial(self._draft, record), line, excerpt)

    def _ragged(self, found: int) -> str:
        sign, named = _SEPARATORS[self.table.separator], len(self.table.header)
        why = f"a {sign} or quotation mark in a cell is not quoted" if found > named else "it ends too early"
        return f"{found} cells, but the header has {named}; perhaps {why}"

    def _draft(self, record: dict[str, str]) -> Draft:
        cells = defaultdict(str, {name: cell for name, cell in record.items() if cell.lower() not in _NOTHING})
        return Draft(
            title=record["title"],
            abstract=cells["abstract"],
            authors=_list(cells["authors"]) or people(cells["authors"], commas=not self.semicolons),
            categories=_list(cells["categories"]) or keywords_in(cells["categories"]),
            source=venue_in(cells["source"]),
            url=address_in(cells["url"]),
            published=self._day(cells["published"]),
            votes=self._number("votes", cells["votes"]),
            doi=cells["doi"],
            arxiv=_arxiv(cells["arxiv"]) or arxiv_in(cells["source"]),
            version=self._number("version", cells["version"].lower().removeprefix("v")) or 0,
            links=tuple(link for link in cells["links"].split() if address_in(link)),
            notes=cells["notes"],
        )

    def _day(self, cell: str) -> date | None:
        day = day_in(cell)
        if cell and not day and not is_rough(cell):
            self.unread.setdefault("published", []).append(cell[:40])
        return day

    def _number(self, name: str, cell: str) -> int | None:
        if _WHOLE.fullmatch(cell):
            return int(cell.partition(".")[0].replace(",", ""))
        if cell:
            self.unread.setdefault(name, []).append(cell[:40])
        return None

    def listing(self) -> Listing:
        """All of it, and how it was read."""
        header = self.table.header
        used = ", ".join(f"{name} = {columns.quoted([header[place]])}" for name, place in self.places.items())
        rest = columns.quoted([name for place, name in enumerate(header) if place not in self.places.values()], _UNUSED)
        note = f"columns: {used}; not used: {rest}" if rest else f"columns: {used}"
        return self.gathering.listing(FORMAT, warnings=map(_warning, self.unread.items()), notes=[note])


def _warning(unread: tuple[str, list[str]]) -> str:
    name, cells = unread
    wanted = "dates such as 2026-11-10" if name == "published" else "whole numbers"
    return f'{name}: {len(cells)} not read, the first "{cells[0]}"; write {wanted}'


def _list(cell: str) -> tuple[str, ...]:
    """The texts in a list as Python or JSON writes it; none if the cell is no such list."""
    members, place = list[str](), 1
    while cell.startswith("[") and (found := _MEMBER.match(cell, place)):
        members.append(found[1] or found[2] or "")
        place = found.end()
    return tuple(members) if place == len(cell) else ()


def _arxiv(cell: str) -> str:
    return arxiv_in(cell) or (cell if arxiv_id(cell) or cell.startswith("http") else "")
