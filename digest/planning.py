"""Plan: whoever is due gets an edition, one row per subscriber and slot, in one transaction per batch.

Rules
-----
1. A row is written for every slot: PLANNED, FAILED, or EMPTY with the reason, also for slots that passed while nothing
   ran.
2. What a slot did not use stays for the next edition: entries of missed, paused and skipped days, and matches too few
   for a mail, though these for no longer than LONGEST_WAIT. The edition that takes them in says since when.
3. After silence entries stay in the window for `first_days`, for when the profile changes.
4. An edition that is empty for want of entries gives way to a better one of the same date, unless a fixed time is set.
5. An edition that waits and that nobody can have received is overtaken by the next: that one covers its window, too,
   and the earlier row is emptied. A slot without a mail overtakes nothing.
6. Nobody gets an entry a second time because it was told again with more, or was taken for another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple

from digest.cadence import Slot, between, calendar_names, latest, local_date, next_due, skipped
from digest.choosing import Choice, Choices, Chooser, Ready
from digest.model import State
from digest.report import Planned
from digest.store import contents, dues, editions, entries, runs, subscribers
from digest.store.dues import Due, Share, Step
from digest.store.editions import Overtaken, Plan
from digest.store.store import Store

MORE = 40
"""Entries beyond a subscriber's maximum that are listed by title."""
LONGEST_WAIT = 30
"""Days after which matches go out even if they are too few."""
MOST_MISSED = 366
Calendars = Mapping[str, Mapping[date, str]]
_DAY = 86_400
_DAY_APART = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is decided for everybody.

    How far back a first edition looks, after how long silence is a stale source (0: never), and which days are skipped;
    `calendars` gives, for a year round a moment, by name what their days are called.
    """

    first_days: int
    stale_seconds: int
    skip: tuple[str, ...]
    calendars: Callable[[int], Calendars]


class _Numbers(NamedTuple):
    """Places in the order of entries: the newest, and the last ones loaded before the two limits of rules 2 and 3."""

    newest: int
    forgotten: int
    waited: int
    loaded_at: int  # when the newest was loaded
    file_at: int  # when the newest file was


def plan(
    store: Store,
    now: int,
    policy: Policy,
    going: Callable[[], bool],
    ready: Ready | None = None,
    run: int = 0,
    share: Share | None = None,
) -> Planned:
    """Write the editions of everybody whose slot has come, for as long as `going` says so.

    `share`: very many are due, and only those of this share are planned. Raises BusyError if a later run than `run`
    (0: none) has begun.
    """
    due, ready = _due(store, now, share, None), ready or Ready()
    if not due:
        return Planned()
    with store.read() as connection:
        lowest, file = dues.lowest_watermark(connection, now), entries.newest_file(connection)
        waiting_from = editions.lowest_waiting(connection, now)
        lowest = lowest if waiting_from is None else min(lowest, waiting_from)
        numbers = _Numbers(
            entries.newest_number(connection),
            entries.number_before(connection, now - policy.first_days * _DAY),
            entries.number_before(connection, now - LONGEST_WAIT * _DAY),
            entries.newest_at(connection),
            entries.newest_file_at(connection),
        )
    chooser = ready.chooser(store, lowest, file)
    batch = _Batch(store, chooser, now, policy, policy.calendars(now), numbers, run, waiting_from is not None)
    done = Planned(window=ready.window)
    try:
        while due and going():
            done += batch.plan(due)
            due = _due(store, now, share, due[-1])
    except BaseException:
        ready.forget()
        raise
    return done


def _due(store: Store, now: int, share: Share | None, after: Due | None) -> list[Due]:
    with store.read() as connection:
        return dues.due_in(connection, share, now, after) if share else dues.due(connection, now, after)


class _Made(NamedTuple):
    """What a plan makes for one subscriber: an edition, rows for missed slots, and where the subscriber then stands.

    `merges`: it takes in what waited of earlier slots.
    """

    plan: Plan
    missed: list[Plan]
    step: Step
    merges: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """Plans some subscribers at a time."""

    store: Store
    chooser: Chooser
    now: int
    policy: Policy
    calendars: Calendars
    numbers: _Numbers
    run: int
    some_wait: bool

    def plan(self, due: Sequence[Due]) -> Planned:
        """Write their editions, and where they then stand."""
        slots = [latest(self.now, one.cadence) for one in due]
        closed = [self._closed(one, slot.date) for one, slot in zip(due, slots, strict=True)]
        waiting = self._overtaken(due)
        wider = [_with(one, waiting.get(one.id)) for one in due] if waiting else due
        choices = self.chooser.choose([one for one, reason in zip(wider, closed, strict=True) if not reason], MORE)
        chosen = iter(choices.each)
        made = [
            self._made(one, wide, slot, reason, _NOTHING if reason else next(chosen))
            for one, wide, slot, reason in zip(due, wider, slots, closed, strict=True)
        ]
        return self._written(due, made, choices)

    def _written(self, due: Sequence[Due], made: Sequence[_Made], choices: Choices) -> Planned:
        missed = [plan for one in made for plan in one.missed]
        merged = {one.plan.subscriber: one.plan.slot for one in made if one.merges}
        with self.store.write() as connection:
            if self.run:
                runs.fence(connection, self.run)
            editions.insert_missed(connection, missed, self.now)
            contents.tell(connection, choices.hits)
            written = editions.insert(connection, [one.plan for one in made], self.now)
            editions.merge(connection, {one: slot for one, slot in merged.items() if one in written}, self.now)
            steps = [
                one.step if one.plan.subscriber in written else _stood(one.step, person)
                for one, person in zip(made, due, strict=True)
            ]
            dues.advance(connection, steps)
            plans = [one.plan for one in made if one.plan.subscriber in written]
            faults = {plan.subscriber: plan.reason for plan in plans if plan.state is State.FAILED}
            failed = tuple((email, faults[number]) for number, email in subscribers.emails(connection, faults))
        named = frozenset(chain.from_iterable(calendar_names(one.skip) for one in due if one.skip))
        return Planned(
            due=len(due),
            planned=sum(plan.state is State.PLANNED for plan in plans),
            silent=Counter(plan.reason for plan in plans if plan.state is State.EMPTY),
            missed=len(missed),
            failed=failed,
            unknown=named - self.calendars.keys(),
        )

    def _overtaken(self, due: Sequence[Due]) -> Mapping[int, Overtaken]:
        """What waits of earlier slots, by subscriber (rule 5)."""
        if not self.some_wait:
            return {}
        with self.store.read() as connection:
            return editions.overtaken(connection, [one.id for one in due])

    def _made(self, due: Due, wide: Due, slot: Slot, closed: str, chosen: Choice) -> _Made:
        state, reason = (State.EMPTY, closed) if closed else self._verdict(due, chosen)
        merges = state is State.PLANNED and wide is not due
        due = wide if merges else due
        window = due.watermark, self.numbers.newest
        counts = chosen.considered, chosen.matched
        filling = chosen.filling if state is State.PLANNED else _NOTHING.filling
        since = min(due.since or latest(due.due_at, due.cadence).date, slot.date)
        plan = Plan(due.id, slot.date, since, slot.due_at, *window, *counts, state, reason, filling)
        return _Made(plan, self._missed(due, plan), self._step(due, slot, plan, None if closed else chosen), merges)

    def _verdict(self, due: Due, chosen: Choice) -> tuple[State, str]:
        """The state of a new edition, and why it is not PLANNED."""
        if chosen.fault:
            return State.FAILED, chosen.fault
        if not chosen.cards:
            return State.EMPTY, self._silence(due, chosen)
        if chosen.matched < due.min_matches and chosen.oldest > self.numbers.waited:
            return State.EMPTY, f"{chosen.matched} of at least {due.min_matches} matches; they wait for the next"
        return State.PLANNED, ""

    def _closed(self, due: Due, day: date) -> str:
        """Why a subscriber wants no mail on a day ("": wants it)."""
        if due.paused_until and day < due.paused_until:
            return f"paused until {due.paused_until}"
        skip = (*self.policy.skip, *due.skip)
        reason = skipped(day, skip, self.calendars) if skip else ""
        return f"skipped: {reason}" if reason else ""

    def _silence(self, due: Due, chosen: Choice) -> str:
        """Why nothing is in an edition."""
        loaded_at, stale = self.numbers.loaded_at, self.policy.stale_seconds
        if stale and 0 < loaded_at < self.now - stale:
            return f"stale source: nothing new since {local_date(loaded_at, 'UTC')}"
        before = latest(due.due_at - 1, due.cadence)
        if chosen.considered and loaded_at > before.due_at:
            return NOTHING_MATCHED
        return NOTHING_NEW if self.numbers.file_at > before.due_at else NO_NEW_FILE

    def _missed(self, due: Due, plan: Plan) -> list[Plan]:
        """Rows for the slots before this one that nobody was there to plan."""
        first = max(latest(due.due_at, due.cadence).date, plan.slot - timedelta(days=MOST_MISSED))
        if first >= plan.slot:
            return []
        reason = f"missed; in the edition of {plan.slot}"
        none = plan._replace(upto=plan.after, considered=0, matched=0, state=State.EMPTY, filling=_NOTHING.filling)
        return [
            none._replace(
                slot=slot.date,
                since=min(plan.since, slot.date),
                due_at=slot.due_at,
                reason=self._closed(due, slot.date) or reason,
            )
            for slot in between(first, plan.slot - _DAY_APART, due.cadence)
        ]

    def _step(self, due: Due, slot: Slot, plan: Plan, chosen: Choice | None) -> Step:
        """Where a subscriber stands after a plan (rules 2 to 4); `chosen` is None on a day without mail."""
        due_at, settled = next_due(slot.date, due.cadence).due_at, slot.date + _DAY_APART
        if plan.state is State.PLANNED:
            return Step(due.id, due_at, None, self.numbers.newest, settled)
        if chosen is None:
            return Step(due.id, due_at, None, due.watermark, plan.since)
        few = chosen.cards > 0  # too few matches stay
        used = min(self.numbers.forgotten, chosen.oldest - 1) if few else self.numbers.forgotten
        since = plan.since if few or plan.state is State.FAILED else settled
        again_at = None if due.cadence.send_at or plan.state is State.FAILED else slot.due_at
        return Step(due.id, due_at, again_at, max(due.watermark, used), since)


NO_NEW_FILE, NOTHING_NEW = "no new file", "nothing new in the new files"
NOTHING_MATCHED = "no new entry matched"
_NOTHING = Choice()


def _stood(step: Step, due: Due) -> Step:
    """A step without an edition, for its slot has one that stays."""
    return step._replace(again_at=None, watermark=due.watermark, since=due.since)


def _with(due: Due, waiting: Overtaken | None) -> Due:
    """A subscriber with the window of what waits."""
    if waiting is None:
        return due
    since = min(waiting.since, due.since or waiting.since)
    return due._replace(watermark=min(waiting.after, due.watermark), since=since)
