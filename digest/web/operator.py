"""The operator's pages, behind a token: how things stand, subscribers, sources, editions, runs, failures."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
