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

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digest.errors import UsageError
from digest.schedule.health import Health
from digest.schedule.metrics import Metrics

Database = Callable[[], Awaitable[str]]
"""Tells why the database does not answer ("": it does)."""
_FAREWELL_SECONDS = 2


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


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UsageError if there can be none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        where = f"serve.port {port}: cannot listen on {host}"
        if error.errno == errno.EADDRINUSE:
            advice = "another program does, perhaps another `digest serve`; stop it, or set another port (0: none)"
            raise UsageError(f"{where}: {advice}") from None
        raise UsageError(f"{where}: {error.strerror or error}; correct serve.host and serve.port (0: none)") from None


class Endpoint:
    """The pages, served on a listening socket by the running event loop."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            headers=[("Cache-Control", "no-store")],
            timeout_graceful_shutdown=_FAREWELL_SECONDS,
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
