"""How many pages a second one process serves, and how long each takes, under wrk (Debian's package wrk).

    python benchmarks/web.py [--seconds 5] [--connections 16] [--subscribers 10000] [--entries 10000]

One uvicorn process serves the pages of a SQLite database with so many subscribers and entries; wrk asks from the same
machine. The preview is posted with another keyword each time. `floor` is a Starlette application that answers "ok", and
so what the server itself costs.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from digest.app import App, opened
from digest.delivery.address import identity
from digest.model import Profile, Subscriber
from digest.store import subscribers
from digest.store.subscribers import Named
from digest.tokens import sign

PORT = 18480
SECRET = "a secret of the benchmark"
CONFIG = f"""
[listings]
paths = ["listings"]
settle_seconds = 0
[smtp]
tls = "none"
[sender]
address = "digest@example.org"
[web]
url = "http://127.0.0.1:{PORT}"
secrets = ["{SECRET}"]
trusted_proxies = ["127.0.0.1"]
"""
FLOOR = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def ok(request): return PlainTextResponse("ok")
app = Starlette(routes=[Route("/", ok)])
"""
WORDS = [
    first + second
    for first in ("gra", "ten", "opti", "cali", "quan", "spar", "re", "dif")
    for second in (
        "ph",
        "sor",
        "mize",
        "brate",
        "tize",
        "sity",
        "ward",
        "fusion",
        "model",
        "graph",
        "net",
        "form",
        "scale",
        "token",
    )
]
PREVIEW = """
local n = 0
function request()
  n = n + 1
  local headers = {["Content-Type"] = "application/x-www-form-urlencoded", ["HX-Request"] = "true",
    ["X-Forwarded-For"] = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))}
  local body = "keywords-0=reward+model%0Acalibr*%0A-survey%0Aquantize%0Agraph%0Akeyword" .. n .. math.random(1, 1e9)
  return wrk.format("POST", "/preview", headers, body)
end
"""
ONE_CLICK = """
wrk.method = "POST"
wrk.body = "List-Unsubscribe=One-Click"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
"""


def fill(app: App, people: int, entries: int) -> None:
    """Subscribers, entries and one edition for the first subscriber."""
    chance = random.Random(7)
    listing = app.config.folder / "listings"
    listing.mkdir()
    with (listing / "papers.jsonl").open("w", encoding="utf-8") as file:
        for number in range(entries):
            title = " ".join(chance.choices(WORDS, k=7)) + f" {number}"
            abstract = " ".join(chance.choices(WORDS, k=120))
            file.write(
                json.dumps({"title": title, "abstract": abstract, "url": f"https://example.org/{number}"}) + "\n"
            )
    profile = (Profile("Digest", ("reward model", "calibrate", "graph")),)
    wanted = [Subscriber(f"reader{number}@example.org", profile) for number in range(people)]
    with app.store.write() as connection:
        subscribers.put(connection, [Named(identity(one.email), one) for one in wanted], app.clock(), 7)
    app.pipeline.load()
    app.pipeline.plan()


@contextmanager
def served(folder: Path, target: str, *options: str) -> Iterator[None]:
    """A uvicorn process on PORT, once it answers."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        target,
        *options,
        f"--port={PORT}",
        "--log-level=error",
        "--no-access-log",
    ]
    process = subprocess.Popen(command, cwd=folder)
    try:
        for _ in range(300):
            try:
                urlopen(f"http://127.0.0.1:{PORT}/", timeout=10).read()
                break
            except URLError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def asked(folder: Path, path: str, connections: int, seconds: float, script: str = "") -> Mapping[str, str]:
    """What wrk says: requests a second, the median and the 99th percentile, and errors."""
    lua = folder / "wrk.lua"
    lua.write_text(script)
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds:g}s",
        "--latency",
        "-s",
        str(lua),
        f"http://127.0.0.1:{PORT}{path}",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {
        name: (re.search(pattern, said) or ["", "0"])[1]
        for name, pattern in {
            "rate": r"Requests/sec:\s+([\d.]+)",
            "median": r"\n\s+50%\s+(\S+)",
            "99 %": r"\n\s+99%\s+(\S+)",
            "errors": r"Non-2xx or 3xx responses: (\d+)",
        }.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--subscribers", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=10_000)
    arguments = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt install wrk")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "floor.py").write_text(FLOOR)
        (folder / "digest.toml").write_text(CONFIG)
        with opened(folder / "digest.toml") as app:
            fill(app, arguments.subscribers, arguments.entries)
        paths = {
            "first page": ("/", ""),
            "sample mail": ("/sample", ""),
            "preview, another keyword each time": ("/preview", PREVIEW),
            "preferences": (f"/preferences/{sign('manage', 1, [SECRET])}", ""),
            "unsubscribe, page": (f"/unsubscribe/{sign('unsubscribe', 2, [SECRET])}", ""),
            "unsubscribe, one click": (f"/unsubscribe/{sign('unsubscribe', 2, [SECRET])}", ONE_CLICK),
            "edition": (f"/editions/{sign('view', 1, [SECRET])}", ""),
            "edition, the mail": (f"/editions/{sign('view', 1, [SECRET])}/mail", ""),
            "Atom": (f"/feed/{sign('feed', 1, [SECRET])}", ""),
            "style.css": ("/static/style.css", ""),
        }
        print(f"{arguments.connections} connections, {arguments.seconds:g} s each")
        with served(folder, "floor:app"):
            _print("floor", asked(folder, "/", arguments.connections, arguments.seconds))
        with served(folder, "digest.asgi:application", "--factory"):
            urlopen(f"http://127.0.0.1:{PORT}/preview", b"keywords-0=graph", timeout=60).read()  # waits for the index
            for what, (path, script) in paths.items():
                if not script:
                    urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=60).read()  # what is made once
                _print(what, asked(folder, path, arguments.connections, arguments.seconds, script))


def _print(what: str, found: Mapping[str, str]) -> None:
    errors = f"  {found['errors']} refused" if found["errors"] != "0" else ""
    print(f"{what:36} {float(found['rate']):8,.0f}/s   median {found['median']:>9}   99 % {found['99 %']:>9}{errors}")


if __name__ == "__main__":
    main()
