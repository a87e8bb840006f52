"""The same sixty papers in every format are the same entries, in every way they can arrive."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from papers import PAPERS, Paper
from writers import CARRIES, File, disguised, files

from digest.listings import Origin, read
from digest.listings.sniff import FORMATS, sniff
from digest.listings.wording.decode import decode
from digest.model import Entry

ORIGIN = Origin(date(2026, 11, 18))
FILES = tuple(files())
ALL = (*FILES, *disguised())
DOCS = Path(__file__).resolve().parents[2] / "docs" / "listings.md"
BEGINNINGS = (
    '<?xml version="1.0"?> <rss version="2.0"><channel><title>News</title>',
    '<feed xmlns="http://www.w3.org/2005/Atom"><id>http://arxiv.org/api/x</id>',
    '{"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "a"}]}',
    '[{"paper": {"id": "2611.00001", "title": "a", "upvotes": 1}}]',
    '{"entries": [{"title": "a"}]}',
    "title;abstract;authors;year",
    "@article{a, title = {B}, author = {C, D}}",
    "TY  - JOUR",
    r"\\ arXiv:2611.00001 Date: Tue, 17 Nov 2026 09:12:31 GMT",
    "Get trending papers in your email inbox",
    "From: Ada <ada@example.org> To: bao@example.org Subject: papers",
)


def by_name(found: Iterable[File]) -> pytest.MarkDecorator:
    """A test for each of these files, named after it."""
    return pytest.mark.parametrize("file", [pytest.param(file, id=file.name) for file in found])


def truth(papers: Iterable[Paper]) -> tuple[Entry, ...]:
    """The papers as their own JSON gives them."""
    return tuple(_by_title()[paper.reads] for paper in papers)


@cache
def _by_title() -> dict[str, Entry]:
    return {entry.title: entry for entry in read(FILES[0].content, ORIGIN).entries}


def test_the_json_form_says_what_the_papers_say() -> None:
    """What all others are compared with is right itself: readable titles and names, every field as it was written."""
    for paper, entry in zip(PAPERS, truth(PAPERS), strict=True):
        assert entry.title == paper.reads
        assert entry.authors == tuple(name.shown for name in paper.authors)
        assert (entry.published, entry.votes, entry.version) == (paper.published, paper.votes, paper.version)
        assert (entry.categories, entry.links, entry.url) == (paper.categories, paper.links, paper.url)
        assert not re.search(r"\\|\{|\$[\\\w]*\\", entry.title + entry.abstract)


@by_name(ALL)
def test_every_file_gives_every_paper_and_no_complaint(file: File) -> None:
    """Each file is known as its format; all its papers are there, in their order, nothing is rejected or warned of."""
    listing = read(file.content, ORIGIN)
    assert listing.rejected == ()
    assert [entry.title for entry in listing.entries] == [paper.reads for paper in file.papers]
    assert listing.format == file.format
    assert bool(listing.warnings) == file.warned, listing.warnings


@by_name(ALL)
def test_every_field_that_a_format_carries_arrives(file: File) -> None:
    """Each field is the same as in the JSON form, whatever the format had to do to write it."""
    for entry, true in zip(read(file.content, ORIGIN).entries, truth(file.papers), strict=True):
        for field in ("abstract", "authors", "categories", "votes", "version", "links"):
            if field in file.carries:
                assert getattr(entry, field) == getattr(true, field), true.title
        if "published" in file.carries:
            assert entry.published == true.published, true.title
        if "source" in file.carries and true.source:
            assert entry.source == true.source


@by_name(ALL)
def test_every_key_that_a_format_carries_arrives(file: File) -> None:
    """Each identifier is told alike, whether it stands in a field of its own or in an address."""
    for entry, true in zip(read(file.content, ORIGIN).entries, truth(file.papers), strict=True):
        wanted = {key for key in true.keys if _kind(key) in file.carries - {"url"} or _kind(key) == "title"}
        if "url" in file.carries:
            wanted |= {key for key in true.keys if _kind(key) in ("acl", "openreview")}
            assert bool(entry.url) == bool(true.url), true.title
        assert wanted <= set(entry.keys), true.title
        extra = {key for key in set(entry.keys) - set(true.keys) if _kind(key) != "url"}
        assert not extra, true.title


def test_every_format_is_written_and_told_of() -> None:
    """No format is left out here, and the table in the documentation says of each what it carries."""
    assert {file.format for file in FILES} == CARRIES.keys() == FORMATS.keys()
    header, _, *rows = [line.strip("| ").split("|") for line in DOCS.read_text().splitlines() if line.count("|") > 10]
    fields = [cell.strip() for cell in header[1:]]
    told = {row[0].strip(" `"): {f for f, cell in zip(fields, row[1:], strict=False) if cell.strip()} for row in rows}
    assert told == CARRIES


@by_name(FILES)
def test_a_file_is_known_by_its_own_format_first(file: File) -> None:
    """No format before it in the list takes it for its own, whole or cut at the end."""
    text = decode(file.content)[0]
    assert sniff(text) == file.format
    assert sniff(text[: len(text) * 6 // 10]) == file.format


@pytest.mark.parametrize("quoted", BEGINNINGS)
def test_a_file_that_quotes_another_format_is_not_taken_for_it(quoted: str) -> None:
    """Papers about file formats hold the beginnings of all of them, in lines of their own."""
    papers = [
        replace(paper, title=f"{paper.title}: {quoted}", abstract=f"{paper.abstract}\n\n{quoted}")
        for paper in PAPERS[:3]
    ]
    told = {file.name: sniff(file.content.decode()) for file in files(papers)}
    assert told == {file.name: file.format for file in FILES}


@by_name(FILES)
def test_a_file_that_was_cut_keeps_what_stands_before(file: File) -> None:
    """Of the first 60 % of a file, all papers but the one at the cut are there, in their order."""
    text = decode(file.content)[0]
    cut = text[: len(text) * 6 // 10]
    found = [entry.title for entry in read(cut.encode(), ORIGIN).entries]
    before = [paper.reads for paper in file.papers]
    assert found[:-1] == before[: len(found) - 1]
    assert len(found) > len(before) // 2


def _kind(key: str) -> str:
    return key.partition(":")[0]
