"""The program on a folder of its own, with a database in which editions wait to be sent."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from editions import synthetic
from planned import planned
from ready import ENTRIES
from sending import SENDER, Load
from sqlalchemy import delete

from digest.app import App, opened
from digest.model import Edition, Listing, Profile, Subscriber
from digest.store import editions, entries, filing, schema, subscribers
from digest.store.subscribers import Named

DISTINCT = 1_000
"""After so many editions come those of other subscribers with the same matches: by then every card is rendered."""
_CONFIG = f"""\
[store]
url = "sqlite:///digest.db"
[listings]
paths = ["."]
[sender]
address = "{SENDER}"
[web]
url = "https://digest.example.org"
secrets = ["a secret to measure with"]
"""


def plan(folder: Path, count: int) -> None:
    """See to it that a database with at least so many editions is there to be copied: to make one takes long."""
    if _enough(folder, count):
        return
    (folder / "digest.toml").write_text(_CONFIG)
    with opened(folder / "digest.toml") as app:
        _fill(app, max(count, DISTINCT))
    (folder / "digest.db").rename(folder / f"{max(count, DISTINCT)}.planned")


def wait(folder: Path, load: Load, more: str = "") -> Path:
    """A configuration for this load, with `more` lines of it, whose database holds as many editions, all waiting."""
    shutil.copyfile(_enough(load.folder, load.count)[0], folder / "digest.db")
    file = folder / "digest.toml"
    file.write_text(f'{_CONFIG}[smtp]\nport = {load.port}\ntls = "none"\nconnections = {load.connections}\n{more}')
    with opened(file) as app, app.store.write() as connection:
        connection.execute(delete(schema.contents).where(schema.contents.c.edition > load.count))
        connection.execute(delete(schema.editions).where(schema.editions.c.id > load.count))
    return file


def _enough(folder: Path, count: int) -> Sequence[Path]:
    """Databases with at least so many editions, the smallest first."""
    found = [file for file in folder.glob("*.planned") if int(file.stem) >= count]
    return sorted(found, key=lambda file: int(file.stem))


def _fill(app: App, count: int) -> None:
    some, listed = synthetic(DISTINCT, ENTRIES)
    now = app.clock()
    with app.store.write() as connection:
        file = entries.File("synthetic.jsonl", "0" * 64, 0, 0)
        filing.save(connection, file, Listing("synthetic", tuple(listed.values())), now)
    for start in range(1, count + 1, DISTINCT):
        numbers = range(start, min(start + DISTINCT, count + 1))
        mine = [_of(edition, number, now) for number, edition in zip(numbers, some, strict=False)]
        with app.store.write() as connection:
            subscribers.put(connection, [_named(one.email) for one in mine], now, 0, configured=False)
            editions.insert(connection, [planned(connection, one, upto=len(listed)) for one in mine], now)


def _of(edition: Edition, number: int, now: int) -> Edition:
    """The same edition for the subscriber of this number."""
    today = datetime.fromtimestamp(now, UTC).date()
    email = f"reader{number}@example.org"
    return replace(edition, subscriber=number, email=email, slot=today, since=today, due_at=now, planned_at=now)


def _named(email: str) -> Named:
    return Named(email, Subscriber(email, (Profile("Papers", ("model",)),)))
