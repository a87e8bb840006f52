"""Many connections at work on one ledger: each edition composed, checked, granted, sent, recorded.

Rules
-----
1. An edition that cannot be composed or breaks a rule of the wire fails alone; a template or a store that does not work
   stops all.
2. A connection lost before the body left is replaced, and the message tried once more at once: the relay may only
   have tired of the connection. Lost again, the edition is DEFERRED.
3. A worker that loses its connection GIVE_UP_AFTER times running, or cannot connect, ends; when all have, the relay is
   out of reach. A relay that refuses us (login, certificate, 5xx at MAIL) stops all at once. What was not yet
   granted is untouched.
4. Told to stop, the sender takes no other edition and ends what is in flight.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from digest.delivery.check import Checked, check
from digest.delivery.headers import clean
from digest.delivery.ledger import Feed, Ledger, LedgerWriter
from digest.delivery.message import Envelope
from digest.delivery.relay import Relay
from digest.delivery.smtp import Connection, Result, UnreachableError, connect
from digest.errors import DigestError, MessageError, RelayError
from digest.model import Edition, Outcome, State

CHUNK = 200
GIVE_UP_AFTER = 3
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """An edition that was not sent, and the relay's words (or ours, with code 0) about it."""

    email: str
    state: State
    code: int
    reply: str


@dataclass(slots=True)
class Report:
    """What a delivery did. `refused` editions were not granted: taken by another sender, or suppressed by now.

    `problems` holds the first few. `relay_error` says why the relay could not be used, if so.
    """

    states: Counter[State] = field(default_factory=Counter)
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    relay_error: str = ""


async def deliver(
    ledger: Ledger,
    compose: Callable[[Edition], bytes],
    relay: Relay,
    mail_from: str,
    *,
    going: Callable[[], bool] = lambda: True,
    on_outcome: Callable[[Edition, Outcome, float], None] | None = None,
    pauses: Sequence[float] = (0.0, 1.0, 5.0),
) -> Report:
    """Send every edition that the ledger lets go, for as long as `going` says so.

    `on_outcome` is told what became of each, and the seconds from MAIL to the reply. `pauses` are the seconds before
    each attempt to connect.

    Raises what a commit raised, and any fault that would hit every edition; what is in flight ends first.
    """
    writer = LedgerWriter(ledger)
    run = _Run(writer, Feed(writer, CHUNK), compose, relay, mail_from, going, on_outcome, pauses)
    try:
        await run.work()
    finally:
        await writer.close()
    if fault := run.fault or writer.failure:
        raise fault
    return run.report


@dataclass(slots=True)
class _Run:
    """One delivery: what its workers share."""

    writer: LedgerWriter
    feed: Feed
    compose: Callable[[Edition], bytes]
    relay: Relay
    mail_from: str
    going: Callable[[], bool]
    on_outcome: Callable[[Edition, Outcome, float], None] | None
    pauses: Sequence[float]
    report: Report = field(default_factory=Report)
    fault: Exception | None = None
    halted: bool = False

    async def work(self) -> None:
        """Run one worker for each connection, but no more than there are editions."""
        count = min(await self.feed.fill(), self.relay.connections)
        given_up = await asyncio.gather(*(self._worker() for _ in range(count)))
        if count and all(given_up):
            self.report.relay_error = given_up[0]

    async def _worker(self) -> str:
        """Send until there is no more, and return ""; or return why the relay is out of reach."""
        session = _Session(self.relay, self.pauses)
        try:
            await self._send_editions(session)
        except UnreachableError as error:
            return str(error)
        except RelayError as error:
            self.halted, self.report.relay_error = True, str(error)
        except Exception as error:  # noqa: BLE001 - raised from `deliver` when the other workers have ended
            self.halted, self.fault = True, self.fault or error
        finally:
            await session.close()
        return ""

    async def _send_editions(self, session: _Session) -> None:
        while not self.halted and self.going():
            await session.open()
            edition = await self.feed.next()
            if edition is None:
                return
            message = self._composed(edition)
            if message is None:
                continue
            if await self.writer.grant(edition.id):
                await self._send(session, edition, message)
            else:
                self.report.refused += 1

    async def _send(self, session: _Session, edition: Edition, message: Checked) -> None:
        started = monotonic()
        try:
            result = await session.send(Envelope(self.mail_from, edition.email), message)
        except RelayError:
            self.writer.record(Outcome(edition.id, State.PLANNED))  # given back: the recipient was never judged
            raise
        outcome = Outcome(edition.id, result.state, result.code, result.reply)
        self._record(edition, outcome, monotonic() - started)

    def _composed(self, edition: Edition) -> Checked | None:
        try:
            return check(self.compose(edition), edition.email)
        except MessageError as error:
            reason = str(error)
        except (DigestError, OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - one poisonous edition must not keep the others from going
            reason = f"{type(error).__name__}: {error}"
        self._record(edition, Outcome(edition.id, State.FAILED, 0, clean(reason)), 0.0)
        return None

    def _record(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        self.writer.record(outcome)
        self.report.states[outcome.state] += 1
        if outcome.state is not State.SENT and len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(Problem(edition.email, outcome.state, outcome.code, outcome.reply))
        if self.on_outcome:
            self.on_outcome(edition, outcome, seconds)


class _Session:
    """A connection that is replaced when it is lost (rules 2 and 3)."""

    def __init__(self, relay: Relay, pauses: Sequence[float]) -> None:
        self._relay, self._pauses = relay, pauses
        self._connection: Connection | None = None
        self._losses = 0

    async def open(self) -> Connection:
        """Return the open connection, a new one if need be. Raises RelayError if there is none to be had."""
        if self._connection and self._connection.is_open:
            return self._connection
        if self._losses >= GIVE_UP_AFTER:
            raise UnreachableError(f"{self._relay} dropped {self._losses} connections running; it may do later")
        for pause in self._pauses[:-1]:
            await asyncio.sleep(pause)
            with suppress(UnreachableError):
                return await self._connect()
        await asyncio.sleep(self._pauses[-1])
        return await self._connect()

    async def _connect(self) -> Connection:
        self._connection = await connect(self._relay)
        return self._connection

    async def send(self, envelope: Envelope, message: Checked) -> Result:
        """Send a message, on a second connection if the first was lost too early to matter."""
        connection = await self.open()
        result = await connection.send(envelope, message)
        if _lost(connection, result) and result.state is State.DEFERRED:
            connection = await self.open()
            result = await connection.send(envelope, message)
        self._losses = self._losses + 1 if _lost(connection, result) else 0
        return result

    async def close(self) -> None:
        """Take leave of the relay."""
        if self._connection:
            await self._connection.close()


def _lost(connection: Connection, result: Result) -> bool:
    """Whether this message cost the connection, by a drop (code 0) or by 421, with nothing said of the recipient."""
    return not connection.is_open and result.state in (State.DEFERRED, State.UNKNOWN) and result.code in (0, 421)
