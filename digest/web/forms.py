"""What people type about their digest becomes a subscriber, or faults beside the fields. Pure.

Fields: `email`, `name`, `zone`, `send_at`, `days`, `min_matches`, `max_entries`, `paused_until`; and for each profile
n, from 0: `profile-n` (its name), `keywords-n` (one on a line), `match-n`, `capitals-n` ("yes" or missing).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from digest.config import said
from digest.delivery.address import identity, parse_address
from digest.errors import MessageError, UsageError
from digest.model import Subscriber
from digest.profiles import check
from digest.rendering.clean import clean
from digest.settings import Editions, SubscriberTable
from digest.web.desk import Form

MOST_PROFILES, MOST_KEYWORDS, LONGEST_NAME = 10, 100, 60
_PLAIN = ("name", "zone", "send_at", "days", "min_matches", "max_entries", "paused_until")
_MATCHES = ("near", "any", "phrase")
DAYS = (
    ("daily", "Every day"),
    ("weekdays", "Monday to Friday"),
    ("weekends", "Saturday and Sunday"),
    *((name[:3].lower(), f"Every {name}") for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")),
    ("sat", "Every Saturday"),
    ("sun", "Every Sunday"),
    ("first monday", "The first Monday of the month"),
    ("monthly on 1", "The first of the month"),
)
"""The rules of days that can be chosen, and their words."""


@dataclass(frozen=True, slots=True)
class ProfileFields:
    """What stands in the fields of one profile."""

    name: str
    keywords: str
    match: str = "near"
    capitals: bool = True


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as typed, its faults by field, and what it means (None: there are faults)."""

    values: Mapping[str, str]
    profiles: tuple[ProfileFields, ...]
    faults: Mapping[str, str]
    subscriber: Subscriber | None

    @property
    def days(self) -> tuple[tuple[str, str], ...]:
        """The rules of days to choose from, with one that is there already."""
        rule = self.values.get("days", "daily")
        return DAYS if any(rule == known for known, _ in DAYS) else ((rule, rule.capitalize()), *DAYS)


def of_subscriber(subscriber: Subscriber) -> Filled:
    """A form that shows what is."""
    cadence, until = subscriber.cadence, subscriber.paused_until
    values = {
        "email": subscriber.email,
        "name": subscriber.name,
        "zone": cadence.zone,
        "send_at": f"{cadence.send_at:%H:%M}" if cadence.send_at else "",
        "days": cadence.days,
        "min_matches": str(subscriber.min_matches),
        "max_entries": str(subscriber.max_entries),
        "paused_until": until.isoformat() if until else "",
    }
    profiles = tuple(
        ProfileFields(profile.name, "\n".join(profile.keywords), profile.match, profile.capitals)
        for profile in subscriber.profiles
    )
    return Filled(values, profiles, {}, subscriber)


def read(form: Form, known: Subscriber, editions: Editions, calendars: Collection[str]) -> Filled:
    """What a form means; fields that it does not have stay as they are `known`. The address is `known`'s, too."""
    typed = {name: form[name][-1].strip() for name in _PLAIN if form.get(name)}
    there = of_subscriber(known)
    values = {**there.values, **typed}
    profiles = tuple(_profiles(form)) if "keywords-0" in form else there.profiles
    faults: dict[str, str] = {}
    try:
        table = SubscriberTable.model_validate(_table(values, profiles, known))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            faults.setdefault(_field(fault["loc"]), _sentence(said(fault, SubscriberTable)))
        table = None
    faults |= dict(_profile_faults(profiles))
    if table:
        faults |= {key: _sentence(fault) for key, fault in table.misfits(editions.max_entries, calendars)}
    subscriber = None if faults or table is None else table.subscriber(editions.max_entries)
    if subscriber:
        faults |= dict(_unreadable(subscriber))
    return Filled(values, profiles, faults, None if faults else subscriber)


def address_fault(address: str) -> str:
    """What is wrong with an address as typed ("": nothing)."""
    try:
        identity(parse_address(address))
    except (UsageError, MessageError):
        return "That is no mail address. Write one like name@example.org."
    return ""


def _profiles(form: Form) -> Iterator[ProfileFields]:
    """The profiles in a form, but for those without a name and keywords."""
    for number in range(MOST_PROFILES):
        if f"keywords-{number}" in form:
            match = _last(form, f"match-{number}")
            found = ProfileFields(
                clean(_last(form, f"profile-{number}")) or "Digest",
                _last(form, f"keywords-{number}").replace("\r\n", "\n"),
                match if match in _MATCHES else "near",
                capitals=f"capitals-{number}" in form or f"match-{number}" not in form,
            )
            if found.keywords.strip() or number == 0:
                yield found


def _last(form: Form, name: str) -> str:
    return form[name][-1] if form.get(name) else ""


def lines(text: str) -> list[str]:
    """The keywords in a field: one on a line, each once."""
    return list(dict.fromkeys(line for raw in text.splitlines() if (line := clean(raw))))


def _table(values: Mapping[str, str], profiles: Collection[ProfileFields], known: Subscriber) -> dict[str, Any]:
    tables = [
        {"name": one.name, "keywords": lines(one.keywords), "match": one.match, "capitals": one.capitals}
        for one in profiles
    ]
    table = {name: value for name in _PLAIN if (value := values[name])}
    return table | {"name": clean(values["name"]), "email": known.email, "skip": list(known.skip), "profiles": tables}


def _field(place: tuple[str | int, ...]) -> str:
    """The field of a fault's place: ("profiles", 1, "keywords", 3) is keywords-1."""
    match place:
        case ("profiles", int(number), *_):
            return f"keywords-{number}"
        case (str(name), *_):
            return name
    return "keywords-0"


def _profile_faults(profiles: Collection[ProfileFields]) -> Iterator[tuple[str, str]]:
    names: set[str] = set()
    for number, profile in enumerate(profiles):
        keywords = lines(profile.keywords)
        if not keywords:
            yield f"keywords-{number}", "Write at least one keyword."
        elif len(keywords) > MOST_KEYWORDS:
            yield f"keywords-{number}", f"These are {len(keywords)} keywords; {MOST_KEYWORDS} are the most."
        if len(profile.name) > LONGEST_NAME:
            yield f"profile-{number}", f"A name has at most {LONGEST_NAME} characters."
        elif profile.name in names:
            yield f"profile-{number}", "Two profiles have this name. Give one another."
        names.add(profile.name)


def _unreadable(subscriber: Subscriber) -> Iterator[tuple[str, str]]:
    for number, profile in enumerate(subscriber.profiles):
        if found := check(profile):
            yield f"keywords-{number}", "\n".join(f"{fault.keyword}: {fault.reason}. {fault.hint}" for fault in found)


def _sentence(fault: str) -> str:
    return f"{fault[:1].upper()}{fault[1:]}{'' if fault.endswith(('.', '?')) else '.'}"


def with_address(filled: Filled, email: str) -> Filled:
    """The same form with the address of somebody new, who is a subscriber only if that can be one."""
    fault = address_fault(email)
    faults = {**filled.faults, **({"email": fault} if fault else {})}
    person = replace(filled.subscriber, email=email.strip()) if filled.subscriber and not fault else None
    return Filled({**filled.values, "email": email}, filled.profiles, faults, person)
