"""What million.py measured, as tables: the steps of each case, how they grow, and what stands beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log
from operator import attrgetter
from typing import NamedTuple

WHOLE = ("import", "load", "plan", "deliver")
"""The steps of one day for everybody, with the import that is needed once."""


class Case(NamedTuple):
    """How much there is: entries of a day, and days of them that one plan looks at."""

    subscribers: int
    entries: int
    days: int

    def __str__(self) -> str:
        days = "1 day" if self.days == 1 else f"{self.days} days"
        return f"{self.subscribers:,} subscribers, {self.entries:,} entries a day, {days}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What programs took: seconds by the clock and of the CPU, the highest peak and what they wrote, in megabytes."""

    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    written: float = 0.0

    def __add__(self, later: Cost) -> Cost:
        """One program after the other."""
        peak = max(self.peak, later.peak)
        return Cost(self.seconds + later.seconds, self.cpu + later.cpu, peak, self.written + later.written)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a step took; `done` is what it counts, `database` the megabytes that there are then.

    `waiting`: of so many, only `done` were done. `parts` are seconds; `memory` are megabytes at each tenth of it.
    """

    case: Case
    step: str
    cost: Cost
    done: int
    waiting: int = 0
    database: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    memory: Sequence[float] = ()

    @property
    def seconds(self) -> float:
        """What all would have taken at this rate."""
        return self.cost.seconds * self._left_out

    @property
    def cpu(self) -> float:
        """Likewise of the CPU."""
        return self.cost.cpu * self._left_out

    @property
    def peak(self) -> float:
        """In megabytes."""
        return self.cost.peak

    @property
    def in_full(self) -> bool:
        """Whether all was done."""
        return self.done >= self.waiting

    @property
    def _left_out(self) -> float:
        return max(self.waiting, self.done) / self.done if self.done else 1.0


@dataclass(frozen=True, slots=True)
class Beside:
    """What another way took for `done` subscribers: seconds once and for each of them, and its peak in megabytes."""

    name: str
    case: Case
    done: int
    once: float
    each: float
    peak: float

    def seconds(self, subscribers: int) -> float:
        """For so many, at this rate."""
        return self.once + self.each * subscribers / self.done


def exponent(sizes: tuple[float, float], costs: tuple[float, float]) -> float:
    """The power with which a cost grows between two sizes: 1 is linear, 0 is not at all."""
    return log(costs[1] / costs[0]) / log(sizes[1] / sizes[0])


_HEADS = {"done": 12, "seconds": 10, "CPU, s": 9, "a second": 10, "peak, MB": 10, "written": 9, "database": 10}


def heads(case: Case) -> str:
    """How the table of a case begins."""
    return f"\n{case}\n  {'':22}" + "".join(f"{head:>{width}}" for head, width in _HEADS.items())


def lines(figure: Figure) -> Iterator[str]:
    """What it says of one step."""
    yield _line(figure.step, figure.cost, figure)
    if figure.parts:
        yield "      " + ", ".join(f"{part} {seconds:.1f}" for part, seconds in figure.parts.items())
    if figure.memory:
        yield "      megabytes at each tenth: " + " ".join(f"{each:.0f}" for each in figure.memory)


def whole(figures: Sequence[Figure]) -> str:
    """Of the steps of a case: a day for everybody, with the import."""
    day = [one for one in figures if one.step in WHOLE]
    cost = Cost(sum(one.seconds for one in day), sum(one.cpu for one in day), max(one.peak for one in day))
    return _line("the whole" if all(one.in_full for one in day) else "the whole, reckoned", cost)


def _line(name: str, cost: Cost, of: Figure | None = None) -> str:
    done = f"{of.done:12,}" if of else f"{'':12}"
    rate = f"{of.done / cost.seconds:10,.0f}" if of and of.done else f"{'':10}"
    disk = f"{cost.written:9,.0f}{of.database:10,.0f}" if of else ""
    return f"  {name:22}{done}{cost.seconds:10.1f}{cost.cpu:9.1f}{rate}{cost.peak:10,.0f}{disk}"


_NUMBERS = {"subscribers": "subscribers", "entries": "entries a day", "days": "days"}


def growth(figures: Sequence[Figure]) -> Iterator[str]:
    """For each of the three numbers, what each step costs as it alone grows."""
    cases = list(dict.fromkeys(one.case for one in figures))
    for number, words in _NUMBERS.items():
        if len(row := alone(cases, number)) > 1:
            yield f"\nCPU seconds as {words} grow, and the power of the growth from each to the next (1: linear)"
            yield f"  {'':22}" + "".join(f"{getattr(case, number):>12,}" for case in row) + "   power"
            for step in dict.fromkeys(one.step for one in figures):
                yield from _grown(step, row, number, figures)


def alone(cases: Sequence[Case], number: str) -> list[Case]:
    """The most cases that differ in this number and in no other, rising."""
    rows: dict[Case, list[Case]] = {}
    for case in cases:
        rows.setdefault(case._replace(**{number: 0}), []).append(case)
    longest: list[Case] = max(rows.values(), key=len)
    return sorted(longest, key=attrgetter(number))


def _grown(step: str, row: Sequence[Case], number: str, figures: Sequence[Figure]) -> Iterator[str]:
    costs = [one.cpu for case in row for one in figures if one.case == case and one.step == step]
    if len(costs) == len(row):
        sizes = map(attrgetter(number), row)
        powers = [exponent(*both) for both in zip(pairwise(sizes), pairwise(costs), strict=True)]
        told = "  ".join(f"{power:5.2f}" for power in powers)
        yield f"  {step:22}" + "".join(f"{cost:12.1f}" for cost in costs) + f"   {told}"


def beside(others: Sequence[Beside], figures: Sequence[Figure], matching: Sequence[str]) -> Iterator[str]:
    """Other ways beside ours, for each number of subscribers; `matching` are the parts of a plan that match."""
    for entries, days in dict.fromkeys((one.case.entries, one.case.days) for one in others):
        same = (one for one in figures if (one.case.entries, one.case.days) == (entries, days))
        ours = sorted(same, key=lambda one: one.case.subscribers)
        sizes = sorted({one.case.subscribers for one in ours})
        yield f"\nSeconds for so many subscribers, {entries:,} entries a day, days: {days} (≈: from fewer)"
        yield f"  {'':36}" + "".join(f"{size:>12,}" for size in sizes) + f"{'peak, MB':>10}"
        plans = [one for one in ours if one.step == "plan"]
        matched = [sum(one.parts.get(part, 0.0) for part in matching) for one in plans]
        yield _row("Digest, matching in a plan", [(each, True) for each in matched], plans)
        for step in (step for step in WHOLE if step != "load"):
            some = [one for one in ours if one.step == step]
            if len(some) == len(sizes):
                yield _row(f"Digest, {step}", [(one.seconds, one.in_full) for one in some], some)
        for one in others:
            if (one.case.entries, one.case.days) == (entries, days):
                yield _row(one.name, [(one.seconds(size), one.done >= size) for size in sizes], [one])


def _row(name: str, told: Sequence[tuple[float, bool]], of: Sequence[Figure | Beside]) -> str:
    """Seconds, each with whether it was measured in full, and the highest peak."""
    cells = [f"{'' if in_full else '≈'}{seconds:,.1f}" for seconds, in_full in told]
    return f"  {name:36}" + "".join(f"{cell:>12}" for cell in cells) + f"{max(one.peak for one in of):10,.0f}"
