"""What a command imports: a small run is half imports, so what it has no use for it must not pay for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from workplace import Mails, Workplace, paper

_TELL = """\
import json, sys
from digest.cli import main
try:
    main()
finally:
    json.dump(sorted(sys.modules), sys.stderr)
"""
_OTHERS = (
    *("alembic", "mako", "scipy", "numpy.f2py", "numpy.testing", "sqlalchemy.dialects.postgresql"),
    *("psycopg", "email_validator", "bibtexparser", "pylatexenc", "ftfy", "icalendar"),
    *("dateutil", "apscheduler", "starlette", "uvicorn", "python_multipart", "structlog", "prometheus_client"),
    *("watchfiles", "httpx2", "cryptography", "dns", "rich", "aiosmtpd", "multiprocessing", "urllib.request"),
    *("digest.web", "digest.schedule", "digest.doctor", "digest.crew", "digest.backtest", "digest.letters"),
    *("digest.listings.trending", "digest.listings.bibtex", "digest.cli.subscribers", "digest.cli.demo"),
)
"""What somebody else than the reader of a JSON listing needs, with a database that is up to date."""


def imported(place: Workplace, *arguments: str) -> list[str]:
    """The modules that are there when a command has ended well."""
    ended = subprocess.run(
        [sys.executable, "-c", _TELL, *arguments],
        cwd=place.folder,
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    modules: list[str] = json.loads(ended.stderr)
    return modules


def among(modules: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of the names that are imported, whole or in part."""
    return [name for name in names if any(f"{module}.".startswith(f"{name}.") for module in modules)]


def test_a_plain_run_imports_what_it_uses(place: Workplace, mails: Mails, empty_database: Path) -> None:
    """With one subscriber and a new listing, an edition is planned and sent without what others need."""
    shutil.copyfile(empty_database, place.folder / place.database)
    place.listing("a.jsonl", [paper("A reward model", "We train one."), paper("Cooking")])
    modules = imported(place, "run")
    assert len(mails.to("ada@example.org")) == 1
    assert among(modules, _OTHERS) == []
    assert among(modules, ["digest.planning", "sqlalchemy", "numpy", "jinja2"]) != []


@pytest.mark.parametrize("command", ["--version", "init"])
def test_a_command_without_a_database_imports_none(place: Workplace, command: str) -> None:
    """Nor what matches, renders and sends."""
    place.config.unlink()
    modules = imported(place, command)
    assert among(modules, ["sqlalchemy", "numpy", "jinja2", "asyncio", "digest.app"]) == []


def test_help_imports_what_is_no_extra(place: Workplace) -> None:
    """It has the words of every command, and does with the libraries that everybody has."""
    modules = imported(place, "--help")
    extras = ["starlette", "uvicorn", "apscheduler", "structlog", "httpx2", "cryptography", "dns", "icalendar", "rich"]
    assert among(modules, ["alembic", "scipy", "digest.web.application", *extras]) == []


def test_the_test_sees_what_is_imported() -> None:
    """A part of a package counts as the package, and a longer name does not."""
    assert among(["richer", "dns.name"], ["rich", "dns"]) == ["dns"]
