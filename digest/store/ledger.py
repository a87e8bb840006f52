"""The store as the sender sees it: which editions may go, and what became of them (see `delivery.ledger.Ledger`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.model import Edition, Outcome
from digest.store import editions
from digest.store.store import Store


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """A ledger in the database. `clock` gives epoch seconds."""

    store: Store
    clock: Callable[[], int]
    retry_seconds: int

    def claim(self, after: int, limit: int) -> Sequence[Edition]:
        """The next editions that may go now, in order of id."""
        with self.store.read() as connection:
            return editions.waiting(connection, self.clock(), after, limit)

    def commit(self, sending: Sequence[int], outcomes: Sequence[Outcome]) -> set[int]:
        """Store outcomes, mark `sending` as SENDING, and return those that are really granted."""
        now = self.clock()
        with self.store.write() as connection:
            editions.record(connection, outcomes, now, self.retry_seconds)
            return editions.take(connection, sending, now)
