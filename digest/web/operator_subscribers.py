"""Subscribers, for the operator: who they are, what they got, and what can be done for them.

Rules
-----
1. No address stands in the address of a page: who is looked for is sent in a form, and everybody has a number.
2. Everything done here says at the next page that it was done.
3. Who stands in the configuration file is ended there, or would be back with the next run; they can be suppressed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection
from starlette.responses import Response

from digest.delivery.address import identity, parse_address
from digest.errors import MessageError, UsageError
from digest.store import browse, members, subscribers, suppressions
from digest.store.members import Member
from digest.web.desk import Asked, Handler, Page, RefusedError
from digest.web.operator_lists import before, links
from digest.web.operator_session import not_there, number, numbered, page
from digest.web.pages import seen

_REASON = "by the operator"


def _list(asked: Asked) -> Response:
    if asked.posted:
        return _found(asked)
    with asked.desk.store.read() as connection:
        part = browse.people(connection, before(asked))
    return asked.show("operator_subscribers.html", part=part, typed="", fault="")


def _found(asked: Asked) -> Response:
    """Those whose address begins with what was typed."""
    typed = asked.given("q").strip()
    readable = typed.isprintable() and typed[:1] not in ("", "@")
    fault = "" if readable else "Write how the address begins: what stands before the @ comes first."
    part: browse.Part[browse.Person] = browse.Part([], None)
    if not fault:
        with asked.desk.store.read() as connection:
            part = browse.people_beginning(connection, _beginning(typed), number(asked.given("after")) or 0)
    return asked.show("operator_subscribers.html", part=part, typed=typed, fault=fault)


def _beginning(typed: str) -> str:
    """How the identity of an address begins that begins like this."""
    try:
        return identity(parse_address(typed))
    except (UsageError, MessageError):
        return unicodedata.normalize("NFC", typed.lower())


def _one(asked: Asked) -> Response:
    with asked.desk.store.read() as connection:
        member = _member(asked, connection)
        person = member.subscriber
        editions = browse.made_for(connection, person.id)
        values: dict[str, Any] = {
            "again": browse.to_send_again(connection, person.id) if _may_get(member) else None,
            "suppressed": suppressions.find(connection, member.identity),
            "letters": browse.written_to(connection, person.email),
            "configured": browse.is_configured(connection, person.id),
        }
    done = asked.query.get("done", "")
    own: dict[str, Any] = {"member": member, "person": person, "editions": editions, "links": links(asked, editions)}
    words = _ACTIONS[done].words if done in _ACTIONS else ""
    return asked.show("operator_subscriber.html", **own, **values, done=words)


def _member(asked: Asked, connection: Connection) -> Member:
    member = members.find(connection, numbered(asked))
    if member is None:
        raise not_there()
    return member


def _may_get(member: Member) -> bool:
    return member.active and not member.suppressed


def _resend(asked: Asked, connection: Connection, member: Member) -> None:
    now, edition = asked.desk.clock(), number(asked.given("edition")) or 0
    if not (_may_get(member) and browse.send_again(connection, member.subscriber.id, edition, now)):
        words = "It was sent meanwhile, or nothing may go to this address. Look at their page again."
        raise RefusedError(409, "This edition cannot be sent again", words)


def _suppress(asked: Asked, connection: Connection, member: Member) -> None:
    suppressions.add(connection, member.identity, "manual", _REASON, asked.desk.clock())


def _allow(_asked: Asked, connection: Connection, member: Member) -> None:
    suppressions.remove(connection, member.identity)


def _unsubscribe(_asked: Asked, connection: Connection, member: Member) -> None:
    if browse.is_configured(connection, member.subscriber.id):
        words = "The configuration file subscribes them. Take them out there, or suppress the address."
        raise RefusedError(409, "This subscription cannot be ended here", words)
    subscribers.remove(connection, member.identity)


class _Action(NamedTuple):
    """What can be done for a subscriber, and the words when it was."""

    act: Callable[[Asked, Connection, Member], None]
    words: str


_ACTIONS = {
    "resend": _Action(_resend, "The edition is on its way again: the next run takes it."),
    "suppress": _Action(_suppress, "Nothing more is sent to this address, whoever subscribes it."),
    "allow": _Action(_allow, "This address may get mail again. What was not sent meanwhile stays unsent."),
    "unsubscribe": _Action(
        _unsubscribe, "The subscription has ended. Nothing more is sent, not even what was planned."
    ),
}
"""By the last part of the path."""


def _doing(name: str) -> Handler:
    def done(asked: Asked) -> Response:
        with asked.desk.store.write() as connection:
            member = _member(asked, connection)
            _ACTIONS[name].act(asked, connection, member)
        asked.desk.ring()
        return seen(f"{asked.desk.base}/operator/subscribers/{member.subscriber.id}?done={name}")

    return done


PAGES: tuple[Page, ...] = (
    page("/operator/subscribers", _list, "GET", "POST"),
    page("/operator/subscribers/{number}", _one),
    *(page(f"/operator/subscribers/{{number}}/{name}", _doing(name), "POST") for name in _ACTIONS),
)
