"""`digest init`: a configuration to start from, and the folder for listing files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import digest
from digest.cli.options import CONFIG, say
from digest.errors import UsageError


def init(file: Annotated[Path, typer.Argument(help="The file to write.")] = CONFIG) -> None:
    """Write a commented configuration and make the folder for listing files."""
    text = _example().read_text(encoding="utf-8")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
        (file.parent / "listings").mkdir(exist_ok=True)
    except FileExistsError:
        raise UsageError(
            f"{file} is there already and was left as it is; name another file, or edit that one"
        ) from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from None
    say(f"Wrote {file} and {file.parent / 'listings'}/.")
    say("Next: set [smtp], [sender] and [[subscribers]] in it, put listing files in the folder, and run: digest run")


def _example() -> Path:
    """The commented configuration: inside an installed package, or at the top of a checkout."""
    package = Path(digest.__file__).parent
    installed = package / "_templates" / "config.example.toml"
    return installed if installed.exists() else package.parent / "config.example.toml"
