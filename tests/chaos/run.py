"""The long form: `make chaos`. Kills by the thousand, then the other disturbances; prints what came of it.

python tests/chaos/run.py --kills 1000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import scenarios  # noqa: E402 (the paths first)
from judged import Judged  # noqa: E402
from killing import Killing  # noqa: E402
from scenarios import Disturbed  # noqa: E402
from world import world  # noqa: E402

A_WORLD = 200
"""Kills of one database. Another follows, with the next seed; some with a clock that jumps, or on_unknown = hold."""
ROUNDS = 12
SCENARIOS: dict[str, Callable[[Path, int], Disturbed]] = {
    "full disk": lambda folder, seed: scenarios.full_disk(folder, seed, ROUNDS),
    "locked database": lambda folder, seed: scenarios.locked_database(folder, seed, ROUNDS),
    "two schedulers": scenarios.two_schedulers,
    "killed crew": scenarios.killed_crew,
    "stopped and resumed": lambda folder, seed: scenarios.stopped_and_resumed(folder, seed, ROUNDS),
}


def main() -> int:
    """Do all of it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    broken = 0
    for fault in chain(kill(wanted.kills, wanted.seed), disturb(wanted.seed)):
        say(f"BROKEN {fault}")
        broken += 1
    return int(broken > 0)


def kill(kills: int, seed: int) -> Iterator[str]:
    """Kill so many times, and print the figures; give what broke the promise."""
    phases, starts, seconds, figures = Counter[str](), 0, 0.0, Counter[str]()
    while phases.total() < kills:
        with tempfile.TemporaryDirectory() as folder, world(Path(folder), seed, nobody=True) as here:
            killing = Killing(here, jumps=seed % 2 == 0, hold=seed % 3 == 0)
            judged = killing.run(min(A_WORLD, kills - phases.total()))
        phases += killing.kills
        starts, seconds = starts + killing.starts, seconds + killing.seconds
        figures.update(told(judged))
        yield from (f"seed {seed}: {fault}" for fault in judged.faults)
        seed += 1
    say(f"kills: {phases.total():,} in {starts:,} starts, {seconds:,.0f} s: {listed(phases)}")
    say(f"  {listed(figures)}")


def disturb(seed: int) -> Iterator[str]:
    """Disturb in the other ways, and print the figures; give what broke the promise."""
    for name, scenario in SCENARIOS.items():
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as folder:
                felt, judged, faults = scenario(Path(folder), seed)
        except scenarios.MountError as error:
            say(f"{name}: not tried: {error}")
            continue
        say(f"{name}: felt {felt} times, {time.monotonic() - began:,.0f} s")
        say(f"  {listed(told(judged))}")
        yield from (f"{name}: {fault}" for fault in [*faults, *judged.faults])


def say(line: str) -> None:
    """Print a line as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def told(judged: Judged) -> Counter[str]:
    """The figures by name, in the order in which they are told."""
    figures = {
        "mails captured": judged.mails,
        "duplicates": judged.duplicates,
        "attempts known to be in doubt": judged.in_doubt,
        "lost": judged.lost,
        "twice": judged.twice,
    }
    return Counter(figures | {f"editions {state}": number for state, number in sorted(judged.editions.items())})


def listed(figures: Counter[str]) -> str:
    """Figures in a line."""
    return ", ".join(f"{name} {number:,}" for name, number in figures.items())


if __name__ == "__main__":
    sys.exit(main())
