"""Subscribers in files: CSV with a row for each profile, or TOML as in the configuration.

The rows of one subscriber stand together. Keywords in a CSV field are separated by line ends, or else by semicolons;
days to skip by semicolons. An empty field, like a column that is not there, means the default.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from digest.config import Config, read_subscriber
from digest.delivery.address import identity
from digest.errors import ConfigError, UsageError
from digest.faults import address_fault
from digest.model import Profile, Subscriber
from digest.places import Source
from digest.profiles import check

_OF_PERSON = ("name", "zone", "send_at", "days", "min_matches", "max_entries", "paused_until", "updates")
COLUMNS = ("email", *_OF_PERSON, "skip", "profile", "match", "capitals", "keywords")
_BEYOND = "fields beyond the columns"


class Read(NamedTuple):
    """A subscriber, or why there is none; `place` is file and line."""

    place: str
    subscriber: Subscriber | None
    fault: str = ""


def read_people(file: Path, config: Config) -> Iterator[Read]:
    """The subscribers in a file. Raises UsageError if it cannot be read as a whole."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from None
    tables = _from_toml(Source(file, text)) if file.suffix.lower() == ".toml" else _from_csv(file, text)
    seen: set[str] = set()
    for place, values in tables:
        read = _read(place, values, config)
        one = identity(read.subscriber.email) if read.subscriber else ""
        if one in seen:
            read = Read(place, None, f"{values['email']} stands in the file twice; put the rows of one person together")
        elif one:
            seen.add(one)
        yield read


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


def _from_toml(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        document = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(source.syntax_fault(str(error))) from None
    tables = document.get("subscribers") if document else []
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{source.file}: there are no [[subscribers]] tables in it")
    for number, table in enumerate(tables):
        yield source.where(("subscribers", number)), table


def _from_csv(file: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = csv.DictReader(io.StringIO(text, newline=""), restkey=_BEYOND, strict=True)
    try:
        columns = tuple(rows.fieldnames or ())
        if "email" not in columns or "keywords" not in columns or not set(columns) <= set(COLUMNS):
            raise UsageError(
                f"{file}:1: the first line must name columns among {', '.join(COLUMNS)}; email and keywords are needed"
            )
        numbered = ((rows.line_num, row) for row in rows)
        for email, group in groupby(numbered, key=lambda pair: (pair[1]["email"] or "").strip()):
            lines = list(group)
            yield f"{file}:{lines[0][0]}", _person(email, [row for _, row in lines])
    except csv.Error as error:
        raise UsageError(f"{file}:{rows.reader.line_num}: {error}") from None


def _person(email: str, rows: list[dict[str, str | None]]) -> dict[str, Any]:
    """The TOML form of the rows of one subscriber."""
    first = rows[0]
    profiles = [
        {
            "name": row.get("profile") or "Digest",
            "keywords": _parts(row.get("keywords") or ""),
            **{key: value for key in ("match", "capitals") if (value := row.get(key))},
        }
        for row in rows
    ]
    facts = {key: value for key in (*_OF_PERSON, _BEYOND) if (value := first.get(key))}
    return {"email": email, "profiles": profiles, "skip": _parts(first.get("skip") or ""), **facts}


def _parts(field: str) -> list[str]:
    parts = field.split("\n" if "\n" in field else ";")
    return [part.strip() for part in parts if part.strip()]


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
