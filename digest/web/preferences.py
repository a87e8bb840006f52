"""Preferences: profiles with a preview of every edit, time and days, a pause; signing in; data to take or delete."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
