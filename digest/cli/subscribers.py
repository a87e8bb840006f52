"""`digest subscribers`: add, pause, resume, import, export, list, remove."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.alarms import utc
from digest.app import App, opened
from digest.cadence import local_date
from digest.cli.importing import Tally, configured, import_people, put
from digest.cli.options import CONFIG, ConfigOption, plural, say, warn, written
from digest.cli.people import read_person, table_of, write_csv, write_toml
from digest.cli.progress import reading
from digest.delivery.address import identity, parse_address
from digest.errors import UsageError
from digest.model import Subscriber
from digest.profiles import lint
from digest.store import subscribers, suppressions

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
    *,
    profile: Annotated[str | None, typer.Option(help="The profile to set (default: the only one).")] = None,
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    zone: Annotated[str | None, typer.Option(help="The time zone, such as Europe/Berlin (default: UTC).")] = None,
    send_at: Annotated[
        str | None, typer.Option(help="The local time to send at, such as 07:30 (default: the first run of the day).")
    ] = None,
    days: Annotated[str | None, typer.Option(help="Such as weekdays, 'mon, thu' or 'first monday'.")] = None,
    min_matches: Annotated[int | None, typer.Option(help="With fewer matches no mail is sent; they wait.")] = None,
    max_entries: Annotated[int | None, typer.Option(help="The most entries in one mail.")] = None,
    paused_until: Annotated[str | None, typer.Option(help="No mail before this date; '' ends a pause.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="A date, range or calendar without mail; '' for none.")] = None,
    updates: Annotated[
        bool | None,
        typer.Option("--updates/--no-updates", help="Mail new versions of papers that match, too."),
    ] = None,
    match: Annotated[Match | None, typer.Option(help="What several unquoted words mean (default: near).")] = None,
) -> None:
    """Add a subscriber; of one who is there, set the keywords of a profile and what else is given."""
    given: dict[str, Any] = {"name": name, "zone": zone, "send_at": send_at, "days": days, "paused_until": paused_until}
    given |= {"min_matches": min_matches, "max_entries": max_entries, "updates": updates}
    given |= {"skip": [one for one in skip if one] if skip else None}
    with opened(config) as app:
        _refuse_configured(app, email)
        table = _table(app, email, profile, {"keywords": keywords, **({"match": match.value} if match else {})})
        person = _changed(app, table, given)
        added, changed = put(app, [person])
    for advice in (advice for profile in person.profiles for advice in lint(profile)):
        warn([f"{advice.keyword}: {advice.reason}. {advice.hint}".removeprefix(": ")])
    say(f"{person.email}: {'added' if added else 'changed' if changed else 'nothing to change'}.")


@group.command()
def pause(
    email: Annotated[str, typer.Argument(help="The address.")],
    until: Annotated[str, typer.Option(metavar="DATE", help="The first date with mail again, such as 2026-12-01.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Send somebody nothing before a date; the first mail after it covers what came in meanwhile."""
    with opened(config) as app:
        person = _changed(app, table_of(_known(app, email)), {"paused_until": until})
        if not _paused(person, app):
            raise UsageError(f"--until {until} is not in the future; name the first date with mail again")
        put(app, [person])
    say(f"{email}: paused until {person.paused_until}.")


@group.command()
def resume(email: Annotated[str, typer.Argument(help="The address.")], config: ConfigOption = CONFIG) -> None:
    """End a pause at once."""
    with opened(config) as app:
        known = _known(app, email)
        put(app, [replace(known, paused_until=None)])
        with app.store.read() as connection:
            due = subscribers.find(connection, identity(parse_address(email)))
        when = f"; the next digest is due at {utc(max(due.due_at, app.clock()))}" if due else ""
        say(f"{email}: {'resumed' if _paused(known, app) else 'was not paused'}{when}.")


@group.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .csv or .toml file, as `digest subscribers export` writes it.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Add or change all subscribers of a file; what cannot be read is reported and left out."""
    tally = Tally()
    with opened(config) as app, reading() as watch:
        try:
            import_people(app, file, watch, tally)
        except BaseException:  # Ctrl-C, too
            if tally.any:
                warn([f"Before it stopped: {tally} They stay; the import can be begun again."])
            raise
    say(str(tally))
    raise typer.Exit(int(tally.refused > 0))


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
        rehearsed.pipeline.enrol()
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
        rehearsed.pipeline.enrol()
        with rehearsed.store.read() as connection:
            number, suppressed = 0, suppressions.of_subscribers(connection)
            for number, person in enumerate(subscribers.everybody(connection), start=1):  # noqa: B007 (the count)
                say(_line(person, app, suppressed.get(person.id, "")))
    say(plural(number, "subscriber"))


@group.command()
def remove(email: Annotated[str, typer.Argument(help="The address.")], config: ConfigOption = CONFIG) -> None:
    """End a subscription; not even what is planned already is sent."""
    with opened(config) as app:
        one = identity(_known(app, email).email)
        with app.store.write() as connection:
            subscribers.remove(connection, one)
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


def _changed(app: App, table: dict[str, Any], given: dict[str, Any]) -> Subscriber:
    """The subscriber of a table with what is given put in; an empty text brings the default back."""
    table = table | {key: value for key, value in given.items() if value is not None}
    return read_person(table["email"], {key: value for key, value in table.items() if value != ""}, app.config)


def _known(app: App, email: str) -> Subscriber:
    """A subscriber who can be changed here. Raises UsageError."""
    _refuse_configured(app, email)
    with app.store.read() as connection:
        there = subscribers.find(connection, identity(parse_address(email)))
    if there is None:
        raise UsageError(f"{email} is not subscribed; see: digest subscribers list")
    return there.subscriber


def _line(person: Subscriber, app: App, suppressed: str) -> str:
    wants = "; ".join(f"{profile.name}: {', '.join(profile.keywords)}" for profile in person.profiles)
    return f"{person.email}  {', '.join(_when(person, app, suppressed))}  {wants}"


def _when(person: Subscriber, app: App, suppressed: str) -> Iterator[str]:
    """When somebody gets a mail, in words, with what is not as for everybody."""
    if suppressed:
        yield f"suppressed ({suppressed})"
    cadence, days = person.cadence, _days(person.cadence.days)
    if cadence.send_at:
        yield f"at {cadence.send_at:%H:%M} {cadence.zone} {days}".rstrip()
    else:
        yield f"on the first run {days or 'of the day'}, {cadence.zone}"
    if _paused(person, app):
        yield f"paused until {person.paused_until}"
    if person.skip:
        yield f"not on {' or '.join(person.skip)}"
    if person.min_matches > 1:
        yield f"at least {person.min_matches} matches"
    if person.updates:
        yield "with new versions"


def _days(rule: str) -> str:
    """A rule of days, in its canonical form, in words (daily: none)."""
    match rule.split():
        case ["daily"]:
            return ""
        case ["weekdays" | "weekends"]:
            return f"on {rule}"
        case ["monthly", "on", number]:
            return f"on day {number} of the month"
        case ["last", "day"]:
            return "on the last day of the month"
        case [nth, day] if not nth.endswith(","):
            return f"on the {nth} {day.capitalize()} of the month"
    return f"on {rule.title()}"


def _paused(person: Subscriber, app: App) -> bool:
    return person.paused_until is not None and person.paused_until > local_date(app.clock(), person.cadence.zone)


def _refuse_configured(app: App, email: str) -> None:
    if where := configured(app).get(identity(parse_address(email))):
        raise UsageError(where)
