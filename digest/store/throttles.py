"""How fast mail may go to relays and domains, kept so that a restart changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, delete, select, tuple_

from digest.model import Throttle
from digest.store.dialect import insert_or
from digest.store.schema import throttles as table

_KEY = table.c.scope, table.c.name


def load(connection: Connection) -> list[Throttle]:
    """All that is kept, by scope and name."""
    return _found(connection)


def paused(connection: Connection, now: float) -> list[Throttle]:
    """The relays and domains that are paused now (epoch seconds), by scope and name."""
    return _found(connection, table.c.paused_until > now)


def save(connection: Connection, throttles: Sequence[Throttle], now: float) -> None:
    """Keep these instead of what was kept of the same names, and drop all that hold nothing back any more."""
    if not throttles:
        return
    # In one order, as two processes that wait for each other's rows would wait for ever.
    rows = [asdict(throttle) for throttle in sorted(throttles, key=lambda throttle: (throttle.scope, throttle.name))]
    statement = insert_or(connection, table)
    news = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=news), rows)
    over = table.c.strikes == 0, table.c.paused_until <= now, table.c.free_at <= now
    unlocked = select(*_KEY).where(*over).with_for_update(skip_locked=True)  # another process may be writing the rest
    connection.execute(delete(table).where(tuple_(*_KEY).in_(unlocked)))


def _found(connection: Connection, *which: ColumnElement[bool]) -> list[Throttle]:
    rows = connection.execute(select(table).where(*which).order_by(*_KEY))
    return [Throttle(*row) for row in rows]
