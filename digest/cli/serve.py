"""`digest serve`: the daemon."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from digest.app import App, opened, system_clock
from digest.cli.options import CONFIG, ConfigOption
from digest.errors import UsageError


def serve(
    config: ConfigOption = CONFIG,
    web: Annotated[bool, typer.Option("--web", help="Serve the web pages, too; they need web.url.")] = False,
) -> None:
    """Run for good: once a minute, and when a new listing file comes, do what `digest run` does."""
    try:
        from digest.schedule.daemon import Daemon  # noqa: PLC0415 (other commands do without its libraries)
    except ModuleNotFoundError as error:
        raise UsageError(f'digest serve needs {error.name}: pip install "email-digest[serve]"') from None
    asyncio.run(Daemon(lambda: _whole(config), system_clock, os.environ, web=web).serve())


@contextmanager
def _whole(config: Path) -> Iterator[App]:
    """The program as a whole: a fault in a template or calendar must show before the old one is given up."""
    with opened(config, system_clock) as app:
        app.prove()
        yield app
