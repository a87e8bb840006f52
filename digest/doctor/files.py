"""Files: the listings that can be read, and those with secrets that others cannot.

Rules
-----
1. Others can read a file when its mode lets them and every folder above it lets them in. Groups are the operator's.
2. A key that signs, and a configuration with a password in it, are secrets: an error. A database holds the addresses of
   people: a warning.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from digest import sources
from digest.config import Config
from digest.doctor.findings import Finding, Level
from digest.doctor.machine import database_file
from digest.listings.folder import Problem, scan

_SECRETS = frozenset(("password", "secrets", "operator_token", "heartbeat", "headers"))
_SHOWN = 3


def listings(config: Config, now: int) -> Iterator[Finding]:
    """Every configured place is there and can be read, with what is in it."""
    files: list[Path] = []

    def known(path: Path, _size: int, _mtime_ns: int) -> bool:
        files.append(path)
        return True  # so that nothing is read

    paths = [source.path for source in sources.configured(config) if not source.awaited]
    found = list(scan(paths, 0, datetime.fromtimestamp(now, UTC), 1, known))
    for problem in found[:_SHOWN]:
        if isinstance(problem, Problem):
            yield Finding("listings", Level.ERROR, f"{problem.path}: {problem.reason}")
    if closed := [path for path in files if not os.access(path, os.R_OK)]:
        what = f"not readable by this user: {', '.join(map(str, closed[:_SHOWN]))}"
        remedy = "Give the user that runs digest the right to read them"
        yield Finding("listings", Level.ERROR, what, "They are not loaded", remedy)
    if not found and not closed:
        level = Level.OK if files else Level.NOTE
        noun = "file" if len(files) == 1 else "files"
        yield Finding("listings", level, f"{', '.join(map(str, paths))}: {len(files):,} {noun}")


def private(config: Config, keys: Sequence[Path]) -> Iterator[Finding]:
    """What is secret cannot be read by others."""
    bare = [_exposed(key, "the key that signs", Level.ERROR) for key in keys if open_to_others(key)]
    if _holds_secret(config) and open_to_others(config.file.absolute()):
        bare.append(_exposed(config.file, "a password or secret", Level.ERROR))
    file = database_file(config)
    if file and open_to_others(file):
        bare.append(_exposed(file, "the addresses of your subscribers", Level.WARNING))
    yield from bare or [Finding("secrets", Level.OK, "others cannot read what is secret")]


def _exposed(file: Path, holding: str, level: Level) -> Finding:
    what = f"everybody on this machine can read {file}"
    return Finding("secrets", level, what, f"It holds {holding}", f"Run: chmod o-rwx {file}")


def open_to_others(file: Path) -> bool:
    """Whether other users of this machine can read a file (one that is not there: no)."""
    if not file.exists():
        return False
    real = file.resolve()
    return bool(real.stat().st_mode & stat.S_IROTH) and all(up.stat().st_mode & stat.S_IXOTH for up in real.parents)


def _holds_secret(config: Config) -> bool:
    """Whether a secret stands in the file itself; those of the environment do not."""
    table = tomllib.loads(config.file.read_text(encoding="utf-8"))
    url = urlsplit(table.get("store", {}).get("url", ""))
    return bool(url.password) or any(_SECRETS & set(section) for section in _sections(table))


def _sections(table: Mapping[str, Any]) -> Iterator[set[str]]:
    """The keys with a value of each table in the configuration."""
    for value in table.values():
        for section in value if isinstance(value, list) else [value]:
            if isinstance(section, dict):
                yield {key for key, held in section.items() if held}
