"""A fuzzer for every route: requests that no browser would send, made from true ones.

    python tests/web/fuzzing.py --minutes 5 [--seed 1]

It drives the ASGI application itself, so a path, a query, a header or a body may hold any bytes. Whatever is sent, the
answer is a page of ours, and never a 500.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp

sys.path.append(str(Path(__file__).resolve().parents[1]))
from visits import SECRETS, Visit, visiting
from workplace import ADA, Mails, Workplace, subscriber

from digest.delivery.inbox import Inbox
from digest.tokens import Passing, Purpose, sign, sign_passing
from digest.web.desk import Page
from digest.web.site import pages

NASTY = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "9" * 30,
        "1e309",
        "null",
        "NaN",
        "true",
        "\x00",
        "\r\n",
        "\r\nBcc: x@example.org",
        "\ud800",
    ),
    *(
        "<script>alert(1)</script>",
        "'; DROP TABLE subscribers; --",
        "{{7*7}}",
        "${7*7}",
        "%00",
        "../../etc/passwd",
        "\\",
    ),
    *(
        "a@b.c",
        "a@lab.science",
        "ö@exämple.org",
        "a@b@c",
        "x" * 5_000,
        "\u202eabc",
        "🦉" * 50,
        "=?utf-8?q?x?=",
        "２０２６",
    ),
    *("2026-02-30", "9999-12-31", "0001-01-01", "2026-12-01", "25:61", "07:30", "Mars/Olympus", "Europe/Berlin", "UTC"),
    *(
        "reward model",
        "-survey",
        '"',
        "(",
        "a AND",
        "/(a+)+$/",
        "/[/",
        "quantiz*",
        "*",
        "title:",
        "NOT x",
        "^2",
        "a^999",
    ),
    *(
        "near",
        "any",
        "yes",
        "save",
        "add",
        "remove-0",
        "daily",
        "first monday",
        "fifth friday",
        "List-Unsubscribe=One-Click",
    ),
)
FIELDS = (
    *(
        "email",
        "name",
        "zone",
        "send_at",
        "days",
        "min_matches",
        "max_entries",
        "paused_until",
        "updates",
        "action",
        "choice",
        "until",
    ),
    *(f"{name}-{number}" for name in ("profile", "keywords", "match", "capitals") for number in (0, 1, 9, 10)),
    *("token", "q", "page", "after", "state", "edition", "suggestion", "for", "List-Unsubscribe"),
)
HEADERS = (
    b"hx-request",
    b"cookie",
    b"origin",
    b"sec-fetch-site",
    b"content-type",
    b"if-none-match",
    b"host",
    b"accept",
)
TYPES = (
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=x",
    b"multipart/form-data",
    b"text/plain",
    b"a/b",
)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Request:
    """What is sent, in bytes."""

    method: str
    path: str
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


async def ask(app: ASGIApp, request: Request) -> Answer:
    """Send a request to an application, as a server would."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
    }
    scope |= {
        "scheme": "https",
        "path": request.path,
        "raw_path": request.path.encode(errors="replace"),
        "root_path": "",
    }
    scope |= {"query_string": request.query, "headers": request.headers, "server": ("digest.example.net", 443)}
    scope["client"] = (f"2001:db8:{random.randrange(65_536):x}:{random.randrange(65_536):x}::1", 1)  # a rate of its own
    bodies: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": request.body, "more_body": False}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(bodies, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, body)


class Fuzzer:
    """Makes requests to the pages of a site, each a little or very wrong."""

    def __init__(self, every: Sequence[Page], tokens: Sequence[str], seed: int) -> None:
        self._pages, self._tokens, self._random = every, tokens, random.Random(seed)

    def request(self) -> Request:
        """The next one."""
        page = self._random.choice(self._pages)
        method = self._random.choice([*page.methods] * 4 + ["HEAD", "PUT", "OPTIONS", "PATCH"])
        request = Request(method, self._path(page.path), self._query(), list(self._headers()))
        if method == "POST":
            request.headers += [(b"content-type", self._random.choice(TYPES))]
            request.body = self._body(request.headers[-1][1])
        return request

    def _path(self, pattern: str) -> str:
        parts = []
        for part in pattern.split("/"):
            if part.startswith("{"):
                good = self._random.choice(self._tokens) if "token" in part else str(self._random.randrange(4))
                part = good if self._random.random() < 0.8 else self._mangled(good)  # noqa: PLW2901
            parts.append(part)
        path = "/".join(parts)
        return (
            path
            if self._random.random() < 0.95
            else path + self._random.choice(["/", "//", "/../", "%", "\x00", "?", "é"])
        )

    def _mangled(self, good: str) -> str:
        place = self._random.randrange(len(good) + 1)
        return self._random.choice([good[:place], good + "x", good[:place] + "é" + good[place:], self._value(), "."])

    def _value(self) -> str:
        if self._random.random() < 0.7:
            return self._random.choice(NASTY)
        return "".join(
            chr(self._random.choice([self._random.randrange(128), self._random.randrange(0x3000)])) for _ in range(20)
        )

    def _fields(self) -> list[tuple[str, str]]:
        return [(self._random.choice(FIELDS), self._value()) for _ in range(self._random.randrange(12))]

    def _query(self) -> bytes:
        if self._random.random() < 0.5:
            return b""
        return urlencode(self._fields(), errors="replace").encode() if self._random.random() < 0.8 else self._noise(40)

    def _headers(self) -> Iterator[tuple[bytes, bytes]]:
        for name in self._random.sample(HEADERS, self._random.randrange(3)):
            values = [b"true", b"same-origin", b"cross-site", b"null", b"operator=1.2.x", self._noise(20)]
            yield name, self._random.choice(values)

    def _body(self, kind: bytes) -> bytes:
        if self._random.random() < 0.15:
            return self._noise(200)
        if b"boundary" in kind:
            parts = (
                f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in self._fields()
            )
            return ("".join(parts) + "--x--\r\n").encode(errors="replace")
        return "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in self._fields()).encode()

    def _noise(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randrange(most))


def site_of(visit: Visit) -> tuple[list[Page], list[str]]:
    """Every page, and a true token of every purpose."""
    now, one = visit.app.clock(), 1
    lasting = [sign(purpose, one, SECRETS) for purpose in get_args(Purpose)]
    passing = [sign_passing(purpose, one, SECRETS, now) for purpose in get_args(Passing)]
    return list(pages(visit.app.config.web)), lasting + passing


async def fuzz(app: ASGIApp, fuzzer: Fuzzer, seconds: float) -> Counter[int]:
    """Ask for so long; return how often each status came. AssertionError: the request that broke something."""
    seen: Counter[int] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        request = fuzzer.request()
        answer = await ask(app, request)
        assert answer.status < 500, f"{answer.status}: {request}"
        assert "default-src 'none'" in answer.headers["content-security-policy"], request
        seen[answer.status] += 1
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    mails = Mails()
    with TemporaryDirectory() as folder, Inbox(mails.receive) as inbox:
        mails.port = inbox.port
        with visiting(Workplace(Path(folder), mails.port), mails, subscriber(ADA, ["reward model"])) as visit:
            visit.app.run()
            every, tokens = site_of(visit)
            seen = asyncio.run(fuzz(visit.app.web(), Fuzzer(every, tokens, arguments.seed), arguments.minutes * 60))
    print(f"seed {arguments.seed}: {seen.total():,} requests to {len(every)} pages: {dict(seen.most_common())}")  # noqa: T201


if __name__ == "__main__":
    main()
