"""All pages there are."""

from __future__ import annotations

from digest.settings import Web
from digest.web import archive, data, feed, feedback, operator, pause, preferences, signin, subscribe, unsubscribe
from digest.web.desk import Page


def pages(web: Web) -> tuple[Page, ...]:
    """The pages of a site: without a token for the operator there are none for the operator."""
    for_all = (
        *subscribe.PAGES,
        *signin.PAGES,
        *preferences.PAGES,
        *data.PAGES,
        *pause.PAGES,
        *unsubscribe.PAGES,
        *archive.PAGES,
        *feedback.PAGES,
        *feed.PAGES,
    )
    return (*for_all, *operator.PAGES) if web.operator_token.get_secret_value() else for_all
