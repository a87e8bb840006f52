"""`digest doctor`: what would keep mail from arriving, before any is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import typer

from digest.app import system_clock
from digest.cli.options import CONFIG, ConfigOption, JsonOption, as_json, plural, say
from digest.doctor.examine import examine
from digest.doctor.findings import Finding, Level
from digest.faults import sound


def doctor(config: ConfigOption = CONFIG, json: JsonOption = False) -> None:
    """Look at this machine, the relay and the domain's DNS records; nothing is sent. Exit code 1: there is an error."""
    findings = examine(sound(config), system_clock())
    levels = Counter(one.level for one in (_as_json(findings) if json else _said(findings)))
    if not json:
        worse = [level for level in reversed(Level) if levels[level] and level is not Level.OK]
        say(", ".join(plural(levels[level], level) for level in worse) or "all is well")
    if levels[Level.ERROR]:
        raise typer.Exit(1)


def _said(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each finding, shown as soon as it is made: a relay that keeps silent takes its time."""
    for one in findings:
        say(f"{one.level:<8} {one.check}: {one}")
        yield one


def _as_json(findings: Iterable[Finding]) -> list[Finding]:
    found = list(findings)
    counted = Counter(one.level for one in found)
    as_json({"findings": [asdict(one) for one in found], **{str(level): counted[level] for level in Level}})
    return found
