"""All pages there are."""

from __future__ import annotations

from digest.web import archive, feed, feedback, operator, preferences, subscribe, unsubscribe
from digest.web.desk import Desk, Page


def pages(desk: Desk) -> tuple[Page, ...]:
    """The pages of a site: without a token for the operator there are none for the operator."""
    for_all = (
        *subscribe.PAGES,
        *preferences.PAGES,
        *unsubscribe.PAGES,
        *archive.PAGES,
        *feedback.PAGES,
        *feed.PAGES,
    )
    return (*for_all, *operator.PAGES) if desk.web.operator_token.get_secret_value() else for_all
