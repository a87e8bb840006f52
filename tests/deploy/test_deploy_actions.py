"""The workflow for GitHub Actions: its form, and its shell commands in real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from deploy_files import DEPLOY, complaint, read
from ruamel.yaml import YAML

BRANCH = "digest-data"
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is missing: install the Debian package git")
WORKFLOW: dict[str, Any] = YAML(typ="safe").load(read("digest.yml"))
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["run"]["steps"]


def step(name: str) -> dict[str, Any]:
    """A step by its name."""
    (found,) = (step for step in STEPS if step.get("name") == name)
    return found


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints. Settings of whoever runs the tests do not count."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=_plain(), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _plain() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GITHUB_RUN_NUMBER": "7"}


class Machine:
    """What GitHub gives a run: a shallow copy of the branch, in a folder of its own."""

    def __init__(self, origin: Path, folder: Path) -> None:
        self.data = folder / "data"
        folder.mkdir()
        git(folder, "clone", "--quiet", "--depth=1", f"--branch={BRANCH}", origin.as_uri(), "data")

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a step as GitHub does."""
        script = step(name)["run"].replace("0 10 60", "0 0 0")  # without its waits
        return subprocess.run(
            ["bash", "-e", "-c", script], cwd=self.data, env=_plain(), capture_output=True, text=True, check=False
        )


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """The repository, with an empty branch for the database."""
    bare, first = tmp_path / "origin.git", tmp_path / "first"
    git(tmp_path, "init", "--quiet", "--bare", str(bare))
    git(tmp_path, "init", "--quiet", f"--initial-branch={BRANCH}", str(first))
    git(first, "commit", "--quiet", "--allow-empty", "--message=empty")
    git(first, "push", "--quiet", str(bare), BRANCH)
    return bare


def test_the_workflow_has_the_form_that_github_wants() -> None:
    """It follows the published schema of workflows."""
    check = Path(sys.executable).with_name("check-jsonschema")
    command = [str(check), "--builtin-schema", "vendor.github-workflows", str(DEPLOY / "digest.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workflow_runs_once_a_day_and_one_at_a_time() -> None:
    """Its schedule means once in 24 hours; a second run waits for the first, and none is cancelled while it sends."""
    (schedule,) = WORKFLOW["on"]["schedule"]
    trigger = CronTrigger.from_crontab(schedule["cron"], timezone=UTC)
    first = trigger.get_next_fire_time(None, datetime(2026, 11, 20, tzinfo=UTC))
    assert trigger.get_next_fire_time(first, first + timedelta(seconds=1)) - first == timedelta(days=1)
    assert WORKFLOW["concurrency"] == {"group": "digest", "cancel-in-progress": False}


def test_the_run_ends_before_it_is_ended() -> None:
    """`--at-most` is the shortest limit, then the step's, then that of all: time is left to keep the database."""
    program, *arguments = step("Run")["run"].split()
    assert program == "digest"
    assert complaint(arguments) == ""
    assert int(arguments[-1]) < step("Run")["timeout-minutes"] < WORKFLOW["jobs"]["run"]["timeout-minutes"]


def test_only_the_run_sees_the_secrets() -> None:
    """Secrets are given to one step, and the password to nothing else."""
    assert [step.get("name") for step in STEPS if "secrets." in str(step)] == ["Run"]


def test_the_database_is_checked_before_and_kept_after() -> None:
    """Nothing is sent before it is certain that the database can be kept, and it is kept whatever came of the run."""
    names = [step.get("name") for step in STEPS]
    assert names[-3:] == ["Can the database be kept?", "Run", "Keep the database"]
    assert step("Keep the database")["if"] == "always() && steps.run.outcome != 'skipped'"
    assert step("Run")["id"] == "run"
    assert step("Run")["env"]["DIGEST_STORE__URL"] == "sqlite:///data/digest.db"
    (branch,) = (step["with"] for step in STEPS if "ref" in step.get("with", {}))
    assert branch == {"ref": BRANCH, "path": "data"}


@needs_git
def test_the_next_run_finds_what_the_last_one_kept(origin: Path, tmp_path: Path) -> None:
    """The database and its log come back byte by byte, and the branch stays one commit long."""
    for number in range(3):
        machine = Machine(origin, tmp_path / f"machine-{number}")
        if number:
            assert (machine.data / "digest.db").read_bytes() == bytes([number - 1]) * 9000
        (machine.data / "digest.db").write_bytes(bytes([number]) * 9000)
        (machine.data / "digest.db-wal").write_bytes(b"left by a kill")
        assert machine.run("Can the database be kept?").returncode == 0
        kept = machine.run("Keep the database")
        assert kept.returncode == 0, kept.stderr
        assert git(origin, "rev-list", "--count", BRANCH) == "1"
    assert git(origin, "ls-tree", "--name-only", BRANCH).split() == ["digest.db", "digest.db-wal"]


@needs_git
def test_a_run_that_changed_nothing_keeps_nothing(origin: Path, tmp_path: Path) -> None:
    """Where the database is as before, the branch is as before."""
    before = git(origin, "rev-parse", BRANCH)
    assert Machine(origin, tmp_path / "machine").run("Keep the database").returncode == 0
    assert git(origin, "rev-parse", BRANCH) == before


@needs_git
def test_a_branch_that_cannot_be_written_stops_the_run(origin: Path, tmp_path: Path) -> None:
    """Where the repository is out of reach, the check fails, and so nothing is sent."""
    machine = Machine(origin, tmp_path / "machine")
    origin.rename(tmp_path / "elsewhere.git")
    assert machine.run("Can the database be kept?").returncode != 0


@needs_git
def test_a_database_that_github_would_refuse_stops_the_run(origin: Path, tmp_path: Path) -> None:
    """A database near the limit of 100 MB fails the check, with what to do."""
    machine = Machine(origin, tmp_path / "machine")
    with (machine.data / "digest.db").open("wb") as file:
        file.truncate(91 * 1024 * 1024)
    checked = machine.run("Can the database be kept?")
    assert checked.returncode == 1
    assert "move to PostgreSQL" in checked.stderr


@needs_git
def test_what_another_run_kept_is_not_written_over(origin: Path, tmp_path: Path) -> None:
    """A database that was kept in between stays, and the run that comes too late fails."""
    early, late = (Machine(origin, tmp_path / name) for name in ("early", "late"))
    for machine in (early, late):
        (machine.data / "digest.db").write_text(machine.data.parent.name)
    assert early.run("Keep the database").returncode == 0
    assert late.run("Keep the database").returncode == 1
    assert git(origin, "show", f"{BRANCH}:digest.db") == "early"
