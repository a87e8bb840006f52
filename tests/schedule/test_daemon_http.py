"""The daemon's endpoint, served by uvicorn on a free port and asked over the wire."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from typing import NamedTuple

import pytest

from digest.errors import UsageError
from digest.schedule.health import STALLED_SECONDS, Health
from digest.schedule.http import Endpoint, application, bound
from digest.schedule.metrics import Metrics


class Answer(NamedTuple):
    status: int
    cached: str | None
    kind: str | None
    body: str


class Desk(NamedTuple):
    """An endpoint with all that stands behind it."""

    health: Health
    now: list[float]
    trouble: list[str]
    port: int

    async def ask(self, path: str, method: str = "GET") -> Answer:
        return await asyncio.to_thread(self._ask, path, method)

    def _ask(self, path: str, method: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return Answer(answer.status, answer.headers["Cache-Control"], answer.headers["Content-Type"], body)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    now, trouble = [0.0], [""]
    health = Health(lambda: now[0])

    async def database() -> str:
        return trouble[0]

    listener = bound("127.0.0.1", 0)
    port = listener.getsockname()[1]
    endpoint = Endpoint(application(health, Metrics(lambda: 0), database), listener)
    try:
        yield Desk(health, now, trouble, port)
    finally:
        await endpoint.close()


def served(test: Callable[[Desk], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with desk() as there:
            await test(there)

    asyncio.run(whole())


def test_health_is_bad_when_a_run_gets_nowhere() -> None:
    """And good again with the next sign of life."""

    async def test(desk: Desk) -> None:
        assert await desk.ask("/health") == (200, "no-store", "application/json", '{"status":"ok"}')
        desk.now[0] = STALLED_SECONDS + 1
        bad = await desk.ask("/health")
        assert (bad.status, bad.cached) == (503, "no-store")
        assert json.loads(bad.body)["reasons"] == ["a run has got nowhere for 30 minutes"]
        desk.health.progress()
        assert (await desk.ask("/health")).status == 200

    served(test)


def test_ready_from_the_first_run_until_the_end() -> None:
    """In between it is as ready as its database."""

    async def test(desk: Desk) -> None:
        seen = [json.loads((await desk.ask("/ready")).body)]
        desk.health.run_ended()
        seen.append(json.loads((await desk.ask("/ready")).body))
        desk.trouble[0] = "the database does not answer"
        seen.append(json.loads((await desk.ask("/ready")).body))
        desk.health.draining()
        last = await desk.ask("/ready")
        assert [state.get("reasons") for state in seen] == [
            ["the first run has not ended yet"],
            None,
            ["the database does not answer"],
        ]
        assert (last.status, json.loads(last.body)["reasons"]) == (503, ["stopping"])

    served(test)


def test_metrics_and_nothing_else() -> None:
    """GET and HEAD of three pages; nothing may be cached."""

    async def test(desk: Desk) -> None:
        figures = await desk.ask("/metrics")
        assert (figures.status, figures.cached) == (200, "no-store")
        assert figures.kind is not None
        assert figures.kind.startswith("text/plain; version=")
        assert "digest_runs_total" in figures.body
        assert (await desk.ask("/health", "HEAD"))[::3] == (200, "")
        assert (await desk.ask("/")).status == 404
        assert (await desk.ask("/nothing"))[:2] == (404, "no-store")
        assert (await desk.ask("/metrics", "POST")).status == 405

    served(test)


def test_an_idle_connection_does_not_keep_it_open() -> None:
    """Somebody who connects and says nothing cannot hold up the end."""

    async def test(desk: Desk) -> None:
        held.append(socket.create_connection(("127.0.0.1", desk.port)))
        assert (await desk.ask("/health")).status == 200

    held: list[socket.socket] = []
    served(test)
    held[0].close()


def test_a_port_in_use_is_a_clear_error() -> None:
    """It says which, and what to do."""
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"serve\.port {port}: cannot listen on 127\.0\.0\.1: another program"):
            bound("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_ours_is_a_clear_error(host: str) -> None:
    """It names the settings to correct."""
    with pytest.raises(UsageError, match=r"correct serve\.host and serve\.port"):
        bound(host, 0)


def test_ipv6_is_an_address_like_any_other() -> None:
    """Where the machine has it."""
    try:
        with bound("::1", 0) as listener:
            assert listener.family == socket.AF_INET6
    except UsageError:
        pytest.skip("this machine has no IPv6")
