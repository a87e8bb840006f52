"""`digest preview`: one subscriber's mail, to look at, without sending."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from digest import look, press
from digest.app import App, opened
from digest.cli.options import CONFIG, ConfigOption, NowOption, clock, say, warn, written
from digest.delivery.address import identity, parse_address
from digest.delivery.message import body
from digest.errors import UsageError
from digest.store import subscribers


class Format(StrEnum):
    """What a preview can be written as."""

    HTML = "html"
    TEXT = "text"
    EML = "eml"


def preview(
    email: Annotated[str, typer.Argument(help="Whose mail.")],
    config: ConfigOption = CONFIG,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.HTML,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write it (default: standard output).")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    now: NowOption = "",
) -> None:
    """Show the mail that a subscriber would get now, without sending it."""
    with opened(config, clock(now)) as app:
        message = _message(app, email)
    if message is None:
        warn([f"{email}: there is nothing to show: no entry matches"])
        return
    content = message if form is Format.EML else body(message, "html" if form is Format.HTML else "plain").encode()
    if show:
        out = out or Path(tempfile.mkdtemp(prefix="digest-")) / f"preview.{form}"
    if out is None:
        sys.stdout.buffer.write(content)
        return
    with written(out):
        out.write_bytes(content)
    say(f"Wrote {out}.")
    if show:
        webbrowser.open(out.absolute().as_uri())


def _message(app: App, email: str) -> bytes | None:
    maker = app.press
    with app.rehearsal() as rehearsed:
        rehearsed.pipeline.enrol()
        rehearsed.pipeline.load()
        with rehearsed.store.read() as connection:
            person = subscribers.find(connection, identity(parse_address(email)))
        if person is None:
            raise UsageError(f"{email} is not subscribed; see: digest subscribers list")
        edition = look.preview(rehearsed.store, person, rehearsed.clock(), app.config.editions.first_days)
        return maker.message(edition, press.listed(rehearsed.store, edition)) if edition else None
