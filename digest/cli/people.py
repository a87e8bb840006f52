"""Subscribers in files: CSV with a row for each profile, or TOML as in the configuration.

A million may stand in a file of CSV: it is read row by row. One of TOML is read as a whole.
"""

from __future__ import annotations

import csv
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from digest.cli.known import Known
from digest.cli.rows import COLUMNS, read_rows
from digest.config import Config, read_subscriber
from digest.delivery.address import identity
from digest.errors import ConfigError, UsageError
from digest.faults import address_fault
from digest.model import Profile, Subscriber
from digest.places import Source
from digest.profiles import check
from digest.report import Reading, unwatched

_TOLD_EVERY = 1_000


class Read(NamedTuple):
    """A subscriber, or why there is none; `place` is file and line."""

    place: str
    subscriber: Subscriber | None
    fault: str = ""


def read_people(file: Path, config: Config, watch: Reading = unwatched) -> Iterator[Read]:
    """The subscribers in a file, as they are asked for. Raises UsageError if it cannot be read, or not to its end."""
    seen = _Seen()
    try:
        for read in _from_toml(file, config) if file.suffix.lower() == ".toml" else _from_csv(file, config, watch):
            if read.subscriber and not seen.add(identity(read.subscriber.email)):
                yield Read(read.place, None, _twice(read.subscriber.email))
            else:
                yield read
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None


def _twice(email: str) -> str:
    return f"{email} stands in the file twice; put the rows of one person together"


def read_person(place: str, values: Mapping[str, Any], config: Config) -> Subscriber:
    """One subscriber. Raises UsageError with the fault."""
    _, subscriber, fault = _read(place, values, config)
    if subscriber is None:
        raise UsageError(f"{place}: {fault}")
    return subscriber


def _read(place: str, values: Mapping[str, Any], config: Config) -> Read:
    try:
        subscriber = read_subscriber(values, config)
    except ConfigError as error:
        return Read(place, None, str(error))
    faults = [str(fault) for profile in subscriber.profiles for fault in check(profile)]
    if fault := address_fault(subscriber.email):
        faults.insert(0, fault)
    return Read(place, None, "; ".join(faults)) if faults else Read(place, subscriber)


def _from_toml(file: Path, config: Config) -> Iterator[Read]:
    source = Source(file, file.read_text(encoding="utf-8-sig"))
    try:
        document = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(source.syntax_fault(str(error))) from None
    tables = document.get("subscribers") if document else []
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{source.file}: there are no [[subscribers]] tables in it")
    for number, table in enumerate(tables):
        yield _read(source.where(("subscribers", number)), table, config)


def _from_csv(file: Path, config: Config, watch: Reading) -> Iterator[Read]:
    known = Known(lambda person: _read("", person.table, config).subscriber)
    with file.open(encoding="utf-8-sig", newline="") as text:
        size = os.fstat(text.fileno()).st_size
        for number, person in enumerate(read_rows(file, text), start=1):
            place, subscriber = f"{file}:{person.line}", known.subscriber(person)
            yield Read(place, subscriber) if subscriber else _read(place, person.table, config)
            if size and number % _TOLD_EVERY == 0:  # a pipe has no size
                watch(file, number, number * size // os.lseek(text.fileno(), 0, os.SEEK_CUR))


class _Seen:
    """Whose addresses have come. 16 octets are kept of each, a fifth of what its text would take."""

    def __init__(self) -> None:
        self._shelves = [bytearray() for _ in range(1 << 16)]

    def add(self, identity: str) -> bool:
        """Whether it comes for the first time."""
        digest = blake2b(identity.encode(), digest_size=16).digest()
        shelf = self._shelves[digest[0] << 8 | digest[1]]
        if digest in shelf:
            return False
        shelf += digest
        return True


def write_csv(people: Iterable[Subscriber], file: TextIO) -> None:
    """Write subscribers as CSV."""
    rows = csv.DictWriter(file, COLUMNS)
    rows.writeheader()
    for person in people:
        facts = table_of(person) | {"skip": "; ".join(person.skip), "updates": _truth(person.updates)}
        for profile in facts.pop("profiles"):
            own = {"profile": profile["name"], "match": profile["match"], "capitals": _truth(profile["capitals"])}
            rows.writerow(facts | own | {"keywords": "\n".join((*profile["keywords"], ""))})


def _truth(value: bool) -> str:
    return str(value).lower()


def write_toml(people: Iterable[Subscriber], file: TextIO) -> None:
    """Write subscribers as TOML, ready to be put into a configuration."""
    for person in people:
        table = table_of(person)
        profiles = table.pop("profiles")
        file.write("[[subscribers]]\n" + _toml(table))
        file.writelines("\n[[subscribers.profiles]]\n" + _toml(profile) for profile in profiles)
        file.write("\n")


def table_of(person: Subscriber) -> dict[str, Any]:
    """The TOML form of a subscriber."""
    when = person.cadence
    facts = {"email": person.email, "name": person.name, "zone": when.zone, "days": when.days}
    wishes = {"min_matches": person.min_matches, "max_entries": person.max_entries, "updates": person.updates}
    send_at = {"send_at": when.send_at.isoformat("minutes")} if when.send_at else {}
    pause = {"paused_until": person.paused_until.isoformat()} if person.paused_until else {}
    profiles = [_facts(profile) for profile in person.profiles]
    return {**facts, **send_at, **wishes, **pause, "skip": person.skip, "profiles": profiles}


def _facts(profile: Profile) -> dict[str, Any]:
    return {"name": profile.name, "keywords": profile.keywords, "match": profile.match, "capitals": profile.capitals}


def _toml(facts: Mapping[str, Any]) -> str:
    # What JSON writes for a text, a number, a truth value or a list of texts is TOML, too.
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in facts.items())
