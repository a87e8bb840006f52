"""The daemon's endpoint: /health, /ready and /metrics, for the machine's own eyes.

Rules
-----
1. /health: 200 while the daemon lives, else 503 with the reason; a restart would help.
2. /ready: 503 until the first run has ended, while stopping, and when the database does not answer.
3. /metrics: Prometheus' text format. Nothing else is there. Nothing is cached.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from digest.errors import UsageError
from digest.schedule.health import Health
from digest.schedule.metrics import Metrics

Database = Callable[[], Awaitable[str]]
"""Tells why the database does not answer ("": it does)."""


def application(health: Health, metrics: Metrics, database: Database) -> Starlette:
    """The three pages."""

    async def alive(_request: Request) -> Response:
        return _state(health.stalled())

    async def ready(_request: Request) -> Response:
        return _state(health.unready() or await database())

    async def figures(_request: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/health", alive), Route("/ready", ready), Route("/metrics", figures)])


def _state(reason: str) -> JSONResponse:
    if reason:
        return JSONResponse({"status": "unavailable", "reasons": [reason]}, 503)
    return JSONResponse({"status": "ok"})


def bound(host: str, port: int, section: str = "serve") -> socket.socket:
    """A socket that listens. Raises UsageError, which names the settings by their `section`, if there can be none."""
    none = " (0: none)" if section == "serve" else ""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        where = f"{section}.port {port}: cannot listen on {host}"
        if error.errno == errno.EADDRINUSE:
            advice = f"another program does, perhaps another `digest serve`; stop it, or set another port{none}"
            raise UsageError(f"{where}: {advice}") from None
        settings = f"{section}.host and {section}.port{none}"
        raise UsageError(f"{where}: {error.strerror or error}; correct {settings}") from None


class Manner(NamedTuple):
    """How to serve: headers of every answer, connections at most (None: no limit), how long they have at the end."""

    headers: tuple[tuple[str, str], ...] = ()
    connections: int | None = None
    farewell_seconds: int = 2


OWN = Manner((("Cache-Control", "no-store"),))
PUBLIC = Manner(connections=400, farewell_seconds=10)
"""For strangers: fewer connections than a process may have files, and time to end what they have begun."""


class Endpoint:
    """An application, served on a listening socket by the running event loop. Its lifespan (ASGI) is not run."""

    def __init__(self, app: ASGIApp, listener: socket.socket, manner: Manner = OWN) -> None:
        config = uvicorn.Config(
            app,
            http="h11",  # which takes 64 KiB of headers, not any number
            ws="none",
            log_config=None,
            log_level="error",  # below that are lines that any stranger can cause in any number
            access_log=False,
            lifespan="off",
            proxy_headers=False,  # the application knows whom to believe
            server_header=False,
            headers=list(manner.headers),
            limit_concurrency=manner.connections,
            timeout_graceful_shutdown=manner.farewell_seconds,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([listener]))

    async def close(self) -> None:
        """Answer what was asked, and listen no more."""
        self._server.should_exit = True
        await self._serving


class _Server(uvicorn.Server):
    """Leaves signals to the daemon."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
