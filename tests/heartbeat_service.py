"""A heartbeat service on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Service:
    """What a heartbeat service was told, and what it answers."""

    url: str = ""
    answer: int = 200
    told: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Service]:
    """One that runs while its `with` block does."""
    kept = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kept.told.append((self.command, self.path, body))
            self.send_response(kept.answer)
            if kept.answer == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 (the library's name)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_port}/secret-id"
        yield kept
        server.shutdown()
        thread.join()
