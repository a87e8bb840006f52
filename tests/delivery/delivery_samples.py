"""Editions, bodies and a ledger in memory for the tests of delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from digest.delivery.check import Checked, check
from digest.delivery.message import Sender, compose
from digest.model import Edition, Outcome, Rendered, State

SENDER = Sender("digest@example.org", "Paper Digest", list_name="New papers")
RENDERED = Rendered("7 new papers — 20 Nov", b"<p>Caf=C3=A9 =3D coffee</p>\r\n", b"Caf=C3=A9 =\r\n=3D coffee\r\n")
EDITION = Edition(
    id=1, subscriber=42, email="ada@example.com", name="Ada Lovelace", slot=date(2026, 11, 20),
    since=date(2026, 11, 20), zone="Europe/Berlin", due_at=1_795_158_000,
    planned_at=1_795_158_000, matches=(), more=(), matched=7, considered=217,
)  # fmt: skip


def editions(count: int) -> list[Edition]:
    """Editions 1 to `count`, each to a recipient of its own."""
    return [replace(EDITION, id=n, subscriber=n, email=f"reader{n}@example.com") for n in range(1, count + 1)]


def composed(edition: Edition) -> bytes:
    """A small message for the edition."""
    return compose(edition, RENDERED, SENDER, "https://digest.example.org/u/TOKEN?x=1")


def checked(edition: Edition = EDITION) -> Checked:
    """A message that may be sent."""
    return check(composed(edition), edition.email)


class MemoryLedger:
    """Keeps states in memory, and every commit. `fail_at`: the number of the commit from which on all fail."""

    def __init__(self, waiting: Sequence[Edition], suppressed: Sequence[int] = (), fail_at: int | None = None) -> None:
        self.editions = waiting
        self.states = {edition.id: State.PLANNED for edition in waiting}
        self.suppressed, self.fail_at = suppressed, fail_at
        self.commits: list[tuple[tuple[int, ...], tuple[Outcome, ...]]] = []
        self.most_claimed = 0

    def claim(self, after: int, limit: int) -> Sequence[Edition]:
        open_states = (State.PLANNED, State.DEFERRED, State.UNKNOWN)
        due = [e for e in self.editions if e.id > after and self.states[e.id] in open_states][:limit]
        self.most_claimed = max(self.most_claimed, len(due))
        return due

    def commit(self, sending: Sequence[int], outcomes: Sequence[Outcome]) -> set[int]:
        self.commits.append((tuple(sending), tuple(outcomes)))
        if self.fail_at is not None and len(self.commits) >= self.fail_at:
            raise OSError(28, "No space left on device")
        granted = set(sending) - set(self.suppressed)
        self.states.update(dict.fromkeys(granted, State.SENDING))
        self.states.update({outcome.edition: outcome.state for outcome in outcomes})
        return granted

    def count(self, state: State) -> int:
        return list(self.states.values()).count(state)
