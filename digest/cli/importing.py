"""Subscribers from a file into the database: some at a time, each time in one transaction, so that what is in stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from digest.app import App
from digest.cli.options import warn
from digest.cli.people import Read, read_people
from digest.delivery.address import identity
from digest.model import Subscriber
from digest.report import Reading
from digest.store import subscribers, suppressions
from digest.store.dues import AT_ONCE
from digest.store.queries import Numbers
from digest.store.subscribers import Named


@dataclass(slots=True)
class Tally:
    """What has become of the subscribers in a file."""

    added: int = 0
    changed: int = 0
    refused: int = 0

    @property
    def any(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.added or self.changed or self.refused)

    def add(self, counts: tuple[int, int]) -> None:
        """Count those whom `put` has added and changed."""
        self.added += counts[0]
        self.changed += counts[1]

    def __str__(self) -> str:
        return f"{self.added:,} added, {self.changed:,} changed, {self.refused:,} refused."


def import_people(app: App, file: Path, watch: Reading, tally: Tally) -> None:
    """Add or change all who can be; of the others the reason is told. Raises UsageError if it cannot be read on."""
    accepted = _accepted(app, read_people(file, app.config, watch), tally)
    numbers = Numbers()
    while batch := list(islice(accepted, AT_ONCE)):
        tally.add(put(app, batch, numbers))


def _accepted(app: App, people: Iterable[Read], tally: Tally) -> Iterator[Subscriber]:
    """Those who can be imported; of the others the reason is told."""
    refused = configured(app)
    for place, person, fault in people:
        reason = refused.get(identity(person.email)) if person else fault
        if person is None or reason:
            warn([f"{place}: not imported: {reason}"])
            tally.refused += 1
        else:
            yield person


def put(app: App, people: Sequence[Subscriber], numbers: Numbers | None = None) -> tuple[int, int]:
    """Add or change people; return how many were added, and how many changed. Who gets no mail all the same is told."""
    named = [Named(identity(person.email), person) for person in people]
    with app.store.write() as connection:
        counts = subscribers.put(connection, named, app.clock(), app.config.editions.first_days, numbers=numbers)
        suppressed = suppressions.among(connection, [one.identity for one in named])
    for one, person in named:
        if why := suppressed.get(one):
            warn([f"{person.email}: suppressed ({why}): gets no mail until: digest suppress remove {person.email}"])
    return counts


def configured(app: App) -> dict[str, str]:
    """Who stands in the configuration file, and that it is changed there, or the next run would undo it."""
    tables = enumerate(app.config.subscribers)
    places = {table.email: app.config.where(("subscribers", number)) for number, table in tables}
    return {
        identity(email): f"{email} stands in the configuration, {place}; change it there"
        for email, place in places.items()
    }
