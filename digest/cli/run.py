"""`digest run`: load, plan and deliver, once. The command for cron."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest import look, press
from digest.app import App, RunReport, Watch, opened
from digest.cli.load import troubles
from digest.cli.options import CONFIG, ConfigOption, JsonOption, NowOption, as_json, clock, plural, say, warn, watched
from digest.model import Edition, Outcome, State
from digest.rendering.clean import clean

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def run(
    config: ConfigOption = CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send and keep nothing; list the entries of each mail.")
    ] = False,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Send today's digest to everybody who is due and has not had it."""
    with opened(config, clock(now)) as app:
        if dry_run:
            _rehearse(app, json=json)
            return
        with _progress() as watch:
            report = app.run(watch)
    if json:
        as_json(report.counts())
    elif watched():
        say(summary(report))
    warn(troubles_of(report))
    raise typer.Exit(int(report.failed))


def summary(report: RunReport) -> str:
    """One line that says what a run did."""
    if report.reason:
        return f"Nothing was sent: {report.reason}."
    states = [state for state in State if report.delivered.states[state]]
    done = ", ".join(f"{report.delivered.states[state]:,} {state}" for state in states)
    loaded = plural(report.loaded.new_entries, "new entry", "new entries")
    return f"Loaded {loaded}, planned {plural(report.planned.planned, 'edition')}: {done or 'none sent'}."


def troubles_of(report: RunReport) -> Iterator[str]:
    """Lines for what went wrong in a run."""
    yield from troubles(report.loaded)
    yield from (f"{email}: no edition could be made: {reason}" for email, reason in report.planned.failed)
    if report.recovered.held:
        yield f"held, for the last run was ended while sending: {plural(report.recovered.held, 'edition')}"
    for problem in report.delivered.problems:
        code = f"{problem.code} " if problem.code else ""
        yield f"{problem.email}: {problem.state}: {code}{problem.reply}"
    if report.delivered.relay_error:
        yield f"the relay could not be used: {report.delivered.relay_error}"
        yield "every edition is kept, and the next run sends what is left"


@contextmanager
def _progress() -> Iterator[Watch | None]:
    """A progress bar, where a person watches a long delivery."""
    if not watched():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 (nothing of it is needed under cron)
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar, bar.add_task("sending", total=None))


class _Bar:
    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task = bar, task

    def expect(self, editions: int) -> None:
        self._bar.update(self._task, total=editions)

    def outcome(self, outcome: Outcome) -> None:  # noqa: ARG002 (every one is a step)
        self._bar.advance(self._task)


def _rehearse(app: App, *, json: bool) -> None:
    _ = app.press, app.dispatch  # faults in templates or settings show here, too
    with app.lock(), app.rehearsal() as rehearsed:
        loaded = rehearsed.load()
        planned = rehearsed.plan()
        warn(troubles(loaded))
        mails = (_mail(rehearsed, edition) for edition in look.waiting(rehearsed.store, rehearsed.clock()))
        if json:
            as_json(list(mails))
            return
        number = 0
        for number, mail in enumerate(mails, start=1):  # noqa: B007 (the last number is the count)
            _show(mail)
        if not number:
            say(f"Nothing would be sent: {rehearsed.why_nothing(loaded, planned)}.")


def _mail(app: App, edition: Edition) -> dict[str, Any]:
    """What `--dry-run --json` prints of one mail."""
    named = press.listed(app.store, edition)
    listed = [
        {
            "title": clean(named[match.entry].title),
            "keywords": list(dict.fromkeys(reason.keyword for reason in match.reasons)),
            "score": round(match.score, 1),
        }
        for match in edition.matches
    ]
    return {"email": edition.email, "matched": edition.matched, "considered": edition.considered, "entries": listed}


def _show(mail: dict[str, Any]) -> None:
    say(f"{mail['email']}: {plural(mail['matched'], 'entry', 'entries')} of {mail['considered']:,}")
    for rank, entry in enumerate(mail["entries"], start=1):
        say(f"  {rank:>2}. {entry['title']}  [{', '.join(entry['keywords'])}]  {entry['score']}")
    if rest := mail["matched"] - len(mail["entries"]):
        say(f"      and {rest:,} more")
