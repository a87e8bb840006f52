"""Many connections at work on one ledger: each edition composed, granted, sent, recorded.

Rules
-----
1. An edition that cannot be composed or breaks a rule of the wire fails alone; a template or a store that does not work
   stops all.
2. Grants and outcomes are committed together, a cycle at a time, while the mails of the last grants are under way. So
   many are granted as the connections have room for, so that each is on the wire at once. Only to a relay that has
   taken them all before the next commit has ended more are granted, with `Terms.ahead`.
3. What comes of a mail is judged in `settling`.
4. Of the relays that can be reached those of the highest priority are used; of several, the one with room that has
   taken least for its weight.
5. When every relay is out of reach, or when told to stop, nothing more is granted, what was granted and is not handed
   over is given back, and what is in flight ends. So it is when a commit or a template fails.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter
from time import monotonic

from digest.delivery.address import ascii_domain
from digest.delivery.check import Checked
from digest.delivery.headers import clean
from digest.delivery.ledger import Feed, Ledger, LedgerWriter
from digest.delivery.line import Line
from digest.delivery.message import Envelope
from digest.delivery.pace import Throttles
from digest.delivery.settling import Mail, OnOutcome, Problem, Report, Settling, Terms
from digest.delivery.smtp import Connection
from digest.delivery.verdict import Result
from digest.errors import DigestError, MessageError
from digest.model import Delivery, Throttle

__all__ = ["CHUNK", "MOST_AHEAD", "Problem", "Report", "Terms", "deliver"]

CHUNK = 400
MOST_AHEAD = 500
SLICE = 8  # mails composed between two looks at the connections
_LOOK_SECONDS = 0.25
_BREATHER_SECONDS = 0.1


async def deliver(
    ledger: Ledger,
    compose: Callable[[Delivery], Checked],
    terms: Terms,
    clock: Callable[[], float],
    *,
    throttles: Iterable[Throttle] = (),
    going: Callable[[], bool] = lambda: True,
    on_outcome: OnOutcome | None = None,
) -> Report:
    """Send every edition that the ledger lets go, for as long as `going` says so.

    `throttles`: those that the ledger has kept. `on_outcome` is told what became of each, and the seconds from handing
    it over to the reply.

    Raises what a commit raised, and any fault that would hit every edition; what is in flight ends first.
    """
    limits = Throttles(terms.per_minute, throttles)
    writer = LedgerWriter(ledger, limits.changed)
    settling = Settling(writer, limits, terms.retry_seconds, clock, on_outcome)
    run = _Run(compose, terms, clock, going, limits, writer, settling)
    began = monotonic()
    try:
        await run.work()
    finally:
        await run.close()
    settling.report.seconds = monotonic() - began
    return settling.report


class _Run:
    """One delivery."""

    def __init__(
        self,
        compose: Callable[[Delivery], Checked],
        terms: Terms,
        clock: Callable[[], float],
        going: Callable[[], bool],
        throttles: Throttles,
        writer: LedgerWriter,
        settling: Settling,
    ) -> None:
        self._compose, self._mail_from, self._clock = compose, terms.mail_from, clock
        self._may_look_ahead, self._ahead = terms.ahead, 0
        self._going, self._stopping = going, False
        self._throttles, self._writer, self._settling = throttles, writer, settling
        self._feed = Feed(writer, CHUNK)
        self._woken = asyncio.Event()
        self._lines = [Line(relay, throttles, clock, terms.pauses, self._on_room) for relay in terms.relays]
        self._composed: list[Mail] = []
        self._granted: deque[Mail] = deque()
        self._returned: list[Mail] = []  # whose connection was lost just now
        self._in_hand = 0  # handed over to connections
        self._settled = 0  # since the last commit began

    async def work(self) -> None:
        """Cycle until there is no more to do."""
        try:
            await self._feed.fill()
            while self._go_on():
                await self._cycle()
        except Exception:
            self._stopping = True
            while self._go_on() and self._in_hand:
                await self._something()
            raise

    async def close(self) -> None:
        """Part with the relays, and write what is left."""
        self._give_back()
        self._settling.report.refusals = [line.fault for line in self._lines if line.refused]
        try:
            await asyncio.gather(*(line.close() for line in self._lines))
        finally:
            self._give_back()  # what the connections had in hand still, if this was cancelled
            await self._writer.close()

    def _go_on(self) -> bool:
        """Whether something is in flight, or may still be granted."""
        self._stopping = self._stopping or not self._going() or self._out_of_reach()
        if self._stopping:
            self._give_back()
            return bool(self._in_hand or self._writer.outcomes)
        return bool(self._under_way() or self._writer.outcomes or self._feed.more)

    def _under_way(self) -> int:
        """How many mails are composed, granted or in hand."""
        return self._in_hand + len(self._granted) + len(self._returned) + len(self._composed)

    def _out_of_reach(self) -> bool:
        """Whether no relay can be used, when there is something to send."""
        if not all(line.hopeless for line in self._lines):
            return False
        self._settling.report.relay_error = "; ".join(line.fault for line in self._lines)
        return True

    def _give_back(self) -> None:
        for mail in (*self._granted, *self._returned):
            self._settling.give_back(mail)
        self._granted.clear()
        self._returned.clear()
        self._composed.clear()

    async def _cycle(self) -> None:
        """Have what is composed granted and outcomes written; meanwhile compose the next."""
        self._tend()
        self._pump()  # a relay's limit may allow more by now
        if not self._composed:
            await self._prepare()
        most = self._may_grant()
        mails, self._composed = self._composed[:most], self._composed[most:]
        if mails or self._writer.outcomes:
            self._settled = 0
            commit = asyncio.create_task(self._commit(mails))
            try:
                await self._prepare()
            except BaseException:
                self._stopping = True
                raise
            finally:
                await commit
        else:
            await self._something()
        await self._feed.fill()

    async def _commit(self, mails: Sequence[Mail]) -> None:
        try:
            granted = await self._writer.commit([mail.delivery.edition.id for mail in mails])
        except asyncio.CancelledError:
            self._granted.extend(mails)  # perhaps they are, so they are given back
            raise
        self._settling.report.ungranted += len(mails) - len(granted)
        self._look_ahead()
        self._granted.extend([mail for mail in mails if mail.delivery.edition.id in granted])
        self._pump()

    def _look_ahead(self) -> None:
        """Grant more at once where the connections stood idle during a commit, and less where mails had to wait."""
        if self._granted:
            self._ahead = max(0, self._ahead - len(self._granted))
        elif self._may_look_ahead and not self._in_hand:
            self._ahead = max(self._ahead, self._settled)

    async def _prepare(self) -> None:
        """Compose the next mails, and look at the connections now and then."""
        # As many as may be granted, and as many as may be when what is in hand is settled.
        while not self._stopping and (lacking := self._may_grant() + self._in_hand - len(self._composed)) > 0:
            for _ in range(min(lacking, SLICE)):
                delivery = self._feed.next()
                if delivery is None:
                    return
                if mail := self._mail(delivery):
                    self._composed.append(mail)
            await asyncio.sleep(0)

    def _may_grant(self) -> int:
        """How many mails more may be granted (rule 2)."""
        room = sum([line.room() for line in self._active()])
        return max(0, min(room + self._ahead, MOST_AHEAD) - len(self._granted)) if room or self._in_hand else 0

    def _mail(self, delivery: Delivery) -> Mail | None:
        """The message of an edition, unless a limit keeps it back or it is poisonous (rule 1)."""
        email = delivery.edition.email
        try:
            domain = ascii_domain(email.rpartition("@")[2]).lower()
            if not self._settling.may_compose(delivery, domain):
                return None
            message = self._compose(delivery)
        except MessageError as error:
            reason = str(error)
        except (DigestError, OSError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - one poisonous edition must not keep the others from going
            reason = f"{type(error).__name__}: {error}"
        else:
            self._throttles.take("domain", domain, self._clock())
            return Mail(delivery, domain, Envelope(self._mail_from, email), message)
        self._settling.fail(delivery, clean(reason))
        return None

    def _tend(self) -> None:
        """See to the connections of the relays that are used, and of those that would be before them."""
        waiting = self._under_way() + len(self._feed)
        least = min([line.relay.priority for line in self._active()], default=0)
        for line in self._lines:
            if line.relay.priority >= least and not line.hopeless:
                line.tend(0 if self._stopping else waiting)

    def _active(self) -> list[Line]:
        """The relays to use (rule 4)."""
        usable = [line for line in self._lines if not line.hopeless]
        reached = [line for line in usable if line.sound] or usable
        best = max([line.relay.priority for line in reached], default=0)
        return [line for line in reached if line.relay.priority == best]

    async def _something(self) -> None:
        """Wait until a mail is settled or a connection opened, or it is time to look."""
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._woken.wait()

    def _on_room(self) -> None:
        self._pump()
        self._woken.set()

    def _pump(self) -> None:
        """Hand granted mails to connections with room."""
        if not self._granted or self._stopping:
            return
        lines = self._active()
        while self._granted and (found := _free(lines)):
            mail = self._granted.popleft()
            if self._settling.paused and not self._settling.may_leave(mail):
                continue
            line, connection = found
            self._in_hand += 1
            done = partial(self._done, line, connection, mail, line.take(connection), monotonic())
            connection.send(mail.envelope, mail.message, done)

    def _done(
        self, line: Line, connection: Connection, mail: Mail, under_way: int, began: float, result: Result
    ) -> None:
        """What became of a mail that was handed to a connection."""
        seconds = monotonic() - began
        self._in_hand -= 1
        self._settled += 1
        if not result.lost:
            line.settled(connection, seconds, under_way)
        again = self._settling.settle(line, mail, result, seconds)
        if isinstance(again, Mail):
            self._returned.append(again)
            asyncio.get_running_loop().call_later(_BREATHER_SECONDS, self._resume)
        elif again:
            self._feed.again(again)

    def _resume(self) -> None:
        """Let mails that came back go again. Connections are often lost together, so it is not done at once."""
        self._granted.extendleft(self._returned)
        self._returned.clear()
        self._on_room()


def _free(lines: list[Line]) -> tuple[Line, Connection] | None:
    """A connection that takes another mail (rule 4)."""
    for line in sorted(lines, key=attrgetter("share")) if len(lines) > 1 else lines:
        if connection := line.free():
            return line, connection
    return None
