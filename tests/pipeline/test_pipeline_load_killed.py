"""SIGKILL while listings are loaded: what is loaded next is what was not, and nothing shows of it."""

from __future__ import annotations

import random
import signal
import time
from datetime import UTC, datetime

import pytest
from workplace import NOON, Workplace, paper, subscriber

pytestmark = pytest.mark.slow
AT = ("--now", datetime.fromtimestamp(NOON, UTC).isoformat())


def _listings(place: Workplace) -> None:
    """Files that share papers: later ones bring abstracts, versions, and keys that make two papers one."""
    for number in range(6):
        papers = [
            paper(
                f"Paper {one} of many",
                "Text. " * 20 if number > 1 else "",
                arxiv=f"2611.{one:05d}v{1 + number // 3}" if (one + number) % 3 else None,
                url=f"https://example.org/{one}" if (one + number) % 2 else None,
            )
            for one in range(number * 100, number * 100 + 500)
        ]
        place.listing(f"{number}.jsonl", papers)


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_load_leaves_the_same_database_when_it_is_done_again(place: Workplace, seed: int) -> None:
    """To the last row, wherever it was killed and however often."""
    chance = random.Random(seed)
    _listings(place)
    for database in ("whole.db", "killed.db"):
        place.database = database
        place.configure(subscriber())
        if database == "killed.db":
            for _ in range(3):
                _start_and_kill(place, chance.uniform(0, 1.5))
        assert place.command("load", *AT).returncode == 0
    killed = place.dump()
    place.database = "whole.db"
    place.configure(subscriber())
    assert place.dump() == killed
    assert len(killed["files"]) == 6


def _start_and_kill(place: Workplace, seconds: float) -> None:
    """Kill a load so many seconds after it has taken the lock, which is where its work begins."""
    lock = place.folder / f"{place.database}.lock"
    lock.unlink(missing_ok=True)
    process = place.start("load", *AT)
    while not lock.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
