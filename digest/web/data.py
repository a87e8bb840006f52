"""One's own data: all of it to take along, or to have deleted.

Rule: to delete is for good. What stays is a keyed hash of the address, so that nobody's import mails to it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from digest.model import Edition, Entry
from digest.store import entries, members, subscribers
from digest.store.members import Kept, Member, Past
from digest.web import member
from digest.web.desk import Asked, Page
from digest.web.pages import moment

_FILE = {"Content-Disposition": 'attachment; filename="my-digest.json"'}


def download(asked: Asked) -> Response:
    """All that is known of the person, as a JSON file."""
    found = member.of_link(asked, "manage")
    with asked.desk.store.read() as connection:
        kept = members.kept(connection, found)
        named = entries.by_numbers(connection, {number for one in kept.contents.values() for number in one.entries})
    text = json.dumps(everything(found, kept, named), indent=2, ensure_ascii=False)
    return Response(text, media_type="application/json", headers=_FILE)


def delete(asked: Asked) -> Response:
    """What deleting means; then it is done."""
    found = member.of_link(asked, "manage")
    if not asked.posted:
        return asked.show("delete.html", token=asked.place["token"], email=found.subscriber.email, done=False)
    with asked.desk.store.write() as connection:
        members.forget(connection, found, asked.desk.clock())
    return asked.show("delete.html", token="", email="", done=True)


def everything(found: Member, kept: Kept, named: Mapping[int, Entry]) -> dict[str, Any]:
    """What is kept of a person, in words and values that JSON knows; moments are in UTC."""
    until = found.subscriber.paused_until
    signup = kept.signup
    return {
        "subscriber": subscribers.wishes(found.subscriber)
        | {
            "paused_until": until.isoformat() if until else None,
            "subscribed": found.subscribed,
            "no_mail_because": found.suppressed or None,
            "no_mail_since": moment(kept.suppression.at) if kept.suppression else None,
            "added_at": moment(found.created_at),
            "confirmed_at": _moment(found.confirmed_at),
            "next_slot_at": _moment(found.due_at),
        },
        "signup": signup
        and {"asked_at": moment(signup.asked_at), "confirmed_at": _moment(signup.confirmed_at)}
        | {"wishes": subscribers.wishes(signup.subscriber)},
        "letters": [{"kind": one.kind, "to": one.email, "written_at": moment(one.written_at)} for one in kept.letters],
        "editions": [_edition(one, kept.contents.get(one.id), named) for one in kept.editions],
    }


def _edition(past: Past, held: Edition | None, named: Mapping[int, Entry]) -> dict[str, Any]:
    facts: dict[str, Any] = {"date": past.slot.isoformat(), "state": past.state, "reason": past.reason}
    facts |= {"planned_at": moment(past.planned_at), "changed_at": moment(past.changed_at)}
    facts |= {"new_entries": past.considered, "matched": past.matched}
    if held is None:
        return facts
    shown = [
        {"title": named[match.entry].title, "url": named[match.entry].url, "score": match.score}
        | {"because": [f"{one.profile}: {one.keyword}, in the {one.field}" for one in match.reasons]}
        for match in held.matches
    ]
    return facts | {
        "to": held.email,
        "name": held.name,
        "entries": shown,
        "more": [named[one].title for one in held.more],
    }


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else moment(seconds)


PAGES: tuple[Page, ...] = (
    Page("/preferences/{token}/data.json", download),
    Page("/preferences/{token}/delete", delete, ("GET", "POST")),
)
