"""RIS: a record from each `TY  - JOUR` to `ER  -`, one field a line.

Rules
-----
1. A line is a field if it has as many blanks before the hyphen as the record's TY line: two, or, where a program left
   them out, one or none. Every other line goes on with the field above it; one below KW is a keyword more.
2. A record whose ER is missing ends before the next TY, or at the end of the file; but where the last line has no
   end, the file was cut, and the record is none. What stands before the first TY is passed over.
3. Read are TI or T1, AU and A1, AB or N2, KW, DA, Y1 or PY, DO (or M3, L3), N1, the first address in UR, L2, L1 or LK,
   the journal in T2, JF, JO or JA; and an arXiv id where one stands in AN, C7, M1 or the journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from digest.listings.bibliography import address_in, arxiv_in, keywords_in, venue_in
from digest.listings.days import day_in
from digest.listings.drafts import Draft, RecordError
from digest.listings.gathering import Gathering
from digest.listings.keys import doi_name
from digest.listings.lines import each_line
from digest.listings.origin import Origin
from digest.model import Listing

FORMAT = "ris"
_BEGINNING = 10_000  # characters before which the first record begins
_TYPE = re.compile(r"\s*TY(?P<blanks> {0,2})- ?[A-Z]{3,7}\s*")
_RECORD = re.compile(r"^[ \t]*TY {0,2}- ?[A-Z]{3,7}[ \t]*\n\s*[A-Z][A-Z0-9] {0,2}-", re.MULTILINE)
_FIELDS = tuple(re.compile(rf"\s*([A-Z][A-Z0-9]) {{{blanks}}}-(.*)", re.DOTALL) for blanks in range(3))
_END = re.compile(r"\s*ER {0,2}-\s*")


def recognise(text: str) -> bool:
    """Whether a TY line and another field stand near the beginning."""
    return bool(_RECORD.search(text[:_BEGINNING]))


def parse(text: str, _: Origin) -> Listing:
    """The entries of a RIS file."""
    gathering = Gathering()
    for record in _records(text, gathering):
        gathering.add(partial(_draft, record), record.line, record.excerpt())
    return gathering.listing(FORMAT)


@dataclass(slots=True)
class _Record:
    """The fields of a record by their tags, each a list of its lines. `form` is how a field's line looks."""

    line: int
    form: re.Pattern[str]
    fields: dict[str, list[list[str]]] = field(default_factory=dict)
    last: str = ""
    cut: bool = False

    def take(self, line: str) -> None:
        """Keep what a line says."""
        if found := self.form.fullmatch(line):
            self.last = found[1]
            self.fields.setdefault(self.last, []).append([found[2].strip()])
        elif self.last == "KW":
            self.fields["KW"].append([line.strip()])
        elif self.last:
            self.fields[self.last][-1].append(line.strip())

    def all(self, *tags: str) -> list[str]:
        """What these fields say."""
        values = (" ".join(lines).strip() for tag in tags for lines in self.fields.get(tag, ()))
        return [value for value in values if value]

    def get(self, *tags: str) -> str:
        """What the first of these fields says that says anything."""
        return next(iter(self.all(*tags)), "")

    def excerpt(self) -> str:
        """How it begins."""
        return "; ".join(f"{tag} - {lines[0][0]}" for tag, lines in self.fields.items())


def _records(text: str, gathering: Gathering) -> Iterator[_Record]:
    """The records; fields after an ER that no TY opens are rejected, once for each run of them."""
    record: _Record | None = None
    lost = True  # until the first TY
    for number, line in enumerate(each_line(text), 1):
        if opening := _TYPE.fullmatch(line):
            if record:
                yield record
            record, lost = _Record(number, _FIELDS[len(opening["blanks"])]), False
        elif record and _END.fullmatch(line):
            yield record
            record = None
        elif record:
            record.take(line)
        elif not lost and _FIELDS[2].fullmatch(line):
            gathering.reject(number, "a record without its TY line", line)
            lost = True
    if record:
        record.cut = not text.endswith("\n")
        yield record


def _draft(record: _Record) -> Draft:
    if record.cut:
        raise RecordError("the file ends within this record")
    if not record.get("TI", "T1"):
        raise RecordError("no title (TI or T1)")
    journal = record.get("T2", "JF", "JO", "JA")
    keywords = record.all("KW")
    arxiv = next(filter(None, map(arxiv_in, [*record.all("AN", "C7", "M1"), journal])), "")
    return Draft(
        title=record.get("TI", "T1"),
        abstract=record.get("AB", "N2"),
        authors=tuple(name for value in record.all("AU", "A1") for name in value.split(";")),
        categories=keywords_in(keywords[0]) if len(keywords) == 1 else tuple(keywords),
        source=venue_in(journal) or ("arXiv" if arxiv else ""),
        url=next(filter(None, map(address_in, record.all("UR", "L2", "L1", "LK"))), ""),
        published=next(filter(None, map(day_in, record.all("DA", "Y1", "PY"))), None),
        doi=next(filter(None, map(doi_name, record.all("DO", "M3", "L3"))), ""),
        arxiv=arxiv,
        notes=" ".join(record.all("N1")),
    )
