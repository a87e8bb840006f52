"""A pause: nothing comes before a date, and what came in meanwhile is in the first digest after it.

Rule: a pause ends on a day after today, within a year, by the subscriber's own calendar.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from starlette.responses import Response

from digest.model import Subscriber
from digest.rendering.subject import long_date
from digest.store.members import Member
from digest.web import member
from digest.web.desk import Asked, Page
from digest.web.pages import seen

MONTH = timedelta(days=30)
LONGEST = timedelta(days=366)
_LENGTHS = (("7", "A week"), ("14", "Two weeks"), ("30", "A month"))


def pause(asked: Asked) -> Response:
    """How long nothing comes; a change of that, and its end."""
    found = member.of_link(asked, "pause")
    if not asked.posted:
        return _shown(asked, found)
    until, fault = (None, "") if asked.given("do") == "end" else _until(asked, member.today(asked, found.subscriber))
    if fault:
        return _shown(asked, found, fault)
    member.change(asked, found.subscriber.id, lambda person: replace(person, paused_until=until))
    done = "paused" if until else "ended"
    return seen(f"{asked.desk.base}/pause/{asked.place['token']}?done={done}")


def until_fault(until: str, today: date) -> str:
    """What is wrong with the date on which a pause ends, as a form has it ("": nothing)."""
    try:
        day = date.fromisoformat(until)
    except ValueError:
        return "That is no date. Write it like 2026-12-24."
    if day <= today:
        return "That day has come. Choose a later one."
    return "" if day <= today + LONGEST else "That is more than a year. Choose an earlier day, or unsubscribe."


def paused_until(person: Subscriber, today: date) -> date | None:
    """The end of a pause that is not over."""
    return person.paused_until if person.paused_until and person.paused_until > today else None


def _until(asked: Asked, today: date) -> tuple[date | None, str]:
    """The end of the pause that was chosen, or what is wrong with it."""
    chosen = asked.given("for")
    if any(chosen == days for days, _ in _LENGTHS):
        return today + timedelta(days=int(chosen)), ""
    if chosen != "date":
        return None, "Choose how long."
    fault = until_fault(asked.given("until"), today)
    return (None, fault) if fault else (date.fromisoformat(asked.given("until")), "")


def _shown(asked: Asked, found: Member, fault: str = "") -> Response:
    today = member.today(asked, found.subscriber)
    until = paused_until(found.subscriber, today)
    return asked.show(
        "pause.html",
        422 if fault else 200,
        token=asked.place["token"],
        subscribed=found.subscribed,
        until=long_date(until) if until else "",
        due=member.comes(asked, found),
        done=asked.query.get("done", ""),
        lengths=_LENGTHS,
        chosen=asked.given("for") or "7",
        date=asked.given("until"),
        earliest=(today + timedelta(days=1)).isoformat(),
        latest=(today + LONGEST).isoformat(),
        fault=fault,
    )


PAGES: tuple[Page, ...] = (Page("/pause/{token}", pause, ("GET", "POST")),)
