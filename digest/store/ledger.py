"""The store as the sender sees it: which editions may go, and what became of them (see `delivery.ledger.Ledger`).

Rules
-----
1. planned or deferred → sending → what became of it; each step is one guarded UPDATE.
2. The number of a run is its fencing token. A run takes editions only while it is the newest, and settles only what it
   took itself, so one that was stopped and wakes up when another has taken over changes nothing.
3. An edition that was unknown once is doubtful for ever: it is sent again as it is, or held, but never merged.
4. Outcomes are stored before grants are given, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Connection, Update, and_, bindparam, case, exists, func, or_, select, update

from digest.model import Delivery, Outcome, State, Throttle
from digest.store import runs, suppressions, throttles
from digest.store.contents import SHOWN, Known, read
from digest.store.dialect import Rows
from digest.store.editions import WAITING, is_in
from digest.store.schema import editions, subscribers
from digest.store.store import Store

MOST_ATTEMPTS = 4
"""As often an edition is sent at most while nobody knows whether it arrived."""

_unwanted = exists().where(
    subscribers.c.id == editions.c.subscriber, or_(~subscribers.c.active, subscribers.c.suppressed != "")
)
_why_unwanted = (
    select(case((subscribers.c.suppressed != "", subscribers.c.suppressed), else_="unsubscribed"))
    .where(subscribers.c.id == editions.c.subscriber)
    .scalar_subquery()
)
_WAITS = SHOWN.where(
    WAITING,
    editions.c.next_at <= bindparam("now"),
    editions.c.id > bindparam("after"),
    editions.c.id % bindparam("shares") == bindparam("share"),
)
_NEXT = _WAITS.order_by(editions.c.id).limit(bindparam("most"))


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """A ledger in the database, for one run. `clock` gives epoch seconds.

    Of several processes each has its share: the editions whose id modulo `shares` is `share`.
    """

    store: Store
    clock: Callable[[], int]
    run: int
    share: int = 0
    shares: int = 1
    known: Known = field(default_factory=Known, compare=False)

    def claim(self, after: int, limit: int) -> Sequence[Delivery]:
        """The next editions that may go now, in order of id."""
        with self.store.read() as connection:
            return waiting(connection, self.clock(), after, limit, self.share, self.shares, self.known)

    def commit(self, sending: Sequence[int], outcomes: Sequence[Outcome], slowed: Sequence[Throttle]) -> set[int]:
        """Store outcomes and throttles, mark `sending` as SENDING, and return those that are really granted."""
        now = self.clock()
        with self.store.write() as connection:
            record(connection, outcomes, now, self.run)
            throttles.save(connection, slowed, now)
            return take(connection, sending, now, self.run)


def waiting(
    connection: Connection,
    now: int,
    after: int,
    limit: int,
    share: int = 0,
    shares: int = 1,
    known: Known | None = None,
) -> list[Delivery]:
    """The next editions that may be tried now, with ids above `after`, in order of id."""
    asked = {"now": now, "after": after, "most": limit, "share": share, "shares": shares}
    rows = connection.execute(_NEXT, asked).all()
    editions = read(connection, rows, known)
    return [Delivery(edition, row.attempts, row.room) for edition, row in zip(editions, rows, strict=True)]


def count_waiting(connection: Connection, now: int) -> int:
    """How many editions may be tried now."""
    may_go = select(func.count()).select_from(editions).where(WAITING, editions.c.next_at <= now)
    return connection.execute(may_go).scalar_one()


def next_retry(connection: Connection) -> int | None:
    """When the first deferred edition may be tried again, in epoch seconds (None: none is deferred)."""
    return connection.execute(select(func.min(editions.c.next_at)).where(is_in(State.DEFERRED))).scalar()


def take(connection: Connection, ids: Sequence[int], now: int, run: int) -> set[int]:
    """Mark editions as SENDING; return those that were still waiting, and whose subscriber still wants them.

    Raises BusyError if a later run has begun.
    """
    if not ids:
        return set()
    runs.fence(connection, run)
    asked = {"rows": Rows.of([[one] for one in ids]), "now": now, "mine": run}
    dialect = connection.dialect.name
    if connection.execute(_take(dialect), asked).rowcount == len(ids):
        return set(ids)
    connection.execute(_suppress(dialect), asked)
    mine = select(editions.c.id).where(editions.c.id.in_(ids), is_in(State.SENDING), editions.c.run == run)
    return set(connection.execute(mine).scalars())


@cache
def _take(dialect: str) -> Update:
    asked = Rows(dialect)
    taken = update(editions).where(editions.c.id == asked.number(0), WAITING, ~_unwanted)
    return taken.values(
        state=State.SENDING,
        attempts=editions.c.attempts + 1,
        run=bindparam("mine"),
        changed_at=bindparam("now"),
    )


@cache
def _suppress(dialect: str) -> Update:
    asked = Rows(dialect)
    unwanted = update(editions).where(editions.c.id == asked.number(0), WAITING, _unwanted)
    return unwanted.values(state=State.SUPPRESSED, reason=_why_unwanted, changed_at=bindparam("now"))


def record(connection: Connection, outcomes: Iterable[Outcome], now: int, run: int) -> None:
    """Store what became of editions that this run has taken, or that nobody has; of others it has no say."""
    outcomes = list(outcomes)
    if not outcomes:
        return
    rows = [(o.edition, o.state, o.code, o.reply, o.next_at or now, o.room) for o in outcomes]
    connection.execute(_record(connection.dialect.name), {"rows": Rows.of(rows), "now": now, "mine": run})
    for outcome in outcomes:
        if outcome.suppress:
            _suppress_for_good(connection, outcome, now)


@cache
def _record(dialect: str) -> Update:
    told = Rows(dialect)
    mine = or_(WAITING, and_(is_in(State.SENDING), editions.c.run == bindparam("mine")))
    state = told.text(1)
    given_back = and_(state == State.PLANNED, is_in(State.SENDING))
    return (
        update(editions)
        .where(editions.c.id == told.number(0), mine)
        .values(
            state=state,
            code=told.number(2),
            reason=told.text(3),
            next_at=told.number(4),
            room=told.number(5),
            doubtful=or_(editions.c.doubtful, state == State.UNKNOWN),
            attempts=case((given_back, editions.c.attempts - 1), else_=editions.c.attempts),
            changed_at=bindparam("now"),
        )
    )


def _suppress_for_good(connection: Connection, outcome: Outcome, now: int) -> None:
    whose = select(subscribers.c.identity).join(editions).where(editions.c.id == outcome.edition)
    if identity := connection.execute(whose).scalar():
        suppressions.add(connection, identity, "bounce", f"{outcome.code} {outcome.reply}", now)


def recover(connection: Connection, now: int) -> int:
    """Editions left in SENDING by a run that was killed: nobody knows whether they arrived. Return how many."""
    values = {"state": State.UNKNOWN, "doubtful": True, "reason": "the run was ended while sending", "changed_at": now}
    return connection.execute(update(editions).where(is_in(State.SENDING)).values(values)).rowcount


def resend_unknown(connection: Connection, now: int, retry_seconds: int) -> int:
    """Put unknown editions back on their way, to be sent with the same bytes; return how many.

    At once after the first attempt, then after longer and longer; after MOST_ATTEMPTS they stay unknown, or a relay
    that takes mail and never says so would fill the mailbox.
    """
    unknown = update(editions).where(is_in(State.UNKNOWN), editions.c.attempts < MOST_ATTEMPTS)
    next_at = now + retry_seconds * (editions.c.attempts - 1)
    return connection.execute(unknown.values(state=State.DEFERRED, next_at=next_at, changed_at=now)).rowcount


def suppress_unwanted(connection: Connection, now: int) -> int:
    """End waiting editions of those who have unsubscribed or are suppressed; return how many."""
    values = {"state": State.SUPPRESSED, "reason": _why_unwanted, "changed_at": now}
    return connection.execute(update(editions).where(WAITING, _unwanted).values(values)).rowcount
