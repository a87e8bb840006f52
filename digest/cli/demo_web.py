"""`digest demo --web`: pages, pipeline and inbox in one process, for this machine only."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import socket
import threading
import tomllib
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from digest.app import App, opened, system_clock
from digest.cli.options import say
from digest.config import load
from digest.delivery.inbox import Inbox, Receive
from digest.errors import UsageError

_HOST = "127.0.0.1"
_OWN_URL = re.compile(rf'^url = "(http://{re.escape(_HOST)}:(\d+))"$', re.MULTILINE)
_TABLE = """
# Made for this demo by `digest demo --web`: what its links are signed with, and what opens its operator's pages.
[web]
url = "http://{host}:{port}"
secrets = ["{secret}"]
operator_token = "{token}"
"""


def serve(config: Path, mails: Path, receive: Receive, port: int, *, show: bool) -> None:
    """Serve the demo until Ctrl-C; mails go to `receive`, which writes them into the folder `mails`."""
    try:
        from digest.schedule.daemon import Daemon  # noqa: PLC0415 (the library of an extra)
    except ModuleNotFoundError as error:
        raise UsageError(f'digest demo --web needs {error.name}: pip install "email-digest[serve,web]"') from None
    _probe(port)
    _add_secrets(config, port)
    earlier = _move(config, port)
    token = load(config).web.operator_token.get_secret_value()
    with Inbox(receive) as inbox:
        daemon = Daemon(
            lambda: _opened(config, mails, port, inbox.port),
            system_clock,
            os.environ,
            web=True,
            started=lambda: _tell(f"http://{_HOST}:{port}", token, earlier, show=show),
        )
        asyncio.run(daemon.serve())


def _probe(port: int) -> None:
    """See that the port is free, before anything is written. Raises UsageError in the words of the command line."""
    try:
        socket.create_server((_HOST, port)).close()
    except OSError as error:
        taken = "another program does, perhaps another demo; stop it, or name another"
        why = taken if error.errno == errno.EADDRINUSE else f"{error.strerror or error}; name another"
        raise UsageError(f"--port {port}: cannot listen on {_HOST}: {why}") from None


def _add_secrets(config: Path, port: int) -> None:
    """Give a new demo secrets of its own; they stay, so that links in its mails survive a restart."""
    if "web" in tomllib.loads(config.read_text(encoding="utf-8")):
        return
    made = {"secret": secrets.token_urlsafe(32), "token": secrets.token_urlsafe(16)}
    with config.open("a", encoding="utf-8") as file:
        file.write(_TABLE.format(host=_HOST, port=port, **made))


def _move(config: Path, port: int) -> str:
    """Bring the address in a demo's configuration up to date; return the earlier one ("": it is the same)."""
    text = config.read_text(encoding="utf-8")
    found = _OWN_URL.search(text)
    if not found or found[2] == str(port):
        return ""
    config.write_text(f"{text[: found.start(2)]}{port}{text[found.end(2) :]}", encoding="utf-8")
    return found[1]


@contextmanager
def _opened(config: Path, mails: Path, port: int, smtp_port: int) -> Iterator[App]:
    """The program as its configuration says, but for where it listens, and where mail goes."""
    with opened(config) as app:
        settings = app.config
        sections = {
            "smtp": settings.smtp.model_copy(update={"port": smtp_port}),
            "serve": settings.serve.model_copy(update={"port": 0, "logs": "pretty", "level": "warning"}),
            "web": settings.web.model_copy(update={"url": f"http://{_HOST}:{port}", "host": _HOST, "port": port}),
        }
        yield replace(app, config=settings.model_copy(update=sections), inbox=mails)


def _tell(site: str, token: str, earlier: str, *, show: bool) -> None:
    """Where to look."""
    say("Everything runs on this machine, and no mail leaves it. Ctrl-C ends it.\n")
    say(f"  First page  {site}/")
    say(f"  Inbox       {site}/inbox")
    if token:
        say(f"  Operator    {site}/operator  (token: {token})")
    if earlier:
        say(f"\nLinks in the mails sent so far lead to {earlier}, where the pages were; write {site} instead.")
    say("\nSubscribe with any address: its mails come to the inbox.")
    if show:
        # Some browsers keep whoever opens them waiting.
        threading.Thread(target=webbrowser.open, args=[f"{site}/"], daemon=True).start()
