"""Every format that listings come in, with the papers written in it, and what it can say of one.

A file is named by its format and what is special about it: "csv, semicolons", "rss, gzip".
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import feed_writers as feeds
import page_writers as pages
import record_writers as records
from papers import PAPERS, Paper

_RECORD = frozenset(("title", "abstract", "authors", "categories", "published", "url"))
_PREPRINT = _RECORD | {"arxiv"}
_WHOLE = _PREPRINT | {"votes", "doi", "version", "links", "source"}

CARRIES: dict[str, frozenset[str]] = {
    "rss": _RECORD | {"doi"},
    "atom": _RECORD,
    "jsonfeed": _RECORD,
    "arxiv-rss": _PREPRINT | {"doi", "version"},
    "arxiv-api": _PREPRINT | {"doi", "version", "links"},
    "arxiv-mail": _PREPRINT | {"doi", "links"},
    "hf-daily": _PREPRINT | {"votes", "links"},
    "json": _WHOLE,
    "jsonl": _WHOLE,
    "csv": _WHOLE,
    "bibtex": _WHOLE - {"votes"},
    "ris": _WHOLE - {"votes", "arxiv", "version"},
    "trending": frozenset(("title", "abstract")),
}
"""What a listing of each format can say of a paper."""


@dataclass(frozen=True, slots=True)
class File:
    """Papers as a file of some format. `carries` is what it says; `warned`: it cannot be read without a warning."""

    name: str
    content: bytes
    papers: tuple[Paper, ...]
    carries: frozenset[str]
    warned: bool = False

    @property
    def format(self) -> str:
        """The name of the format."""
        return self.name.partition(",")[0]


def files(papers: Sequence[Paper] = PAPERS) -> Iterator[File]:
    """Every format, once as it is defined, with those of the papers that it can hold."""
    every = tuple(papers)
    linked = tuple(paper for paper in papers if paper.url)
    told = tuple(paper for paper in papers if paper.abstract)
    preprints = tuple(paper for paper in papers if paper.arxiv)
    posted = tuple(paper for paper in preprints if "/" not in paper.arxiv)
    yield _text("json", records.json_entries, every)
    yield _text("jsonl", records.json_lines, every)
    yield _text("rss", feeds.rss_2, every)
    yield _text("rss, 1.0", feeds.rss_1, linked)
    yield replace(_text("rss, 0.91", feeds.rss_091, linked), carries=frozenset(("title", "abstract", "url")))
    yield _text("atom", feeds.atom, every)
    yield _text("jsonfeed", feeds.json_feed, every)
    yield _text("arxiv-rss", feeds.arxiv_rss, preprints)
    yield _text("arxiv-api", feeds.arxiv_api, preprints)
    yield _text("arxiv-mail", pages.arxiv_mail, preprints)
    yield _text("hf-daily", records.hf_daily, posted)
    yield _text("csv", records.comma_separated, every)
    yield _text("csv, semicolons", records.semicolon_separated, every)
    yield _text("csv, tabs", records.tab_separated, every)
    yield _text("bibtex", records.bibtex, every)
    yield _text("ris", records.ris, every)
    yield _text("trending", pages.trending_spaced, told)
    yield _text("trending, compact", pages.trending_compact, told)


def disguised(papers: Sequence[Paper] = PAPERS) -> Iterator[File]:
    """Some of them in other bytes: mails, archives, charsets, line ends."""
    plain = {file.name: file for file in files(papers)}
    by_mail, csv, rss, bib = plain["arxiv-mail"], plain["csv"], plain["rss"], plain["bibtex"]
    western = tuple(paper for paper in papers if _fits(paper, "cp1252"))
    yield replace(by_mail, name="arxiv-mail, base64", content=pages.arxiv_mail_file(by_mail.papers, "base64"))
    yield replace(by_mail, name="arxiv-mail, quoted", content=pages.arxiv_mail_file(by_mail.papers, "quoted-printable"))
    yield replace(by_mail, name="arxiv-mail, alternatives", content=pages.alternatives(by_mail.papers))
    yield replace(by_mail, name="arxiv-mail, mbox", content=pages.mailbox(by_mail.papers))
    yield _changed(by_mail, "CRLF", lambda content: content.replace(b"\n", b"\r\n"))
    yield _changed(plain["ris"], "CRLF", lambda content: content.replace(b"\n", b"\r\n"))
    yield _changed(plain["trending"], "CR", lambda content: content.replace(b"\n", b"\r"))
    yield _changed(rss, "gzip", gzip.compress)
    yield _changed(plain["jsonl"], "gzip of gzip", lambda content: gzip.compress(gzip.compress(content)))
    yield _changed(bib, "zip", lambda content: zipped({"export/papers.bib": content}))
    yield _changed(csv, "BOM", lambda content: b"\xef\xbb\xbf" + content)
    yield _changed(plain["csv, tabs"], "UTF-16", lambda content: content.decode().encode("utf-16"))
    yield _changed(plain["json"], "UTF-16 big", lambda content: b"\xfe\xff" + content.decode().encode("utf-16-be"))
    yield _changed(plain["atom"], "Latin-1", _in_latin_1)
    marked = records.bibtex(western)
    yield replace(bib, name="bibtex, Windows", content=marked.encode("cp1252"), papers=western, warned=True)
    declared = f"% Encoding: windows-1252\n\n{marked}".encode("cp1252")
    yield replace(bib, name="bibtex, Windows declared", content=declared, papers=western)
    table = records.semicolon_separated(western).encode("cp1252")
    yield replace(csv, name="csv, Windows", content=table, papers=western, warned=True)
    halves = {
        "first.json": records.json_entries(papers[: len(papers) // 2]),
        "second.json": records.json_lines(papers[len(papers) // 2 :]),
    }
    content = zipped({name: text.encode() for name, text in halves.items()})
    yield replace(plain["json"], name="json + jsonl, zip", content=content)


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip file with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 17, 12, 0, 0)), content)
    return out.getvalue()


def _text(name: str, write: Callable[[Sequence[Paper]], str], papers: tuple[Paper, ...]) -> File:
    return File(name, write(papers).encode(), papers, CARRIES[name.partition(",")[0]])


def _changed(file: File, how: str, change: Callable[[bytes], bytes]) -> File:
    return replace(file, name=f"{file.name}, {how}", content=change(file.content))


def _fits(paper: Paper, charset: str) -> bool:
    words = (paper.title, paper.abstract, *(name.shown for name in paper.authors))
    return " ".join(words) == " ".join(words).encode(charset, "ignore").decode(charset)


def _in_latin_1(content: bytes) -> bytes:
    """XML in Latin-1, with references for what that does not have."""
    return content.decode().replace('encoding="utf-8"', 'encoding="ISO-8859-1"').encode("latin-1", "xmlcharrefreplace")
