"""`digest status`: what is there, what became of it, and when the next edition is due."""

from __future__ import annotations

from typing import Any

from digest.alarms import utc
from digest.app import App, opened
from digest.cli.options import CONFIG, ConfigOption, JsonOption, as_json, plural, say
from digest.cli.progress import pace
from digest.fetching.address import masked
from digest.model import State
from digest.source_table import SourceTable
from digest.store import dues, editions, entries, fetches, incidents, ledger, runs, subscribers, suppressions, throttles
from digest.store.fetches import Fetch

_REASONS, _HOUR = 5, 3_600
_PROBLEMS = 10
"""Editions not sent that are shown, the newest."""


def status(config: ConfigOption = CONFIG, json: JsonOption = False) -> None:
    """Show subscribers, entries, editions by state, and the last run."""
    with opened(config) as app, app.rehearsal() as rehearsed:
        rehearsed.pipeline.enrol()
        facts = _facts(rehearsed)
    if json:
        as_json(facts)
        return
    people, listed, files = facts["subscribers"], facts["entries"], facts["files"]
    say(f"{plural(people, 'subscriber')}, {plural(listed, 'entry', 'entries')} from {plural(files, 'file')}")
    for source in facts["sources"]:
        last = f"fetched {source['fetched']}" if source["fetched"] else "never fetched"
        fault = f"; not at the last try: {source['fault']}" if source["fault"] else ""
        say(f"  {source['name']} ({source['url']}): {last}, next from {source['next']} on{fault}")
    states = ", ".join(f"{count:,} {state}" for state, count in facts["editions"].items() if count)
    say(f"editions: {states or 'none yet'}")
    if facts["next_retry"]:
        say(f"  deferred ones are tried again from {facts['next_retry']} on")
    if facts["held"]:
        say("  unknown ones are held; this sends them again: DIGEST_DELIVERY__ON_UNKNOWN=resend digest run")
    for silent in facts["empty"]:
        say(f"  {silent['editions']:,} empty: {silent['reason']}")
    say(f"next due: {facts['next_due'] or 'nobody'}")
    for problem in facts["problems"]:
        code = f"{problem['code']} " if problem["code"] else ""
        say(f"  {problem['slot']} {problem['email']}: {problem['state']}: {code}{problem['reason']}")
    for paused in facts["paused"]:
        say(f"{paused['name']} is paused until {paused['until']}: {paused['words']}")
    if suppressed := facts["suppressed"]:
        say(f"{plural(suppressed, 'address is', 'addresses are')} suppressed; see them: digest suppress list")
    for broken in facts["incidents"]:
        say(f"broken since {broken['since']}: {broken['words']}")
    last = facts["last_run"]
    say(f"last run: {last['finished']}, {_told(last['report'])}" if last else "last run: none yet")
    if facts["clock_was_wrong"]:
        say("that lies in the future: was the clock wrong? What was due until then is taken for done.")


def _facts(app: App) -> dict[str, Any]:
    with app.store.read() as connection:
        states = editions.by_state(connection)
        last = runs.last(connection)
        next_due = dues.next_moment(connection)
        fetched = fetches.load(connection)
        return {
            "subscribers": subscribers.count(connection),
            "entries": entries.count(connection),
            "files": entries.count_files(connection),
            "sources": [
                _source(one, known) for one in app.config.sources if one.url and (known := fetched.get(one.name))
            ],
            "editions": {str(state): states[state] for state in State},
            "empty": [
                {"reason": reason, "editions": number} for reason, number in editions.why_empty(connection, _REASONS)
            ],
            "problems": [
                problem._asdict() | {"slot": str(problem.slot)} for problem in editions.problems(connection, _PROBLEMS)
            ],
            "paused": [
                {"name": one.name, "until": utc(one.paused_until), "words": one.words}
                for one in throttles.paused(connection, app.clock())
            ],
            "suppressed": suppressions.count_by_kind(connection).total(),
            "incidents": [
                {"kind": one.kind, "subject": one.subject, "since": utc(one.opened_at), "words": one.words}
                for one in incidents.open_(connection)
            ],
            "next_retry": utc(retry) if (retry := ledger.next_retry(connection)) is not None else None,
            "held": bool(states[State.UNKNOWN]) and not app.dispatch.resend_unknown,
            "next_due": utc(max(next_due, app.clock())) if next_due is not None else None,
            "clock_was_wrong": bool(last and last.started_at > app.clock() + _HOUR),
            "last_run": {"finished": utc(last.finished_at), "report": last.report} if last else None,
        }


def _source(table: SourceTable, known: Fetch) -> dict[str, Any]:
    return {
        "name": table.name,
        "url": masked(table.url),
        "fetched": utc(known.fetched_at) if known.fetched_at is not None else None,
        "next": utc(known.next_at),
        "fault": known.words,
    }


def _told(report: dict[str, Any]) -> str:
    figures = [f"{value:,} {name}" for name, value in report.items() if type(value) is int and value]
    if report["sent"] and (seconds := report.get("seconds")):
        figures.append(f"in {pace(report['sent'], seconds)}")
    told = (("nothing sent", "reason"), ("the relay could not be used", "relay_error"))
    return ", ".join(figures + [f"{words}: {report[key]}" for words, key in told if report.get(key)])
