r"""The listing mail of arXiv, as plain text: new submissions, cross-lists and replacements.

Rules
-----
1. A record begins with a line `\\` and the id ("arXiv:2501.01234", "Paper: math/0309136"); notes may stand behind it.
2. Fields follow ("Title: …"). A line that begins with no known field's name goes on with the one before.
3. A line `\\` ends the fields and begins the abstract; `\\ ( https://… , 12kb)` ends the record. A replacement has no
   abstract as a rule, and its fields end with the link.
4. A line of dashes stands between records. `%%--%%--` begins the replacements, `%-%-%-` the cross-lists, `%%%---` the
   end. What stands outside of records is not read, but for the day up to which the mail has the submissions.
5. A mail that was forwarded has marks (">") before every line; those before the first record are taken from all.
6. A record without id or title, or that ends before its fields do, is rejected; so is one whose abstract ends with
   the file and not with the link, for it was cut there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial

from digest.listings.arxiv_authors import split_authors
from digest.listings.days import day_in
from digest.listings.drafts import Draft, RecordError
from digest.listings.gathering import Gathering
from digest.listings.keys import arxiv_id, arxiv_page
from digest.listings.lines import Lines
from digest.listings.origin import Origin
from digest.model import Listing

FORMAT = "arxiv-mail"
SOURCE = "arXiv"
_ENOUGH = 200_000  # characters that show what a text is

_ID = r"(?:[aA]r[xX]iv:|Paper(?:[ \t]*\(\*[^)\n]*\))?:)[ \t]*(?=\S)"
_NAME = (
    r"(?P<name>Date|From|Title|Author|Categories|Subj-class|Comment|Journal-ref|DOI|Report-no|MSC-class|ACM-class"
    r"|License|Proxy)s?(?:[ \t]*\([^)\n]*\))?[ \t]*:"
)
_BEGINNING = re.compile(rf"^(?P<mark>[>| \t]*)\\\\[ \t]*\n(?:[>| \t]*\n)*(?P=mark){_ID}", re.MULTILINE)
_SPAN = re.compile(r"^[>| \t]*received from[ \t].*[ \t]to[ \t](?P<until>.*)$", re.MULTILINE)

_CUT = re.compile(
    rf"^(?:(?P<rule>[-%]{{20,}}|The replacements:)[ \t]*$|(?=\\\\[ \t]*\n(?:[ \t]*\n)*{_ID}))", re.MULTILINE
)
_RECORD = re.compile(rf"[\s%-]*(?:\\\\[ \t]*\n\s*(?={_ID}|{_NAME})|(?={_ID}))")
_SEPARATOR = re.compile(r"^(?:\\\\[ \t]*(?P<link>\(.*)?|\([ \t]+https?://\S+/abs/.*)$", re.MULTILINE)
_HEAD = re.compile(rf"{_ID}(?P<id>\S+)")
_FIELD = re.compile(rf"{_NAME}(?P<value>.*)")
_REPLACED = re.compile("replaced with|figures? added|parts? added", re.IGNORECASE)
_DAY = re.compile(r"\b(\d{1,2} +[A-Z][a-z]{2}) +((?:19|20)?\d\d)\b")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What stands between two rules or beginnings of records, from a place on.

    `replaced`: among the replacements. `last`: the file ends with it.
    """

    text: str
    place: int
    replaced: bool
    last: bool


def recognise(text: str) -> bool:
    """Whether a text has a record, or says up to when it has the submissions."""
    head = text[:_ENOUGH]
    return bool(_BEGINNING.search(head)) or ("Submissions to:" in head and bool(_SPAN.search(head)))


def parse(text: str, _: Origin) -> Listing:
    """The entries of a listing mail; its day is that of the last submission it covers."""
    gathering, bare = Gathering(), _unmarked(text)
    lines = Lines(bare)
    for chunk in _chunks(bare):
        if found := _RECORD.match(chunk.text):
            where = lines.at(chunk.place + found.end(), chunk.place + len(chunk.text))
            gathering.add(partial(_draft, chunk, found.end()), *where)
    span = _SPAN.search(text[:_ENOUGH])
    return replace(gathering.listing(FORMAT, source=SOURCE), date=_day(span["until"]) if span else None)


def _unmarked(text: str) -> str:
    """The text as it was before it was forwarded (rule 5)."""
    found = _BEGINNING.search(text)
    mark = found["mark"] if found else ""
    if not mark:
        return text
    bare = mark.rstrip()
    return "\n".join("" if line.rstrip() == bare else line.removeprefix(mark) for line in text.split("\n"))


def _chunks(text: str) -> Iterator[_Chunk]:
    start, replaced = 0, False
    for found in _CUT.finditer(text):
        yield _Chunk(text[start : found.start()], start, replaced, last=False)
        start = found.end()
        rule = found["rule"] or "-"
        replaced = replaced if rule.startswith("-") else rule.startswith(("%%-", "The"))
    yield _Chunk(text[start:], start, replaced, last=True)


def _draft(chunk: _Chunk, start: int) -> Draft:
    """What a record says whose head begins at a place. Raises RecordError."""
    end = _SEPARATOR.search(chunk.text, start)
    head = chunk.text[start : end.start() if end else len(chunk.text)]
    fields = _fields(head)
    number = _HEAD.match(head)
    if not number or not arxiv_id(number["id"]):
        raise RecordError('no arXiv id, such as "arXiv:2501.01234"')
    if not fields.get("title", "").strip():
        raise RecordError('no "Title:"')
    if not end:
        raise RecordError(r"the record is cut: there is no line \\ after its fields")
    announced = f"{fields['']} {fields.get('date', '')}"
    replaced = _REPLACED.search(announced)
    return Draft(
        title=fields["title"],
        abstract="" if end["link"] else _abstract(chunk, end.end()),
        authors=split_authors(fields.get("author", "")),
        categories=_categories(fields),
        source=SOURCE,
        url=arxiv_page(number["id"]),
        published=_day(announced[replaced.end() :] if replaced else announced),
        doi=fields.get("doi", ""),
        arxiv=number["id"],
        updated=bool(replaced) or chunk.replaced,
        notes=fields.get("comment", ""),
    )


def _fields(head: str) -> dict[str, str]:
    """The fields of a record, each on one line, by their names in lower case; under "", what stands before them."""
    value: list[str] = []
    fields = {"": value}
    for line in head.split("\n"):
        if found := _FIELD.match(line):
            value = [found["value"].strip()]
            fields.setdefault(found["name"].lower(), value)
        else:
            value.append(line.strip())
    return {name: " ".join(value) for name, value in fields.items()}


def _abstract(chunk: _Chunk, start: int) -> str:
    """The abstract that begins at a place. Raises RecordError if the file ends in it (rule 6)."""
    end = _SEPARATOR.search(chunk.text, start)
    if not end and chunk.last:
        raise RecordError("the record is cut: the file ends in its abstract")
    return chunk.text[start : end.start() if end else len(chunk.text)]


def _categories(fields: dict[str, str]) -> tuple[str, ...]:
    """The codes, primary first; old mails have names of subject classes instead."""
    names = fields.get("subj-class", "").split(";")
    return tuple(fields.get("categories", "").split()) or tuple(name.strip() for name in names if name.strip())


def _day(text: str) -> date | None:
    """The day in a date such as "Mon, 20 Jan 2025 10:00:00 GMT", in its own zone; years from 91 on are of 1900."""
    found = _DAY.search(text)
    return _day_of(*found.groups()) if found else None


@lru_cache(maxsize=256)  # the records of a mail are of few days
def _day_of(day: str, year: str) -> date | None:
    century = "" if len(year) == 4 else "19" if year > "90" else "20"
    return day_in(f"{day} {century}{year}")
