"""The files of docs/deploy, and what more than one test asks about them."""

from __future__ import annotations

from collections.abc import Sequence

from typer.testing import CliRunner
from workplace import REPOSITORY

from digest.cli.commands import program
from digest.config import Config
from digest.settings import Serve

DEPLOY = REPOSITORY / "docs" / "deploy"
GUIDE = REPOSITORY / "docs" / "running.md"
PROGRAM = "/opt/digest/.venv/bin/digest"
"""Where the systemd units expect the program."""


def read(name: str) -> str:
    """One file as text."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def defaults() -> Serve:
    """The settings of the daemon where nothing is set."""
    return Config.model_validate({"sender": {"address": "digest@example.org"}}).serve


def complaint(arguments: Sequence[str]) -> str:
    """What `digest` says against these arguments ("": it takes them). They are read, and nothing is done."""
    asked = CliRunner().invoke(program(arguments), [*arguments, "--help"])
    return "" if asked.exit_code == 0 else asked.output
