"""One GET, with its redirects. The only place that speaks HTTP to the outside as a client.

Rules
-----
1. http and https only; certificates are verified, against the system's authorities.
2. A name is looked up once, and one of the addresses found, each judged by `address`, is connected to: there is no
   second look-up that could give another. Proxies of the environment are not used, for they would look up again.
3. At most 5 redirects, each judged anew. A source's own headers, where tokens stand, go only to its own scheme, host
   and port. No cookies are kept.
4. Errors name the host, never what stands behind it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx2

from digest import __version__
from digest.errors import FetchError
from digest.fetching import wire
from digest.fetching.address import barred

AGENT = f"email-digest/{__version__}"
_REDIRECTS = 5
_REDIRECTED = frozenset((301, 302, 303, 307, 308))
_SECONDS = {"connect": 10.0, "read": 20.0, "write": 10.0, "pool": 10.0}
_ADDRESSES = 4
"""Addresses of one host that are tried."""
_TO_DO = {
    401: "give it a login or token in headers of its [[sources]]",
    403: "see whether it wants a token in headers, and whether its terms let programs read it",
    404: "correct url in its [[sources]]",
    410: "it is gone for good; remove its [[sources]], or correct url",
    429: "it wants to be asked less often; raise every_minutes",
}

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. `etag` and `modified` are what the server said of the copy that we have ("": nothing)."""

    url: str
    max_bytes: int
    allow_private: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `content` is None when the copy that we have is the newest; `kind` is its Content-Type."""

    content: bytes | None
    kind: str = ""
    etag: str = ""
    modified: str = ""


async def addresses(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a host, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


async def get(wanted: Wanted, lookup: Lookup = addresses) -> Answer:
    """Fetch a file. Raises FetchError."""
    try:
        url, own = httpx2.URL(wanted.url), wanted.headers
        for _ in range(_REDIRECTS + 1):
            async with _response(url, _headers(wanted, own), wanted.allow_private, lookup) as response:
                if response.status_code not in _REDIRECTED:
                    return await _answer(response, wanted)
                target = _target(url, response)
            own = own if _origin(target) == _origin(url) else {}
            url = target
    except (httpx2.InvalidURL, UnicodeError):
        raise FetchError("it leads to an address that cannot be read") from None
    raise FetchError(f"it was redirected more than {_REDIRECTS} times; correct url in its [[sources]]")


def _headers(wanted: Wanted, own: Mapping[str, str]) -> httpx2.Headers:
    headers = httpx2.Headers({"User-Agent": AGENT, "Accept": "*/*"})
    headers.update(own)
    headers.update({"Accept-Encoding": "gzip", "Connection": "close"})
    conditions = {"If-None-Match": wanted.etag, "If-Modified-Since": wanted.modified}
    headers.update({name: value for name, value in conditions.items() if value})
    return headers


def _target(url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
    """Where a redirect leads (RFC 9110 10.2.2)."""
    location = response.headers.get("Location", "")
    target = url.join(location)
    if not location or target.scheme not in ("http", "https") or not target.host:
        raise FetchError(f"it is redirected to no web address ({response.status_code}); correct url in its [[sources]]")
    return target


def _origin(url: httpx2.URL) -> tuple[str, bytes]:
    """Scheme, host and port (RFC 9110 4.3.1)."""
    return url.scheme, url.netloc


@asynccontextmanager
async def _response(
    url: httpx2.URL, headers: httpx2.Headers, allow_private: bool, lookup: Lookup
) -> AsyncIterator[httpx2.Response]:
    """The answer to one request, its body still to come, from the first address that lets us connect."""
    found = await _allowed(url, allow_private, lookup)
    failure: httpx2.TransportError | None = None
    for address in found[:_ADDRESSES]:
        # A transport of its own: a connection to the same address may have been verified for another host.
        async with httpx2.AsyncHTTPTransport(verify=_tls(), trust_env=False) as transport:
            try:
                response = await transport.handle_async_request(_request(url, address, headers))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = failure or error
                continue
            except httpx2.TransportError as error:
                raise _failed(error, url.host) from None
            try:
                yield response
            except httpx2.TransportError as error:
                raise _failed(error, url.host) from None
            finally:
                await response.aclose()
            return
    if failure:
        raise _failed(failure, url.host)


def _request(url: httpx2.URL, address: str, headers: httpx2.Headers) -> httpx2.Request:
    """A request to an address that was looked up, in the name of its host."""
    extensions = {"timeout": _SECONDS, "sni_hostname": url.raw_host.decode()}
    named = httpx2.Headers({"Host": url.netloc.decode()})
    named.update(headers)
    return httpx2.Request("GET", url.copy_with(host=address), headers=named, extensions=extensions)


async def _allowed(url: httpx2.URL, allow_private: bool, lookup: Lookup) -> list[str]:
    """The addresses of a host that may be connected to. Raises FetchError if there are none."""
    try:
        found = await lookup(url.raw_host.decode(), url.port or (443 if url.scheme == "https" else 80))
    except OSError as error:
        words = f"{url.host} was not found: {error.strerror or error}; see whether url and the DNS are right"
        raise FetchError(words, passing=True) from None
    faults = [barred(address, allow_private=allow_private) for address in found]
    if found and all(faults):
        raise FetchError(f"{url.host} may not be fetched from: {faults[0]}")
    return [address for address, fault in zip(found, faults, strict=True) if not fault]


async def _answer(response: httpx2.Response, wanted: Wanted) -> Answer:
    status, headers = response.status_code, response.headers
    if status == 304 and (wanted.etag or wanted.modified):
        return Answer(
            None, etag=headers.get("ETag", wanted.etag), modified=headers.get("Last-Modified", wanted.modified)
        )
    if status != 200:
        raise _refused(status, headers.get("Retry-After", ""))
    if (size := headers.get("Content-Length", "")).isdecimal() and int(size[:18]) > wanted.max_bytes:
        raise wire.too_large(wanted.max_bytes)
    coding = headers.get("Content-Encoding", "").strip().lower()
    content = await wire.body(response.aiter_raw(), coding, wanted.max_bytes)
    if not content:
        raise FetchError("the answer is empty", passing=True)
    return Answer(content, headers.get("Content-Type", ""), headers.get("ETag", ""), headers.get("Last-Modified", ""))


def _refused(status: int, retry_after: str) -> FetchError:
    """What to say of an answer that is not the file."""
    name = httpx2.codes.get_reason_phrase(status)
    passing = status >= 500 or status in (408, 425)
    to_do = _TO_DO.get(status) or ("" if passing else "see what a browser shows at its url")
    words = "; ".join(filter(None, (f"{status} {name}".strip(), to_do)))
    return FetchError(words, passing=passing, retry_after=retry_after, lasting=not passing and status != 429)


def _failed(error: httpx2.TransportError, host: str) -> FetchError:
    """What to say of a connection that did not work."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FetchError(f"the certificate of {host} is not to be trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return FetchError(f"no secure connection to {host}: {cause.reason or cause}", passing=True)
    match error:
        case httpx2.ConnectTimeout():
            words = f"{host} lets nobody connect, in {_SECONDS['connect']:g} seconds"
        case httpx2.ReadTimeout() | httpx2.WriteTimeout():
            words = f"{host} was silent for {_SECONDS['read']:g} seconds"
        case httpx2.ConnectError():
            words = f"{host} cannot be reached; see whether it is up, and whether this machine is online"
        case _:
            words = f"the connection to {host} broke before the end, or its answer is no HTTP"
    return FetchError(words, passing=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it."""
    cause: BaseException | None = error
    while cause:
        yield cause
        cause = cause.__cause__ or cause.__context__


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
