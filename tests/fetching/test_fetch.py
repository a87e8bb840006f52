"""Fetching the sources that are due: when, what is kept of it, and what is told."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from web_site import Site, Visit, keeps, says, serving
from workplace import DAY, NOON, Clock, Workplace, subscriber

from digest import fetch as verb
from digest.fetch import Patience, Remote
from digest.report import Fetched
from digest.store import fetches
from digest.store.fetches import Fetch
from digest.store.store import Store

PAPERS = b'{"title": "Reward models", "abstract": "All about them."}\n'
OTHERS = b'{"title": "Surveys", "abstract": "Of reward models."}\n'
HOUR = 3600
QUICK = Patience(source=5, all=20, pauses=(0, 0))


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on loopback."""
    with serving() as served:
        yield served


class Fetching:
    """A folder, a database and a clock to fetch with."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.clock = store, folder, Clock()

    def remote(self, url: str, name: str = "arxiv") -> Remote:
        return Remote(name, url, self.folder / name, HOUR, 100_000, allow_private=True)

    def fetch(
        self,
        *remotes: Remote,
        going: Callable[[], bool] = lambda: True,
        patience: Patience = QUICK,
        early: bool = False,
    ) -> tuple[Fetched, ...]:
        return verb.fetch(self.store, remotes, self.clock, going, early=early, patience=patience)

    def known(self, name: str = "arxiv") -> Fetch:
        with self.store.read() as connection:
            return fetches.load(connection)[name]

    def files(self, name: str = "arxiv") -> list[str]:
        return sorted(path.name for path in (self.folder / name).glob("*"))


@pytest.fixture
def fetching(sqlite_store: Store, tmp_path: Path) -> Fetching:
    """Nothing was fetched yet."""
    return Fetching(sqlite_store, tmp_path / "listings")


def test_a_file_is_kept_and_known(fetching: Fetching, site: Site) -> None:
    """The bytes in a file of the source's folder, and in the database what the server said of them."""
    remote = fetching.remote(f"{site.on('/papers', keeps(PAPERS, ETag='1'))}?token=t")
    [fetched] = fetching.fetch(remote)
    path = fetching.folder / "arxiv" / "2026-11-20T120000Z.txt"
    assert fetched == Fetched("arxiv", f"{site.url}/papers?…", path, len(PAPERS))
    assert path.read_bytes() == PAPERS
    known = fetching.known()
    assert (known.etag, known.tried_at, known.fetched_at, known.next_at) == ("1", NOON, NOON, NOON + HOUR)


def test_a_source_is_asked_when_its_time_has_come(fetching: Fetching, site: Site) -> None:
    """Not before, unless it is wanted early or the clock was wrong; then with the condition that it has changed."""
    remote = fetching.remote(site.on("/papers", keeps(PAPERS, ETag="1")))
    fetching.fetch(remote)
    fetching.clock.at += HOUR - 1
    assert fetching.fetch(remote) == ()
    assert len(fetching.fetch(remote, early=True)) == 1
    fetching.clock.at += HOUR
    [fetched] = fetching.fetch(remote)
    assert fetched == Fetched("arxiv", f"{site.url}/papers")
    fetching.clock.at -= 30 * DAY
    assert len(fetching.fetch(remote)) == 1
    assert [headers["If-None-Match"] for _, headers in site.asked] == [None, "1", "1", "1"]
    assert fetching.files() == ["2026-11-20T120000Z.txt"]


def test_the_same_bytes_are_not_kept_twice(fetching: Fetching, site: Site) -> None:
    """Where the server knows no conditions; other bytes make a new file."""
    remote = fetching.remote(site.on("/papers", says(200, PAPERS), says(200, PAPERS), says(200, OTHERS)))
    for _ in range(3):
        fetching.fetch(remote)
        fetching.clock.at += HOUR
    assert fetching.files() == ["2026-11-20T120000Z.txt", "2026-11-20T140000Z.txt"]
    assert (fetching.folder / "arxiv" / fetching.files()[1]).read_bytes() == OTHERS


def test_another_address_is_asked_at_once_and_afresh(fetching: Fetching, site: Site) -> None:
    """What one server said is nothing to another."""
    fetching.fetch(fetching.remote(site.on("/papers", keeps(PAPERS, ETag="1"))))
    [fetched] = fetching.fetch(fetching.remote(site.on("/others", keeps(PAPERS, ETag="1"))))
    assert fetched.path is not None
    assert fetching.known().url.endswith("/others")


def test_what_passes_is_tried_again_at_once(fetching: Fetching, site: Site) -> None:
    """Three times in all; a success forgets the failures before it."""
    url = site.on("/papers", says(500), says(502), says(200, PAPERS))
    assert fetching.fetch(fetching.remote(url))[0].size == len(PAPERS)
    assert (fetching.known().failures, len(site.asked)) == (0, 3)


def test_failures_wait_longer_and_longer(fetching: Fetching, site: Site) -> None:
    """Each is told once, with its reason, and what was known of the last copy stays."""
    remote = fetching.remote(site.on("/papers", keeps(PAPERS, ETag="1")))
    fetching.fetch(remote)
    site.on("/papers", says(503))
    waits = []
    for failures in range(1, 10):
        fetching.clock.at = fetching.known().next_at
        assert fetching.fetch(remote) == (Fetched("arxiv", f"{site.url}/papers", fault="503 Service Unavailable"),)
        known = fetching.known()
        assert (known.failures, known.words, known.etag) == (failures, "503 Service Unavailable", "1")
        assert known.fetched_at == NOON
        waits.append(known.next_at - fetching.clock.at)
        assert fetching.fetch(remote) == ()
    assert all(300 * 2**n <= wait <= 360 * 2**n for n, wait in enumerate(waits[:6])), waits
    assert 6 * HOUR <= waits[-1] <= 7.2 * HOUR
    assert len(site.asked) == 1 + 3 * 9


def test_a_server_that_says_when_is_obeyed(fetching: Fetching, site: Site) -> None:
    """By seconds and by date, and it is not asked again within the same fetch."""
    remote = fetching.remote(
        site.on("/papers", says(429, Retry_After="7200"), says(503, Retry_After="Fri, 20 Nov 2026 14:30:00 GMT"))
    )
    fetching.fetch(remote)
    assert fetching.known().next_at == NOON + 2 * HOUR
    fetching.clock.at += 2 * HOUR
    fetching.fetch(remote)
    assert fetching.known().next_at == NOON + 2.5 * HOUR
    assert len(site.asked) == 2


def test_what_only_a_person_can_mend_is_told_at_the_usual_times(fetching: Fetching, site: Site) -> None:
    """Once an hour here, however often it failed, and never three times in a row."""
    remote = fetching.remote(site.on("/papers", says(404)))
    for hour in range(1, 4):
        [fetched] = fetching.fetch(remote)
        assert fetched.fault == "404 Not Found; correct url in its [[sources]]"
        fetching.clock.at += HOUR
        assert fetching.known().next_at == NOON + hour * HOUR
    assert len(site.asked) == 3


def trickle(visit: Visit) -> None:
    """A byte now and then."""
    visit.begin(200, {})
    while not visit.site.over.wait(0.05):
        visit.wfile.write(b"x")


def slow_head(visit: Visit) -> None:
    """A head that never ends."""
    visit.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not visit.site.over.wait(0.05):
        visit.wfile.write(b"X: y\r\n")


def test_one_that_never_ends_is_left(fetching: Fetching, site: Site) -> None:
    """After its time, and keeps no other from being fetched."""
    slow = [fetching.remote(site.on(f"/{one.__name__}", one), one.__name__) for one in (trickle, slow_head)]
    good = fetching.remote(site.on("/papers", says(200, PAPERS)))
    told = fetching.fetch(*slow, good, patience=Patience(source=0.6, all=20, pauses=(0, 0)))
    words = "it was not done in 0.6 seconds; see whether the server is well"
    assert [one.fault for one in told] == [words, words, ""]
    assert fetching.files("trickle") == []


def test_all_together_have_a_time_as_well(fetching: Fetching, site: Site) -> None:
    """What was not done then is as it was, and comes first the next time."""
    slow = fetching.remote(site.on("/slow", trickle), "slow")
    began = time.monotonic()
    assert fetching.fetch(slow, patience=Patience(source=60, all=0.3, pauses=())) == ()
    assert time.monotonic() - began < 10
    with fetching.store.read() as connection:
        assert fetches.load(connection) == {}


def test_a_fetch_ends_when_it_is_told_to(fetching: Fetching, site: Site) -> None:
    """At once, and nothing is noted of what was not done."""
    slow = fetching.remote(site.on("/slow", trickle))
    asked = iter([True, True, False])
    assert fetching.fetch(slow, going=lambda: next(asked)) == ()
    assert fetching.files() == []


def test_many_sources_come_in_the_order_given(fetching: Fetching, site: Site) -> None:
    """However they end, and none twice."""
    remotes = [
        fetching.remote(site.on(f"/{number}", says(200 if number % 3 else 410, PAPERS)), f"s{number}")
        for number in range(30)
    ]
    told = fetching.fetch(*remotes)
    assert [one.source for one in told] == [f"s{number}" for number in range(30)]
    assert [bool(one.fault) for one in told] == [number % 3 == 0 for number in range(30)]
    assert len(site.asked) == 30


def test_a_disk_that_takes_nothing_is_told(fetching: Fetching, site: Site) -> None:
    """And the file is fetched again when it does."""
    remote = fetching.remote(site.on("/papers", keeps(PAPERS, ETag="1")))
    fetching.folder.mkdir()
    remote.folder.touch()
    [fetched] = fetching.fetch(remote)
    assert "cannot be saved in" in fetched.fault
    remote.folder.unlink()
    [fetched] = fetching.fetch(remote, early=True)
    assert fetched.path is not None


def configured(place: Workplace, site: Site, *more: str, url: str = "/papers") -> None:
    """A workplace with a source at the site."""
    extra = f'[[sources]]\nname = "arxiv"\nurl = "{site.url}{url}"\nallow_private = true\n' + "\n".join(more)
    place.configure(subscriber(), extra=extra)


def test_a_run_fetches_and_mails_what_came(place: Workplace, site: Site) -> None:
    """Without waiting for the file to settle, as it is whole; the next run of the hour asks nobody."""
    site.on("/papers", keeps(PAPERS, ETag="1"))
    configured(place, site)
    report = place.run()
    assert [one.source for one in report.loaded.fetched] == ["arxiv"]
    assert (report.loaded.new_entries, report.delivered.states.total(), report.failed) == (1, 1, False)
    assert place.run().loaded.fetched == ()
    assert len(site.asked) == 1
    assert place.run(NOON + DAY).loaded.files == ()
    assert [headers["If-None-Match"] for _, headers in site.asked] == [None, "1"]


def test_a_source_that_fails_keeps_nobody_from_anything(place: Workplace, site: Site) -> None:
    """It is told with its name and address, without the token in it; the run ends with 1, and the rest is mailed."""
    site.on("/papers", says(404))
    configured(place, site, url="/papers?token=secret-7c1f")
    place.listing("a.jsonl", [{"title": "Reward models"}])
    place.clock.at = int(time.time())
    ended = place.invoke("run")
    assert ended.returncode == 1
    assert f"arxiv ({site.url}/papers?…): not fetched: 404 Not Found; correct url in its [[sources]]" in ended.stderr
    assert "secret-7c1f" not in ended.stdout + ended.stderr
    assert sum(place.states().values()) == 1
    status = place.invoke("status")
    assert "arxiv (" in status.stdout
    assert "never fetched, next from" in status.stdout
    assert "404 Not Found" in status.stdout
    assert "secret-7c1f" not in status.stdout


def test_load_fetches_what_is_due_or_all_or_nothing(place: Workplace, site: Site) -> None:
    """As the options say; with paths of its own it fetches nothing."""
    site.on("/papers", says(200, PAPERS))
    configured(place, site)
    other = place.folder / "other.jsonl"
    other.write_text(json.dumps({"title": "Other"}))
    os.utime(other, (NOON, NOON))
    assert place.invoke("load", "--no-fetch").stdout == "0 new entries from 0 new files\n"
    assert "1 new entry" in place.invoke("load", str(other)).stdout
    assert site.asked == []
    first, second, third = (place.invoke("load", *options).stdout for options in ([], [], ["--fetch"]))
    assert first.startswith(f"arxiv: {len(PAPERS)} bytes fetched\n")
    assert "arxiv" not in second
    assert third.startswith("arxiv: nothing new to fetch\n")
    facts = json.loads(place.invoke("load", "--fetch", "--json").stdout)
    assert facts["fetched"] == [{"source": "arxiv", "path": None, "bytes": 0, "fault": ""}]
    assert [(one["name"], one["outcome"]) for one in facts["sources"]] == [("arxiv", "nothing new")]


def test_a_rehearsal_fetches_nothing(place: Workplace, site: Site) -> None:
    """Neither a dry run nor a preview nor a back-test."""
    site.on("/papers", says(200, PAPERS))
    configured(place, site)
    for command in (["run", "--dry-run"], ["preview", "ada@example.org"], ["status"]):
        place.invoke(*command)
    assert site.asked == []


def test_sources_are_read_before_paths_and_their_way(place: Workplace, site: Site) -> None:
    """A file that lies in both is the named one's: its link, and loaded once."""
    (place.listings / "team").mkdir()
    place.listing("team/a.jsonl", [{"title": "Reward models"}])
    place.listing("b.jsonl", [{"title": "Reward models of others"}])
    extra = '[[sources]]\nname = "team"\npath = "listings/team/*.jsonl"\nlink = "https://example.org/{title}"\n'
    place.configure(subscriber(), extra=extra)
    report = place.run()
    assert [file.path.name for file in report.loaded.files] == ["a.jsonl", "b.jsonl"]
    urls = {row[0] for row in _entries(place, "url")}
    assert urls == {
        "https://example.org/Reward%20models",
        "https://huggingface.co/papers?q=Reward%20models%20of%20others",
    }


def test_a_file_given_by_hand_is_read_as_its_source_says(place: Workplace) -> None:
    """Though it is loaded from the command line."""
    path = place.folder / "team.jsonl"
    path.write_text(json.dumps({"title": "Reward models"}))
    os.utime(path, (NOON, NOON))
    extra = '[[sources]]\nname = "team"\npath = "team.jsonl"\nlink = "https://example.org/{title}"\n'
    place.configure(subscriber(), extra=extra)
    place.invoke("load", "team.jsonl")
    assert _entries(place, "url") == [("https://example.org/Reward%20models",)]


def test_each_source_has_its_own_limit_of_size(place: Workplace) -> None:
    """Beside that of all others; a file that is too large is told once, though two sources have it."""
    place.listing("a.jsonl", [{"title": "Reward models", "abstract": "x" * 2000}])
    extra = '[[sources]]\nname = "small"\npath = "listings/*.jsonl"\nmax_megabytes = 0.001\n'
    place.configure(subscriber(), extra=extra)
    [file] = place.run().loaded.files
    assert file.fault.startswith("too large: ")


def test_what_was_fetched_need_not_settle(place: Workplace, site: Site) -> None:
    """It is there as a whole, however long others must have been left alone."""
    site.on("/papers", says(200, PAPERS))
    configured(place, site)
    place.config.write_text(place.config.read_text().replace("settle_seconds = 0", "settle_seconds = 5"))
    loaded = place.run().loaded
    assert (loaded.new_entries, loaded.waiting) == (1, ())


def test_a_trouble_is_told_once(place: Workplace) -> None:
    """Though two sources meet it."""
    (place.listings / "a.jsonl").symlink_to("nowhere")
    place.configure(subscriber(), extra='[[sources]]\nname = "team"\npath = "listings/*.jsonl"\n')
    with place.opened() as app:
        [file] = app.pipeline.load().files
    assert file.fault.startswith("a link to a file that does not exist")


def test_a_source_that_gives_nothing_any_more_is_told(place: Workplace, site: Site) -> None:
    """In the run that finds it, and as something broken until entries come again."""
    site.on("/papers", says(200, PAPERS), says(200, b"<html><body>Log in</body></html>"), says(200, OTHERS))
    configured(place, site)
    assert place.run().loaded.drifted == ()
    report = place.run(NOON + HOUR)
    [words] = report.loaded.drifted
    assert words.startswith("arxiv: format drift? The newest file, loaded 2026-11-20 13:00 UTC, gave no entries; ")
    assert words in list(report.troubles())
    with place.opened() as app:
        assert app.look() == (words,)
    assert place.run(NOON + 2 * HOUR).loaded.drifted == ()
    with place.opened() as app:
        assert app.look() == ()


def test_a_source_has_its_own_age(place: Workplace, site: Site) -> None:
    """After which it is stale, with the reason why nothing was fetched."""
    site.on("/papers", says(200, PAPERS), says(410))
    configured(place, site, "stale_days = 1")
    place.run()
    place.run(NOON + DAY)
    with place.opened() as app:
        assert app.look() == ()
    place.run(NOON + DAY + HOUR)
    with place.opened() as app:
        [words] = app.look()
    assert words.startswith("arxiv: stale: nothing new since 2026-11-20 12:00 UTC. It could not be fetched: 410 Gone; ")


def test_without_the_library_the_way_to_it_is_told(
    place: Workplace, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is done; without such sources it is not missed."""
    monkeypatch.setattr(verb, "find_spec", lambda name: None)
    configured(place, site)
    ended = place.invoke("run")
    assert ended.returncode == 2
    assert "source 'arxiv' has a url, which needs httpx2: pip install \"email-digest[fetch]\"" in ended.stderr
    place.configure(subscriber())
    assert place.invoke("run").returncode == 0


KILLED = """
import os, signal, sys
from pathlib import Path
at = sys.argv.pop(1)
if at == "rename":
    Path.rename = lambda self, to: os.kill(os.getpid(), signal.SIGKILL)
else:
    from digest.store import fetches
    fetches.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from digest.cli import main
main()
"""


@pytest.mark.parametrize("at", ["rename", "save"])
def test_a_kill_leaves_nothing_half_loaded(place: Workplace, site: Site, at: str) -> None:
    """Neither before the file has its name nor before the database knows of it; the next run has the same entries."""
    site.on("/papers", keeps(PAPERS, ETag="1"))
    configured(place, site)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, at, "load"],
        env=place.environment(),
        cwd=place.folder,
        timeout=60,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not place.dump()["files"]
    assert place.run().loaded.new_entries == 1
    assert len(place.dump()["files"]) == 1
    assert place.run(NOON + HOUR).loaded.files == ()
    assert not list(place.folder.rglob("*.part"))


def test_a_packed_file_is_loaded(place: Workplace, site: Site) -> None:
    """Whether the server says that it is packed, or the file itself is."""
    site.on("/papers", says(200, gzip.compress(PAPERS), Content_Encoding="gzip"))
    site.on("/others", says(200, gzip.compress(OTHERS), Content_Type="application/gzip"))
    others = f'[[sources]]\nname = "others"\nurl = "{site.url}/others"\nallow_private = true'
    configured(place, site, others)
    assert place.run().loaded.new_entries == 2


def _entries(place: Workplace, column: str) -> list[tuple[object, ...]]:
    from digest.store.schema import entries

    with place.opened() as app, app.store.read() as connection:
        return [tuple(row) for row in connection.execute(entries.select().with_only_columns(entries.c[column]))]


def test_the_fetch_is_kept_and_replaced(store: Store) -> None:
    """On both databases, every value of it."""
    known = Fetch("arxiv", "https://example.org", "1", "2", "3", NOON, None, NOON + 5_000_000_000, 3, "404")
    for state in (known, replace(known, fetched_at=NOON, failures=0, words="")):
        with store.write() as connection:
            fetches.save(connection, state)
        with store.read() as connection:
            assert fetches.load(connection) == {"arxiv": state}
