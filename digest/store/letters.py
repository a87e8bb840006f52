"""Letters: mails to one person that are no editions. A row is written before the mail is, and says what became of it.

Rules
-----
1. A letter waits as PLANNED. Who sends it claims it first, for CLAIMED seconds: after a kill it is claimed again, and
   sent again with the same bytes.
2. One that was sent or failed is forgotten after 30 days.
3. An address gets few a day, as RATES say. They are given back when one failed, and to who is forgotten.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import Connection, func, literal_column, select, update

from digest.model import State
from digest.store import rates
from digest.store.rates import Rate
from digest.store.schema import letters as table

Kind = Literal["confirm", "sign-in"]
CLAIMED = 600
SUBSCRIBING, SIGNING_IN = Rate("letter", 1, 86_400), Rate("sign-in", 3, 86_400)
RATES = SUBSCRIBING, SIGNING_IN
"""Of one address, by the page where it was typed; the name of a rate's owner is the identity."""
_KEPT_SECONDS = 30 * 86_400
_waits = table.c.state == literal_column(f"'{State.PLANNED}'")  # in the words of the index, so that it is used


class Letter(NamedTuple):
    """A letter. `whose`: the number that its link is for, of a signup (confirm) or a subscriber (sign-in).

    `written_at` (epoch seconds) is its Date, and when its link begins to be valid.
    """

    id: int
    kind: Kind
    email: str
    whose: int
    attempts: int
    written_at: int


def write(connection: Connection, kind: Kind, email: str, whose: int, now: int) -> None:
    """Have a letter sent."""
    row = {"kind": kind, "email": email, "whose": whose, "state": State.PLANNED, "reason": "", "code": 0}
    connection.execute(table.insert().values(row | {"attempts": 0, "written_at": now, "next_at": now}))


def claim(connection: Connection, now: int, limit: int) -> list[Letter]:
    """Take over the sending of letters that wait, the oldest first; nobody else is given them for CLAIMED seconds."""
    due = select(table.c.id).where(_waits, table.c.next_at <= now).order_by(table.c.next_at).limit(limit)
    taken = update(table).where(_waits, table.c.id.in_(due.with_for_update(skip_locked=True).scalar_subquery()))
    claimed = taken.values(next_at=now + CLAIMED, attempts=table.c.attempts + 1)
    columns = table.c.id, table.c.kind, table.c.email, table.c.whose, table.c.attempts, table.c.written_at
    return sorted(Letter(*row) for row in connection.execute(claimed.returning(*columns)))


def settle(connection: Connection, letter: int, state: State, code: int, reason: str, next_at: int) -> None:
    """Note what became of a letter: SENT, FAILED, or PLANNED to be tried again at `next_at`."""
    values = {"state": state, "code": code, "reason": reason, "next_at": next_at}
    connection.execute(update(table).where(table.c.id == letter).values(values))


def give_back(connection: Connection, identity: str) -> None:
    """Let an address get letters again today."""
    for rate in RATES:
        rates.give_back(connection, rate.scope, identity)


def forget_old(connection: Connection, now: int) -> None:
    """Remove what is over for long."""
    connection.execute(table.delete().where(~_waits, table.c.written_at < now - _KEPT_SECONDS))


def next_moment(connection: Connection) -> int | None:
    """When the first letter that waits may be tried, in epoch seconds (None: none waits)."""
    return connection.execute(select(func.min(table.c.next_at)).where(_waits)).scalar()
