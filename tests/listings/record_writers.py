"""The papers as records: JSON, JSON Lines, Hugging Face's daily papers, CSV (RFC 4180), TSV, BibTeX and RIS."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from papers import Name, Paper

_COLUMNS = (
    "Title",
    "Abstract",
    "Authors",
    "Categories",
    "Source",
    "URL",
    "Published",
    "Votes",
    "DOI",
    "arXiv",
    "Code",
)
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u030b": "H"}
_ACCENTS |= {"\u030c": "v", "\u0306": "u", "\u0327": "c", "\u0328": "k"}
_LETTERS = {"ß": r"{\ss}", "ø": r"{\o}", "Ø": r"{\O}", "ł": r"{\l}", "Ł": r"{\L}", "ı": r"{\i}"}
_LATEX = re.compile(r"\$(?=\S)[^$]*(?<=\S)\$|\\url\{[^}]*\}|\{?\\[a-z]+")
_SPECIAL = re.compile(r"[&%#_$]")
_STRINGS = {"Journal of Slow Results": "slow"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def json_entries(papers: Sequence[Paper]) -> str:
    """Our own JSON, by the schema in the documentation: every field that there is."""
    return json.dumps({"entries": [_record(paper) for paper in papers]}, ensure_ascii=False, indent=2)


def json_lines(papers: Sequence[Paper]) -> str:
    """The same records, one a line, all in ASCII."""
    return "".join(json.dumps(_record(paper)) + "\n" for paper in papers)


def hf_daily(papers: Sequence[Paper]) -> str:
    """An answer of https://huggingface.co/api/daily_papers."""
    return json.dumps([_daily(paper) for paper in papers], ensure_ascii=False)


def comma_separated(papers: Sequence[Paper]) -> str:
    """CSV: names as they are said, and quotes where RFC 4180 asks for them."""
    return _table(papers, csv.excel, [", ".join(name.shown for name in paper.authors) for paper in papers])


def semicolon_separated(papers: Sequence[Paper]) -> str:
    """CSV as Excel writes it where the comma is the sign of decimals: every field in quotes."""
    return _table(papers, _Semicolons, [" and ".join(name.shown for name in paper.authors) for paper in papers])


def tab_separated(papers: Sequence[Paper]) -> str:
    """TSV: names as libraries have them, with semicolons between."""
    return _table(papers, csv.excel_tab, ["; ".join(name.turned() for name in paper.authors) for paper in papers])


def bibtex(papers: Sequence[Paper]) -> str:
    """BibTeX with braces, accents in LaTeX and names turned."""
    entries = (
        f"@{_kind(paper)}{{{_label(paper)},\n"
        + "".join(f"  {name} = {_value(value)},\n" for name, value in _fields(paper) if value)
        + f"  month = {_MONTHS[paper.published.month - 1]}\n}}\n"
        for paper in papers
    )
    return "".join(f"@string{{{name} = {{{text}}}}}\n" for text, name in _STRINGS.items()) + "\n" + "\n".join(entries)


def ris(papers: Sequence[Paper]) -> str:
    """RIS: one tag a line, names turned, and a record's end; further paragraphs follow as lines without a tag."""
    return "\n".join(
        "".join(f"{tag}  - {value}\n" for tag, value in _tags(paper) if value) + "ER  - \n" for paper in papers
    )


class _Semicolons(csv.excel):
    delimiter = ";"
    quoting = csv.QUOTE_ALL


def _record(paper: Paper) -> dict[str, object]:
    values = {
        "title": paper.title,
        "abstract": "\n\n".join(paper.paragraphs),
        "authors": [name.shown for name in paper.authors],
        "categories": list(paper.categories),
        "source": paper.source,
        "url": paper.url,
        "published": paper.published.isoformat(),
        "votes": paper.votes,
        "doi": paper.doi,
        "arxiv": paper.versioned,
        "links": list(paper.links),
    }
    return {key: value for key, value in values.items() if value not in ("", None, [])}


def _daily(paper: Paper) -> dict[str, object]:
    code = [link for link in paper.links if "://github.com/" in link]
    pages = [link for link in paper.links if "://github.com/" not in link]
    told = {
        "id": paper.arxiv,
        "authors": [{"_id": f"{n:024x}", "name": a.shown, "hidden": False} for n, a in enumerate(paper.authors)],
        "publishedAt": f"{paper.moment:%Y-%m-%dT%H:%M:%S.000Z}",
        "submittedOnDailyAt": "2026-11-18T01:02:03.000Z",
        "title": paper.title,
        "summary": "\n\n".join(paper.paragraphs),
        "upvotes": paper.votes,
        "discussionId": "67ab00000000000000000000",
        "ai_summary": "What a machine makes of it.",
        "ai_keywords": list(paper.categories),
        **({"githubRepo": code[0], "githubStars": 3} if code else {}),
        **({"projectPage": pages[0]} if pages else {}),
    }
    about = {"title": paper.title, "summary": told["summary"], "thumbnail": "https://cdn.example.org/x.png"}
    person = {"fullname": "Some One", "name": "someone", "type": "user", "isHf": False}
    return {"paper": told, "publishedAt": told["publishedAt"], **about, "numComments": 2, "submittedBy": person}


def _table(papers: Sequence[Paper], dialect: type[csv.Dialect], names: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, dialect, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for paper, authors in zip(papers, names, strict=True):
        votes: Any = "" if paper.votes is None else paper.votes
        texts = (paper.title, "\n\n".join(paper.paragraphs), authors, "; ".join(paper.categories), paper.source)
        ids = (paper.doi, paper.versioned, " ".join(paper.links))
        writer.writerow((*texts, paper.url, paper.published.isoformat(), votes, *ids))
    return out.getvalue()


def _fields(paper: Paper) -> Iterator[tuple[str, str]]:
    yield "title", " ".join(map(_protected, _escaped(paper.title, accents=True).split(" ")))
    yield "author", " and ".join(map(_author, paper.authors))
    yield "abstract", "\n\n".join(_escaped(paragraph) for paragraph in paper.paragraphs)
    yield "journal" if _kind(paper) == "article" else "booktitle", _escaped(paper.source)
    yield "year", str(paper.published.year)
    yield "date", paper.published.isoformat()
    yield "keywords", ", ".join(paper.categories)
    yield "doi", paper.doi
    yield "url", paper.url
    if paper.arxiv:
        yield from (("eprint", paper.versioned), ("archivePrefix", "arXiv"), ("primaryClass", paper.categories[0]))
    yield "note", _escaped(paper.comments)


def _value(text: str) -> str:
    return _STRINGS.get(text) or f"{{{text}}}"


def _kind(paper: Paper) -> str:
    meeting = any(word in paper.source for word in ("Proceedings", "Conference", "Findings", "Workshop"))
    return "inproceedings" if meeting else "article" if paper.source else "misc"


def _label(paper: Paper) -> str:
    name = unicodedata.normalize("NFKD", paper.authors[0].family).encode("ascii", "ignore").decode()
    words = re.findall("[a-z]{4,}", paper.title.lower()) or ["untitled"]
    return f"{re.sub('[^A-Za-z]', '', name) or 'anon'}{paper.published.year}{words[0]}"


def _author(name: Name) -> str:
    if not name.given:
        return f"{{{_escaped(name.family, accents=True)}}}"
    parts = (name.family, name.suffix, name.given)
    return ", ".join(_escaped(part, accents=True) for part in parts if part)


def _protected(word: str) -> str:
    """A word with capitals, in the braces that keep them."""
    return f"{{{word}}}" if re.fullmatch("[A-Za-z]*[a-z]?[A-Z]{2,}[A-Za-z]*", word) else word


def _escaped(text: str, *, accents: bool = False) -> str:
    """A text as LaTeX: what is LaTeX already stays, the signs with a meaning are escaped in the rest."""
    pieces, place = [], 0
    for found in _LATEX.finditer(text):
        pieces += [_plain(text[place : found.start()], accents), found.group()]
        place = found.end()
    return "".join((*pieces, _plain(text[place:], accents)))


def _plain(text: str, accents: bool) -> str:
    escaped = _SPECIAL.sub(lambda sign: "\\" + sign.group(), text)
    return "".join(map(latex_letter, escaped)) if accents else escaped


def latex_letter(sign: str) -> str:
    r"""A letter with an accent as LaTeX has it: {\"o}. Others stay."""
    letter, mark = unicodedata.normalize("NFD", sign)[0], unicodedata.normalize("NFD", sign)[1:]
    if mark not in _ACCENTS or not letter.isascii():
        return _LETTERS.get(sign, sign)
    accent = _ACCENTS[mark]
    letter = rf"\{letter}" if letter in "ij" and not accent.isalpha() else letter
    return f"{{\\{accent}{{{letter}}}}}" if accent.isalpha() else f"{{\\{accent}{letter}}}"


def _tags(paper: Paper) -> Iterator[tuple[str, str]]:
    yield "TY", {"inproceedings": "CONF", "article": "JOUR", "misc": "UNPB"}[_kind(paper)]
    yield "TI", paper.title
    yield from (("AU", name.turned()) for name in paper.authors)
    yield "AB", "\n".join(paper.paragraphs)
    yield "JO" if _kind(paper) == "article" else "T2", paper.source
    yield from (("KW", category) for category in paper.categories)
    yield "PY", str(paper.published.year)
    yield "DA", f"{paper.published:%Y/%m/%d}/"
    yield "DO", paper.doi
    yield "UR", paper.url
    yield "N1", paper.comments
