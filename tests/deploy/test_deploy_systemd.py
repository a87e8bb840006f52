"""The systemd units, read by systemd itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from deploy_files import DEPLOY, PROGRAM, complaint, defaults, read

ANALYZE = shutil.which("systemd-analyze") or ""
needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is missing: install the Debian package systemd")
UNITS = ("digest.service", "digest-run.service", "digest-run.timer")
SERVICES = UNITS[:2]
ANY_VALUE = {"Description", "Wants", "After", "WantedBy", "StateDirectory", "CapabilityBoundingSet"}
"""What systemd takes any text for: names of units and folders, and capabilities it may not know yet."""


def directives(name: str) -> list[tuple[str, str]]:
    """The settings of a unit, in order."""
    return [(key, value) for key, value in re.findall(r"^(\w+)=(.*)$", read(name), re.MULTILINE)]


DIRECTIVES = [pytest.param(unit, *pair, id=f"{unit}:{pair[0]}") for unit in UNITS for pair in directives(unit)]
CHECKED = [param for param in DIRECTIVES if param.values[1] not in ANY_VALUE]


def verdict(folder: Path, name: str = "", line: str = "", instead: str = "") -> str:
    """What systemd says of all units, one of them with another line. /bin/true stands in for the programs."""
    for unit in UNITS:
        text = read(unit).replace(f"\n{line}\n", f"\n{instead}\n") if unit == name else read(unit)
        (folder / unit).write_text(text.replace(PROGRAM, "/bin/true").replace("/bin/kill", "/bin/true"))
    command = [ANALYZE, "verify", "--man=no", "--recursive-errors=no", *(str(folder / unit) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stderr or "refused" * done.returncode


def seconds(span: str) -> int:
    """A time span as the units write it: seconds, or minutes with a unit."""
    return int(span.removesuffix("min")) * (60 if span.endswith("min") else 1)


def at_most(command: str) -> int:
    """The seconds after which a `digest run` stops."""
    return 60 * int(command.rpartition("--at-most ")[2])


@needs_systemd
def test_systemd_has_nothing_against_the_units(tmp_path: Path) -> None:
    """All units load without a word from systemd."""
    assert verdict(tmp_path) == ""


@needs_systemd
@pytest.mark.parametrize(("name", "key", "value"), DIRECTIVES)
def test_every_key_is_one_that_systemd_knows(name: str, key: str, value: str, tmp_path: Path) -> None:
    """Any key, misspelt, is noticed: so systemd reads every one as it stands."""
    assert f"Unknown key 'X{key}'" in verdict(tmp_path, name, f"{key}={value}", f"X{key}={value}")


@needs_systemd
@pytest.mark.parametrize(("name", "key", "value"), CHECKED)
def test_every_value_is_one_that_systemd_understands(name: str, key: str, value: str, tmp_path: Path) -> None:
    """Nonsense in the place of any value is noticed: so systemd understands every one as it stands."""
    assert verdict(tmp_path, name, f"{key}={value}", f"{key}=no sense/")


@needs_systemd
@pytest.mark.parametrize(
    "target", sorted({target for unit in UNITS for target in re.findall(r"[\w-]+\.target", read(unit))})
)
def test_every_target_is_one_of_systemd(target: str) -> None:
    """Units are ordered after targets, and wanted by targets, that exist."""
    known = subprocess.run(["systemctl", "--root=/", "is-enabled", target], capture_output=True, text=True, check=False)
    assert known.returncode == 0, known.stderr


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_locked_in(name: str) -> None:
    """By the measure of systemd itself, from 0 to 100, a service is exposed less than 20."""
    command = [ANALYZE, "security", "--offline=true", "--threshold=20", "--no-pager", str(DEPLOY / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-200:]


@needs_systemd
def test_the_timer_elapses_every_ten_minutes() -> None:
    """The times of the timer are ten minutes apart, by systemd's own reckoning."""
    calendar = dict(directives("digest-run.timer"))["OnCalendar"]
    command = [ANALYZE, "calendar", "--base-time=2026-11-20 12:00 UTC", "--iterations=7", calendar]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"TZ": "UTC"}, check=True)
    assert re.findall(r"12:(\d\d):00|13:00:(00)", done.stdout) == [*((f"{m}0", "") for m in range(1, 6)), ("", "00")]


def test_both_services_are_locked_in_alike() -> None:
    """The hardening of the two services is the same list."""
    locks = [re.findall(r"^\w+=.*$", read(name).partition("# Hardening")[2], re.MULTILINE) for name in SERVICES]
    assert [lock for lock in locks[0] if not lock.startswith("WantedBy=")] == locks[1]


@pytest.mark.parametrize("name", SERVICES)
def test_the_commands_of_the_services_exist(name: str) -> None:
    """Digest takes the arguments that systemd starts it with."""
    program, *arguments = dict(directives(name))["ExecStart"].split()
    assert program == PROGRAM
    assert complaint(arguments) == ""


def test_the_daemon_may_finish_what_is_in_flight() -> None:
    """Before it kills, systemd waits longer than the daemon takes to drain."""
    assert seconds(dict(directives("digest.service"))["TimeoutStopSec"]) > defaults().drain_seconds


def test_a_run_ends_by_itself_before_it_is_ended() -> None:
    """`--at-most` is shorter than the time after which systemd takes a run for hung, and than the timer's interval."""
    service = dict(directives("digest-run.service"))
    assert at_most(service["ExecStart"]) < 600 < seconds(service["TimeoutStartSec"])
