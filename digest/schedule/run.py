"""One run, as the daemon does it: an id in every line that it logs, all of it counted, and no error gets out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from uuid import uuid4

from structlog.contextvars import bound_contextvars

from digest.errors import BusyError, DigestError
from digest.model import Edition, Outcome, State
from digest.report import RunReport
from digest.schedule.health import Health
from digest.schedule.logs import logger
from digest.schedule.metrics import Metrics, Result
from digest.schedule.program import Program

_log = logger("digest.run")
_TROUBLES = 50
"""Troubles of one run that are told; every edition that was not sent has a line of its own, too."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended, in a line; `failure` is what somebody should hear of, in full ("": nothing)."""

    result: Result
    words: str
    failure: str = ""


class Runner:
    """Does runs, one at a time, in a thread of the caller's choice."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._metrics, self._health = metrics, health

    def run(self, program: Program, going: Callable[[], bool]) -> Ran:
        """Load, plan, deliver; then see how things stand."""
        with bound_contextvars(run=uuid4().hex[:12]):
            self._health.progress()
            began = time.monotonic()
            ran = self._run(program, going)
            self._metrics.run_ended(ran.result, time.monotonic() - began)
            self._health.run_ended()
            return ran

    def _run(self, program: Program, going: Callable[[], bool]) -> Ran:
        try:
            report = program.run(_Onlooker(self._metrics, self._health), self._lively(going))
            self._metrics.reported(report)
            self._metrics.standing(program.waiting(), program.sources())
            return _told(report)
        except BusyError:
            _log.info("another run is at work")
            return Ran("busy", "another run was at work")
        except DigestError as error:
            _log.error("run failed", reason=str(error))
            return Ran("error", str(error), str(error))
        except Exception as error:  # noqa: BLE001 (logged, counted and told; the next tick may do better)
            _log.exception("run failed")
            words = f"{type(error).__name__}: {error}"
            return Ran("error", words, words)

    def _lively(self, going: Callable[[], bool]) -> Callable[[], bool]:
        """The same; whoever asks whether to go on shows life."""

        def asked() -> bool:
            self._health.progress()
            return going()

        return asked


def _told(report: RunReport) -> Ran:
    """Log what a run did. One that had nothing to do, as most in a day, is no news."""
    figures = {name: value for name, value in report.counts().items() if value}
    words = ", ".join(f"{value} {name}" for name, value in figures.items() if name != "reason") or "nothing to do"
    if report.failed:
        troubles = list(islice(report.troubles(), _TROUBLES))
        _log.warning("run had troubles", number=report.id, **figures, troubles=troubles)
        return Ran("failed", words, "\n".join(troubles) or words)
    busy = report.loaded.files or report.planned.due or report.delivered.states or report.left
    (_log.info if busy else _log.debug)("run ended", number=report.id, **figures)
    return Ran("ok", words)


class _Onlooker:
    """Counts and logs outcomes as they come (report.Watch); each is a sign of life."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self._metrics, self._health = metrics, health

    def expect(self, editions: int) -> None:
        self._metrics.expect(editions)
        self._health.progress()

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        self._metrics.outcome(edition, outcome, seconds)
        self._health.progress()
        if outcome.state is not State.SENT:
            log = _log.info if outcome.state is State.DEFERRED else _log.warning
            about = {"edition": edition.id, "subscriber": edition.subscriber, "state": str(outcome.state)}
            log("edition not sent", **about, code=outcome.code, reply=outcome.reply)
