"""More or less like this: the change that it would make to the profile, shown before it is made."""

from __future__ import annotations

from digest.web.desk import Page

PAGES: tuple[Page, ...] = ()
