"""What cron and launchd start."""

from __future__ import annotations

import plistlib
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import PurePosixPath
from xml.etree import ElementTree

from apscheduler.triggers.cron import CronTrigger
from deploy_files import DEPLOY, GUIDE, complaint, read

LAUNCHD_KEYS = {
    "Label", "ProgramArguments", "WorkingDirectory", "StartInterval", "RunAtLoad", "ProcessType", "StandardOutPath",
    "StandardErrorPath",
}  # fmt: skip
"""The keys of launchd.plist(5) that are meant; launchd passes over any other in silence."""


def crontab() -> tuple[str, str]:
    """The time and the command of the one line that runs something."""
    (line,) = (line for line in read("crontab").splitlines() if not re.match(r"#|\w+=", line))
    *fields, command = line.split(maxsplit=5)
    return " ".join(fields), command


def test_the_crontab_is_lines_that_cron_reads() -> None:
    """Every line is a comment, a variable, or five fields and a command without `%`, a newline to cron."""
    field = r"(\*|\d+)(/\d+)?"
    for line in read("crontab").splitlines():
        assert re.fullmatch(rf"#.*|[A-Z]+=\S+|{field}( {field}){{4}} [^%]+", line), line
    assert read("crontab").endswith("\n")  # cron refuses a last line without its end


def test_the_crontab_runs_digest_every_ten_minutes() -> None:
    """The five fields mean every tenth minute of every day, and a run ends before the next begins."""
    fields, command = crontab()
    trigger = CronTrigger.from_crontab(fields, timezone=UTC)
    times = [datetime(2026, 11, 20, 23, 55, tzinfo=UTC)]
    for _ in range(7):
        times.append(trigger.get_next_fire_time(times[-1], times[-1] + timedelta(seconds=1)))
    assert {after - before for before, after in pairwise(times[1:])} == {timedelta(minutes=10)}
    assert int(command.rpartition("--at-most ")[2]) < 10


def test_the_command_of_the_crontab_exists() -> None:
    """Digest takes the arguments that cron gives it."""
    folder, _, command = crontab()[1].partition(" && ")
    assert folder.startswith("cd /")  # cron starts in the home folder
    program, *arguments = command.split()
    assert program == ".venv/bin/digest"
    assert complaint(arguments) == ""


def test_the_guide_has_the_line_of_the_crontab() -> None:
    """The line in the guide is the one in the file."""
    assert f"\n    {' '.join(crontab())}\n" in GUIDE.read_text(encoding="utf-8")


def test_the_property_list_is_one_that_launchd_reads() -> None:
    """It is well-formed XML of Apple's type, and has the keys that are meant and no other."""
    root = ElementTree.fromstring(read("org.example.digest.plist"))
    assert (root.tag, root.attrib) == ("plist", {"version": "1.0"})
    assert plistlib.loads(read("org.example.digest.plist").encode()).keys() == LAUNCHD_KEYS


def test_the_property_list_runs_digest_every_ten_minutes() -> None:
    """The agent is named as its file, its paths are absolute and in one folder, and Digest takes its arguments."""
    agent = plistlib.loads((DEPLOY / "org.example.digest.plist").read_bytes())
    program, *arguments = agent["ProgramArguments"]
    folder = PurePosixPath(agent["WorkingDirectory"])
    assert agent["Label"] == "org.example.digest"
    assert folder.is_absolute()
    assert program == str(folder / ".venv/bin/digest")
    assert PurePosixPath(agent["StandardErrorPath"]).parent == folder
    assert agent["StartInterval"] == 600 > 60 * int(arguments[-1])
    assert agent["ProcessType"] in {"Background", "Standard", "Adaptive", "Interactive"}
    assert complaint(arguments) == ""
