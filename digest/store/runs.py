"""What each run did, for `digest status`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from digest.store.schema import runs


class Run(NamedTuple):
    """A run: when it began and ended (epoch seconds), and its figures."""

    started_at: int
    finished_at: int
    report: dict[str, Any]


def record(connection: Connection, started_at: int, finished_at: int, report: Mapping[str, Any]) -> None:
    """Note a run."""
    connection.execute(insert(runs).values(started_at=started_at, finished_at=finished_at, report=dict(report)))


def last(connection: Connection) -> Run | None:
    """The newest run, or None."""
    row = connection.execute(
        select(runs.c.started_at, runs.c.finished_at, runs.c.report).order_by(runs.c.id.desc())
    ).first()
    return Run(*row) if row else None
