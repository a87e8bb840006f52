"""Unsubscribing: one button, and RFC 8058's one click."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
