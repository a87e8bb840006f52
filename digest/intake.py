"""Load: new listing files become entries. What a kill interrupts, the next load does.

A file belongs to the first source that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from digest import __version__
from digest.alarms import Watched, without_entries
from digest.errors import ListingError
from digest.listings import Origin, folder, read
from digest.model import Entry, Listing
from digest.report import Loaded, LoadedFile, Reading, unwatched
from digest.store import dues, entries, filing, sources
from digest.store.store import Store

_Known = Set[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file, folder or glob of listings, and how they are read. `link` makes an address for entries without one.

    `columns` says for fields in which column of a table they stand. `address`: what it is fetched from, as others
    may read it ("": nothing); its files are there as a whole.
    """

    path: Path
    max_bytes: int
    link: str
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    @property
    def fetched(self) -> bool:
        """Whether it has an address."""
        return bool(self.address)

    @property
    def awaited(self) -> bool:
        """Whether it is fetched, and nothing ever came."""
        return self.fetched and not self.path.exists()

    @property
    def watched(self) -> Watched:
        """It, as the database knows it."""
        return Watched(written(self.path), self.name, self.address)


@dataclass(frozen=True, slots=True)
class Intake:
    """Where listing files are, and how long one must have been left alone."""

    sources: tuple[Source, ...]
    settle_seconds: float

    @property
    def paths(self) -> tuple[Path, ...]:
        """The places of all sources."""
        return tuple(source.path for source in self.sources)


def load(
    store: Store, intake: Intake, now: datetime, going: Callable[[], bool], reading: Reading = unwatched
) -> Loaded:
    """Load every new listing file, each in a transaction of its own, for as long as `going` says so."""
    with store.read() as connection:
        known = entries.known_files(connection)
    files: list[LoadedFile] = []
    waiting: list[Path] = []
    empty: list[Source] = []
    for source, found in _scanned(intake, now, known):
        if not going():
            break
        match found:
            case folder.Waiting(path):
                waiting.append(path)
            case folder.Problem(path, reason, permanent):
                if not permanent or path == source.path or _is_new(store, found, int(now.timestamp())):
                    files.append(LoadedFile(path, fault=reason))
            case folder.Found():
                loaded = _load_file(store, found, source, int(now.timestamp()), reading)
                files += loaded
                counted = (one for one in loaded if source.watched.counts(written(one.path), one.format))
                empty += [source for one in counted if not one.entries]
    return Loaded(tuple(files), tuple(waiting), drifted=_drifted(store, intake, empty))


def _scanned(
    intake: Intake, now: datetime, known: _Known
) -> Iterator[tuple[Source, folder.Found | folder.Waiting | folder.Problem]]:
    """Every file that is not known, and every trouble, with its source."""
    taken: set[Path] = set()
    seen: set[tuple[int, int]] = set()

    def passed_over(path: Path, size: int, mtime_ns: int) -> bool:
        if path in taken:
            return True
        taken.add(path)
        return (written(path), size, mtime_ns) in known

    for source in intake.sources:
        if source.awaited:
            continue
        settle = 0 if source.fetched else intake.settle_seconds
        for found in folder.scan([source.path], settle, now, source.max_bytes, passed_over, seen):
            yield source, found


def _drifted(store: Store, intake: Intake, empty: Sequence[Source]) -> tuple[str, ...]:
    """Words about each source that has just given a file without entries, if one before had some."""
    if not empty:
        return ()
    with store.read() as connection:
        states = sources.states(connection, [one.watched for one in intake.sources])
    now_empty = [state for source, state in zip(intake.sources, states, strict=True) if source in empty]
    return tuple(found.words for state in now_empty if state.newest_at and (found := without_entries(state)))


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
        filing.save(connection, file, Listing("", (), warnings=(problem.reason,)), now)
        return True


def _load_file(store: Store, found: folder.Found, source: Source, now: int, reading: Reading) -> list[LoadedFile]:
    file = entries.File(written(found.path), found.digest, found.size, found.mtime_ns)
    refused = file._replace(digest=_as_read(found, source))
    with store.read() as connection:
        if entries.is_loaded(connection, file) or entries.is_loaded(connection, refused):
            return []
    fault = ""
    reading(found.path, 0, 0)
    try:
        listing = read(found.take(), Origin(found.modified.date(), source.columns), source.max_bytes)
    except ListingError as error:
        fault, file = str(error), refused
        listing = Listing("", (), warnings=(fault,))
    listing = replace(listing, entries=tuple(_linked(entry, source.link) for entry in listing.entries))
    known = len(listing.entries)
    with store.write() as connection:
        new, updated = filing.save(connection, file, listing, now, lambda done: reading(found.path, done, known))
        if new or updated:
            dues.fill_again(connection)
    warnings, rejected = () if fault else listing.warnings, listing.rejected
    return [LoadedFile(found.path, listing.format, known, new, rejected, warnings, fault, updated, listing.notes)]


def _as_read(found: folder.Found, source: Source) -> str:
    """What a refusal depends on: the content, the settings, and the formats that this version knows."""
    settings = source.max_bytes, sorted(source.columns.items())
    return sha256(repr((found.digest, settings, __version__)).encode()).hexdigest()


def _linked(entry: Entry, link: str) -> Entry:
    """An entry without an address gets one from the pattern."""
    return entry if entry.url or not link else replace(entry, url=link.format(title=quote(entry.title, safe="")))
