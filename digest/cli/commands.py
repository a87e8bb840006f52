"""The table of commands; each group has a file of its own, which is imported when the command is called."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from digest import __version__

_PLACES = {
    "demo": "demo:demo",
    "init": "init:init",
    "load": "load:load",
    "run": "run:run",
    "serve": "serve:serve",
    "preview": "preview:preview",
    "backtest": "backtest:backtest",
    "explain": "explain:command",
    "status": "status:status",
    "subscribers": "subscribers:group",
    "suppress": "suppress:group",
    "dkim": "dkim:group",
    "doctor": "doctor:doctor",
}
"""Where each command is, as in the entry points of a package: a file of this folder, and a name in it."""


def program(arguments: Iterable[str]) -> typer.Typer:
    """The program for these arguments: with the one command that they call, or with all, for help and mistakes."""
    called = next(iter(arguments), "")
    names = [called] if called in _PLACES else [] if called == "--version" else list(_PLACES)
    cli = typer.Typer(
        name="digest",
        help="New listing files in, one ranked mail per subscriber and day out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    cli.callback()(_main)
    for name in names:
        file, _, found_as = _PLACES[name].partition(":")
        found = getattr(import_module(f"digest.cli.{file}"), found_as)
        if isinstance(found, typer.Typer):
            cli.add_typer(found, name=name)
        else:
            cli.command(name)(found)
    return cli


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"digest {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of the program itself."""
