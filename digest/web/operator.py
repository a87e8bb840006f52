"""The operator's pages: how things stand, and the way to all the others."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from digest import alarms
from digest.store import dues, incidents, overview, runs, subscribers, suppressions
from digest.store.overview import FIGURES
from digest.web import operator_lists, operator_session, operator_sources, operator_subscribers
from digest.web.desk import Asked, Page
from digest.web.operator_session import page
from digest.web.pages import day

_DAYS, _MONTH = 14, 30
"""Days in the charts, and days in which somebody is new."""
_CHARTS = (*FIGURES, "new subscribers")


def _home(asked: Asked) -> Response:
    now = asked.desk.clock()
    month_ago, *_ = overview.last_days(now, _MONTH)
    days = overview.last_days(now, _DAYS)
    with asked.desk.store.read() as connection:
        earlier, *joined = overview.joined(connection, [month_ago, *days])
        sent = overview.sent_on(connection, days)
        next_moment = dues.next_moment(connection)
        values: dict[str, Any] = {
            "active": subscribers.count(connection),
            "waiting": overview.count_waiting(connection, now),
            "suppressed": suppressions.count_by_kind(connection),
            "editions": overview.count_editions(connection),
            "last": runs.last(connection),
            "incidents": [
                (alarms.headline(one.kind, one.subject), one.words, one.opened_at)
                for one in incidents.open_(connection)
            ],
        }
    rows = [(day(begin), (*of.values(), new)) for begin, of, new in zip(days, sent, joined, strict=True)]
    return asked.show(
        "operator.html",
        **values,
        month=_MONTH,
        new_in_month=earlier + sum(joined),
        days=rows,
        charts=[(what, [(name, numbers[place]) for name, numbers in rows]) for place, what in enumerate(_CHARTS)],
        next_moment=None if next_moment is None else max(next_moment, now),
    )


PAGES: tuple[Page, ...] = (
    page("/operator", _home),
    *operator_session.PAGES,
    *operator_subscribers.PAGES,
    *operator_sources.PAGES,
    *operator_lists.PAGES,
)
