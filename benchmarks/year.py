"""A year of slots in every time zone, simulated in a real store by the real planning, and counted.

    python benchmarks/year.py [--zones N] [--year 2026]

One subscriber in each zone, at one of TIMES. The clock is injected: it jumps from one full minute at which somebody is
due, or a listing comes, to the next. Listings come every four hours, but on Sundays. What is planned counts as sent at
once. What the store then holds is judged by clocks that know zoneinfo and not `digest.cadence`. Then
`cadence.next_due` alone is asked for every date in every zone at each of the times.
"""

from __future__ import annotations

import argparse
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from statistics import median
from struct import unpack
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Row, select, update

from digest.cadence import next_due
from digest.model import Cadence, Entry, Listing, Profile, State, Subscriber
from digest.planning import Policy, plan
from digest.store import dues, entries, filing, subscribers
from digest.store.schema import contents
from digest.store.schema import editions as edition_table
from digest.store.schema import entries as entry_table
from digest.store.store import Store, open_store
from digest.store.subscribers import Named

ZONES = tuple(sorted(available_timezones() - {"localtime"}))
_AT_NIGHT = time(0, 0), time(0, 30), time(1, 30), time(2, 0), time(2, 30), time(3, 15)
TIMES = (None, *_AT_NIGHT, time(7, 30), time(12, 0), time(23, 45))
TOPICS = ("adapter", "reward", "retrieval")
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_BETWEEN_LISTINGS = 4 * HOUR
_STEP = 6 * HOUR  # shorter than any date, and no zone changes its clocks twice in it
_SUNDAY = 6
_EPOCH = datetime(1970, 1, 1)  # naive, as are the local times that are counted from it
_POLICY = Policy(first_days=7, stale_seconds=0, skip=(), calendars=lambda _: {})


class Span(NamedTuple):
    """The local dates to be simulated, both included, and the seconds from one run to the next."""

    first: date
    last: date
    every: int = MINUTE

    def run_at(self, moment: int) -> int:
        """The first run that is not before a moment."""
        return -(-moment // self.every) * self.every


def _epoch(local: datetime) -> int:
    """Seconds to a local time, as if it were UTC."""
    return (local - _EPOCH) // timedelta(seconds=1)


def _midnight(day: date) -> int:
    return _epoch(datetime.combine(day, time.min))


class Clock:
    """A clock on the wall in a zone: whatever is told of it was read off at moments of UTC.

    `dates` are those that it shows in a span; `changes`, the moments in these years from which it has another offset.
    """

    def __init__(self, zone: str, first: date, last: date) -> None:
        self._zone = ZoneInfo(zone)
        shown = (self.wall(moment).date() for moment in range(_midnight(first) - DAY, _midnight(last) + 2 * DAY, _STEP))
        self.dates = frozenset(day for day in shown if first <= day <= last)
        years = range(_midnight(date(first.year, 1, 1)), _midnight(date(last.year + 1, 1, 2)), _STEP)
        self.changes = tuple(self._changes(years))
        self.ways = {self.wall(change).date(): self._way(change) for change in self.changes}
        self.offsets_round = cache(self._offsets_round)

    def wall(self, moment: int) -> datetime:
        """What it shows."""
        return datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None)

    def offset(self, moment: int) -> int:
        """By how many seconds it is ahead of UTC."""
        return _epoch(self.wall(moment)) - moment

    def shown(self, local: datetime) -> list[int]:
        """The moments at which it shows a local time: one, two or none."""
        moments = sorted({_epoch(local) - offset for offset in self.offsets_round(local.date())})
        return [moment for moment in moments if self.wall(moment) == local]

    @property
    def side(self) -> str:
        """Whose summer it keeps."""
        halves = {way: day.month <= 6 for day, way in self.ways.items()}
        north, south = {"forward": True, "back": False}, {"forward": False, "back": True}
        return "north" if halves == north else "south" if halves == south else "neither"

    def _offsets_round(self, day: date) -> tuple[int, int]:
        """The offsets before any change on a date, and after it."""
        return self.offset(_midnight(day) - DAY), self.offset(_midnight(day) + 2 * DAY)

    def _changes(self, moments: range) -> Iterator[int]:
        before = self.offset(moments[0])
        for end in moments[1:]:
            if self.offset(end) != before:
                within = range(end - _STEP, end + 1)
                yield within[bisect_left(within, True, key=lambda moment: self.offset(moment) != before)]
                before = self.offset(end)

    def _way(self, change: int) -> str:
        return "forward" if self.offset(change) > self.offset(change - 1) else "back"


@dataclass(slots=True)
class Judged:
    """What was counted, and what was found wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def slot(self, clock: Clock, slot: date, send_at: time | None, due_at: int) -> None:
        """Hold the moment of one slot against the clock."""
        local = datetime.combine(slot, send_at or time.min)
        shown = clock.shown(local)
        self.counts["slots"] += 1
        self.counts["slots at a local time that did not exist"] += not shown
        self.counts["slots at a local time that came twice"] += len(shown) > 1
        if slot in clock.ways:
            self.counts[f"slots on the date of a change: {clock.ways[slot]}, {clock.side}"] += 1
        by_the_clock_before = _epoch(local) - clock.offsets_round(slot)[0]
        self.faults["slot at another minute"] += due_at != (shown[0] if shown else by_the_clock_before)

    def dates(self, clock: Clock, slots: Sequence[date]) -> None:
        """Hold the dates of one subscriber's slots against the calendar."""
        seen = frozenset(slots)
        self.faults["date without a slot"] += len(clock.dates - seen)
        self.faults["date that the zone never had"] += len(seen - clock.dates)
        self.faults["date with two slots"] += len(slots) - len(seen)


def ask(zones: Sequence[str], span: Span) -> Judged:
    """Judge the slots that `next_due` alone gives for each zone and each of TIMES."""
    judged = Judged()
    for zone in zones:
        clock = Clock(zone, span.first, span.last)
        for send_at in TIMES:
            cadence, found = Cadence("daily", send_at, zone), list[date]()
            slot = next_due(span.first - timedelta(days=1), cadence)
            while slot.date <= span.last:
                judged.slot(clock, slot.date, send_at, slot.due_at)
                found.append(slot.date)
                slot = next_due(slot.date, cadence)
            judged.dates(clock, found)
    return judged


@dataclass(slots=True)
class Simulated:
    """What a simulation did: of each run that planned, how many were due and its seconds; and the mails planned."""

    runs: list[tuple[int, float]] = field(default_factory=list)
    planned: int = 0


def simulate(store: Store, zones: Sequence[str], span: Span) -> Simulated:
    """Do every run that has something to do, from before the first date begins anywhere until the last has ended."""
    done, now = Simulated(), _midnight(span.first) - DAY - DAY // 2
    loaded, end = now, _midnight(span.last) + DAY + DAY // 2
    with store.write() as connection:
        subscribers.put(connection, [_person(*each) for each in enumerate(zones)], now, 7, configured=False)
    while now <= end:
        _load(store, range(_next_listing(loaded), now + 1, _BETWEEN_LISTINGS), now)
        loaded, start = now, perf_counter()
        planned = plan(store, now, _POLICY, lambda: True)
        if planned.due:
            done.runs.append((planned.due, perf_counter() - start))
            done.planned += planned.planned
            _settle(store)
        now = span.run_at(min(_next_slot(store, now), _next_listing(now)))
    return done


def _settle(store: Store) -> None:
    """Say of every planned edition that it was sent: the next would take in one that waits."""
    with store.write() as connection:
        planned = update(edition_table).where(edition_table.c.state == State.PLANNED)
        connection.execute(planned.values(state=State.SENT))


def _next_slot(store: Store, now: int) -> int:
    with store.read() as connection:
        moment = dues.next_moment(connection)
    if moment is None or moment <= now:
        raise RuntimeError(f"after the run at {now} the next slot is at {moment}, which is not later")
    return moment


def _next_listing(now: int) -> int:
    return (now // _BETWEEN_LISTINGS + 1) * _BETWEEN_LISTINGS


def _person(index: int, zone: str) -> Named:
    email, topic = f"reader{index}@example.org", TOPICS[index % len(TOPICS)]
    cadence = Cadence("daily", TIMES[index % len(TIMES)], zone)
    return Named(email, Subscriber(email, (Profile("Papers", (topic,)),), cadence=cadence))


def _load(store: Store, moments: range, now: int) -> None:
    """Save a listing as intake does: an entry on the next topic for each of these moments, but for Sundays."""
    numbers = [at // _BETWEEN_LISTINGS for at in moments if datetime.fromtimestamp(at, UTC).weekday() != _SUNDAY]
    titles = [f"{TOPICS[number % len(TOPICS)]} {number}" for number in numbers]
    listing = Listing("json", tuple(Entry((f"title:{title}",), title) for title in titles))
    if listing.entries:
        with store.write() as connection:
            filing.save(connection, entries.File(titles[0], titles[0], 1, now), listing, now)
            dues.fill_again(connection)


def judge(store: Store, span: Span) -> Judged:
    """Hold what a store has at the end against the calendar, the clocks, and the entries."""
    judged = Judged()
    names = ("slot", "due_at", "planned_at", "state", "upto")
    columns = [*(edition_table.c[name] for name in names), contents.c.entries]
    held = select(*columns).select_from(edition_table.outerjoin(contents))
    with store.read() as connection:
        titles = connection.execute(select(entry_table.c.number, entry_table.c.title)).all()
        for person in list(subscribers.everybody(connection)):
            rows = connection.execute(held.where(edition_table.c.subscriber == person.id)).all()
            (topic,) = person.profiles[0].keywords
            _judge_mails(judged, rows, {number for number, title in titles if topic in title})
            _judge_rows(judged, person.cadence, [row for row in rows if span.first <= row.slot <= span.last], span)
    return judged


def _judge_rows(judged: Judged, cadence: Cadence, rows: Sequence[Row[Any]], span: Span) -> None:
    """Each date has one row, planned by the first run after its moment; one without a time may be filled later."""
    clock = Clock(cadence.zone, span.first, span.last)
    judged.dates(clock, [row.slot for row in rows])
    for row in rows:
        judged.slot(clock, row.slot, cadence.send_at, row.due_at)
        judged.counts[f"editions {row.state}"] += 1
        if row.planned_at != span.run_at(row.due_at):
            later = cadence.send_at is None and row.state == State.SENT and row.planned_at > row.due_at
            filled = later and clock.wall(row.planned_at).date() == row.slot
            judged.counts["editions sent that were empty first"] += filled
            judged.faults["edition planned at another minute"] += not filled


def _judge_mails(judged: Judged, rows: Sequence[Row[Any]], wanted: set[int]) -> None:
    """Each entry on a subscriber's topic, up to the last mail, is in exactly one."""
    mails = [row for row in rows if row.state == State.SENT]
    held = Counter(number for row in mails for number in unpack(f"<{len(row.entries) // 4}I", row.entries))
    last = max((row.upto for row in mails), default=0)
    judged.faults["entry lost"] += len({number for number in wanted if number <= last} - held.keys())
    judged.faults["entry mailed twice"] += held.total() - len(held)
    judged.faults["entry on another topic"] += len(held.keys() - wanted)
    judged.faults["edition planned twice"] -= len(mails)
    judged.counts["entries in editions"] += held.total()


def run(folder: Path, zones: Sequence[str], span: Span) -> tuple[Simulated, Judged]:
    """Simulate in a new database in a folder, and judge."""
    with closing(open_store("sqlite:///year.db", folder)) as store:
        done = simulate(store, zones, span)
        judged = judge(store, span)
    judged.faults["edition planned twice"] += done.planned
    return done, judged


def report(judged: Judged) -> None:
    for name, number in sorted(judged.counts.items()):
        print(f"  {name:<60}{number:>10,}")
    for name, number in sorted(judged.faults.items()):
        print(f"  wrong: {name:<53}{number:>10,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zones", type=int, default=len(ZONES))
    parser.add_argument("--year", type=int, default=2026)
    options = parser.parse_args()
    zones = [ZONES[place * len(ZONES) // options.zones] for place in range(options.zones)]
    span = Span(date(options.year, 1, 1), date(options.year, 12, 31))
    hours = [Clock(zone, span.first, span.first).offset(_midnight(span.first)) / HOUR for zone in zones]
    west, east = sum(hour >= 12 for hour in hours), sum(hour <= -11 for hour in hours)
    print(f"{len(zones)} zones in {options.year}, {west} of them at UTC+12 or more and {east} at UTC-11 or less")
    print(f"\nnext_due alone, at {len(TIMES)} times a day")
    report(ask(zones, span))
    print("\nSimulated, one subscriber in each zone")
    with TemporaryDirectory() as folder:
        done, judged = run(Path(folder), zones, span)
    report(judged)
    seconds = sorted(spent for _, spent in done.runs)
    most, slowest = max(done.runs)
    print(f"\n{len(seconds):,} runs that planned took {sum(seconds):,.0f} s: {1000 * median(seconds):.1f} ms (median),")
    print(f"{1000 * seconds[-len(seconds) // 100]:.1f} ms (99 in 100), {1000 * slowest:.1f} ms with {most} due")


if __name__ == "__main__":
    main()
