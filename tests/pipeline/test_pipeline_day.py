"""A day in every zone of the earth, minute by minute, as benchmarks/day.py lives it with a million subscribers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crowd import zones
from day import BEGIN, DAY, END, WEEKDAY, Clock, busiest_hour, count, fill, live, program
from queries import queries
from sink import SINK, sink
from sqlalchemy import func, select

from digest.app import App
from digest.cadence import local_date
from digest.model import Cadence, Profile, State, Subscriber
from digest.store.schema import editions, subscribers
from digest.store.subscribers import Named, put

pytestmark = pytest.mark.slow
CROWD = 2_000
NO_MIDNIGHT = ("Asia/Beirut", "Atlantic/Azores")
"""Where the clock goes from 23:59 to 01:00 on that date."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Clock]]:
    """A crowd, and two more who are due at a midnight that does not exist."""
    folder = tmp_path_factory.mktemp("day")
    with program(folder) as (app, clock):
        fill(app, folder, CROWD, 100)
        with app.store.write() as connection:
            put(connection, list(map(_at_midnight, NO_MIDNIGHT)), clock(), 7, configured=False)
        yield app, clock


def _at_midnight(zone: str) -> Named:
    email = f"{zone.replace('/', '.')}@example.org"
    profiles = (Profile("Papers", ("model",)),)
    return Named(email, Subscriber(email, profiles, cadence=Cadence(WEEKDAY, None, zone)))


def test_the_day_covers_the_date_in_every_zone() -> None:
    """From its beginning in the first to its end in the last, and no longer."""
    assert {local_date(BEGIN, zone) for zone in zones()} >= {DAY}
    assert all(local_date(BEGIN - 1, zone) < DAY < local_date(END, zone) for zone in zones())
    assert any(local_date(END - 1, zone) == DAY for zone in zones())


def test_who_is_due_is_found_by_an_index(filled: tuple[App, Clock]) -> None:
    """However many there are."""
    app, _ = filled
    asked = list(queries(app.store))
    assert [query.name for query in asked] == ["next moment", *("lowest watermark", "due") * 3]
    assert all("INDEX ix_subscribers_due_at_id" in query.plan for query in asked)
    assert all("SCAN" not in query.plan and "TEMP B-TREE" not in query.plan for query in asked)


def test_each_gets_one_edition_of_the_date_on_the_local_minute(filled: tuple[App, Clock]) -> None:
    """Whatever the zone, also where that minute does not exist; and there is no edition beside these."""
    app, clock = filled
    with app.store.read() as connection:
        moments = connection.execute(select(func.count(subscribers.c.due_at.distinct()))).scalar_one()
        homes = set(connection.execute(select(subscribers.c.zone)).scalars())
    day, everybody = live(app, clock, deliver=False), CROWD + len(NO_MIDNIGHT)
    counted = count(app.store)
    assert homes == set(zones())
    assert day.ticks == moments
    assert counted.editions == counted.subscribers == counted.of_the_day == counted.on_the_minute == everybody
    assert counted.skipped_times == len(NO_MIDNIGHT)
    assert 0 < counted.mailed < everybody


@pytest.mark.skipif(SINK is None, reason="smtp-sink is missing: install the Debian package postfix")
def test_every_mail_of_the_busiest_hour_is_timed(tmp_path: Path) -> None:
    """From its slot to the reply of the relay."""
    with sink() as port, program(tmp_path, port) as (app, clock):
        fill(app, tmp_path, 700, 100)
        hour = busiest_hour(app.store)
        day = live(app, clock, deliver=True)
        in_hour = editions.c.due_at.between(hour.start, hour.stop - 1), editions.c.state == State.SENT
        slots = select(editions.c.due_at, func.count()).where(*in_hour, editions.c.matched > 0)
        with app.store.read() as connection:
            mailed = {row[0]: row[1] for row in connection.execute(slots.group_by(editions.c.due_at))}
    assert {slot: len(waits) for slot, waits in day.waits.items()} == mailed
    assert all(wait > 0 for waits in day.waits.values() for wait in waits)
