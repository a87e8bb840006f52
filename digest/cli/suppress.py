"""`digest suppress`: add, remove, list, check."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from digest.alarms import utc
from digest.app import App, opened
from digest.cli.options import CONFIG, ConfigOption, JsonOption, as_json, plural, say, warn
from digest.delivery.address import identity, parse_address
from digest.errors import UsageError
from digest.store import suppressions
from digest.store.dues import AT_ONCE
from digest.store.suppressions import KINDS, Kind, Suppression

_MANY = "-"
_UNKNOWN = "an address that is no subscriber's"
_SHOWN = 1_000
"""Suppressions that are listed, the newest."""

group = typer.Typer(help="Addresses that get no mail, whoever subscribes them.", no_args_is_help=True)
EmailArgument = Annotated[str, typer.Argument(help="The address; - takes many from standard input, one a line.")]


@group.command()
def add(
    email: EmailArgument,
    config: ConfigOption = CONFIG,
    *,
    reason: Annotated[str, typer.Option(help="Why, in a few words.")] = "",
    bounce: Annotated[bool, typer.Option("--bounce", help="Mail to it came back.")] = False,
    complaint: Annotated[
        bool, typer.Option("--complaint", help="It called our mail spam; too many of these pause all sending.")
    ] = False,
) -> None:
    """Send nothing to an address any more, even if it is subscribed again."""
    if bounce and complaint:
        raise UsageError("--bounce and --complaint are two kinds of reasons; give one of them")
    kind: Kind = "bounce" if bounce else "complaint" if complaint else "manual"
    emails, left_out = _read(email)
    new = 0
    with opened(config) as app:
        before = _found(app, emails) if email != _MANY else []
        for batch in _batches(emails):
            with app.store.write() as connection:
                new += sum(suppressions.add(connection, identity(one), kind, reason, app.clock()) for one in batch)
    for one in before:
        say(f"{email}: was suppressed already, {_since(one)}." if one else f"{email}: suppressed.")
    if email == _MANY:
        say(f"{new:,} suppressed, {len(emails) - new:,} already, {left_out:,} left out.")
    raise typer.Exit(int(left_out > 0))


@group.command()
def remove(email: EmailArgument, config: ConfigOption = CONFIG) -> None:
    """Allow mail to an address again; what was not sent meanwhile stays unsent."""
    emails, left_out = _read(email)
    gone = 0
    with opened(config) as app:
        for batch in _batches(emails):
            with app.store.write() as connection:
                gone += sum(suppressions.remove(connection, identity(one)) for one in batch)
    if email == _MANY:
        say(f"{gone:,} may get mail again, {len(emails) - gone:,} not suppressed, {left_out:,} left out.")
    elif gone:
        say(f"{email}: may get mail again.")
    else:
        raise UsageError(f"{email} is not suppressed; see: digest suppress list")
    raise typer.Exit(int(left_out > 0))


@group.command("list")
def list_(config: ConfigOption = CONFIG, json: JsonOption = False) -> None:
    """Show what is suppressed, the newest first; an address is known only while a subscriber has it."""
    with opened(config) as app, app.store.read() as connection:
        counts = suppressions.count_by_kind(connection)
        found = suppressions.newest(connection, _SHOWN)
    if json:
        as_json({kind: counts[kind] for kind in KINDS} | {"newest": [_facts(one.email, one) for one in found]})
        return
    for one in found:
        say(f"{one.email or _UNKNOWN}: {_since(one)}")
    kinds = ", ".join(f"{counts[kind]:,} {kind}" for kind in KINDS if counts[kind])
    shown = f"; the newest {_SHOWN:,} are shown" if counts.total() > len(found) else ""
    say(f"{plural(counts.total(), 'suppression')}{f' ({kinds})' if kinds else ''}{shown}")


@group.command()
def check(email: EmailArgument, config: ConfigOption = CONFIG, json: JsonOption = False) -> None:
    """Tell whether an address is suppressed, and why; subscribed or not."""
    emails, left_out = _read(email)
    with opened(config) as app:
        found = list(zip(emails, _found(app, emails), strict=True))
    if json:
        as_json([_facts(one, suppression) for one, suppression in found])
    else:
        for one, suppression in found:
            say(f"{one}: {f'suppressed, {_since(suppression)}' if suppression else 'not suppressed'}")
    raise typer.Exit(int(left_out > 0))


def _read(email: str) -> tuple[list[str], int]:
    """The addresses that are meant, and how many lines are none, which are told. Raises UsageError for a single one."""
    if email != _MANY:
        return [parse_address(email)], 0
    try:
        lines = sys.stdin.buffer.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input cannot be read: {error}; write it in UTF-8") from None
    emails, left_out = [], 0
    for number, line in enumerate(lines, start=1):
        try:
            emails += [parse_address(line)] if line.strip() else []
        except UsageError as error:
            warn([f"line {number}: left out: {error}"])
            left_out += 1
    return emails, left_out


def _batches(emails: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few at a time, so that nobody who writes waits for long."""
    return (emails[start : start + AT_ONCE] for start in range(0, len(emails), AT_ONCE))


def _found(app: App, emails: Sequence[str]) -> list[Suppression | None]:
    with app.store.read() as connection:
        return [suppressions.find(connection, identity(email)) for email in emails]


def _since(suppression: Suppression) -> str:
    return f"since {utc(suppression.at)} ({suppression.words})"


def _facts(email: str, suppression: Suppression | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"email": email or None, "suppressed": suppression is not None}
    if suppression is None:
        return facts
    return facts | {"kind": suppression.kind, "reason": suppression.reason, "since": utc(suppression.at)}
