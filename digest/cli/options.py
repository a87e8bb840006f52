"""Options that several commands share, and how they print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.pipeline import Clock

CONFIG = Path("digest.toml")

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="DIGEST_CONFIG", metavar="FILE", help="The configuration file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
NowOption = Annotated[
    str,
    typer.Option(
        "--now",
        metavar="TIME",
        help="Take this for the current time (2026-11-20T07:00+01:00), for replays: on a copy, as what is done counts.",
    ),
]


def clock(now: str) -> Clock:
    """The system's clock, or one that stands at the time given. Raises UsageError."""
    if not now:
        from digest.app import system_clock  # noqa: PLC0415 (`init` and the like do without the program)

        return system_clock
    try:
        moment = int(datetime.fromisoformat(now).astimezone().timestamp())
    except (ValueError, OverflowError):
        raise UsageError(
            f"--now {now!r} is not a time; write one like 2026-11-20T07:00 or 2026-11-20T07:00+01:00"
        ) from None
    return lambda: moment


@contextmanager
def written(file: Path) -> Iterator[None]:
    """While a file is written that the user named. Raises UsageError if it cannot be."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from None


def watched() -> bool:
    """Whether a person is looking on: under cron nothing is a terminal, and a run that went well says nothing."""
    return any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def say(line: str) -> None:
    """A line for whoever ran the command."""
    typer.echo(line)


def shown(path: Path) -> str:
    """A path as short as it can be told from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def warn(lines: Iterable[str]) -> None:
    """Lines about what went wrong, on standard error."""
    for line in lines:
        typer.echo(line, err=True)


def as_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def plural(count: int, one: str, many: str = "") -> str:
    """`3 entries`: the number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
