r"""BibTeX and BibLaTeX: one entry for each `@type{key, field = value, ...}`.

Rules
-----
1. The text is cut at the lines that begin a block, and each block is read alone, so a broken one costs no other.
2. Abbreviations of @string hold from their line on; @comment, @preamble and text between blocks are passed over.
3. Of a field that stands twice the first counts. Two entries with one key are both kept. `crossref` is not followed.
4. Read are title, author, abstract, keywords, primaryclass, journal or booktitle, url (or the address in howpublished),
   doi, eprint, date (or year, month and day), note and comment.
5. A value with `\textbackslash` or `\textasciicircum` was escaped by a program (Zotero), LaTeX and all: it is what
   it was before.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise

from bibtexparser.entrypoint import parse_string
from bibtexparser.model import Block, Entry, ParsingFailedBlock, String

from digest.listings.bibliography import address_in, arxiv_in, keywords_in, venue_in
from digest.listings.days import day_in, month
from digest.listings.drafts import Draft, RecordError
from digest.listings.gathering import Gathering
from digest.listings.keys import arxiv_id
from digest.listings.lines import Lines
from digest.listings.names import AND, apart, enclosed
from digest.listings.origin import Origin
from digest.listings.wording.commands import plain_address
from digest.model import Listing

FORMAT = "bibtex"
_BEGINNING = 10_000  # characters before which the first block begins
_REMARK = 120  # characters that a line before it has at most, if it is no comment
_LONGEST = 100_000
_BLOCK = re.compile(r"^[ \t]*@\w+[ \t]*[{(]", re.MULTILINE)
_RECORD = re.compile(
    r"^[ \t]*@(?:string\s*[{(]\s*\w+\s*=|(?!string\b|comment\b|preamble\b)[a-z]+\s*[{(]\s*[^\s,{}()=\"]*\s*[,})])",
    re.MULTILINE | re.IGNORECASE,
)
_PASSED = re.compile(r"\s*@(?:comment|preamble)\b", re.IGNORECASE)
_MARKS = re.compile(r'(?<!\\)[{}"#]')
_WORD = re.compile(r'[^\s{}"]*')
_URL = re.compile(r"\\url\s*\{([^{}]*)\}")
_SIGNS = {"backslash": "\\", "asciicircum": "^", "asciitilde": "~", "less": "<", "greater": ">", "bar": "|"}
_SIGN = rf"\\text({'|'.join(_SIGNS)})"
_ESCAPED = re.compile(rf"\\vphantom\{{\\[{{}}]\}}|\{{{_SIGN}\}}|{_SIGN}(?![a-z])(?:\{{\}}| ?)|\\([#$%&_{{}}])")

# What it finds wrong is told in the rejections.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)


def recognise(text: str) -> bool:
    """Whether a BibTeX entry or abbreviation begins on a line near the beginning, with no other's texts before it."""
    found = _RECORD.search(text[:_BEGINNING])
    if not found or text.lstrip().startswith("<"):
        return False
    return all(len(line) <= _REMARK or line.startswith("%") for line in text[: found.start()].split("\n"))


def parse(text: str, _: Origin) -> Listing:
    """The entries of a BibTeX file."""
    gathering, strings = Gathering(), dict[str, str]()
    for line, block in _blocks(text):
        match block:
            case String():
                _define(gathering, block, line, strings)
            case Entry():
                _add(gathering, block, line, strings)
            case ParsingFailedBlock() if isinstance(block.ignore_error_block, Entry):
                _add(gathering, block.ignore_error_block, line, strings)
            case ParsingFailedBlock() if not _PASSED.match(block.raw or ""):
                gathering.reject(line, _fault(block.error), block.raw or "")
    return gathering.listing(FORMAT)


def _blocks(text: str) -> Iterator[tuple[int, Block]]:
    """The blocks with their 1-based lines; only one is in memory."""
    starts = [0, *(found.start() for found in _BLOCK.finditer(text) if found.start()), len(text)]
    lines = Lines(text)
    for start, end in pairwise(starts):
        line, _ = lines.at(start)
        for block in parse_string(text[start:end], parse_stack=[]).blocks:
            yield line + (block.start_line or 0), block


def _fault(error: Exception) -> str:
    reason = str(getattr(error, "abort_reason", error)).strip()
    if "end of file" in reason or "block start" in reason:
        reason = "the entry is not closed; a brace or quotation mark is missing"
    return f"not BibTeX: {reason[:1].lower()}{reason[1:]}"


def _define(gathering: Gathering, string: String, line: int, strings: dict[str, str]) -> None:
    try:
        strings[string.key.lower()] = _joined(string.value, strings)
    except ValueError as error:
        gathering.reject(line, f"the abbreviation {error}", string.raw or "")


def _add(gathering: Gathering, entry: Entry, line: int, strings: Mapping[str, str]) -> None:
    raw = {field.key.lower(): field.value for field in reversed(entry.fields)}
    gathering.add(partial(_draft, _Fields(raw, strings)), line, entry.raw or "")


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of an entry, as they stand there, by their names in lower case."""

    raw: Mapping[str, str]
    strings: Mapping[str, str]

    def get(self, *names: str) -> str:
        """What the first of these fields says that says anything. Raises RecordError."""
        for name in names:
            if raw := self.raw.get(name):
                try:
                    if value := _joined(raw, self.strings).strip():
                        return _unescaped(value)
                except ValueError as error:
                    raise RecordError(f'the field "{name}" {error}') from None
        return ""


def _draft(fields: _Fields) -> Draft:
    title = fields.get("title")
    if not title:
        raise RecordError('no "title"')
    arxiv = _arxiv(fields)
    return Draft(
        title=title,
        abstract=fields.get("abstract"),
        authors=tuple(apart(" ".join(fields.get("author").split()), AND)),
        categories=tuple(filter(None, (fields.get("primaryclass"), *keywords_in(fields.get("keywords"))))),
        source=venue_in(fields.get("journal", "journaltitle", "booktitle")) or ("arXiv" if arxiv else ""),
        url=_address(fields.get("url")) or _address(fields.get("howpublished")),
        published=_day(fields),
        doi=_plain(fields.get("doi")),
        arxiv=arxiv,
        notes=" ".join(filter(None, (fields.get("note"), fields.get("comment")))),
    )


def _arxiv(fields: _Fields) -> str:
    """The arXiv id: an eprint, or where Google Scholar ("arXiv preprint arXiv:…") and Zotero write it."""
    eprint, archive = fields.get("eprint"), fields.get("archiveprefix", "eprinttype").lower()
    if archive in ("arxiv", "") and arxiv_id(eprint):
        return eprint
    note = fields.get("note")
    places = (fields.get("journal"), fields.get("number"), note if note.lower().startswith("arxiv") else "")
    return next(filter(None, map(arxiv_in, places)), "")


def _day(fields: _Fields) -> date | None:
    whole = day_in(fields.get("date"))
    year, name, day = fields.get("year"), fields.get("month"), fields.get("day")
    if whole or not year:
        return whole
    number = month(name)
    written = f"{year}-{number}-{day}" if number else f"{year} {name}"
    return day_in(written) or day_in(year)


def _address(text: str) -> str:
    named = _URL.search(text)
    return address_in(_plain(named[1] if named else text))


def _plain(text: str) -> str:
    r"""An address or identifier without the escapes of LaTeX (`a\_b`, `{\_}`)."""
    return plain_address(text).replace("{", "").replace("}", "")


def _unescaped(value: str) -> str:
    """A value as its author wrote it (rule 5)."""
    if "\\textbackslash" not in value and "\\textasciicircum" not in value:
        return value
    return _ESCAPED.sub(lambda found: _SIGNS.get(found[1] or found[2], found[3] or ""), value)


def _joined(raw: str, strings: Mapping[str, str]) -> str:
    """The value of a field: its pieces between "#", without what encloses them. Raises ValueError."""
    if "#" not in raw:
        return _bare(raw, strings)
    pieces, start, depth, quoted = [], 0, 0, False
    for found in _MARKS.finditer(raw):
        sign = found.group()
        depth += (sign == "{") - (sign == "}")
        quoted ^= sign == '"' and depth == 0
        if sign == "#" and depth == 0 and not quoted:
            pieces.append(raw[start : found.start()])
            start = found.end()
    values = [_bare(piece, strings) for piece in [*pieces, raw[start:]]]
    if sum(map(len, values)) > _LONGEST:  # abbreviations of abbreviations would grow without end
        raise ValueError("is too long")
    return "".join(values)


def _bare(piece: str, strings: Mapping[str, str]) -> str:
    """What braces or quotation marks enclose, or what an abbreviation stands for; else the word itself."""
    piece = piece.strip()
    if enclosed(piece) or (len(piece) > 1 and piece[0] == piece[-1] == '"'):
        return piece[1:-1]
    if not _WORD.fullmatch(piece):
        raise ValueError("is not well-formed; a comma, brace or quotation mark is missing")
    return strings.get(piece.lower(), piece)
