"""docs/running.md: what it names exists."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from deploy_files import DEPLOY, GUIDE, complaint
from pydantic import BaseModel
from workplace import REPOSITORY

from digest.config import Config

WORDS = GUIDE.read_text(encoding="utf-8")
FILES = [GUIDE, *sorted(DEPLOY.iterdir())]
EVERYTHING = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
SETTINGS = {
    *re.findall(r"\[(\w+)\] (\w+)", EVERYTHING),
    *((section.lower(), key.lower()) for section, key in re.findall(r"DIGEST_([A-Z]+)__([A-Z_]+)", EVERYTHING)),
}
EXTRAS = sorted({extra for extras in re.findall(r"\.\[([\w,]+)\]", EVERYTHING) for extra in extras.split(",")})
COMMANDS = sorted(
    set(re.findall(r"\bdigest ((?:init|load|run|serve|status|preview)\b(?: --[\w-]+(?: \d+)?)*)", EVERYTHING))
)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", WORDS))))
def test_every_link_leads_to_a_file(path: str) -> None:
    """What the guide links to is there."""
    assert (GUIDE.parent / path).is_file()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"docs/[\w./-]+\w", EVERYTHING))))
def test_every_path_is_one_of_a_file(path: str) -> None:
    """What the guide and the files name in the repository is there."""
    assert (REPOSITORY / path).is_file()


@pytest.mark.parametrize("path", sorted(path.name for path in DEPLOY.iterdir()))
def test_every_file_is_in_the_guide(path: str) -> None:
    """No file for deployment goes unmentioned."""
    assert path in WORDS or path.removesuffix(".service") in WORDS


@pytest.mark.parametrize(("section", "key"), sorted(SETTINGS))
def test_every_setting_exists(section: str, key: str) -> None:
    """What is called a setting, in the guide or in a file, is one."""
    model = Config.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    assert key in model.model_fields


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_exists(command: str) -> None:
    """What is called a command of Digest, with its options, is one."""
    assert complaint(command.split()) == ""


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_extra_exists(extra: str) -> None:
    """What is installed with Digest is an extra of the package: pip only warns of any other."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extra in project["optional-dependencies"]


def test_the_tests_of_words_find_words() -> None:
    """The patterns above find what they look for."""
    assert {("serve", "port"), ("alarms", "heartbeat"), ("smtp", "password"), ("store", "url")} <= SETTINGS
    assert {"serve", "postgres", "calendars", "fetch"} == set(EXTRAS)
    assert {"init", "run --at-most 9", "serve", "status"} <= set(COMMANDS)


def test_the_backup_is_whole_while_the_database_is_open(tmp_path: Path) -> None:
    """The command of the guide copies what is only in the log yet; a copy of the file would not."""
    if not shutil.which("sqlite3"):
        pytest.skip("sqlite3 is missing: install the Debian package sqlite3")
    (command,) = re.findall(r"^    (sqlite3 .*)$", WORDS, re.MULTILINE)
    with closing(sqlite3.connect(tmp_path / "digest.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE editions AS SELECT 1 AS id")
        subprocess.run(command, shell=True, cwd=tmp_path, timeout=60, check=True)
    with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
        assert backup.execute("SELECT id FROM editions").fetchall() == [(1,)]
