"""The ASGI application: which page answers where, and what becomes of errors."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

import anyio.to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, compile_path
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from digest.web.desk import Asked, Desk, Form, Page, RefusedError
from digest.web.guard import TOO_MUCH, Guard, TooLargeError

_log = logging.getLogger("digest.web")
_THREADS = 10
"""As many pages are made at once: fewer than the connections that the database gives out."""
_FIELDS = 500
_WORDS = {
    400: ("That could not be read", "Something in it is damaged. Go back, and try again."),
    404: ("There is nothing here", "The address may be mistyped, or the link cut off. Open it again from the mail."),
    405: ("Not this way", "This address does something else. Start again from the first page."),
}
Helper = Callable[[], Awaitable[None]]
"""What runs beside the pages for as long as they are served."""


def application(desk: Desk, pages: Sequence[Page], helpers: Sequence[Helper] = ()) -> ASGIApp:
    """The pages, behind the guard."""
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # its warnings quote what any stranger posts
    routes = [Route(page.path, _endpoint(desk, page), methods=list(page.methods)) for page in pages]
    static = Mount("/static", _Kept(StaticFiles(packages=[("digest.web", "static")])))
    everything = [static, *routes]
    app = Starlette(
        routes=[Mount(desk.base, routes=everything)] if desk.base else everything,
        lifespan=_lifespan(helpers),
        exception_handlers={HTTPException: _on_http(desk)},
    )
    app.router.redirect_slashes = False  # Starlette decodes the query for it, which may be no text
    foreign = [compile_path(desk.base + page.path)[0] for page in pages if page.foreign]
    guarded = Guard(
        app,
        desk.web.url,
        desk.web.hsts_seconds,
        foreign=lambda path: any(pattern.match(path) for pattern in foreign),
        refuse=lambda status, title, words: _shown(desk, RefusedError(status, title, words)),
    )
    proxies = list(desk.web.trusted_proxies)
    return ProxyHeadersMiddleware(guarded, proxies) if proxies else guarded  # type: ignore[arg-type,return-value]  # the same protocol, under uvicorn's own names


def _endpoint(desk: Desk, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """A page as Starlette calls it. Whatever goes wrong becomes a page, too; no address gets into the log."""

    async def answer(request: Request) -> Response:
        try:
            asked = await _asked(desk, request, page)
            return await run_in_threadpool(_answered, page, asked)
        except RefusedError as refused:
            return _shown(desk, refused)
        except TooLargeError:
            return _shown(desk, RefusedError(413, *TOO_MUCH))
        except HTTPException:  # a form that cannot be read
            return _shown(desk, RefusedError(400, *_WORDS[400]))
        except Exception as error:  # noqa: BLE001 (the visitor gets a page; the log says where it was, without data)
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = type(error).__name__
            _log.error("%s %s: %s at %s:%s", request.method, page.path, kind, place.filename, place.lineno)
            words = "It is not your fault, and nothing was changed. Try again in a minute."
            return _shown(desk, RefusedError(500, "Something went wrong here", words))

    return answer


def _answered(page: Page, asked: Asked) -> Response:
    if asked.posted and not page.foreign:
        asked.spend(page.rate, asked.client)
    return page.handler(asked)


async def _asked(desk: Desk, request: Request, page: Page) -> Asked:
    """What is asked. What others send to a page for them is not even looked at: it need not be a form."""
    return Asked(
        desk,
        request.method,
        dict(request.path_params),
        dict(request.query_params),
        await _form(request) if request.method == "POST" and not page.foreign else {},
        request.cookies,
        _network(request.client.host if request.client else ""),
        part=request.headers.get("hx-request") == "true",
        headers=dict(request.headers),
    )


async def _form(request: Request) -> Form:
    """The fields of a form, urlencoded or multipart; files are left out."""
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=0, max_fields=_FIELDS) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
    return fields


def _network(address: str) -> str:
    """Where a request came from, for rates: an IPv4 address, or the /64 of an IPv6 one, all of which one person has."""
    return ":".join(address.split(":")[:4]) if ":" in address else address


def _on_http(desk: Desk) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def shown(_request: Request, error: Exception) -> Response:
        refused = cast(HTTPException, error)  # what it is registered for
        title, words = _WORDS.get(refused.status_code, _WORDS[400])
        return _shown(desk, RefusedError(refused.status_code, title, words, refused.headers))

    return shown


def _shown(desk: Desk, refused: RefusedError) -> Response:
    values = {"title": refused.title, "words": refused.words, "status": refused.status}
    return desk.pages.page("error.html", values, refused.status, refused.headers)


def _lifespan(helpers: Sequence[Helper]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        tasks = [asyncio.ensure_future(helper()) for helper in helpers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return running


class _Kept:
    """Static files, which browsers may keep: their addresses change when they do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"cache-control", b"public, max-age=31536000, immutable")]
            await send(message)

        await self._app(scope, receive, kept)
