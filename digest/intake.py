"""Load: new listing files become entries. What a kill interrupts, the next load does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from digest.errors import ListingError
from digest.listings import Origin, folder, read
from digest.model import Entry, Listing
from digest.report import Loaded, LoadedFile
from digest.store import entries, subscribers
from digest.store.store import Store


@dataclass(frozen=True, slots=True)
class Intake:
    """Where listing files are, and how they are taken. `link` makes an address for entries without one."""

    paths: tuple[Path, ...]
    settle_seconds: float
    max_bytes: int
    link: str


def load(store: Store, intake: Intake, now: datetime, going: Callable[[], bool]) -> Loaded:
    """Load every new listing file, each in a transaction of its own, for as long as `going` says so."""
    with store.read() as connection:
        known = entries.known_files(connection)
    files: list[LoadedFile] = []
    waiting: list[Path] = []
    scanned = folder.scan(
        intake.paths,
        intake.settle_seconds,
        now,
        intake.max_bytes,
        known=lambda path, size, mtime_ns: (written(path), size, mtime_ns) in known,
    )
    for found in scanned:
        if not going():
            break
        match found:
            case folder.Waiting(path):
                waiting.append(path)
            case folder.Problem(path, reason, permanent):
                if not permanent or path in intake.paths or _is_new(store, found, int(now.timestamp())):
                    files.append(LoadedFile(path, fault=reason))
            case folder.Found():
                files.extend(_load_file(store, found, intake.link, int(now.timestamp())))
    return Loaded(tuple(files), tuple(waiting))


def written(path: Path) -> str:
    """A path as a database takes it: its name may be no text at all."""
    return str(path).encode(errors="replace").decode()


def _is_new(store: Store, problem: folder.Problem, now: int) -> bool:
    """Whether this trouble was not told of before; it is told again when the file has changed."""
    path = written(problem.path)
    told = sha256(f"{path}\n{problem.reason}\n{problem.changed_ns}".encode()).hexdigest()
    file = entries.File(path, told, 0, problem.changed_ns)
    with store.write() as connection:
        if entries.is_loaded(connection, file):
            return False
        entries.save(connection, file, Listing("", (), warnings=(problem.reason,)), now)
        return True


def _load_file(store: Store, found: folder.Found, link: str, now: int) -> list[LoadedFile]:
    file = entries.File(written(found.path), found.digest, len(found.content), found.mtime_ns)
    with store.read() as connection:
        if entries.is_loaded(connection, file):
            return []
    fault = ""
    try:
        listing = read(found.content, Origin(found.modified.date()))
    except ListingError as error:
        fault = str(error)
        listing = Listing("", (), warnings=(fault,))
    listing = replace(listing, entries=tuple(_linked(entry, link) for entry in listing.entries))
    with store.write() as connection:
        new = entries.save(connection, file, listing, now)
        if new:
            subscribers.fill_again(connection)
    warnings = () if fault else listing.warnings
    return [LoadedFile(found.path, listing.format, len(listing.entries), new, listing.rejected, warnings, fault)]


def _linked(entry: Entry, link: str) -> Entry:
    """An entry without an address gets one from the pattern."""
    return entry if entry.url or not link else replace(entry, url=link.format(title=quote(entry.title, safe="")))
