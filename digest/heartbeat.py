"""Calls to a service that waits for them and raises the alarm when they stop, in the manner of healthchecks.io.

Rules
-----
1. POST to the URL after a good run, and to its path + /fail, with the report as body, after a failed one.
2. The URL is a secret: it is in no message. No mail address is in a body.
3. A call that fails is a word to log, never an error. Redirections are not followed.
4. The same is said at most once a minute; a change, from good to failed or back, at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

_SECONDS = 10
_PAUSE_SECONDS = 60
_BODY_BYTES = 10_000
_ADDRESS = re.compile(r"""("[^"\n]{1,64}"|[^\s<>"'(),;:\[\]@]{1,64})@\[?[^\s<>"'(),;:\[\]@]+\]?""")


def masked(text: str) -> str:
    """The text with every mail address in it replaced by a word."""
    return _ADDRESS.sub("(address)", text)


def ping(url: str, failure: str = "") -> str:
    """Tell of a good run, or of what failed; return why the call itself failed ("": it did not)."""
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            return "the heartbeat URL must begin with http:// or https://"
        with _opener().open(_request(url, failure), timeout=_SECONDS):
            return ""
    except HTTPError as error:
        with error:
            return f"the heartbeat service answered {error.code}"
    except URLError as error:
        return f"the heartbeat service cannot be reached: {_words(error.reason)}"
    except (OSError, HTTPException, ValueError) as error:
        return f"the heartbeat service cannot be reached: {_words(error)}"


class Heartbeat:
    """The calls of a program that runs for long (rule 4)."""

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url, self._monotonic = url, monotonic
        self._said: bool | None = None
        self._at = 0.0

    def tell(self, failure: str = "") -> str:
        """As `ping`, unless there is no URL, or the same was said just now."""
        now = self._monotonic()
        if not self._url or (bool(failure) is self._said and now - self._at < _PAUSE_SECONDS):
            return ""
        self._said, self._at = bool(failure), now
        return ping(self._url, failure)


def _request(url: str, failure: str) -> Request:
    target, body = (_failing(url), masked(failure).encode()[:_BODY_BYTES]) if failure else (url, b"")
    headers = {"User-Agent": "email-digest", "Content-Type": "text/plain; charset=utf-8"}
    return Request(target, body, headers, method="POST")  # noqa: S310 (the opener knows http and https only)


def _failing(url: str) -> str:
    """The URL for failures: /fail goes behind the path, not behind the query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))


def _opener() -> OpenerDirector:
    """Opens http and https only; the library's own also follows redirections and reads files."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
        opener.add_handler(handler)
    return opener


def _words(error: object) -> str:
    """What an error says, as far as it cannot hold the URL."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
