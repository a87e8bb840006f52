"""Editions: as they were sent, in full, and why each entry of the window was in or not."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
