"""The lock that keeps runs apart: between processes, and given back by the system after a kill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from workplace import REPOSITORY

from digest.errors import BusyError
from digest.store.store import Store, open_store

HOLD = """
import sys
from pathlib import Path
from digest.store.store import open_store
with open_store(sys.argv[1], Path()).lock(0):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_run(database: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its input ends."""
    command = [sys.executable, "-c", HOLD, database]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(REPOSITORY)}
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_leaves_with_a_message(store: Store) -> None:
    """At once when it may not wait; and as soon as the first was killed, it gets in."""
    with another_run(_url(store)) as first:
        with pytest.raises(BusyError, match="another run is at work on this database; nothing was done"), store.lock(0):
            pass
        first.kill()
        first.wait()
        with store.lock(5):
            pass


def test_a_second_run_waits_for_the_first(store: Store) -> None:
    """It goes on when the first has ended."""
    with another_run(_url(store)) as first:
        assert first.stdin
        first.stdin.close()
        with store.lock(20):
            pass


def test_a_lock_that_is_held_and_abandoned_is_taken_over(store: Store) -> None:
    """As that of a process that was stopped: who comes goes on beside it, and the lock goes back to who held it."""
    with another_run(_url(store)):
        with store.lock(0.2, lambda: True):
            pass
        with pytest.raises(BusyError), store.lock(0, lambda: False):
            pass


def test_whether_a_lock_is_abandoned_is_asked_only_if_it_is_held(store: Store) -> None:
    """A free one is just taken."""

    def asked() -> bool:
        pytest.fail("asked")

    with store.lock(0, asked):
        pass


def test_the_lock_is_free_after_an_error(store: Store) -> None:
    """And can be taken any number of times."""
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), store.lock(0):
            raise ZeroDivisionError


def test_two_databases_have_two_locks(tmp_path: Path) -> None:
    """Runs on different databases do not wait for each other."""
    one, other = (open_store(f"sqlite:///{name}.db", tmp_path) for name in ("one", "other"))
    with one.lock(0), other.lock(0):
        pass
    one.close()
    other.close()


@pytest.mark.slow
def test_many_processes_open_a_new_database_at_once(tmp_path: Path) -> None:
    """The tables are made once, and nobody fails."""
    command = [sys.executable, "-c", HOLD.replace(".lock(0)", ".lock(20)"), f"sqlite:///{tmp_path}/new.db"]
    several = [
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={"PYTHONPATH": str(REPOSITORY)},
        )
        for _ in range(6)
    ]
    assert [process.communicate()[1] for process in several] == [""] * 6
    assert [process.returncode for process in several] == [0] * 6


def _url(store: Store) -> str:
    return store.engine.url.set(drivername=store.engine.dialect.name).render_as_string(hide_password=False)
