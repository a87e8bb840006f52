"""The short form of `make chaos` (run.py): nothing is lost, and what comes twice was known to be in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest
import scenarios
from killing import Killing
from victims import phase_of
from world import world

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("hold", [False, True])
def test_a_program_killed_at_random_instants(tmp_path: Path, hold: bool) -> None:
    """Nothing is lost; duplicates were in flight at a kill, and the same to the byte; there are none if they are held.

    In the second case the clock jumps as well.
    """
    with world(tmp_path, 1 + hold, nobody=True) as here:
        killing = Killing(here, jumps=hold, hold=hold)
        judged = killing.run(25)
    assert judged.faults == []
    assert judged.mails > 0
    assert len(killing.kills) > 3, "all kills fell in the same phases"


def test_a_full_disk(tmp_path: Path) -> None:
    """What cannot be written is not sent, the run says so, and the next one with room makes up for it."""
    try:
        disturbed = scenarios.full_disk(tmp_path, 1, rounds=4)
    except scenarios.MountError as error:
        pytest.skip(f"a file system cannot be mounted here: {error}")
    assert disturbed.judged.faults == disturbed.faults == []
    assert disturbed.felt >= 3


def test_a_locked_database(tmp_path: Path) -> None:
    """A run waits for a while, then ends; it sends nothing that was not committed."""
    disturbed = scenarios.locked_database(tmp_path, 1, rounds=4)
    assert disturbed.judged.faults == disturbed.faults == []
    assert disturbed.felt == 4


def test_two_daemons_and_cron_at_once(tmp_path: Path) -> None:
    """The same mails as from one, each once."""
    disturbed = scenarios.two_schedulers(tmp_path, 1)
    assert disturbed.judged.faults == disturbed.faults == []
    assert disturbed.judged.mails > 0


def test_a_crew_whose_first_process_is_killed(tmp_path: Path) -> None:
    """The others end by themselves, and the next run makes up for what they did not do."""
    disturbed = scenarios.killed_crew(tmp_path, 1)
    assert disturbed.judged.faults == disturbed.faults == []
    assert disturbed.felt == 1


def test_a_run_that_was_stopped_and_wakes_up(tmp_path: Path) -> None:
    """Another takes over when the lease has expired; the writes of the one that wakes up are refused."""
    disturbed = scenarios.stopped_and_resumed(tmp_path, 1, rounds=2)
    assert disturbed.judged.faults == disturbed.faults == []
    assert disturbed.felt == 2


def test_a_phase_is_read_from_a_stack() -> None:
    """The innermost room of the program that says it."""
    frame = '  File "/somewhere/digest/{}", line 1 in {}\n'.format
    assert phase_of(frame("store/editions.py", "recover") + frame("pipeline.py", "run")) == "recover"
    assert phase_of(frame("matching/index.py", "add") + frame("planning.py", "plan")) == "plan"
    assert phase_of(frame("pipeline.py", "run")) == "between"
    assert phase_of("") == "start"
