"""`digest serve` as a process of its own, with a real inbox."""

from __future__ import annotations

import socket
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from heartbeat_service import serving
from served import EVERY_SECOND, NEVER, PEOPLE, Site, free_port, opened, until
from workplace import ADA, BAO, Mails, Workplace, paper

from digest.schedule.daemon import every_minute

pytestmark = pytest.mark.slow


@pytest.fixture
def site(place: Workplace) -> Iterator[Site]:
    """A folder to start daemons in."""
    with opened(place) as there:
        yield there


def test_the_first_tick_sends(site: Site, mails: Mails) -> None:
    """At once, not at the next minute; then it is ready, the figures are right, and SIGTERM ends it with 0."""
    site.place.listing("a.jsonl", [paper("Reward models"), paper("Other things"), {"abstract": "no title"}])
    served = site.start()
    until(lambda: mails.to(ADA), "a mail")
    until(lambda: served.ask("/ready")[0] == 200, "ready")
    served.ran("failed")
    assert served.ask("/health")[0] == 200
    figures = {
        "digest_entries_loaded_total": 2,
        "digest_entries_rejected_total": 1,
        'digest_editions_total{state="sent"}': 1,
        "digest_editions_waiting": 0,
        "digest_delivery_seconds_count": 1,
        "digest_slot_lag_seconds_count": 1,
        "digest_incidents_open": 0,
    }
    assert {name: served.figure(name) for name in figures} == figures
    assert served.figure("digest_delivery_seconds_sum") > 0
    assert "digest_source_age_seconds{" in served.ask("/metrics")[1]
    assert served.stop() == 0
    assert len(mails.kept) == 1


def test_every_line_of_a_run_has_its_id_and_none_an_address(site: Site, mails: Mails) -> None:
    """A refused mail is told of by the numbers of edition and subscriber, though the relay names the address."""
    site.configure(ADA, BAO, serve='level = "debug"')
    mails.refused.add(BAO)
    site.place.listing("a.jsonl", [paper("Reward models")])
    served = site.start()
    refused, whole = served.logged("edition not sent"), served.logged("run had troubles")
    assert served.stop() == 0
    assert refused["run"] == whole["run"]
    assert {key: refused[key] for key in ("state", "level")} == {"state": "failed", "level": "warning"}
    assert refused["edition"] > 0
    assert refused["subscriber"] > 0
    assert (whole["sent"], whole["failed"]) == (1, 1)
    assert [line for line in served.lines if line["logger"] == "digest.run" and "run" not in line] == []
    assert "example.org" not in "".join(served.errors)


def test_a_new_file_does_not_wait_for_the_minute(site: Site, mails: Mails) -> None:
    """It rings the bell itself, here where no tick does."""
    served = site.start(NEVER)
    served.ran()
    site.place.listing("a.jsonl", [paper("Reward models")])
    until(lambda: mails.to(ADA), "a mail")
    assert served.stop() == 0


def test_a_run_beside_it_is_no_failure(site: Site, mails: Mails) -> None:
    """While another run has the lock, the daemon waits for the next bell."""
    site.configure(ADA)
    text = site.place.config.read_text(encoding="utf-8").replace("wait_seconds = 5", "wait_seconds = 0")
    site.place.config.write_text(text, encoding="utf-8")
    with site.place.opened() as app, app.lock():
        served = site.start()
        served.ran("busy")
    site.place.listing("a.jsonl", [paper("Reward models")])
    until(lambda: mails.to(ADA), "a mail")
    assert served.stop() == 0
    assert {line["level"] for line in served.lines} == {"info"}


def test_what_rings_during_a_run_makes_one_more(site: Site, mails: Mails) -> None:
    """However many files come meanwhile: runs never overlap, and nothing is lost."""
    site.configure(serve='level = "debug"')
    site.place.listing("a.jsonl", [paper("Reward models")])
    served, more = site.start(NEVER), 3

    def drop() -> None:
        for number in range(more):
            site.place.listing(f"{number}.jsonl", [paper(f"Reward models of day {number}, {number * 7919}")])
            served.logged("a listing folder has changed", number + 1)

    mails.on_mail = drop
    until(lambda: [line for line in served.lines if line.get("loaded") == more], "a run that takes all")
    assert served.stop() == 0
    assert [line["loaded"] for line in served.lines if line.get("loaded")] == [1, more]
    assert len(mails.kept) == 1


def test_the_tick_rings(site: Site) -> None:
    """Here once a second, which is a minute to this daemon."""
    served = site.start(EVERY_SECOND)
    served.ran(count=4)
    assert served.stop() == 0


def test_the_heartbeat_hears_of_every_end(site: Site, mails: Mails) -> None:
    """Good and failed, without an address; and the log never names the URL."""
    with serving() as service:
        site.configure(more=f'[alarms]\nheartbeat = "{service.url}"\n')
        served = site.start()
        until(lambda: service.told, "a good run")
        mails.refused.add(ADA)
        service.answer = 500
        site.place.listing("a.jsonl", [paper("Reward models")])
        until(lambda: len(service.told) > 1, "a failed run")
        assert served.logged("heartbeat failed")["reason"] == "the heartbeat service answered 500"
        assert served.stop() == 0
    assert service.told[0] == ("POST", "/secret-id", "")
    method, path, report = service.told[1]
    assert (method, path) == ("POST", "/secret-id/fail")
    assert report.startswith("(address): failed: 500")
    assert "secret-id" not in "".join(served.errors)


def test_incidents_are_logged_and_counted(site: Site, mails: Mails) -> None:
    """The look goes on beside the runs (here five times a second); the operator has a mail of beginning and end."""
    hasty = "import digest.schedule.daemon as it; it._LOOK_SECONDS = 0.2; from digest.cli import main; main()"
    site.configure(more='[alarms]\nto = ["ops@example.org"]\n')
    (site.place.listings / "a.json").write_text("[]")
    served = site.start((sys.executable, "-c", hasty))
    assert "gave no entries" in served.logged("incident")["about"]
    until(lambda: served.figure("digest_incidents_open") == 1, "an incident in the figures")
    site.place.listing("b.jsonl", [paper("Reward models")])
    served.logged("no incident is open any more")
    until(lambda: served.figure("digest_incidents_open") == 0, "its end in the figures")
    until(lambda: len(mails.to("ops@example.org")) == 2, "two mails to the operator")
    assert served.stop() == 0
    assert [line["event"] for line in served.lines].count("incident") == 1
    assert len(mails.to("ops@example.org")) == 2


def test_two_daemons_and_cron_send_once(site: Site, mails: Mails) -> None:
    """On one database, all at the same time."""
    site.configure(*PEOPLE)
    daemons = [site.start()]
    site.port = free_port()
    daemons[0].ran()
    site.configure(*PEOPLE)
    daemons.append(site.start())
    daemons[1].ran()
    site.place.listing("a.jsonl", [paper("Reward models")])
    cron = [site.place.command("run") for _ in range(2)]
    assert [(run.returncode, run.stdout, run.stderr) for run in cron] == [(0, "", "")] * 2
    until(lambda: len(mails.kept) >= len(PEOPLE), "all mails")
    assert [daemon.stop() for daemon in daemons] == [0, 0]
    assert Counter(email for email, _ in mails.kept) == dict.fromkeys(PEOPLE, 1)


def test_an_error_does_not_end_it(site: Site, mails: Mails) -> None:
    """It is logged and counted, and the next bell finds the daemon at work."""
    served = site.start()
    served.ran()
    with closing(sqlite3.connect(site.place.folder / "digest.db")) as database:
        database.execute("ALTER TABLE editions RENAME TO away")
        site.place.listing("a.jsonl", [paper("Reward models")])
        served.ran("error")
        assert "no such table: editions" in served.logged("run failed")["reason"]
        assert served.ask("/ready")[0] == 503
        assert served.ask("/health")[0] == 200
        database.execute("ALTER TABLE away RENAME TO editions")
    site.place.listing("b.jsonl", [paper("Reward models again")])
    until(lambda: mails.to(ADA), "a mail")
    until(lambda: served.ask("/ready")[0] == 200, "ready")
    assert served.stop() == 0


def test_a_port_in_use_is_told_at_the_start(site: Site) -> None:
    """As wrong use: exit 2, and a line that says what to do."""
    with socket.create_server(("127.0.0.1", site.port)):
        ended = site.place.command("serve")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"digest: serve.port {site.port}: cannot listen on 127.0.0.1: another program does" in ended.stderr


def test_port_0_means_no_endpoint(site: Site) -> None:
    """Everything else works."""
    site.port = 0
    site.configure()
    served = site.start()
    served.logged("started")
    assert served.stop() == 0


def test_missing_libraries_are_told_with_the_cure(site: Site) -> None:
    """digest[serve] is an extra."""
    without = "import sys; sys.modules['watchfiles'] = None; from digest.cli import main; main()"
    served = site.start((sys.executable, "-c", without))
    assert served.ended() == 2
    assert served.errors == ['digest: digest serve needs watchfiles: pip install "email-digest[serve]"\n']


def test_the_tick_is_every_minute_of_every_day() -> None:
    """In UTC, so that no clock change takes one away or adds one; it waits for no one and is never late for good."""
    (job,) = every_minute(lambda: None).get_jobs()
    assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    for day in (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)):
        moment, ticks = day, []
        for _ in range(24 * 60):
            moment = job.trigger.get_next_fire_time(moment, moment)
            ticks.append(int(moment.timestamp()))
        assert ticks == [int(day.timestamp()) + 60 * number for number in range(1, 24 * 60 + 1)]
