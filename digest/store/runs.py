"""What each run did: when it began, last got on and ended, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from digest.errors import BusyError
from digest.store.schema import runs

_KEPT = 20_000
"""Runs that are remembered: two weeks of one a minute."""
_PUT_OFF = "it defers every mail, or never says that it took it"


class Run(NamedTuple):
    """A run that has ended: when it began and ended (epoch seconds), and its figures."""

    started_at: int
    finished_at: int
    report: dict[str, Any]


def begin(connection: Connection, now: int) -> int:
    """Note that a run begins; return its number, which fences off all earlier ones from now on."""
    # In PostgreSQL this waits for what `fence` has let through.
    connection.execute(update(runs).where(runs.c.finished_at.is_(None)).values(progress_at=runs.c.progress_at))
    row = {"started_at": now, "progress_at": now, "report": {}}
    number: int = connection.execute(insert(runs).values(row).returning(runs.c.id)).scalar_one()
    connection.execute(runs.delete().where(runs.c.id <= number - _KEPT))
    return number


def fence(connection: Connection, number: int) -> None:
    """Let nothing be written in this transaction by a run after which another has begun. Raises BusyError."""
    mine = select(runs.c.id).where(runs.c.id == number).with_for_update(read=True)
    connection.execute(mine)
    if connection.execute(select(func.max(runs.c.id))).scalar() != number:
        raise BusyError(f"run {number} was silent for so long that another has taken over; nothing more is done here")


def silent_since(connection: Connection) -> int | None:
    """When the newest run, which has not ended, last did something (None: it has ended, or there is none)."""
    newest = select(runs.c.progress_at, runs.c.finished_at).order_by(runs.c.id.desc()).limit(1)
    row = connection.execute(newest).first()
    return row.progress_at if row and row.finished_at is None else None


def progress(connection: Connection, number: int, now: int) -> None:
    """Note that a run has got on."""
    connection.execute(update(runs).where(runs.c.id == number).values(progress_at=now))


def finish(connection: Connection, number: int, now: int, report: Mapping[str, Any]) -> None:
    """Note that a run has ended, and what it did."""
    ended = {"progress_at": now, "finished_at": now, "report": dict(report)}
    connection.execute(update(runs).where(runs.c.id == number).values(ended))


def last(connection: Connection) -> Run | None:
    """The newest run that has ended, or None."""
    ended = select(runs.c.started_at, runs.c.finished_at, runs.c.report).where(runs.c.finished_at.is_not(None))
    row = connection.execute(ended.order_by(runs.c.id.desc()).limit(1)).first()
    return Run(*row) if row else None


def last_progress(connection: Connection) -> int | None:
    """When a run last did something, in epoch seconds (None: there was no run)."""
    newest = select(runs.c.progress_at).order_by(runs.c.id.desc()).limit(100).subquery()
    return connection.execute(select(func.max(newest.c.progress_at))).scalar()


def relay_failing(connection: Connection) -> tuple[str, int | None]:
    """Why the relay took nothing in the last runs that had mail, and since when (epoch seconds; None: it took some)."""
    ended = select(runs.c.started_at, runs.c.report).where(runs.c.finished_at.is_not(None)).order_by(runs.c.id.desc())
    error, since = "", None
    with connection.execute(ended.execution_options(yield_per=50)) as rows:
        for started_at, report in rows:
            refused = report.get("relay_error") or (_PUT_OFF if _put_off(report) else "")
            if refused:
                error, since = error or refused, started_at
            elif report["sent"] or report["failed"]:
                break
    return error, since


def _put_off(report: Mapping[str, Any]) -> bool:
    """Whether a run had mail and none was taken or refused for good."""
    return bool(report["deferred"] + report["unknown"]) and not report["sent"] + report["failed"]


def since(connection: Connection, moment: int) -> list[dict[str, Any]]:
    """The figures of the runs that began since a moment and have ended."""
    recent = runs.c.started_at >= moment, runs.c.finished_at.is_not(None)
    newest = select(runs.c.id).order_by(runs.c.id.desc()).limit(1).scalar_subquery()
    statement = select(runs.c.report).where(runs.c.id > newest - _KEPT, *recent)
    return list(connection.execute(statement).scalars())
