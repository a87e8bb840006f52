"""`digest run`: load, plan and deliver, once. The command for cron."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from digest import look, press
from digest.app import App, opened
from digest.cli.options import (
    CONFIG,
    ConfigOption,
    JsonOption,
    NowOption,
    as_json,
    clock,
    plural,
    say,
    shown,
    warn,
    watched,
)
from digest.cli.progress import pace, progress
from digest.errors import BusyError, DigestError
from digest.model import Edition, State
from digest.pipeline import Going
from digest.rendering.clean import clean
from digest.report import RunReport, Watch


def run(
    config: ConfigOption = CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send and keep nothing; list the entries of each mail.")
    ] = False,
    at_most: Annotated[
        float | None,
        typer.Option("--at-most", metavar="MINUTES", min=0, help="Leave what is left then to the next run."),
    ] = None,
    json: JsonOption = False,
    now: NowOption = "",
) -> None:
    """Send today's digest to everybody who is due and has not had it."""
    with opened(config, clock(now)) as app:
        if dry_run:
            _rehearse(app, json=json)
            return
        with progress() as watch, _until(at_most, app.config.serve.drain_seconds) as going:
            report = _run(app, watch, going)
    if json:
        as_json(report.counts())
    elif watched():
        say(summary(report))
    warn(report.troubles(shown))
    raise typer.Exit(int(report.failed))


def summary(report: RunReport) -> str:
    """One line that says what a run did."""
    if report.left:
        return f"Stopped in time; the next run sends what is left ({plural(report.left, 'edition')})."
    if report.reason:
        return f"Nothing was sent: {report.reason}."
    states = [state for state in State if report.delivered.states[state]]
    done = ", ".join(f"{report.delivered.states[state]:,} {state}" for state in states)
    loaded = plural(report.loaded.new_entries, "new entry", "new entries")
    took = f" in {pace(report.delivered.states.total(), report.delivered.seconds)}" if done else ""
    return f"Loaded {loaded}, planned {plural(report.planned.planned, 'edition')}: {done or 'none sent'}{took}."


def _run(app: App, watch: Watch | None, going: Going) -> RunReport:
    """A run; the heartbeat hears of its end, good or bad, but not of one that left the work to another."""
    try:
        report = app.run(watch, going, math.inf)
    except BusyError:
        raise
    except DigestError as error:
        _beat(app, str(error))
        raise
    _beat(app, "\n".join(report.troubles()) if report.failed else "")
    return report


def _beat(app: App, failure: str) -> None:
    if url := app.config.alarms.heartbeat.get_secret_value():
        from digest.heartbeat import ping  # noqa: PLC0415 (not everybody has one)

        warn(filter(None, [ping(url, failure)]))


@contextmanager
def _until(minutes: float | None, drain_seconds: float) -> Iterator[Going]:
    """Whether a run may go on: until its time is up, or it is told to end; a second Ctrl-C ends it at once.

    Told to end, it has so many seconds for what is in flight.
    """
    end = time.monotonic() + minutes * 60 if minutes is not None else math.inf
    told: list[int] = []
    patience = threading.Timer(drain_seconds, _leave)  # a thread, which is there even when the relay hangs
    patience.daemon = True

    def tell(number: int, _: object) -> None:
        if told and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not told:
            patience.start()
        told.append(number)

    before = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: not told and time.monotonic() < end
    finally:
        patience.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave() -> None:
    """End the process as it stands; the database knows what was on its way."""
    sys.stderr.write("digest: it took too long to stop; what was being sent is unknown to the next run\n")
    os._exit(1)


def _rehearse(app: App, *, json: bool) -> None:
    _ = app.press, app.dispatch  # faults in templates or settings show here, too
    with app.lock(), app.rehearsal() as rehearsed:
        loaded = rehearsed.pipeline.load()
        planned = rehearsed.pipeline.plan()
        warn(loaded.troubles(shown))
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
    named = press.listed(app.store, edition).entries
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
