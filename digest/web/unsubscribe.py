"""Unsubscribing: one button, and RFC 8058's one click.

Rules
-----
1. To open the page changes nothing: mail scanners follow every link. A POST to it unsubscribes, whatever its body is
   and wherever it comes from; it is done before the answer, which is a page and no redirect, and again is the same.
2. A token that is ours says so for ever: also to who has left, or has been forgotten.
3. Whoever has this link may stop, slow down or undo it; it leads to no preferences.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from digest.cadence import local_date, next_due
from digest.model import Cadence
from digest.rendering.subject import long_date
from digest.store import members
from digest.web import member
from digest.web.desk import Asked, Page
from digest.web.pages import seen
from digest.web.pause import MONTH, paused_until

_WEEKLY = "mon"


def unsubscribe(asked: Asked) -> Response:
    """The page with its button, or the one click."""
    number, desk = asked.number("unsubscribe"), asked.desk
    if not asked.posted:
        return _shown(asked, number)
    with desk.store.write() as connection:
        if found := members.find(connection, number):
            members.leave(connection, found, desk.clock())
    return asked.show("unsubscribed.html", token=asked.place["token"], known=found is not None)


def pause(asked: Asked) -> Response:
    """Nothing for a month, instead."""
    number = asked.number("unsubscribe")
    until = member.today(asked, member.of_link(asked, "unsubscribe").subscriber) + MONTH
    member.change(asked, number, lambda person: replace(person, paused_until=until))
    return _back(asked, "paused")


def weekly(asked: Asked) -> Response:
    """One digest a week, instead."""
    member.change(
        asked,
        asked.number("unsubscribe"),
        lambda person: replace(person, cadence=replace(person.cadence, days=_WEEKLY)),
    )
    return _back(asked, "weekly")


def undo(asked: Asked) -> Response:
    """Subscribed again, as before."""
    member.come_back(asked, member.of_link(asked, "unsubscribe"))
    return _back(asked, "undone")


def _shown(asked: Asked, number: int) -> Response:
    with asked.desk.store.read() as connection:
        found = members.find(connection, number)
    token = asked.place["token"]
    if found is None or not found.subscribed:
        return asked.show("unsubscribed.html", token=token, known=found is not None)
    until = paused_until(found.subscriber, member.today(asked, found.subscriber))
    return asked.show(
        "unsubscribe.html",
        token=token,
        done=asked.query.get("done", ""),
        until=long_date(until) if until else "",
        often=_is_often(found.subscriber.cadence, asked),
        due=member.comes(asked, found),
    )


def _is_often(cadence: Cadence, asked: Asked) -> bool:
    """Whether a digest comes more than once a week."""
    first = next_due(local_date(asked.desk.clock(), cadence.zone), cadence).date
    return (next_due(first, cadence).date - first).days < 7


def _back(asked: Asked, done: str) -> Response:
    return seen(f"{asked.desk.base}/unsubscribe/{asked.place['token']}?done={done}")


PAGES: tuple[Page, ...] = (
    Page("/unsubscribe/{token}", unsubscribe, ("GET", "POST"), foreign=True),
    Page("/unsubscribe/{token}/pause", pause, ("POST",)),
    Page("/unsubscribe/{token}/weekly", weekly, ("POST",)),
    Page("/unsubscribe/{token}/undo", undo, ("POST",)),
)
