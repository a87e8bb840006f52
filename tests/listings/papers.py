"""The sixty papers of papers.toml, and what of a paper several formats write the same way."""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name in its parts; that of a group, or one in one piece, is all `family`."""

    family: str
    given: str = ""
    suffix: str = ""

    @property
    def shown(self) -> str:
        """The name as it is said."""
        return " ".join(part for part in (self.given, self.family, self.suffix) if part)

    def turned(self) -> str:
        """The name as catalogues of libraries have it: "Smith, Robert Allen, Jr."."""
        return ", ".join(part for part in (self.family, self.given, self.suffix) if part)


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: texts as typed by its authors, with LaTeX; `arxiv` is without version. `reads`: the readable title."""

    title: str
    reads: str
    abstract: str
    authors: tuple[Name, ...]
    categories: tuple[str, ...]
    published: date
    source: str = ""
    url: str = ""
    doi: str = ""
    arxiv: str = ""
    version: int = 0
    votes: int | None = None
    comments: str = ""
    links: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> list[str]:
        """The abstract's paragraphs, each on one line."""
        return [" ".join(part.split()) for part in self.abstract.split("\n\n") if part.strip()]

    @property
    def versioned(self) -> str:
        """The arXiv id with its version."""
        return f"{self.arxiv}v{self.version}" if self.arxiv else ""

    @property
    def moment(self) -> datetime:
        """A time on the day of publication."""
        return datetime.combine(self.published, time(9, 12, 31), ZoneInfo("UTC"))


def wrapped(text: str, indent: str = "", width: int = 79) -> str:
    """A text in lines, as mails and arXiv's feeds have it; no word is cut."""
    return textwrap.fill(
        text, width, subsequent_indent=indent, initial_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _name(text: str) -> Name:
    match text.split(", "):
        case [family, given]:
            return Name(family, given)
        case [family, suffix, given]:
            return Name(family, given, suffix)
    return Name(text)


def _paper(record: dict[str, Any]) -> Paper:
    lists: dict[str, tuple[object, ...]] = {
        "authors": tuple(map(_name, record["authors"])),
        "categories": tuple(record["categories"]),
        "links": tuple(record.get("links", ())),
    }
    return Paper(**{"reads": record["title"], **record, **lists, "abstract": record["abstract"].strip()})


PAPERS = tuple(map(_paper, tomllib.loads((Path(__file__).parent / "papers.toml").read_text())["paper"]))
