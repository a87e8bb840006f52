"""Editions, bodies and a ledger in memory for the tests of delivery."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from time import time
from typing import Any, NamedTuple

from scripted_relay import Script, ScriptedRelay
from wire_samples import EHLO, SERIAL

from digest.delivery.check import Checked, check
from digest.delivery.message import Sender, compose
from digest.delivery.relay import Limits, Relay
from digest.delivery.sender import Report, Terms, deliver
from digest.model import Delivery, Edition, Outcome, Rendered, State, Throttle

SENDER = Sender("digest@example.org", "Paper Digest", list_name="New papers")
RENDERED = Rendered(
    "7 new papers — 20 Nov", [b"<p>Caf=C3=A9 =3D coffee</p>\r\n"], [b"Caf=C3=A9 =\r\n", b"=3D coffee\r\n"]
)
EDITION = Edition(
    id=1, subscriber=42, email="ada@example.com", name="Ada Lovelace", slot=date(2026, 11, 20),
    since=date(2026, 11, 20), zone="Europe/Berlin", due_at=1_795_158_000,
    planned_at=1_795_158_000, matches=(), more=(), matched=7, considered=217,
)  # fmt: skip
LIMITS = Limits(greeting=2, command=2, data=2, block=2, dot=2, farewell=1)
OPEN = (State.PLANNED, State.DEFERRED)


def editions(count: int, domain: str = "example.com", first: int = 1) -> list[Edition]:
    """So many editions from number `first` on, each to a recipient of its own."""
    numbers = range(first, first + count)
    return [replace(EDITION, id=n, subscriber=n, email=f"reader{n}@{domain}") for n in numbers]


def pieces(edition: Edition = EDITION, rendered: Rendered = RENDERED) -> list[bytes]:
    """A small message for the edition, as it goes to the gate."""
    return compose(edition, rendered, SENDER, "https://digest.example.org/u/TOKEN?x=1")


def composed(delivery: Delivery) -> Checked:
    """What the sender asks for: a small message that may be sent. One with less room says so in its subject."""
    subject = f"in {delivery.room} octets" if delivery.room else RENDERED.subject
    return check(pieces(delivery.edition, RENDERED._replace(subject=subject)), delivery.edition.email)


def delivered(
    ledger: MemoryLedger, script: Script, way: str = SERIAL, connections: int = 3, **options: Any
) -> tuple[Report, ScriptedRelay]:
    """Deliver what the ledger holds to a relay with this script. `limits`: how long it may take."""

    async def run() -> tuple[Report, ScriptedRelay]:
        limits = options.pop("limits", LIMITS)
        async with ScriptedRelay({"EHLO": EHLO[way]} | dict(script)) as server:
            relay = relay_at(server, connections=connections, limits=limits)
            report = await deliver_to(ledger, (relay,), **options)
            await asyncio.sleep(0.002)  # so that the server has begun whatever it has accepted, and can end it
            return report, server

    return asyncio.run(run())


def relay_at(server: ScriptedRelay, limits: Limits = LIMITS, **settings: Any) -> Relay:
    """The configuration for such a server, with short time limits."""
    return Relay("127.0.0.1", server.port, "none", local_hostname="me", limits=limits, **settings)


async def restart(server: ScriptedRelay, after: float) -> None:
    """Break all connections, refuse new ones for so many seconds, and listen again at the same port."""
    await server.__aexit__()
    await asyncio.sleep(after)
    server._server = await asyncio.start_server(server._serve, "127.0.0.1", server.port)


async def deliver_to(
    ledger: MemoryLedger,
    relays: tuple[Relay, ...],
    compose: Callable[[Delivery], Checked] = composed,
    per_minute: Mapping[tuple[str, str], float] | None = None,
    pauses: tuple[float, ...] = (0.0,),
    **options: Any,
) -> Report:
    """Deliver what the ledger holds, by its clock and with the throttles that it keeps."""
    terms = Terms(relays, "digest@example.org", 300, per_minute or {}, pauses)
    throttles = list(ledger.throttles.values())
    return await deliver(ledger, compose, terms, ledger.clock, throttles=throttles, **options)


class Commit(NamedTuple):
    """What one commit was asked to store."""

    sending: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    throttles: tuple[Throttle, ...]


CHECKED = composed(Delivery(EDITION))


class MemoryLedger:
    """Keeps editions in memory as the store keeps them, and every commit.

    `fail_at`: the number of the commit from which on all fail. `suppressed`: numbers that are not granted any more.
    """

    def __init__(
        self, waiting: Sequence[Edition], suppressed: Collection[int] = (), fail_at: int | None = None
    ) -> None:
        self.deliveries: dict[int, Delivery] = {}
        self.states: dict[int, State] = {}
        self.add(waiting)
        self.last: dict[int, Outcome] = {}
        self.throttles: dict[tuple[str, str], Throttle] = {}
        self.suppressed, self.fail_at = set(suppressed), fail_at
        self.ahead = 0.0
        self.commits: list[Commit] = []
        self.claims: list[int] = []
        self.most_sending = 0

    def add(self, more: Sequence[Edition]) -> None:
        """Plan more editions."""
        self.deliveries |= {edition.id: Delivery(edition) for edition in more}
        self.states |= dict.fromkeys([edition.id for edition in more], State.PLANNED)

    def clock(self) -> float:
        """The time, `ahead` by so many seconds."""
        return time() + self.ahead

    def claim(self, after: int, limit: int) -> Sequence[Delivery]:
        due = [one for number, one in self.deliveries.items() if number > after and self._may_go(number)][:limit]
        self.claims.append(len(due))
        return due

    def _may_go(self, number: int) -> bool:
        last = self.last.get(number)
        return self.states[number] in OPEN and (last is None or last.next_at <= self.clock())

    def commit(self, sending: Sequence[int], outcomes: Sequence[Outcome], throttles: Sequence[Throttle]) -> set[int]:
        self.commits.append(Commit(tuple(sending), tuple(outcomes), tuple(throttles)))
        if self.fail_at is not None and len(self.commits) >= self.fail_at:
            raise OSError(28, "No space left on device")
        for outcome in outcomes:
            self._record(outcome)
        self.throttles.update({(one.scope, one.name): one for one in throttles})
        return {number for number in sending if self._take(number)}

    def _record(self, outcome: Outcome) -> None:
        number, was = outcome.edition, self.states[outcome.edition]
        assert was in (*OPEN, State.SENDING), f"{outcome} of an edition that is {was}"
        one = self.deliveries[number]
        attempts = one.attempts - (outcome.state is State.PLANNED and was is State.SENDING)
        self.deliveries[number] = Delivery(one.edition, attempts, outcome.room)
        self.states[number], self.last[number] = outcome.state, outcome

    def _take(self, number: int) -> bool:
        if self.states[number] not in OPEN:
            return False
        if number in self.suppressed:
            self.states[number] = State.SUPPRESSED
            return False
        one = self.deliveries[number]
        self.deliveries[number] = one._replace(attempts=one.attempts + 1)
        self.states[number] = State.SENDING
        self.most_sending = max(self.most_sending, self.count(State.SENDING))
        return True

    def recover(self) -> None:
        """What may have arrived or not is sent again, as the store has it by default."""
        for number, state in self.states.items():
            if state in (State.SENDING, State.UNKNOWN):
                self.states[number] = State.DEFERRED

    def count(self, state: State) -> int:
        return list(self.states.values()).count(state)

    def counts(self) -> Counter[State]:
        return Counter(self.states.values())
