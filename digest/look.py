"""Editions to look at: what somebody would get, what is waiting, what was sent. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from digest.model import Edition
from digest.planning import edition_for
from digest.store import editions, entries, ledger
from digest.store.store import Store
from digest.store.subscribers import Due

_DAY, _AT_ONCE = 86_400, 500


def preview(store: Store, person: Due, now: int, first_days: int) -> Edition | None:
    """The edition that a subscriber would get now, or else from the last days (None: nothing matches then either)."""
    with store.read() as connection:
        early = entries.number_before(connection, now - first_days * _DAY)
    windows = (person, person._replace(watermark=min(early, person.watermark)))
    made = (edition_for(store, window, now) for window in windows)
    return next((edition for edition in made if edition.matches), None)


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
