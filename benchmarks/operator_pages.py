"""What the operator's pages take on SQLite with a million subscribers, five million editions and 20,000 runs.

    python benchmarks/operator_pages.py [--subscribers 1000000] [--editions 5000000] [--folder FOLDER]

The database is made by bulk SQL, in a folder of its own unless one is named; a database that is there already is used
as it is. Every page is asked for as a browser would, in this process, and shown with the medians in ms of its time and
of the processor's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, time

from sqlalchemy import Connection, insert, text
from starlette.testclient import TestClient

from digest.app import opened
from digest.store import browse
from digest.store.schema import runs
from digest.store.store import Store

URL, TOKEN = "https://digest.example.net", "an operator's token to measure with"
CONFIG = f"""
[store]
url = "sqlite:///digest.db"
[listings]
paths = ["listings"]
[sender]
address = "digest@example.org"
[web]
url = "{URL}"
secrets = ["a secret to measure with"]
operator_token = "{TOKEN}"
"""
ROUNDS = 9
_RUNS = 20_000
_PROFILES = json.dumps(
    [{"name": "Papers", "keywords": ["reward model", '"graph transformer"'], "match": "near", "capitals": True}]
)
_SUBSCRIBERS = {
    "identity": "printf('reader%07d@example.org', (i * 7919) % :count)",
    "email": "printf('Reader%07d@example.org', (i * 7919) % :count)",
    "name": "'Reader'",
    "zone": "'Europe/Berlin'",
    "send_at": "'07:30'",
    "days": "'daily'",
    "min_matches": "1",
    "max_entries": "20",
    "skip": "'[]'",
    "active": "i % 20 <> 0",
    "configured": "0",
    "profiles": ":profiles",
    "watermark": "1000",
    "due_at": "CASE WHEN i % 20 = 0 THEN NULL ELSE :now + (i % 1440) * 60 END",
    "suppressed": "CASE WHEN i % 20 = 0 THEN 'left' ELSE '' END",
    "own": "0",
    "created_at": ":now - (:count - i) * 90",
}
_EDITIONS = {
    "subscriber": "1 + (i - 1) % :people",
    "slot": "date('2026-11-20', '-' || (:most - (i - 1) / :people) || ' days')",
    "since": "'2026-11-19'",
    "due_at": ":now",
    "state": "CASE WHEN i % 10000 = 0 THEN 'unknown' WHEN i % 500 = 0 THEN 'failed' WHEN i % 499 = 0 THEN 'deferred' "
    "WHEN i > :count - 30000 THEN 'planned' WHEN i % 4 = 0 THEN 'empty' ELSE 'sent' END",
    "reason": "CASE WHEN i % 500 = 0 THEN '550 5.1.1 there is nobody of that name here' ELSE '' END",
    "code": "0",
    "attempts": "1",
    "planned_at": ":now",
    "next_at": ":now",
    "changed_at": ":now",
    "after": "900",
    "upto": "1000",
    "considered": "100",
    "matched": "i % 4",
    "run": "1",
    "doubtful": "0",
    "room": "0",
}
_OTHERS: dict[str, tuple[int, dict[str, str]]] = {
    "suppressions": (
        50_000,
        {"key": "printf('%064x', i)", "kind": "CASE i % 3 WHEN 0 THEN 'left' ELSE 'bounce' END", "reason": "''"}
        | {"at": ":now - i"},
    ),
    "letters": (
        100_000,
        {"kind": "'sign-in'", "email": "'reader' || i || '@example.org'", "whose": "i", "reason": "''", "code": "0"}
        | {"state": "CASE WHEN i % 1000 = 0 THEN 'failed' WHEN i > 99800 THEN 'planned' ELSE 'sent' END"}
        | {"attempts": "1", "written_at": ":now", "next_at": ":now + 86400"},
    ),
    "signups": (
        20_000,
        {"identity": "'new' || i", "email": "'new' || i", "wishes": "'{}'", "asked_at": ":now - i"},
    ),
    "files": (
        5_000,
        {"digest": "i", "path": "'/srv/listings/' || i || '.jsonl'", "size": "9", "mtime_ns": "i", "loaded_at": ":now"}
        | {"format": "'json'", "curator": "''", "entries": "100", "new": "10", "warnings": "'[]'"},
    ),
}
_REPORT = {
    **dict.fromkeys(("loaded", "planned", "deferred", "failed", "unknown", "empty", "suppressed", "left"), 3),
    "sent": 700,
    "relay_error": "",
    "refused": False,
    "seconds": 0.1,
    "reason": "nobody is due at this minute",
}


def fill(store: Store, people: int, editions: int) -> None:
    """Make everything that the pages show."""
    now = int(time())
    with store.write() as connection:
        _many(connection, "subscribers", people, _SUBSCRIBERS, now=now, profiles=_PROFILES)
        _many(connection, "editions", editions, _EDITIONS, now=now, people=people, most=(editions - 1) // people)
        for table, (count, columns) in _OTHERS.items():
            _many(connection, table, count, columns, now=now)
        ran = [{"started_at": now - 60 * ago, "progress_at": now, "finished_at": now} for ago in range(_RUNS, 0, -1)]
        connection.execute(insert(runs), [one | {"report": _REPORT} for one in ran])


def _many(connection: Connection, table: str, count: int, columns: dict[str, str], **values: int | str) -> None:
    """So many rows; each column is an expression of i, which counts from 1."""
    names = ", ".join(f'"{name}"' for name in columns)
    numbered = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    rows = f"INSERT INTO {table} ({names}) {numbered} SELECT {', '.join(columns.values())} FROM n"
    connection.execute(text(rows), {"count": count, **values})


def paths(people: int, editions: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Every page, and pages deep in its lists; with what is posted to it."""
    middle = people // 2
    for path in ("", "/subscribers", f"/subscribers?before={middle}", f"/subscribers/{middle}", "/sources"):
        yield path, {}
    for state in browse.LISTED:
        yield f"/editions?state={state}", {}
        yield f"/editions?state={state}&before={editions // 2}", {}
    for path in ("/sources?before=2500", "/runs", "/runs?before=5000", "/letters", "/letters?state=failed"):
        yield path, {}
    for typed in ("reader", "reader0500", f"reader{people // 3:07}@example.org", "zoe"):
        yield "/subscribers", {"q": typed}


def measure(client: TestClient, path: str, posted: dict[str, str]) -> tuple[list[float], list[float]]:
    """The times of a page, and those of the processor, in ms."""
    times, busy = [], []
    for _ in range(ROUNDS):
        begin, working = perf_counter(), process_time()
        url = f"/operator{path}"
        answer = client.post(url, data=posted) if posted else client.get(url)
        times.append((perf_counter() - begin) * 1_000)
        busy.append((process_time() - working) * 1_000)
        assert answer.status_code == 200, (path, answer.status_code)
    return times, busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--editions", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        (folder / "digest.toml").write_text(CONFIG, encoding="utf-8")
        is_new = not (folder / "digest.db").exists()
        app = stack.enter_context(opened(folder / "digest.toml"))
        if is_new:
            fill(app.store, asked.subscribers, asked.editions)
        client = stack.enter_context(TestClient(app.web(), base_url=URL))
        client.post("/operator/sign-in", data={"token": TOKEN})
        for path, posted in paths(asked.subscribers, asked.editions):
            times, busy = measure(client, path, posted)
            name = f"/operator{path}{f' {posted}' if posted else ''}"
            print(f"{median(times):6.1f} ms, processor {median(busy):6.1f}, first {times[0]:6.1f}  {name}", flush=True)


if __name__ == "__main__":
    main()
