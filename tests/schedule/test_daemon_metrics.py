"""The figures, as Prometheus reads them."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from digest.delivery.sender import Report
from digest.model import Edition, Outcome, Rejection, State
from digest.report import Loaded, LoadedFile, Planned, Recovered, RunReport
from digest.schedule.metrics import Metrics

DOCS = Path(__file__).resolve().parents[2] / "docs" / "daemon.md"
NOON = 1_800_000_000


def samples(metrics: Metrics) -> dict[str, float]:
    """All samples by name, with labels where there are any."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def edition(due_at: int) -> Edition:
    """An edition that was due at a moment."""
    day = date(2026, 11, 20)
    return Edition(1, 2, "ada@example.org", "", day, day, "UTC", due_at, due_at, (), (), 1, 1)


def test_outcomes_are_counted_as_they_come() -> None:
    """By state; the lag is that of what was sent, the delivery's time that of what was tried."""
    metrics = Metrics(lambda: NOON)
    metrics.expect(3)
    metrics.outcome(edition(NOON - 90), Outcome(1, State.SENT, 250), 0.2)
    metrics.outcome(edition(NOON - 90), Outcome(2, State.DEFERRED, 451), 0.3)
    metrics.outcome(edition(NOON - 90), Outcome(3, State.FAILED), 0.0)
    seen = samples(metrics)
    assert [seen[f"digest_editions_total{{{state}}}"] for state in ("sent", "deferred", "failed", "empty")] == [
        1,
        1,
        1,
        0,
    ]
    assert seen["digest_editions_waiting"] == 3
    assert (seen["digest_delivery_seconds_count"], seen["digest_slot_lag_seconds_count"]) == (2, 1)
    assert (seen["digest_slot_lag_seconds_bucket{60.0}"], seen["digest_slot_lag_seconds_bucket{120.0}"]) == (0, 1)
    assert seen["digest_slot_lag_seconds_sum"] == 90


def test_a_report_adds_what_no_outcome_told() -> None:
    """Sent editions are not counted a second time."""
    metrics = Metrics(lambda: NOON)
    files = (
        LoadedFile(Path("a"), "jsonl", 5, 4, (Rejection(2, "no title"), Rejection(3, "no title"))),
        LoadedFile(Path("b"), fault="no listing"),
    )
    planned = Planned(due=9, planned=5, silent=Counter({"no new file": 3}), failed=(("ada@example.org", "poison"),))
    delivered = Report(Counter({State.SENT: 5}))
    metrics.reported(RunReport(7, Loaded(files), planned, delivered, Recovered(0, 2)))
    seen = samples(metrics)
    assert {name: value for name, value in seen.items() if value and "_created" not in name} == {
        "digest_entries_loaded_total": 4,
        "digest_entries_rejected_total": 2,
        "digest_files_failed_total": 1,
        "digest_editions_total{planned}": 5,
        "digest_editions_total{empty}": 3,
        "digest_editions_total{failed}": 1,
        "digest_editions_total{suppressed}": 2,
    }


def test_sources_age_between_runs() -> None:
    """The age is that at the time of asking; a source that never gave anything is infinitely old."""
    now = [NOON]
    metrics = Metrics(lambda: now[0])
    metrics.standing(0, {"listings": NOON - 100, "never": None})
    now[0] += 50
    seen = samples(metrics)
    assert seen["digest_source_age_seconds{listings}"] == 150
    assert seen["digest_source_age_seconds{never}"] == math.inf
    metrics.standing(0, {"other": NOON})
    assert [name for name in samples(metrics) if "source_age" in name] == ["digest_source_age_seconds{other}"]


@pytest.mark.parametrize("result", ["ok", "failed", "busy", "error"])
def test_runs_are_counted_by_result(result: str) -> None:
    """With how long they took and when the last one ended."""
    metrics = Metrics(lambda: NOON)
    metrics.run_ended(result, 2.0)  # type: ignore[arg-type]  # one of the four
    metrics.incidents(2)
    seen = samples(metrics)
    assert seen[f"digest_runs_total{{{result}}}"] == 1
    assert sum(value for name, value in seen.items() if name.startswith("digest_runs_total")) == 1
    assert (seen["digest_run_seconds_sum"], seen["digest_last_run_timestamp_seconds"]) == (2, NOON)
    assert seen["digest_incidents_open"] == 2


def test_the_documentation_names_every_figure() -> None:
    """The table in docs/daemon.md and the registry agree, in names and kinds."""
    table = re.findall(r"^\| `(digest_\w+)(?:\{(\w+)\})?` \| (\w+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    families = text_string_to_metric_families(Metrics(lambda: NOON).text().decode())
    there = {
        (f"{family.name}_total" if family.type == "counter" else family.name, family.type)
        for family in families
        if not family.name.endswith("_created")
    }
    assert {(name, kind) for name, _, kind in table} == there
