"""Where entries come from, for the operator: each configured source and its health, and what files brought."""

from __future__ import annotations

from starlette.responses import Response

from digest import alarms
from digest.alarms import Limits
from digest.store import browse, sources
from digest.web.desk import Asked, Page
from digest.web.operator_lists import before
from digest.web.operator_session import not_there, number, numbered, page


def _sources(asked: Asked) -> Response:
    desk, now = asked.desk, asked.desk.clock()
    with desk.store.read() as connection:
        states = sources.states(connection, desk.sources)
        part = browse.loaded(connection, before(asked))
    of_sources = Limits(0, 0, desk.stale_seconds, 0)
    troubles = {one.subject: one.words for one in alarms.sources(states, now, of_sources)}
    return asked.show("operator_sources.html", states=states, troubles=troubles, part=part)


def _file(asked: Asked) -> Response:
    with asked.desk.store.read() as connection:
        file = browse.loaded_file(connection, numbered(asked))
        if file is None:
            raise not_there()
        part = browse.rejected(connection, file.id, number(asked.query.get("after", "")) or 0)
    return asked.show("operator_file.html", file=file, part=part)


PAGES: tuple[Page, ...] = (
    page("/operator/sources", _sources),
    page("/operator/sources/{number}", _file),
)
