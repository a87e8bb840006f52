"""Preferences: everything that a subscriber can change, in one form, with what each edit would bring.

Rules
-----
1. Nothing is saved but by the button that says so; to add or remove a profile, or to look at the preview, gives the
   page back with all that was typed.
2. Who has left sees how to come back, and no form.
3. What was changed since the form was shown, in another tab or by a link, is not overwritten unseen: the form has the
   version of what was saved then.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
from typing import NamedTuple

from starlette.responses import Response

from digest.model import Subscriber
from digest.rendering.subject import long_date
from digest.store import members
from digest.store.members import Member
from digest.web import forms, member, preview
from digest.web.desk import Asked, Form, Page
from digest.web.forms import Filled, ProfileFields
from digest.web.pages import seen
from digest.web.pause import LONGEST, paused_until, until_fault
from digest.web.preview import Difference, Preview

_EDITIONS = 7
_OF_PROFILE = re.compile(r"(profile|keywords|match|capitals)-([0-9]{1,2})")
_REMOVE = re.compile(r"remove-([0-9]{1,2})")
_VERSION_OCTETS = 8


class _ChangedError(Exception):
    """Something else is saved than when the form was shown."""


class _Shown(NamedTuple):
    """An edition that was made: its date, its entries, and the token of its page."""

    day: str
    matched: int
    token: str


def preferences(asked: Asked) -> Response:
    """All that is set, to be looked at and changed."""
    found = member.of_link(asked, "manage")
    if not asked.posted:
        return _page(asked, found, forms.of_subscriber(_awake(asked, found)))
    wanted = asked.given("do")
    if wanted == "come back":
        member.come_back(asked, found)
        return _back(asked, "back")
    if not found.subscribed:
        return _page(asked, found, forms.of_subscriber(found.subscriber), 409)
    if wanted == "add":
        filled = with_another(_read(asked, found, asked.form))
        return _page(asked, found, replace(filled, faults={}), fresh=True)
    if gone := _REMOVE.fullmatch(wanted):
        filled = _read(asked, found, without(asked.form, int(gone[1])))
        return _page(asked, found, replace(filled, faults={}))
    return _save(asked, found, _read(asked, found, asked.form))


def show_preview(asked: Asked) -> Response:
    """What the profiles as typed would bring, and change: a part for htmx, else the page with all that was typed."""
    found = member.of_link(asked, "manage")
    filled = _read(asked, found, asked.form)
    if asked.part:
        return preview.shown(asked, *_previewed(asked, found, filled))
    return _page(asked, found, replace(filled, faults={}))


def _save(asked: Asked, found: Member, filled: Filled) -> Response:
    wanted, shown = filled.subscriber, asked.given("version")
    if wanted is None:
        return _page(asked, found, filled, 422)

    def unless_changed(saved: Subscriber) -> Subscriber:
        if shown not in ("", _version(saved)) and replace(wanted, id=saved.id) != saved:
            raise _ChangedError
        return wanted

    try:
        member.change(asked, found.subscriber.id, unless_changed)
    except _ChangedError:
        return _page(asked, member.of_link(asked, "manage"), filled, 409)
    return _back(asked, "saved")


def _version(saved: Subscriber) -> str:
    return blake2b(repr(saved).encode(), digest_size=_VERSION_OCTETS).hexdigest()


def _back(asked: Asked, done: str) -> Response:
    return seen(f"{asked.desk.base}/preferences/{asked.place['token']}?done={done}")


def _awake(asked: Asked, found: Member) -> Subscriber:
    """The subscriber, without a pause that is over."""
    person = found.subscriber
    return replace(person, paused_until=paused_until(person, member.today(asked, person)))


def _read(asked: Asked, found: Member, form: Form) -> Filled:
    """The form as typed. A pause that stands already may be longer than one that is asked for."""
    known, desk = _awake(asked, found), asked.desk
    filled = forms.read(form, known, desk.editions, desk.calendars)
    until = filled.values["paused_until"]
    stands = bool(known.paused_until and until == known.paused_until.isoformat())
    fault = "" if stands or not until else until_fault(until, member.today(asked, filled.subscriber or known))
    return replace(filled, faults={**filled.faults, "paused_until": fault}, subscriber=None) if fault else filled


def without(form: Form, gone: int) -> Form:
    """A form without one of its profiles; those after it move up."""
    fields = {}
    for name, values in form.items():
        of_profile = _OF_PROFILE.fullmatch(name)
        number = int(of_profile[2]) if of_profile else -1
        if of_profile and number > gone:
            fields[f"{of_profile[1]}-{number - 1}"] = values
        elif number != gone:
            fields[name] = values
    return fields


def with_another(filled: Filled) -> Filled:
    """A form with another, empty profile, if it may have one."""
    if len(filled.profiles) >= forms.MOST_PROFILES:
        return filled
    names = {profile.name for profile in filled.profiles}
    name = next(name for number in range(2, 2 + forms.MOST_PROFILES) if (name := f"Profile {number}") not in names)
    return replace(filled, profiles=(*filled.profiles, ProfileFields(name, "")))


def _previewed(asked: Asked, found: Member, filled: Filled) -> tuple[Preview, Difference | None]:
    """What the profiles in the form bring, and what they change of those that are saved."""
    trials, now, before = asked.desk.trials, asked.desk.clock(), found.subscriber.profiles
    shown = preview.preview(trials, filled.profiles, now)
    same = before == tuple(one.profile for one in filled.profiles)
    return shown, None if same else preview.difference(trials, before, filled.profiles, now)


def _page(asked: Asked, found: Member, filled: Filled, status: int = 200, *, fresh: bool = False) -> Response:
    sign = asked.desk.sign
    number, today = found.subscriber.id, member.today(asked, found.subscriber)
    shown, change = _previewed(asked, found, filled) if found.subscribed else (None, None)
    return asked.show(
        "preferences.html",
        status,
        token=asked.place["token"],
        member=found,
        filled=filled,
        zones=forms.zones(filled.values["zone"]),
        matches=forms.MATCHES,
        most_profiles=forms.MOST_PROFILES,
        fresh=fresh,
        latest=(today + LONGEST).isoformat(),
        done=asked.query.get("done", ""),
        changed=status == 409,
        version=_version(found.subscriber) if status == 409 else asked.given("version") or _version(found.subscriber),
        due=member.comes(asked, found),
        preview=shown,
        difference=change,
        editions=_editions(asked, number),
        tokens={"feed": sign("feed", number), "pause": sign("pause", number), "leave": sign("unsubscribe", number)},
    )


def _editions(asked: Asked, number: int) -> tuple[_Shown, ...]:
    with asked.desk.store.read() as connection:
        past = members.editions_of(connection, number, _EDITIONS)
    return tuple(_Shown(long_date(one.slot), one.matched, asked.desk.sign("view", one.id)) for one in past)


PAGES: tuple[Page, ...] = (
    Page("/preferences/{token}", preferences, ("GET", "POST")),
    Page("/preferences/{token}/preview", show_preview, ("POST",), preview.RATE),
)
