"""A year over all zones: `benchmarks/year.py` at a size for tests.

The benchmark does every minute of a whole year in all zones, which takes minutes. Here all zones are simulated by the
minute while clocks change in both hemispheres, and one zone of each kind that changes by two runs a day for a year.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest
import year
from sqlalchemy import Table, select, update
from year import HOUR, ZONES, Clock, Judged, Span

from digest.store.schema import contents, editions
from digest.store.store import Store

YEAR = Span(date(2026, 1, 1), date(2026, 12, 31))
IN_SPRING = Span(date(2026, 3, 28), date(2026, 4, 6))
NEW_YEAR = 1_767_225_600  # 2026-01-01 in UTC
LINE = "Pacific/Apia", "Pacific/Fakaofo", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Etc/GMT+12"


@cache
def kinds() -> list[str]:
    """One zone for each way in which offsets change in the year, and those at the date line."""
    found = dict[tuple[int, ...], str]()
    for zone in (*LINE, *ZONES):
        clock = Clock(zone, YEAR.first, YEAR.first)
        if clock.changes or zone in LINE:
            moments = NEW_YEAR, *clock.changes
            found.setdefault((*moments, *map(clock.offset, moments)), zone)
    return list(found.values())


def right(judged: Judged) -> bool:
    """Whether nothing was found wrong, in some slots."""
    return judged.counts["slots"] > 0 and not any(judged.faults.values())


@pytest.mark.slow
def test_all_zones_by_the_minute_while_clocks_change(tmp_path: Path) -> None:
    """Each local date has one edition, at its minute; no entry is lost or comes twice."""
    done, judged = year.run(tmp_path, ZONES, IN_SPRING)
    assert right(judged)
    assert judged.counts["slots"] == 10 * len(ZONES)
    assert judged.counts["slots on the date of a change: forward, north"] > 50
    assert judged.counts["slots on the date of a change: back, south"] > 10
    assert judged.counts["slots at a local time that did not exist"] > 0
    assert judged.counts["slots at a local time that came twice"] > 0
    assert judged.counts["editions sent"] > 5 * judged.counts["editions empty"] > 0
    assert done.planned > judged.counts["editions sent"]


@pytest.mark.slow
def test_a_whole_year_of_every_change(tmp_path: Path) -> None:
    """One edition for each local date, planned by the first run after its moment."""
    zones = kinds()
    _, judged = year.run(tmp_path, zones, YEAR._replace(every=12 * HOUR))
    assert right(judged)
    assert judged.counts["slots"] == 365 * len(zones)
    for way in ("forward", "back"):
        assert judged.counts[f"slots on the date of a change: {way}, north"] > 10
        assert judged.counts[f"slots on the date of a change: {way}, south"] > 5


@pytest.mark.slow
def test_next_due_gives_a_year_of_slots_at_every_time() -> None:
    """One for each local date, in every kind of zone, for ten times of day."""
    zones = kinds()
    judged = year.ask(zones, YEAR)
    assert right(judged)
    assert judged.counts["slots"] == 365 * len(zones) * len(year.TIMES)
    assert judged.counts["slots at a local time that did not exist"] > 20
    assert judged.counts["slots at a local time that came twice"] > 20


def test_a_date_that_a_zone_never_had_has_no_edition(tmp_path: Path) -> None:
    """Samoa and Tokelau crossed the date line over 2011-12-30; those who stayed have that date."""
    _, judged = year.run(tmp_path, LINE, Span(date(2011, 12, 28), date(2012, 1, 2)))
    assert right(judged)
    assert judged.counts["slots"] == 6 * len(LINE) - 2


@pytest.mark.parametrize(
    ("table", "values", "fault"),
    [
        (editions, {"due_at": editions.c.due_at + 60}, "slot at another minute"),
        (editions, {"planned_at": editions.c.planned_at + 60}, "edition planned at another minute"),
        (contents, {"entries": b""}, "entry lost"),
        (editions, {"slot": date(2026, 11, 20)}, "date without a slot"),
    ],
    ids=["late", "planned late", "emptied", "moved"],
)
def test_the_judge_sees_what_is_wrong(store: Store, table: Table, values: dict[str, object], fault: str) -> None:
    """A single edition that is not as it should be, in one of two zones."""
    span = Span(date(2026, 10, 24), date(2026, 10, 26))
    year.simulate(store, ["Asia/Tokyo", "Europe/Berlin"], span)
    assert not year.judge(store, span).faults["entry lost"]
    with store.write() as connection:
        one = select(editions.c.id).where(editions.c.subscriber == 2, editions.c.slot == date(2026, 10, 25))
        (key,) = table.primary_key
        changed = update(table).where(key == connection.execute(one).scalar_one()).values(values)
        assert connection.execute(changed).rowcount == 1
    assert year.judge(store, span).faults[fault] > 0
