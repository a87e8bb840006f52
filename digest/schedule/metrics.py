"""The figures for Prometheus, counted over the life of the process. docs/daemon.md explains each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from digest.model import Edition, Outcome, State
from digest.report import RunReport

Result = Literal["ok", "failed", "busy", "error"]
RESULTS: tuple[Result, ...] = ("ok", "failed", "busy", "error")
_MINUTE, _HOUR = 60, 3_600
_LAGS = (1, 5, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 3 * _HOUR, 8 * _HOUR, 24 * _HOUR)
_RUNS = (0.1, 0.5, 1, 5, 15, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 4 * _HOUR)


class Metrics:
    """All figures, in a registry of their own. Looks on while a run delivers (report.Watch), from its thread."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.registry = made = CollectorRegistry()
        self._loaded = Counter("digest_entries_loaded", "Entries seen for the first time.", registry=made)
        self._rejected = Counter("digest_entries_rejected", "Records that could not be loaded.", registry=made)
        self._files_failed = Counter("digest_files_failed", "Listing files that could not be loaded.", registry=made)
        self._editions = Counter("digest_editions", "Editions that came into a state.", ["state"], registry=made)
        self._waiting = Gauge("digest_editions_waiting", "Editions that may be sent now.", registry=made)
        self._delivery = Histogram("digest_delivery_seconds", "From MAIL to the relay's last reply.", registry=made)
        self._lag = Histogram(
            "digest_slot_lag_seconds", "From the slot's moment to the relay's reply.", buckets=_LAGS, registry=made
        )
        self._age = Gauge("digest_source_age_seconds", "Age of a source's newest entries.", ["source"], registry=made)
        self._runs = Counter("digest_runs", "Runs, by result.", ["result"], registry=made)
        self._seconds = Histogram("digest_run_seconds", "How long runs took.", buckets=_RUNS, registry=made)
        self._last = Gauge("digest_last_run_timestamp_seconds", "When the last run ended.", registry=made)
        self._incidents = Gauge("digest_incidents_open", "What is broken and not yet mended.", registry=made)
        self._sources: Mapping[str, int | None] = {}
        for state in State:
            if state is not State.SENDING:  # that is no outcome
                self._editions.labels(state)
        for result in RESULTS:
            self._runs.labels(result)

    def expect(self, editions: int) -> None:
        """Take note of how many editions there are to send."""
        self._waiting.set(editions)

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        """Take note of what became of one."""
        self._editions.labels(outcome.state).inc()
        if seconds > 0:
            self._delivery.observe(seconds)
        if outcome.state is State.SENT:
            self._lag.observe(max(0, self._clock() - edition.due_at))

    def reported(self, report: RunReport) -> None:
        """Take note of what a run did, but for the outcomes, which were counted as they came."""
        self._loaded.inc(report.loaded.new_entries)
        self._rejected.inc(sum(len(file.rejected) for file in report.loaded.files))
        self._files_failed.inc(sum(bool(file.fault) for file in report.loaded.files))
        self._editions.labels(State.PLANNED).inc(report.planned.planned)
        self._editions.labels(State.EMPTY).inc(report.planned.empty)
        self._editions.labels(State.FAILED).inc(len(report.planned.failed))
        self._editions.labels(State.SUPPRESSED).inc(report.recovered.suppressed)

    def run_ended(self, result: Result, seconds: float) -> None:
        """Take note of how a run ended."""
        self._runs.labels(result).inc()
        self._seconds.observe(seconds)
        self._last.set(self._clock())

    def standing(self, waiting: int, sources: Mapping[str, int | None]) -> None:
        """Take note of how things stand after a run; `sources` as Program.sources gives them."""
        self._waiting.set(waiting)
        self._sources = sources

    def incidents(self, count: int) -> None:
        """Take note of how much is broken."""
        self._incidents.set(count)

    def text(self) -> bytes:
        """All figures, in Prometheus' text format; a source that never gave entries is infinitely old."""
        now = self._clock()
        self._age.clear()
        for source, newest in self._sources.items():
            self._age.labels(source).set(float("inf") if newest is None else max(0, now - newest))
        return generate_latest(self.registry)
