"""Whose page it is: the subscriber of a link, what they may change, and when their next digest comes.

Rule: who has left is not changed by a page that was still open; they come back first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from digest.cadence import latest, local_date, next_due, skipped
from digest.model import Subscriber
from digest.rendering.subject import long_date
from digest.store import members
from digest.store.members import Member
from digest.tokens import Purpose
from digest.web.desk import Asked, RefusedError, dead_link

_DAY = timedelta(days=1)
_LONGEST_SEARCH = 400


def of_link(asked: Asked, purpose: Purpose) -> Member:
    """The subscriber whom the token in the path numbers. Raises RefusedError: a dead link, or nobody is there."""
    return of_number(asked, asked.number(purpose))


def of_number(asked: Asked, number: int) -> Member:
    """A subscriber by number. Raises RefusedError if nobody is there."""
    with asked.desk.store.read() as connection:
        return _found(connection, number)


def change(asked: Asked, number: int, wanted: Callable[[Subscriber], Subscriber]) -> None:
    """Give somebody other wishes, made of those they have. Raises RefusedError if they are not subscribed."""
    desk = asked.desk
    with desk.store.write() as connection:
        member = _found(connection, number)
        if not member.subscribed:
            words = "Nothing was changed. Open your preferences from a mail of ours, and come back first."
            raise RefusedError(409, "You are not subscribed any more", words)
        members.change(connection, member, wanted(member.subscriber), desk.clock(), desk.editions.first_days)
    desk.ring()


def come_back(asked: Asked, found: Member) -> None:
    """Subscribe again who has left. Raises RefusedError if mail to them is held back all the same."""
    desk = asked.desk
    with desk.store.write() as connection:
        back = members.come_back(connection, found, desk.clock(), desk.editions.first_days)
    desk.ring()
    if not back:
        words = "You are subscribed, but mail to your address came back, or was reported. "
        words += f"To have it tried again, write to {desk.contact}."
        raise RefusedError(409, "No mail can go to you", words)


def _found(connection: Connection, number: int) -> Member:
    member = members.find(connection, number)
    if member is None:
        raise dead_link()
    return member


def today(asked: Asked, person: Subscriber) -> date:
    """The date where a subscriber is."""
    return local_date(asked.desk.clock(), person.cadence.zone)


def comes(asked: Asked, found: Member) -> str:
    """When the next digest may come, as `next_digest` says it ("": not subscribed, or too far off to say)."""
    if found.due_at is None or not found.subscribed:
        return ""
    return next_digest(found.subscriber, found.due_at, asked.desk.clock(), asked.desk.editions.skip)


def next_digest(person: Subscriber, due_at: int, now: int, skip: Sequence[str]) -> str:
    """When the next digest may come, by the subscriber's own clock: "on Saturday, 21 November 2026 at 07:30 (UTC)".

    `due_at` is the first slot without an edition, in epoch seconds; `skip` are the days on which nobody gets one. The
    days of calendars are not known here. "": it is too far off to say.
    """
    cadence, slot = person.cadence, latest(due_at, person.cadence)
    paused_until = person.paused_until or slot.date
    if paused_until - local_date(now, cadence.zone) > _LONGEST_SEARCH * _DAY:
        return ""
    if slot.date < paused_until:
        slot = next_due(paused_until - _DAY, cadence)
    for _ in range(_LONGEST_SEARCH):
        if not skipped(slot.date, (*skip, *person.skip), {}):
            break
        slot = next_due(slot.date, cadence)
    if slot.due_at <= now:
        return "as soon as something new matches"
    at = datetime.fromtimestamp(slot.due_at, ZoneInfo(cadence.zone))
    return f"on {long_date(slot.date)}" + (f" at {at:%H:%M} ({cadence.zone})" if cadence.send_at else "")
