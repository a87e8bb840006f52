"""The web pages as the daemon serves them: those of the configuration taken up last. Nobody is dropped in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.lifespan.on import LifespanOn

from digest.errors import UsageError

_PATIENCE = 35
"""Seconds for what was asked of pages that end; an answer may take 30."""


class Pages:
    """An ASGI application that hands every request on."""

    def __init__(self) -> None:
        self._now: ASGIApp = PlainTextResponse("not yet", 503)

    def take_up(self, app: ASGIApp) -> None:
        """Hand on to this one from now on."""
        self._now = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered."""
        await self._now(scope, receive, send)


@asynccontextmanager
async def living(app: ASGIApp) -> AsyncIterator[ASGIApp]:
    """The application from the beginning of its lifespan to the end, which waits for what was asked of it.

    Raises UsageError if it cannot begin.
    """
    lifespan = LifespanOn(uvicorn.Config(app, lifespan="on", log_config=None, proxy_headers=False))
    await lifespan.startup()
    if lifespan.should_exit:
        raise UsageError("the web pages cannot begin; the log says why")
    busy = _Busy(app)
    try:
        yield busy
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(busy.idle.wait(), _PATIENCE)
        await lifespan.shutdown()


class _Busy:
    """An application that knows whether it is `idle`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._asked = app, 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._asked += 1
        self.idle.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._asked -= 1
            if not self._asked:
                self.idle.set()
