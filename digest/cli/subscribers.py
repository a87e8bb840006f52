"""`digest subscribers`: add, import, export, list, remove."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.app import App, opened
from digest.cli.options import CONFIG, ConfigOption, plural, say, warn, written
from digest.cli.people import read_people, read_person, table_of, write_csv, write_toml
from digest.delivery.address import identity, parse_address
from digest.errors import UsageError
from digest.model import Subscriber
from digest.profiles import lint
from digest.store import subscribers
from digest.store.subscribers import AT_ONCE, Named

group = typer.Typer(help="Who gets a digest, and what they want.", no_args_is_help=True)


class Match(StrEnum):
    """What several unquoted words of a keyword mean."""

    NEAR = "near"
    ANY = "any"
    PHRASE = "phrase"


class Format(StrEnum):
    """What subscribers are written as."""

    CSV = "csv"
    TOML = "toml"


@group.command()
def add(
    email: Annotated[str, typer.Argument(help="The address.")],
    keywords: Annotated[
        list[str], typer.Argument(help="What to look for; put -- before a list with an exclusion such as -survey.")
    ],
    config: ConfigOption = CONFIG,
    profile: Annotated[str | None, typer.Option(help="The profile to set (default: the only one).")] = None,
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    zone: Annotated[str | None, typer.Option(help="The time zone, such as Europe/Berlin (default: UTC).")] = None,
    send_at: Annotated[
        str | None, typer.Option(help="The local time to send at, such as 07:30 (default: the first run of the day).")
    ] = None,
    max_entries: Annotated[int | None, typer.Option(help="The most entries in one mail.")] = None,
    match: Annotated[Match | None, typer.Option(help="What several unquoted words mean (default: near).")] = None,
) -> None:
    """Add a subscriber; of one who is there, set the keywords of a profile and what else is given."""
    with opened(config) as app:
        if where := _configured(app).get(identity(parse_address(email))):
            raise UsageError(where)
        table = _table(app, email, profile, {"keywords": keywords, **({"match": match.value} if match else {})})
        given = {"name": name, "zone": zone, "send_at": send_at, "max_entries": max_entries}
        table |= {key: value for key, value in given.items() if value is not None}
        person = read_person(email, table, app.config.editions.max_entries)
        added, changed = _put(app, [person])
    for advice in (advice for profile in person.profiles for advice in lint(profile)):
        warn([f"{advice.keyword}: {advice.reason}. {advice.hint}".removeprefix(": ")])
    say(f"{person.email}: {'added' if added else 'changed' if changed else 'nothing to change'}.")


@group.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .csv or .toml file, as `digest subscribers export` writes it.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Add or change all subscribers of a file; what cannot be read is reported and left out."""
    added = changed = refused = 0
    batch: list[Subscriber] = []
    with opened(config) as app:
        configured = _configured(app)
        for place, person, fault in read_people(file, app.config.editions.max_entries):
            reason = configured.get(identity(person.email)) if person else fault
            if person is None or reason:
                warn([f"{place}: not imported: {reason}"])
                refused += 1
                continue
            batch.append(person)
            if len(batch) == AT_ONCE:
                added, changed = _sum((added, changed), _put(app, batch))
                batch = []
        added, changed = _sum((added, changed), _put(app, batch))
    say(f"{added:,} added, {changed:,} changed, {refused:,} refused.")
    raise typer.Exit(int(refused > 0))


@group.command()
def export(
    config: ConfigOption = CONFIG,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.CSV,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it (default: standard output).")
    ] = None,
) -> None:
    """Write all subscribers to a file."""
    write = write_csv if form is Format.CSV else write_toml
    with opened(config) as app, app.rehearsal() as rehearsed:
        rehearsed.enrol()
        with rehearsed.store.read() as connection:
            people = subscribers.everybody(connection)
            if out is None:
                write(people, sys.stdout)
                return
            with written(out), out.open("w", encoding="utf-8", newline="") as file:
                write(people, file)
    say(f"Wrote {out}.")


@group.command("list")
def list_(config: ConfigOption = CONFIG) -> None:
    """Show all subscribers."""
    with opened(config) as app, app.rehearsal() as rehearsed:
        rehearsed.enrol()
        with rehearsed.store.read() as connection:
            number = 0
            for number, person in enumerate(subscribers.everybody(connection), start=1):  # noqa: B007 (the count)
                say(_line(person))
    say(plural(number, "subscriber"))


@group.command()
def remove(email: Annotated[str, typer.Argument(help="The address.")], config: ConfigOption = CONFIG) -> None:
    """End a subscription; not even what is planned already is sent."""
    with opened(config) as app:
        one = identity(parse_address(email))
        if where := _configured(app).get(one):
            raise UsageError(where)
        with app.store.write() as connection:
            if not subscribers.remove(connection, one):
                raise UsageError(f"{email} is not subscribed; see: digest subscribers list")
    say(f"{email}: removed.")


def _table(app: App, email: str, profile: str | None, wishes: dict[str, Any]) -> dict[str, Any]:
    """What is known of a subscriber (nothing, of a new one), with the wishes put into a profile."""
    with app.store.read() as connection:
        there = subscribers.find(connection, identity(parse_address(email)))
    table: dict[str, Any] = table_of(there.subscriber) if there else {"email": email, "profiles": []}
    by_name = {known["name"]: known for known in table["profiles"]}
    if profile is None and len(by_name) > 1:
        raise UsageError(f"{email} has several profiles ({', '.join(by_name)}); say which with --profile")
    name = profile or next(iter(by_name), "Digest")
    by_name[name] = {"name": name, **by_name.get(name, {}), **wishes}
    return table | {"email": email, "profiles": list(by_name.values())}


def _line(person: Subscriber) -> str:
    when = (
        f"at {person.send_at:%H:%M} {person.zone}" if person.send_at else f"on the first run of the day, {person.zone}"
    )
    wants = "; ".join(f"{profile.name}: {', '.join(profile.keywords)}" for profile in person.profiles)
    return f"{person.email}  {when}  {wants}"


def _put(app: App, people: Sequence[Subscriber]) -> tuple[int, int]:
    named = [Named(identity(person.email), person) for person in people]
    with app.store.write() as connection:
        return subscribers.put(connection, named, app.clock(), app.config.editions.first_days, configured=False)


def _configured(app: App) -> dict[str, str]:
    """Who stands in the configuration file, and that it is changed there, or the next run would undo it."""
    tables = enumerate(app.config.subscribers)
    places = {table.email: app.config.where(("subscribers", number)) for number, table in tables}
    return {
        identity(email): f"{email} stands in the configuration, {place}; change it there"
        for email, place in places.items()
    }


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]
