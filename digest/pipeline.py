"""The three verbs: load, plan, deliver. Each may be killed and run again; each returns what it did.

load      new listing files → entries
plan      entries × profiles → one edition per subscriber and local date
deliver   editions → mails
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from digest.cadence import latest_slot, moment
from digest.delivery import sender
from digest.delivery.relay import Relay
from digest.errors import ListingError
from digest.listings import folder, read
from digest.matching import Frequencies, Lookup, Reader, Selection, Selector, built_in
from digest.model import Edition, Entry, Listing, Outcome, Rejection, State, Subscriber
from digest.press import Listed, Press
from digest.store import editions, entries, subscribers
from digest.store.editions import Plan
from digest.store.ledger import StoreLedger
from digest.store.store import Store
from digest.store.subscribers import Due

_DAY = 86_400
NOTHING_NEW, NOTHING_MATCHED = "no new entries", "no new entry matched"
MORE = 40
"""Entries beyond a subscriber's maximum that are listed by title."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where listing files are, and how they are taken. `link` makes an address for entries without one."""

    paths: tuple[Path, ...]
    settle_seconds: float
    max_bytes: int
    link: str


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What was made of one file. A `fault` means that nothing was."""

    path: Path
    format: str = ""
    entries: int = 0
    new: int = 0
    rejected: tuple[Rejection, ...] = ()
    warnings: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: the new files, paths that gave trouble, and files still being written."""

    files: tuple[LoadedFile, ...] = ()
    waiting: tuple[Path, ...] = ()

    @property
    def new_entries(self) -> int:
        """How many entries nobody had seen before."""
        return sum(file.new for file in self.files)

    @property
    def troubled(self) -> bool:
        """Whether a file or a record could not be loaded."""
        return any(file.fault or file.rejected for file in self.files)

    def then(self, later: Loaded) -> Loaded:
        """This load and a second look, which met the same troubles again."""
        faults = {file.path for file in self.files if file.fault}
        return Loaded((*self.files, *(file for file in later.files if file.path not in faults)), later.waiting)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan did: how many editions will be mailed, and how many are empty or failed; `due`: subscribers."""

    due: int = 0
    planned: int = 0
    empty: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    window: int = 0

    def __add__(self, other: Planned) -> Planned:
        """Both together; the window is one."""
        return Planned(
            self.due + other.due,
            self.planned + other.planned,
            self.empty + other.empty,
            self.failed + other.failed,
            self.window or other.window,
        )


def load(store: Store, intake: Intake, now: datetime) -> Loaded:
    """Load every new listing file, each in a transaction of its own."""
    with store.read() as connection:
        known = entries.known_files(connection)
    files: list[LoadedFile] = []
    waiting: list[Path] = []
    scanned = folder.scan(
        intake.paths,
        intake.settle_seconds,
        now,
        intake.max_bytes,
        known=lambda path, size, mtime_ns: (_written(path), size, mtime_ns) in known,
    )
    for found in scanned:
        match found:
            case folder.Waiting(path):
                waiting.append(path)
            case folder.Problem(path, reason, permanent):
                if not permanent or path in intake.paths or _is_new(store, found, int(now.timestamp())):
                    files.append(LoadedFile(path, fault=reason))
            case folder.Found():
                files.extend(_load_file(store, found, intake.link, int(now.timestamp())))
    return Loaded(tuple(files), tuple(waiting))


def _written(path: Path) -> str:
    """A path as a database takes it: its name may be no text at all."""
    return str(path).encode(errors="replace").decode()


def _is_new(store: Store, problem: folder.Problem, now: int) -> bool:
    """Whether this trouble was not told of before; it is told again when the file has changed."""
    path = _written(problem.path)
    told = sha256(f"{path}\n{problem.reason}\n{problem.changed_ns}".encode()).hexdigest()
    file = entries.File(path, told, 0, problem.changed_ns)
    with store.write() as connection:
        if entries.is_loaded(connection, file):
            return False
        entries.save(connection, file, Listing("", (), warnings=(problem.reason,)), now)
        return True


def _load_file(store: Store, found: folder.Found, link: str, now: int) -> list[LoadedFile]:
    file = entries.File(_written(found.path), found.digest, len(found.content), found.mtime_ns)
    with store.read() as connection:
        if entries.is_loaded(connection, file):
            return []
    fault = ""
    try:
        listing = read(found.content, found.modified.date())
    except ListingError as error:
        fault = str(error)
        listing = Listing("", (), warnings=(fault,))
    listing = replace(listing, entries=tuple(_linked(entry, link) for entry in listing.entries))
    with store.write() as connection:
        new = entries.save(connection, file, listing, now)
    warnings = () if fault else listing.warnings
    return [LoadedFile(found.path, listing.format, len(listing.entries), new, listing.rejected, warnings, fault)]


def _linked(entry: Entry, link: str) -> Entry:
    """An entry without an address gets one from the pattern."""
    return entry if entry.url or not link else replace(entry, url=link.format(title=quote(entry.title, safe="")))


def plan(store: Store, now: int, first_days: int) -> Planned:
    """Write the editions of everybody whose slot has come, a batch in each transaction."""
    with store.read() as connection:
        lowest = subscribers.lowest_watermark(connection, now)
        if lowest is None:
            return Planned()
        window = entries.window(connection, lowest)
        newest = entries.newest_number(connection)
        forgotten = entries.number_before(connection, now - first_days * _DAY)
    selector = Selector(window, lookup(store))
    done, after = Planned(window=len(window)), 0
    while due := _due(store, now, after):
        done += _plan_batch(store, selector, due, now, newest, forgotten)
        after = due[-1].subscriber.id
    return done


def _due(store: Store, now: int, after: int) -> list[Due]:
    with store.read() as connection:
        return subscribers.due(connection, now, after)


def edition_for(store: Store, person: Due, now: int) -> Edition:
    """The edition that a subscriber would get from all above the watermark; nothing is written."""
    with store.read() as connection:
        window = entries.window(connection, person.watermark)
    reader = Reader(person.subscriber.profiles, person.watermark, person.subscriber.max_entries)
    (chosen,) = Selector(window, lookup(store)).select([reader], MORE)
    return _plan(person, chosen, now, 0).edition


def _plan_batch(store: Store, selector: Selector, due: Sequence[Due], now: int, newest: int, forgotten: int) -> Planned:
    readers = [Reader(one.subscriber.profiles, one.watermark, one.subscriber.max_entries) for one in due]
    plans = [_plan(one, chosen, now, newest) for one, chosen in zip(due, selector.select(readers, MORE), strict=True)]
    with store.write() as connection:
        written = editions.insert(connection, plans)
        steps = [
            _step(one, made, newest, forgotten)
            for one, made in zip(due, plans, strict=True)
            if made.edition.subscriber in written
        ]
        subscribers.advance(connection, steps)
    states = [made.state for made in plans if made.edition.subscriber in written]
    failed = tuple((made.edition.email, made.reason) for made in plans if made.state is State.FAILED)
    return Planned(len(due), states.count(State.PLANNED), states.count(State.EMPTY), failed)


def _plan(due: Due, chosen: Selection, now: int, newest: int) -> Plan:
    person = due.subscriber
    edition = Edition(
        id=0,
        subscriber=person.id,
        email=person.email,
        name=person.name,
        slot=latest_slot(now, person.send_at, person.zone),
        zone=person.zone,
        planned_at=now,
        matches=chosen.matches,
        more=chosen.more,
        matched=chosen.matched,
        considered=chosen.considered,
        profiles=tuple(profile.name for profile in person.profiles),
    )
    if chosen.fault:
        return Plan(edition, due.watermark, newest, State.FAILED, chosen.fault)
    if not chosen.matches:
        return Plan(edition, due.watermark, newest, State.EMPTY, NOTHING_MATCHED if chosen.considered else NOTHING_NEW)
    return Plan(edition, due.watermark, newest, State.PLANNED)


def _step(due: Due, made: Plan, newest: int, forgotten: int) -> tuple[int, int, int]:
    """(id, due_at, watermark) after a plan.

    Entries that no edition used stay in the window for a while, for when the profile changes; and an empty edition
    gives way to a better one on the same date, unless the subscriber asked for one fixed time.
    """
    person = due.subscriber
    if made.state is State.PLANNED:
        return person.id, _next_moment(made.edition.slot, person), newest
    due_at = _next_moment(made.edition.slot, person) if person.send_at else moment(made.edition.slot, None, person.zone)
    return person.id, due_at, max(due.watermark, forgotten)


def _next_moment(slot: date, person: Subscriber) -> int:
    return moment(slot + timedelta(days=1), person.send_at, person.zone)


def lookup(store: Store) -> Lookup:
    """Word frequencies over all entries in the store, and the built-in ones."""

    def look_up(stems: Collection[str]) -> Frequencies:
        with store.read() as connection:
            return entries.frequencies(connection, stems) + built_in()

    return look_up


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How editions are handed to the relay, and tried again."""

    relay: Relay
    retry_seconds: int
    resend_unknown: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a run found: editions newly UNKNOWN that are held as configured, and editions that nobody wants any more."""

    held: int = 0
    suppressed: int = 0


def recover(store: Store, now: int, *, resend_unknown: bool) -> Recovered:
    """Take up what a killed run left behind, and end what nobody wants any more."""
    with store.write() as connection:
        left = editions.recover(connection, now)
        if resend_unknown:
            editions.resend_unknown(connection, now)
        return Recovered(0 if resend_unknown else left, editions.suppress_unwanted(connection, now))


async def deliver(
    store: Store,
    press: Press,
    dispatch: Dispatch,
    clock: Callable[[], int],
    on_outcome: Callable[[Outcome], None] | None = None,
) -> sender.Report:
    """Send every edition that is waiting."""
    known = Listed(store)
    return await sender.deliver(
        StoreLedger(store, clock, dispatch.retry_seconds),
        lambda edition: press.message(edition, known.of(edition)),
        dispatch.relay,
        press.sender.address,
        on_outcome=on_outcome,
    )
