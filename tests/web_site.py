"""A web server on loopback that says what a test wants, whatever a server should not say included."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

Reply = Callable[["Visit"], None]


class Visit(BaseHTTPRequestHandler):
    """One request and its answer."""

    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer as the site says, and hang up."""
        self.close_connection = True
        self.site.asked.append((self.path, self.headers))
        replies = self.site.replies[self.path.partition("?")[0]]
        with suppress(ConnectionError, ssl.SSLError):  # the other side may have had enough
            (replies.pop(0) if len(replies) > 1 else replies[0])(self)

    def say(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer."""
        self.begin(status, {"Content-Length": str(len(body))} | dict(headers or {}))
        self.wfile.write(body)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Its head."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def says(status: int, body: bytes = b"", /, **headers: str) -> Reply:
    """A reply: `Retry_After="5"` is the header Retry-After."""
    return lambda visit: visit.say(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def keeps(body: bytes, **headers: str) -> Reply:
    """A reply of a server that knows what the other side has."""

    def reply(visit: Visit) -> None:
        same = {
            "If-None-Match": headers.get("ETag"),
            "If-Modified-Since": headers.get("Last_Modified"),
        }
        known = any(value and visit.headers[name] == value for name, value in same.items())
        says(304 if known else 200, b"" if known else body, **headers)(visit)

    return reply


@dataclass
class Site:
    """What it answers by path, and what it was asked. `over` is set at its end, so that no answer need outlive it."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[tuple[str, Message]] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def on(self, path: str, *replies: Reply) -> str:
        """From now on answer so at a path, one after the other, the last for ever; return its URL."""
        self.replies[path] = list(replies)
        return self.url + path

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.asked]


@contextmanager
def serving(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Site]:
    """One that runs while its `with` block does."""
    site = Site()
    handler = type("ItsVisit", (Visit,), {"site": site})

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *arguments: object) -> None:
            """A handshake that was broken off is what some tests want."""

    with Server((host, 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        site.url = f"http{'s' if context else ''}://{host}:{server.server_port}"
        try:
            yield site
        finally:
            site.over.set()
            server.shutdown()
            thread.join()
