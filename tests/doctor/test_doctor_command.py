"""`digest doctor`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import re

import pytest
from workplace import REPOSITORY, Mails, Workplace


@pytest.fixture(autouse=True)
def _private_domain(place: Workplace) -> None:
    """A sender that no DNS is asked about."""
    place.config.write_text(place.config.read_text().replace("digest@example.org", "digest@office.lan"))


def test_a_place_in_order(place: Workplace, mails: Mails) -> None:
    """Exit code 0, a line for each finding, the count at the end; nothing is sent and nothing made."""
    ended = place.command("doctor")
    assert (ended.returncode, ended.stderr) == (0, "")
    *lines, last = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines].count("warning") == 1
    assert "warning  postal address: there is none" in ended.stdout
    assert last == "1 warning, 6 notes"
    assert mails.kept == []
    assert sorted(path.name for path in place.folder.iterdir()) == ["digest.toml", "listings"]


def test_an_error_is_exit_code_1(place: Workplace) -> None:
    """And the others are still told."""
    place.config.write_text(place.config.read_text().replace(f"port = {place.port}", "port = 1"))
    ended = place.invoke("doctor")
    assert ended.returncode == 1
    assert "error    relay: 127.0.0.1:1 cannot be used" in ended.stdout
    assert "note     DNS: office.lan is no public domain" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "1 error, 1 warning, 5 notes"


def test_json_holds_every_finding_and_the_counts(place: Workplace) -> None:
    """With the same keys each."""
    ended = place.invoke("doctor", "--json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert list(told) == ["findings", "ok", "note", "warning", "error"]
    assert all(list(one) == ["check", "level", "what", "why", "remedy"] for one in told["findings"])
    assert sum(told[level] for level in ("ok", "note", "warning", "error")) == len(told["findings"])


def test_a_wrong_configuration_is_exit_code_2(place: Workplace) -> None:
    """As for every command: nothing can be looked at without it."""
    place.config.write_text("[smtp\n")
    ended = place.invoke("doctor")
    assert (ended.returncode, ended.stdout) == (2, "")


def test_the_guide_lists_every_check(place: Workplace) -> None:
    """The table of docs/doctor.md, in the order of the findings."""
    guide = (REPOSITORY / "docs" / "doctor.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([\w ]+) \| ", guide, re.MULTILINE)[1:]
    checks = dict.fromkeys(one["check"] for one in json.loads(place.invoke("doctor", "--json").stdout)["findings"])
    assert [name for name in listed if name in checks] == list(checks)
    assert [name for name in listed if name not in checks] == ["SPF", "DMARC", "MX", "reverse DNS"]
