"""This machine: the database, room on the disk, the clock, and the rules of time zones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import digest
from digest.alarms import utc
from digest.config import Config
from digest.doctor.findings import Finding, Level
from digest.store import runs, subscribers
from digest.store.store import Store, open_store

_HOUR, _MEGABYTE = 3_600, 1_000_000
_LOW, _FULL = 1_000 * _MEGABYTE, 100 * _MEGABYTE
_FEW_FILES = 1_000


def database_file(config: Config) -> Path | None:
    """The file of an SQLite database (None: the database is a server)."""
    url = urlsplit(config.store.url)
    return config.folder / url.path.removeprefix("/") if url.scheme.startswith("sqlite") else None


def database(config: Config, now: int) -> Iterator[Finding]:
    """It opens, which brings its tables up to date as every command does; one that is not there yet is not made."""
    file = database_file(config)
    if file and not file.exists():
        yield _missing(file)
        return
    if file and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        remedy = "Run this as the user that runs digest, or give that user the file and its folder"
        yield Finding("database", Level.ERROR, f"{file} cannot be written by this user", "Nothing is sent so", remedy)
        return
    with closing(open_store(config.store.url, config.folder)) as store:
        yield from _opened(store, str(file or "it"), now)


def _missing(file: Path) -> Finding:
    if os.access(file.parent, os.W_OK):
        return Finding("database", Level.NOTE, f"there is no {file} yet", "The first run makes it")
    remedy = f"Create {file.parent}, and give it to the user that runs digest"
    return Finding("database", Level.ERROR, f"{file} cannot be made", "Its folder is missing or not writable", remedy)


def _opened(store: Store, name: str, now: int) -> Iterator[Finding]:
    with store.read() as connection:
        people, last = subscribers.count(connection), runs.last(connection)
    ran = f"last run {utc(last.finished_at)}" if last else "no run yet"
    yield Finding("database", Level.OK, f"{name} opens and is up to date; subscribers: {people:,}, {ran}")
    if last and last.started_at > now + _HOUR:
        what = f"the last run began at {utc(last.started_at)}, which lies in the future"
        yield Finding("clock", Level.ERROR, what, "What was due until then is taken for done", "Set the clock right")


def disk(config: Config) -> Iterator[Finding]:
    """There is room for the database to grow: with none, nothing is sent."""
    file = database_file(config)
    folder = file.parent if file else config.folder
    there = os.statvfs(folder)
    free = there.f_bavail * there.f_frsize
    room = f"{free / _MEGABYTE:,.0f} MB free in {folder}"
    if free < _FULL or (there.f_files and there.f_favail < _FEW_FILES):
        what = f"{room}, and room for {there.f_favail:,} files"
        yield Finding("disk", Level.ERROR, what, "On a full disk nothing is sent", "Make room")
    elif free < _LOW:
        yield Finding("disk", Level.WARNING, room, "On a full disk nothing is sent", "Make room")
    else:
        yield Finding("disk", Level.OK, room)


def clock(config: Config, now: int) -> Iterator[Finding]:
    """It is not earlier than what has happened already: digest was installed, the configuration written."""
    newest = max((Path(digest.__file__), config.file), key=lambda file: file.stat().st_mtime)
    changed = int(newest.stat().st_mtime)
    if changed > now + _HOUR:
        what = f"it says {utc(now)}, but {newest} was changed at {utc(changed)}"
        yield Finding("clock", Level.ERROR, what, "Editions would be planned for the wrong day", "Set the clock right")
    else:
        yield Finding("clock", Level.OK, f"it says {utc(now)}")


def zones(config: Config) -> Iterator[Finding]:
    """The rules of summer time are there, and every subscriber's zone."""
    names = sorted({"Europe/Berlin", *(person.zone for person in config.subscribers)})
    missing = [name for name in names if not _known(name)]
    remedy = "Install tzdata: pip install --upgrade tzdata"
    if missing:
        what = f"no data for {', '.join(missing)}"
        yield Finding("time zones", Level.ERROR, what, "Local dates cannot be told", remedy)
    elif not _springs_forward(ZoneInfo("Europe/Berlin")):
        what = "Berlin has no summer time in the zone data"
        yield Finding("time zones", Level.ERROR, what, "Mail would leave at the wrong hour", remedy)
    else:
        yield Finding("time zones", Level.OK, "the zones of all subscribers are known")


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return False
    return True


def _springs_forward(zone: ZoneInfo) -> bool:
    """Whether the last Sunday of March 2026 is what it was by EU law: an hour forward at 1:00 UTC."""
    moment = datetime(2026, 3, 29, 1, tzinfo=UTC)
    before, after = (at.astimezone(zone).utcoffset() for at in (moment - timedelta(minutes=1), moment))
    return (before, after) == (timedelta(hours=1), timedelta(hours=2))
