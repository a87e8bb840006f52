"""A day of very many subscribers: how fast it is known who is due, and that each gets one edition at the right minute.

    python benchmarks/day.py [--subscribers 1000000] [--folder PATH] [--no-deliver]

The clock is ours: it jumps from one minute in which somebody is due to the next, over the fifty hours in which it is
one date, DAY, somewhere on earth. Everybody has a slot on that weekday only, so each must have one edition, of that
date, and there must be no other. On that date Europe's clocks change, and those of Beirut and the Azores at midnight.
In the hour with the most editions every tick is delivered, too, to Postfix's smtp-sink, and what a tick takes is added
to the clock, so that a tick that is too slow makes the next one late.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from crowd import crowd, listing
from queries import milliseconds, queries
from sink import SINK, sink
from sqlalchemy import distinct, func, select, update

from digest.app import App, opened
from digest.listings import Origin, read
from digest.model import Edition, Outcome, State
from digest.store import runs
from digest.store.dues import next_moment
from digest.store.ledger import StoreLedger
from digest.store.schema import editions, subscribers
from digest.store.store import Store
from digest.store.subscribers import put

DAY = date(2026, 3, 29)
WEEKDAY = "sun"
BEGIN, END = (int(datetime(2026, 3, day, hour, tzinfo=UTC).timestamp()) for day, hour in ((28, 10), (30, 12)))
"""Where DAY begins first (UTC+14), and where it ends last (UTC-12)."""
SIGN_UP = BEGIN - 36 * 3_600
SAMPLES = Path(__file__).resolve().parents[1] / "digest" / "samples" / "listings"
ENTRIES = 300
CONNECTIONS = 16


class Clock:
    """Stands still until it is set."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


@dataclass(slots=True)
class Day:
    """What became of the day."""

    ticks: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    waits: dict[int, list[float]] = field(default_factory=dict)  # slot → seconds to the relay's reply, of each edition


class Count(NamedTuple):
    """What the database says of the day."""

    editions: int
    subscribers: int
    of_the_day: int
    mailed: int
    on_the_minute: int
    skipped_times: int


@contextmanager
def program(folder: Path, port: int = 25) -> Iterator[tuple[App, Clock]]:
    """The program on a folder, with a clock of ours."""
    (folder / "listings").mkdir()
    paths = [str(SAMPLES), "listings"]
    (folder / "digest.toml").write_text(
        f'[store]\nurl = "sqlite:///day.db"\n[listings]\npaths = {paths}\nsettle_seconds = 0\n'
        f'[smtp]\nport = {port}\ntls = "none"\nconnections = {CONNECTIONS}\n[sender]\naddress = "digest@example.org"\n'
        f'[web]\nurl = "https://digest.example.org"\nsecrets = ["a secret to measure with"]\n'
    )
    clock = Clock(SIGN_UP)
    with opened(folder / "digest.toml", clock) as app:
        yield app, clock


def fill(app: App, folder: Path, count: int, size: int = ENTRIES) -> None:
    """Sign so many up, then load so many entries: those of the samples, and more like them."""
    sample = [one for file in sorted(SAMPLES.iterdir()) for one in read(file.read_bytes(), Origin(DAY)).entries]
    for batch in crowd(count, [f"{entry.title} {entry.abstract}" for entry in sample], WEEKDAY):
        with app.store.write() as connection:
            put(connection, batch, app.clock(), 7, configured=False)
    (folder / "listings" / "more.jsonl").write_text(listing(sample, size - len(sample)))
    app.pipeline.load()


def live(app: App, clock: Clock, deliver: bool) -> Day:
    """Plan every minute of the day in which somebody is due; in the worst hour, deliver as well."""
    day, free_at, worst = Day(), 0, busiest_hour(app.store) if deliver else range(0)
    while (moment := _next(app.store)) < END:
        hot = moment in worst
        if hot and not day.waits:
            settle(app.store)  # what was planned before counts as sent
        clock.at = -(-max(moment, free_at if hot else 0) // 60) * 60
        start = perf_counter()
        app.pipeline.plan()
        day.seconds += (took := perf_counter() - start)
        day.ticks, day.slowest = day.ticks + 1, max(day.slowest, took)
        if hot:
            report = app.pipeline.deliver(app.press, app.dispatch, _all(app), Watch(clock.at - start, day.waits))
            if report.relay_error or report.problems:
                sys.exit(f"the mails could not be delivered: {report.relay_error or report.problems[0]}")
            free_at = int(clock.at + perf_counter() - start)
    return day


def _all(app: App) -> StoreLedger:
    """Whatever waits, for a run that has begun."""
    with app.store.write() as connection:
        return StoreLedger(app.store, app.clock, runs.begin(connection, app.clock()))


@dataclass(frozen=True, slots=True)
class Watch:
    """Notes when each edition of a tick was taken by the relay; `zero` plus the real clock is the time of day."""

    zero: float
    waits: dict[int, list[float]]

    def expect(self, editions: int) -> None:
        """Nothing to note."""

    def outcome(self, edition: Edition, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002 - what a watch is told
        self.waits.setdefault(edition.due_at, []).append(self.zero + perf_counter() - edition.due_at)


def _next(store: Store) -> int:
    with store.read() as connection:
        return next_moment(connection) or END


def busiest_hour(store: Store) -> range:
    """The hour with the most slots, in epoch seconds."""
    hour = subscribers.c.due_at - subscribers.c.due_at % 3_600
    with store.read() as connection:
        first = connection.execute(select(hour).group_by(hour).order_by(func.count().desc()).limit(1)).scalar_one()
    return range(first, first + 3_600)


def settle(store: Store) -> None:
    """Say of every planned edition that it was sent."""
    with store.write() as connection:
        connection.execute(update(editions).where(editions.c.state == State.PLANNED).values(state=State.SENT))


def count(store: Store) -> Count:
    """What editions there are, and how many were planned in the minute that their subscriber asked for."""
    wall = subscribers.c.zone, subscribers.c.send_at, editions.c.planned_at
    joined = select(*wall, func.count()).join(subscribers, subscribers.c.id == editions.c.subscriber).group_by(*wall)
    with store.read() as connection:
        totals = connection.execute(
            select(
                func.count(),
                func.count(distinct(editions.c.subscriber)),
                func.count().filter(editions.c.slot == DAY),
                func.count().filter(editions.c.matched > 0),
            ).select_from(editions)
        ).one()
        groups = connection.execute(joined).all()
    right = sum(number for zone, send_at, at, number in groups if _is_right(zone, send_at or "00:00", at))
    skipped = sum(number for zone, send_at, _, number in groups if not _exists(zone, send_at or "00:00"))
    return Count(*totals, right, skipped)


def _is_right(zone: str, send_at: str, planned_at: int) -> bool:
    """Whether this is the minute in which a clock on the wall there comes to this time, or jumps over it."""
    local, before = (datetime.fromtimestamp(planned_at - back, ZoneInfo(zone)) for back in (0, 60))
    wanted = f"{DAY} {send_at}"
    return f"{before:%F %R}" < wanted <= f"{local:%F %R}"


def _exists(zone: str, send_at: str) -> bool:
    """Whether the clock there shows this time at all on the day."""
    wanted = datetime.fromisoformat(f"{DAY} {send_at}").replace(tzinfo=ZoneInfo(zone))
    return wanted.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wanted.replace(tzinfo=None)


def idle(app: App) -> dict[str, float]:
    """What the steps of a tick take when nothing is to be done, in milliseconds."""
    pipeline, dispatch, run = app.pipeline, app.dispatch, _all(app).run
    steps: dict[str, Callable[[], object]] = {
        "load": pipeline.load,
        "plan": pipeline.plan,
        "recover": lambda: pipeline.recover(dispatch, run),
        "waiting": pipeline.waiting,
        "whole run": app.run,
    }
    return {name: milliseconds(step) for name, step in steps.items()}


def measure(folder: Path, number: int, deliver: bool) -> None:
    with sink() if deliver else nullcontext(25) as port, program(folder, port) as (app, clock):
        start = perf_counter()
        fill(app, folder, number)
        print(f"{number:,} signed up in {perf_counter() - start:.0f} s; peak memory {_megabytes():,.0f} MB\n")
        print("Who is due (median of 20)              rows      in all  to first row")
        for query in queries(app.store):
            print(f"  {query.name:<28}{query.rows:12,}{query.in_all:9.2f} ms{query.first_row:11.2f} ms  {query.plan}")
        print("\nA tick with nothing to do, before the day:", _steps(idle(app)), flush=True)
        start = perf_counter()
        day = live(app, clock, deliver)
        _tell_day(day, count(app.store), perf_counter() - start)
        settle(app.store)
        print("A tick with nothing to do, after the day:", _steps(idle(app)))
        print(f"peak memory {_megabytes():,.0f} MB, database {(folder / 'day.db').stat().st_size / 1e6:,.0f} MB")


def _tell_day(day: Day, counted: Count, seconds: float) -> None:
    hours = (END - BEGIN) / 3_600
    print(f"\n{DAY}, all over the earth: {hours:.0f} hours in {seconds:.0f} s, {day.ticks:,} ticks with somebody due")
    print(f"  editions                     {counted.editions:12,}")
    print(f"  of that date                 {counted.of_the_day:12,}")
    print(f"  subscribers with an edition  {counted.subscribers:12,}")
    print(f"  planned on the local minute  {counted.on_the_minute:12,}")
    print(f"  of these, at a minute that the clock skipped {counted.skipped_times:,}")
    print(f"  with a match                 {counted.mailed:12,}")
    print(f"  planned in {day.seconds:.1f} s: {counted.editions / day.seconds:,.0f}/s; slowest {day.slowest:.1f} s\n")
    if day.waits:
        busiest = max(day.waits.values(), key=len)
        print(f"Seconds from slot to reply, {CONNECTIONS} connections        mails     p50     p95     max")
        print(_spread("the hour with most editions", list(chain.from_iterable(day.waits.values()))))
        print(_spread("its busiest minute", busiest) + "\n")


def _spread(name: str, waits: Sequence[float]) -> str:
    parts = quantiles(waits, n=20)
    return f"  {name:<38}{len(waits):12,}{parts[9]:8.2f}{parts[18]:8.2f}{max(waits):8.2f}"


def _steps(took: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f} ms" for name, value in took.items())


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=next(iter((__doc__ or "").splitlines())))
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the database goes (default: a temporary folder)")
    parser.add_argument("--deliver", action=argparse.BooleanOptionalAction, default=SINK is not None)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options.subscribers, options.deliver)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
