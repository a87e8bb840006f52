"""The first page: what this is, a sample, and subscribing with a preview; then the confirmation."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
