"""One's own matches as an Atom feed (RFC 4287)."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
