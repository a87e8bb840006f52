"""What holds for every request, whoever answers it.

Rules
-----
1. A page may load scripts, styles and pictures from here only, nothing inline, and stands in no other site's frame.
2. What changes something comes from our own pages: by Sec-Fetch-Site, else by Origin. Who sends neither is no browser,
   so nobody's cookies are in it. Pages marked as foreign (RFC 8058's one-click) take it from anybody.
3. A body has at most MOST_OCTETS, an answer at most LONGEST seconds.
4. Where the site is https, browsers may be told to stay with that (HSTS, RFC 6797).
5. Addresses of proxies are believed only where they are configured (uvicorn's middleware, in `application.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_OCTETS = 256 * 1024
LONGEST = 30.0
TOO_MUCH = "That is too much", "Send less, and try again."
"""The title and words of an error page."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # links hold tokens; `no-referrer` would make our own Origin "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}

Refuse = Callable[[int, str, str], Response]
"""Makes the page of an error: its status, title and words."""


class TooLargeError(Exception):
    """A body has more than MOST_OCTETS; whoever reads it gets to know."""


@dataclass(frozen=True)
class Guard:
    """An ASGI application around another. `foreign` tells whether a path takes posts from other sites."""

    app: ASGIApp
    url: str
    hsts_seconds: int
    foreign: Callable[[str], bool]
    refuse: Refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answering = _Answering(send, self._headers())
        refused = self._refused(scope)
        try:
            if refused:
                await refused(scope, receive, answering.send)
            else:
                async with asyncio.timeout(LONGEST):
                    await self.app(scope, _limited(receive), answering.send)
        except TimeoutError:
            if not answering.begun:
                words = "The answer took too long. Nothing is lost; try again in a minute."
                await self.refuse(503, "Not now", words)(scope, receive, answering.send)

    def _headers(self) -> dict[str, str]:
        secure = self.hsts_seconds and self.url.startswith("https:")
        return _HEADERS | ({"Strict-Transport-Security": f"max-age={self.hsts_seconds}"} if secure else {})

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MOST_OCTETS:
            return self.refuse(413, *TOO_MUCH)
        if scope["method"] in _SAFE or self.foreign(scope["path"]) or _is_ours(headers, self.url):
            return None
        words = "This came from another site, and nothing was changed. Open the page itself, and do it there."
        return self.refuse(403, "Not from there", words)


def _is_ours(headers: Mapping[str, str], url: str) -> bool:
    """Whether a request that changes something comes from our own page, or from no browser (rule 2)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    parts = urlsplit(url)
    return origin is None or origin == f"{parts.scheme}://{parts.netloc}"


class _Answering:
    """Adds our headers to an answer, where the page has not set them itself."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send, self._headers, self.begun = send, headers, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def _limited(receive: Receive) -> Receive:
    """The same body, up to MOST_OCTETS, whatever its header says."""
    read = 0

    async def received() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_OCTETS:
            raise TooLargeError
        return message

    return received
