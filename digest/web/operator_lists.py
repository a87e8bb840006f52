"""What the operator leafs through: editions by what became of them, runs, letters."""

from __future__ import annotations

from starlette.responses import Response

from digest.model import State
from digest.store import browse
from digest.web.desk import Asked, Page
from digest.web.operator_session import number, page

_LETTERS = {"waiting": State.PLANNED, "failed": State.FAILED, "sent": State.SENT}


def before(asked: Asked) -> int:
    """From which number on a list is shown, downwards."""
    found = number(asked.query.get("before", ""))
    return browse.NEWEST if found is None else found


def links(asked: Asked, editions: list[browse.Made]) -> dict[int, str]:
    """The pages of editions with anything in them, by id."""
    base = asked.desk.base
    return {one.id: f"{base}/editions/{asked.desk.sign('view', one.id)}" for one in editions if one.matched}


def _editions(asked: Asked) -> Response:
    listed = asked.query.get("state", "all")
    listed = listed if listed in browse.LISTED else "all"
    with asked.desk.store.read() as connection:
        part = browse.made(connection, listed, before(asked))
        emails = browse.emails(connection, [one.subscriber for one in part.rows])
    lists = list(browse.LISTED)
    found = links(asked, part.rows)
    return asked.show("operator_editions.html", part=part, listed=listed, lists=lists, emails=emails, links=found)


def _runs(asked: Asked) -> Response:
    with asked.desk.store.read() as connection:
        part = browse.ran(connection, before(asked))
    return asked.show("operator_runs.html", part=part)


def _letters(asked: Asked) -> Response:
    listed = asked.query.get("state", "waiting")
    listed = listed if listed in _LETTERS else "waiting"
    with asked.desk.store.read() as connection:
        part = browse.written(connection, _LETTERS[listed], before(asked))
    return asked.show("operator_letters.html", part=part, listed=listed, lists=list(_LETTERS))


PAGES: tuple[Page, ...] = (
    page("/operator/editions", _editions),
    page("/operator/runs", _runs),
    page("/operator/letters", _letters),
)
