"""What people type about their digest becomes a subscriber, or faults beside the fields.

Fields: `email`, `name`, `zone`, `send_at`, `days`, `min_matches`, `max_entries`, `paused_until`, `updates` ("no", then
"yes" if it is ticked); and for each profile n, from 0: `profile-n` (its name), `keywords-n` (one on a line), `match-n`,
`capitals-n` ("yes" or missing).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from pydantic import ValidationError

from digest.config import said
from digest.delivery.address import envelope_address, parse_address
from digest.errors import MessageError, UsageError
from digest.model import Cadence, MatchMode, Profile, Subscriber
from digest.profiles import check, parse
from digest.rendering.clean import clean, cut
from digest.settings import Editions, SubscriberTable
from digest.web.desk import Form, given

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_PROFILES, MOST_KEYWORDS, LONGEST_NAME = 10, 100, 60
_PLAIN = ("name", "zone", "send_at", "days", "min_matches", "max_entries", "paused_until")
_OF_NEWCOMER = ("email", "keywords-0", "zone", "send_at", "days", "updates")
MATCHES: tuple[tuple[MatchMode, str], ...] = (
    ("near", "all of them, near each other"),
    ("any", "any one of them"),
    ("phrase", "all of them, in this order"),
)
"""What several words on a line can mean, and the words for it."""
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
_REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
MORNING = time(7, 30)
"""When somebody new gets a digest who says nothing else."""
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ProfileFields:
    """What stands in the fields of one profile."""

    name: str
    keywords: str
    match: MatchMode = "near"
    capitals: bool = True

    @property
    def profile(self) -> Profile:
        """The profile that they mean, with no more keywords than there may be."""
        return Profile(self.name, tuple(lines(self.keywords)[:MOST_KEYWORDS]), self.match, self.capitals)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as typed, its faults by field, and what it means (None: there are faults)."""

    values: Mapping[str, str]
    profiles: tuple[ProfileFields, ...]
    faults: Mapping[str, str]
    subscriber: Subscriber | None

    @property
    def days(self) -> Choices:
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
        "updates": "yes" if subscriber.updates else "no",
    }
    profiles = tuple(
        ProfileFields(profile.name, "\n".join(profile.keywords), profile.match, profile.capitals)
        for profile in subscriber.profiles
    )
    return Filled(values, profiles, {}, subscriber)


def read(form: Form, known: Subscriber, editions: Editions, calendars: Collection[str]) -> Filled:
    """What a form means; fields that it does not have stay as they are `known`. The address is `known`'s, too."""
    typed = {name: given(form, name).strip() for name in (*_PLAIN, "updates") if form.get(name)}
    there = of_subscriber(known)
    values = {**there.values, **typed}
    profiles = tuple(_profiles(form)) if "keywords-0" in form else there.profiles
    faults: dict[str, str] = {}
    try:
        table = SubscriberTable.model_validate(_table(values, profiles, known))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            faults.setdefault(_field(fault["loc"]), _said(fault))
        table = None
    faults |= dict(_profile_faults(profiles))
    if len(values["name"]) > LONGEST_NAME:
        faults["name"] = f"A name has at most {LONGEST_NAME} characters."
    if table:
        faults |= {key: _sentence(fault) for key, fault in table.misfits(editions.max_entries, calendars)}
    subscriber = None if faults or table is None else table.subscriber(editions.max_entries)
    return Filled(values, profiles, faults, subscriber)


def of_newcomer(editions: Editions) -> Filled:
    """The form of somebody of whom nothing is known yet."""
    return replace(of_subscriber(_newcomer("", editions)), subscriber=None)


def read_newcomer(form: Form, editions: Editions) -> Filled:
    """What somebody new typed, with the address, which stays as typed; of the fields of the first page only."""
    email, own = given(form, "email"), {name: form[name] for name in _OF_NEWCOMER if name in form}
    filled = read(own, _newcomer(email, editions), editions, ())
    fault = address_fault(email)
    faults = {**filled.faults, **({"email": fault} if fault else {})}
    person = replace(filled.subscriber, email=email.strip()) if filled.subscriber and not fault else None
    return Filled({**filled.values, "email": email}, filled.profiles, faults, person)


def _newcomer(email: str, editions: Editions) -> Subscriber:
    return Subscriber(
        email, (Profile("Digest", ()),), cadence=Cadence(send_at=MORNING), max_entries=editions.max_entries
    )


def zones(own: str) -> tuple[tuple[str, Choices], ...]:
    """The time zones to choose from, by region, with one's own wherever that is."""
    regions = _regions()
    known = any(zone == own for _, choices in regions for zone, _ in choices)
    return regions if known else (("As it is", ((own, own),)), *regions)


@lru_cache(maxsize=1)
def _regions() -> tuple[tuple[str, Choices], ...]:
    regions: dict[str, list[tuple[str, str]]] = {"Everywhere": [("UTC", "UTC")]}
    for zone in sorted(available_timezones()):
        region, _, place = zone.partition("/")
        if region in _REGIONS:
            regions.setdefault(region, []).append((zone, place.replace("/", ", ").replace("_", " ")))
    return tuple((region, tuple(choices)) for region, choices in regions.items())


def address_fault(address: str) -> str:
    """What is wrong with an address as typed ("": nothing)."""
    try:
        envelope_address(parse_address(address), smtputf8=True)
    except (UsageError, MessageError):
        return "That is no mail address. Write one like name@example.org."
    return ""


def _profiles(form: Form) -> Iterator[ProfileFields]:
    """The profiles in a form, but for those without a name and keywords."""
    for number in range(MOST_PROFILES):
        if f"keywords-{number}" in form:
            found = ProfileFields(
                clean(given(form, f"profile-{number}")) or "Digest",
                given(form, f"keywords-{number}").replace("\r\n", "\n"),
                next((mode for mode, _ in MATCHES if mode == given(form, f"match-{number}")), "near"),
                capitals=f"capitals-{number}" in form or f"match-{number}" not in form,
            )
            if found.keywords.strip() or number == 0:
                yield found


def lines(text: str) -> list[str]:
    """The keywords in a field: one on a line, each once."""
    return list(dict.fromkeys(line for raw in text.splitlines() if (line := clean(raw))))


def _table(values: Mapping[str, str], profiles: Collection[ProfileFields], known: Subscriber) -> dict[str, Any]:
    tables = [
        {"name": one.name, "keywords": lines(one.keywords), "match": one.match, "capitals": one.capitals}
        for one in profiles
    ]
    table = {name: value for name in _PLAIN if (value := values[name])}
    own = {"name": clean(values["name"]), "email": known.email, "skip": list(known.skip)}
    return table | own | {"updates": values["updates"] == "yes", "profiles": tables}


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
        elif found := check(profile.profile):
            named = (f"{cut(fault.keyword, LONGEST_NAME)}: {fault.reason}. {fault.hint}" for fault in found)
            yield f"keywords-{number}", "\n".join(named)
        elif all(parse(keyword).excluded for keyword in keywords):
            yield f"keywords-{number}", "All of these only leave out. Add a keyword without a minus."
        if len(profile.name) > LONGEST_NAME:
            yield f"profile-{number}", f"A name has at most {LONGEST_NAME} characters."
        elif profile.name in names:
            yield f"profile-{number}", "Two profiles have this name. Give one another."
        names.add(profile.name)


def _said(fault: ErrorDetails) -> str:
    if fault["type"].startswith("int_"):
        return "Write a whole number."
    return _sentence(said(fault, SubscriberTable)).replace("Input should be", "It should be")


def _sentence(fault: str) -> str:
    return f"{fault[:1].upper()}{fault[1:]}{'' if fault.endswith(('.', '?')) else '.'}"
