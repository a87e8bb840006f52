"""The table of commands; each group has a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from digest import __version__
from digest.cli import (
    backtest,
    demo,
    dkim,
    doctor,
    explain,
    init,
    load,
    preview,
    run,
    serve,
    status,
    subscribers,
    suppress,
)

cli = typer.Typer(
    name="digest",
    help="New listing files in, one ranked mail per subscriber and day out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cli.command("demo")(demo.demo)
cli.command("init")(init.init)
cli.command("load")(load.load)
cli.command("run")(run.run)
cli.command("serve")(serve.serve)
cli.command("preview")(preview.preview)
cli.command("backtest")(backtest.backtest)
cli.command("explain")(explain.command)
cli.command("status")(status.status)
cli.add_typer(subscribers.group, name="subscribers")
cli.add_typer(suppress.group, name="suppress")
cli.add_typer(dkim.group, name="dkim")
cli.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"digest {__version__}")
        raise typer.Exit


@cli.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of the program itself."""
