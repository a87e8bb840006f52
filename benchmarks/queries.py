"""What the questions of a tick take: who is due, and when somebody will be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from sqlalchemy import Connection, event, func, select

from digest.store.dues import AT_ONCE, due, lowest_watermark, next_moment
from digest.store.schema import subscribers
from digest.store.store import Store

_ROUNDS = 20


class Query(NamedTuple):
    """What a query takes, in milliseconds: in all, and to its first row; and SQLite's plan for it."""

    name: str
    rows: int
    in_all: float
    first_row: float
    plan: str


def queries(store: Store) -> Iterator[Query]:
    """The questions of a tick, when nobody, somebody, and AT_ONCE or more are due."""
    with store.read() as connection:
        ordered = select(subscribers.c.due_at).order_by(subscribers.c.due_at)
        moments = connection.execute(ordered.limit(AT_ONCE)).scalars().all()
        yield _query(connection, "next moment", lambda: next_moment(connection))
        for now in (moments[0] - 60, moments[0], moments[-1]):
            some = connection.execute(select(func.count()).where(subscribers.c.due_at <= now)).scalar_one()
            yield _query(connection, "lowest watermark", partial(lowest_watermark, connection, now), some)
            yield _query(connection, "due", partial(due, connection, now), some)


def _query(connection: Connection, name: str, ask: Callable[[], object], rows: int = 1) -> Query:
    with heard(connection) as said:
        ask()
    [(statement, values)] = said
    plan = "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))

    def first() -> object:
        return connection.exec_driver_sql(statement, values).first()

    return Query(name, rows, milliseconds(ask), milliseconds(first), plan)


@contextmanager
def heard(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile."""
    said: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        said.append((told[2], told[3]))

    event.listen(connection, "before_cursor_execute", note)
    yield said
    event.remove(connection, "before_cursor_execute", note)


def milliseconds(call: Callable[[], object]) -> float:
    """What a call takes, the median of some."""
    took = []
    for _ in range(_ROUNDS):
        start = perf_counter()
        call()
        took.append(perf_counter() - start)
    return 1_000 * median(took)
