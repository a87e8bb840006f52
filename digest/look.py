"""Editions to look at: what somebody would get, what is waiting, what was sent. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from digest.cadence import latest
from digest.matching import Reader, Selector
from digest.model import Edition
from digest.planning import MORE
from digest.store import editions, entries, ledger
from digest.store.store import Store
from digest.store.subscribers import Standing
from digest.window import anew, lookup

_DAY, _AT_ONCE = 86_400, 500


def preview(store: Store, person: Standing, now: int, first_days: int) -> Edition | None:
    """The edition that a subscriber would get now, or else from the last days (None: nothing matches then either)."""
    with store.read() as connection:
        early = entries.number_before(connection, now - first_days * _DAY)
    windows = (person, person._replace(watermark=min(early, person.watermark)))
    made = (_edition_for(store, window, now) for window in windows)
    return next((edition for edition in made if edition.matches), None)


def _edition_for(store: Store, standing: Standing, now: int) -> Edition:
    """The edition that a subscriber would get from all above the watermark."""
    person, cadence = standing.subscriber, standing.subscriber.cadence
    with store.read() as connection:
        window = entries.window(connection, standing.watermark)
    selector, slot = Selector(window, lookup(store)), latest(now, cadence)
    (chosen,) = selector.select([Reader(person.profiles, standing.watermark, person.max_entries, person.updates)], MORE)
    chosen = anew(store, selector, chosen, person.id, standing.watermark)
    return Edition(
        id=0,
        subscriber=person.id,
        email=person.email,
        name=person.name,
        slot=slot.date,
        since=min(standing.since or latest(standing.due_at, cadence).date, slot.date),
        zone=cadence.zone,
        due_at=slot.due_at,
        planned_at=now,
        matches=chosen.matches,
        more=chosen.more,
        matched=chosen.matched,
        considered=chosen.considered,
        profiles=tuple(profile.name for profile in person.profiles),
    )


def waiting(store: Store, now: int) -> Iterator[Edition]:
    """Every edition that may be sent now."""
    after = 0
    while some := _waiting(store, now, after):
        yield from some
        after = some[-1].id


def _waiting(store: Store, now: int, after: int) -> list[Edition]:
    with store.read() as connection:
        return [delivery.edition for delivery in ledger.waiting(connection, now, after, _AT_ONCE)]


def sent(store: Store, emails: Iterable[str]) -> list[Edition]:
    """The newest edition of each of these subscribers."""
    with store.read() as connection:
        return editions.latest_to(connection, list(emails))
