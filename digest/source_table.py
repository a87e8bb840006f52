"""[[sources]]: where listings come from, with what is to be known of each such place."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from digest import exposure
from digest.settings import Link, Section, Text

_OWN_HEADERS = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "host", "transfer-encoding", "te", "upgrade"),
        *("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"),
    )
)
"""What the fetch itself says of a request."""


def _source_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w. -]{0,63}", name):
        raise ValueError("a name has letters, digits, blanks, and . - _, with a letter or digit first")
    return name


def _web_url(url: str) -> str:
    try:
        exposure.secret_url(SecretStr(url))
    except ValueError:
        raise ValueError('not a web address; write one like "https://example.org/papers.xml"') from None
    if "@" in urlsplit(url).netloc:
        raise ValueError("there can be no login in it, as addresses are shown; give it in headers, as Authorization")
    return url


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in _OWN_HEADERS:
        raise ValueError("this is no header, or one that cannot be set")
    return name


def _header_value(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", secret.get_secret_value()):
        raise ValueError("the value of a header is one line of plain characters")
    return secret


Name = Annotated[str, AfterValidator(_source_name)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
ColumnOf = Literal[
    "title",
    "abstract",
    "authors",
    "categories",
    "source",
    "url",
    "published",
    "votes",
    "doi",
    "arxiv",
    "version",
    "notes",
    "links",
]
"""What a column of a table may hold: the fields of a draft (see `listings.drafts`)."""


class SourceTable(Section):
    """A place with a name: a `path` (a file, folder or glob), or a `url`."""

    name: Name
    path: str = ""
    url: WebUrl = ""
    link: Link | None = None
    columns: dict[ColumnOf, Text] = Field(default_factory=dict, description="in which column of a table a field stands")
    stale_days: float | None = Field(default=None, ge=0)
    max_megabytes: float | None = Field(default=None, gt=0)
    every_minutes: int = Field(default=60, ge=1)
    allow_private: bool = Field(default=False, description="whether the url may be in a private network")
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, description="sent to the host of the url only")

    @model_validator(mode="after")
    def _is_somewhere(self) -> SourceTable:
        if bool(self.path) == bool(self.url):
            raise ValueError("a source has either a path or a url, one of the two")
        if not self.url and (idle := self.model_fields_set & {"every_minutes", "allow_private", "headers"}):
            raise ValueError(f"{', '.join(sorted(idle))}: that is for a source with a url, and this one has a path")
        return self

    @property
    def folder(self) -> str:
        """The name of the folder for what is fetched: safe on every disk, and never that of a file."""
        return re.sub(r"\W+", "-", self.name).strip("-")
