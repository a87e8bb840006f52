"""The pages on any ASGI server: `digest.asgi:application`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from visits import URL, WEB, until
from workplace import Mails, Workplace, body_of, paper

from digest.asgi import application
from digest.store.store import Store

WISHES = {"email": "dina@example.org", "keywords-0": "reward model", "zone": "UTC", "send_at": "00:00", "days": "daily"}


@pytest.fixture
def site(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A folder with pages to serve, which DIGEST_CONFIG names."""
    place.configure(extra=WEB)
    place.listing("a.jsonl", [paper("Reward models")])
    monkeypatch.setenv("DIGEST_CONFIG", str(place.config))
    return place


def test_it_serves_pages_and_sends_their_letters(site: Workplace, mails: Mails) -> None:
    """What `digest run` does is left to it: it sends the digest of who has confirmed."""
    with TestClient(application(), base_url=URL, follow_redirects=False) as client:
        assert client.post("/subscribe", data=WISHES).status_code == 303
        until(lambda: bool(mails.to("dina@example.org")))
        link = re.search(r"/confirm/[\w.-]+", body_of(mails.parsed("dina@example.org")[0], "plain"))
        assert link
        assert client.post(link[0]).status_code == 200
    assert site.command("run").returncode == 0
    assert len(mails.to("dina@example.org")) == 2


@pytest.mark.usefixtures("site")
def test_it_gives_the_database_back_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not while it serves."""
    closed: list[Store] = []
    monkeypatch.setattr(Store, "close", lambda self: closed.append(self))  # noqa: PLW0108 (it is to be a method)
    with TestClient(application(), base_url=URL) as client:
        assert client.get("/").status_code == 200
        assert not closed
    assert len(closed) == 1


def test_it_reads_digest_toml_where_nothing_else_is_named(
    site: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the command does."""
    monkeypatch.delenv("DIGEST_CONFIG")
    monkeypatch.chdir(site.folder)
    with TestClient(application(), base_url=URL) as client:
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("", "web.url: the web pages need their public address"),
        ("[web]\nurl = 1\n", "digest.toml:"),
        (None, "digest init"),
    ],
)
def test_a_configuration_that_cannot_be_used_ends_it(
    site: Workplace, capsys: pytest.CaptureFixture[str], extra: str | None, words: str
) -> None:
    """With exit code 2, and the reason as the command gives it."""
    if extra is None:
        site.config.unlink()
    else:
        site.configure(extra=extra)
    with pytest.raises(SystemExit) as ended:
        application()
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("digest: ")
    assert words in message


@pytest.mark.slow
def test_uvicorn_serves_it_in_several_processes(site: Workplace, mails: Mails) -> None:
    """A letter is sent once, whoever took the form; SIGTERM ends all."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "digest.asgi:application", "--port", "0", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--no-proxy-headers"], env=site.environment(), stderr=subprocess.PIPE, text=True, cwd=site.folder
    )
    try:
        assert process.stderr
        port = next(int(found[1]) for line in process.stderr if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        until(lambda: bool(answered(port, "")), 60)
        for number in range(6):
            assert answered(port, f"reader{number}@example.org") == 303
        until(lambda: len(mails.kept) == 6, 60)
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert "Traceback" not in rest
    assert len({email for email, _ in mails.kept}) == 6


def answered(port: int, email: str) -> int:
    """The status of the answer to a newcomer's form (0: nobody listens yet)."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        form, kind = urlencode(WISHES | {"email": email}), {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", "/subscribe", form, kind)
        except ConnectionError:
            return 0
        return connection.getresponse().status
