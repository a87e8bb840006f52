"""`digest demo --web`: pages, pipeline and inbox in one process, tried as its user would."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from workplace import DIGEST, Workplace

pytestmark = pytest.mark.slow
PATIENCE = 60
NEWCOMER = {"email": "dina@lab.science", "keywords-0": "reward model", "zone": "UTC", "send_at": "00:00"}


class Demo:
    """A demo in a process of its own."""

    def __init__(self, place: Workplace, port: int, *more: str) -> None:
        self.port, self.said = port, ""
        command = [*DIGEST, "demo", "try", "--web", "--port", str(port), *more]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=place.environment() | {"BROWSER": "echo opened %s"},
            cwd=place.folder,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """A page: its status and text."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("GET" if form is None else "POST", path, urlencode(form or {}), kind)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def mails(self) -> list[str]:
        """The subjects in the inbox, the newest first."""
        return re.findall(r'href="/inbox/\d+">([^<]*)<', self.ask("/inbox")[1])

    def link(self, mail: int, path: str) -> str:
        """A link of ours in a mail."""
        found = re.search(rf"http://127\.0\.0\.1:{self.port}(/{path}/[\w./-]+)", self.ask(f"/inbox/{mail}")[1])
        assert found, path
        return found[1]

    def stop(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and what it had to complain of."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stderr
        return code, self.process.stderr.read()


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def start(place: Workplace) -> Iterator[Callable[..., Demo]]:
    """Starts demos; they are gone at the end."""
    started: list[Demo] = []

    def begin(port: int, *more: str) -> Demo:
        started.append(Demo(place, port, *more))
        until(lambda: "Subscribe with any address" in started[-1].said, "it does not begin")
        return started[-1]

    yield begin
    for demo in started:
        with suppress(ProcessLookupError):
            demo.process.kill()
        demo.process.wait()
        for stream in (demo.process.stdout, demo.process.stderr):
            if stream:
                stream.close()


def test_a_newcomer_subscribes_and_leaves(start: Callable[..., Demo]) -> None:
    """Form, letter, confirmation, digest within seconds, one click; then Ctrl-C ends it without a word."""
    demo = start(free_port())
    until(lambda: len(demo.mails()) == 3, "the digests of the configured")
    assert demo.ask("/subscribe", NEWCOMER | {"days": "daily"})[0] == 303
    until(lambda: len(demo.mails()) == 4, "a letter")
    assert demo.ask(demo.link(4, "confirm"), {})[0] == 200
    until(lambda: len(demo.mails()) == 5, "a digest")
    assert "reward model" in demo.mails()[0]
    assert demo.ask(demo.link(5, "unsubscribe"), {"List-Unsubscribe": "One-Click"})[0] == 200
    assert demo.stop() == (0, "")


def test_links_survive_a_restart(start: Callable[..., Demo], place: Workplace) -> None:
    """Its secrets are its own and stay in its folder, where `digest demo` goes on; another port is another address."""
    first = start(free_port(), "--open")
    until(lambda: len(first.mails()) == 3, "the first digests")
    until(lambda: f"opened http://127.0.0.1:{first.port}/\n" in first.said, "a browser")
    link = first.link(1, "unsubscribe")
    token = re.search(r"\(token: (\S{16,})\)", first.said)
    assert token
    assert first.stop() == (0, "")
    kept = (place.folder / "try" / "digest.toml").read_text(encoding="utf-8")
    assert kept.count("[web]") == 1
    again = start(free_port())
    assert token[0] in again.said
    assert again.ask(link)[0] == 200
    assert len(again.mails()) == 3
    assert again.stop() == (0, "")
    assert f"lead to http://127.0.0.1:{first.port}, where the pages were" in again.said
    assert "where the pages were" not in first.said
    moved = (place.folder / "try" / "digest.toml").read_text(encoding="utf-8")
    assert moved == kept.replace(f"127.0.0.1:{first.port}", f"127.0.0.1:{again.port}")
    assert "Nothing is sent twice" in place.command("demo", "try").stdout


def test_a_port_that_is_taken_is_a_clear_error(place: Workplace) -> None:
    """And nothing is said of pages that are not there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = place.command("demo", "try", "--web", "--port", str(port))
    assert ended.returncode == 2
    assert f"digest: --port {port}: cannot listen on 127.0.0.1: another program does" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "python_multipart", "prometheus_client"])
@pytest.mark.parametrize("command", [("demo", "try", "--web"), ("serve", "--web")])
def test_without_the_extras_it_says_what_to_install(place: Workplace, missing: str, command: tuple[str, ...]) -> None:
    """By their names, with exit code 2."""
    place.configure(extra='[web]\nurl = "http://127.0.0.1"\nsecrets = ["a secret for tests"]\n')
    program = f"import sys; sys.modules[{missing!r}] = None; from digest.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program, *command],
        capture_output=True,
        text=True,
        cwd=place.folder,
        env=place.environment() | {"PATH": os.environ["PATH"]},
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 2
    assert re.search(rf"needs? {missing}(\.\w+)*: pip install \"email-digest\[(serve|web|serve,web)\]\"", ended.stderr)
