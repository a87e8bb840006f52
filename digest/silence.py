"""Why a run had nothing to send."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from digest.alarms import utc
from digest.pipeline import Pipeline
from digest.planning import NO_NEW_FILE
from digest.report import Loaded, Planned
from digest.store import dues, editions, subscribers

_REASONS = 3


def why_nothing(pipeline: Pipeline, file: Path, loaded: Loaded, planned: Planned) -> str:
    """Why there was nothing to send, after these two; `file` is the configuration."""
    with pipeline.store.read() as connection:
        anybody = subscribers.any_active(connection)
        deferred = editions.count_deferred(connection)
        silent = dues.count_silent(connection)
    if not anybody:
        return f"there are no subscribers; add [[subscribers]] to {file}, or run: digest subscribers add"
    if deferred:
        return f"the relay deferred what is left (editions: {deferred:,}); it is tried again later"
    if not planned.due and silent:
        return f"there is nothing new since the last run, which had nothing to send (subscribers: {silent:,})"
    return _why_unsent(pipeline, loaded, planned) if planned.due else _nobody_due(pipeline)


def _nobody_due(pipeline: Pipeline) -> str:
    with pipeline.store.read() as connection:
        next_due = dues.next_moment(connection) or 0
    return f"nobody is due; the next is due at {utc(next_due)}"


def _why_unsent(pipeline: Pipeline, loaded: Loaded, planned: Planned) -> str:
    """Why there was nothing for those who are due."""
    if planned.failed:
        return f"no edition could be made (subscribers: {len(planned.failed):,})"
    if planned.planned:
        return "those who would have got an edition have unsubscribed"
    waiting = f"; {len(loaded.waiting)} still being written" if loaded.waiting else ""
    why = _most(planned.silent, pipeline)
    return f"{why} (new entries: {planned.window:,}, subscribers due: {planned.due:,}){waiting}"


def _most(reasons: Counter[str], pipeline: Pipeline) -> str:
    """The commonest reasons of empty editions."""
    where = {NO_NEW_FILE: f"{NO_NEW_FILE} in {', '.join(map(str, pipeline.intake.paths))}"}
    told = [where.get(reason, reason) for reason, _ in reasons.most_common(_REASONS)]
    return "; ".join([*told, *(["and other reasons"] if len(reasons) > _REASONS else [])])
