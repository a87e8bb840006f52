"""`digest serve --web` as a process of its own: pages, letters and digests together."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from served import PATIENCE, TICK, Served, Site, free_port, opened, until
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from workplace import Mails, Workplace, body_of, paper

from digest.errors import UsageError
from digest.schedule.doors import Address, Door, Doors
from digest.schedule.http import OWN, PUBLIC
from digest.schedule.pages import Pages, living

WEB = (
    sys.executable,
    "-c",
    f"import sys; sys.argv.append('--web'); {TICK.format(when='year=2999')}",
)
"""Without ticks: whatever runs was rung for."""
NEWCOMER = "dina@example.org"
WISHES = {"email": NEWCOMER, "keywords-0": "reward model", "zone": "UTC", "send_at": "00:00", "days": "daily"}


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


class Pair:
    """A site whose daemon serves pages, too."""

    def __init__(self, site: Site) -> None:
        self.site, self.port = site, free_port()

    def configure(self, name: str = "Digest", url: str = "http://127.0.0.1", more: str = "") -> None:
        web = f'[web]\nurl = "{url}"\nsecrets = ["a secret for tests"]\nport = {self.port}\n{more}' if url else ""
        self.site.configure(more=f'{web}\n[editions]\nname = "{name}"\n')

    def start(self) -> Served:
        served = self.site.start(WEB)
        served.logged("started")
        return served

    def ask(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        """A page (status 0: nobody listens)."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            try:
                if form is None:
                    connection.request("GET", path, headers=headers)
                else:
                    kind = {"Content-Type": "application/x-www-form-urlencoded"}
                    connection.request("POST", path, urlencode(form), kind | headers)
                answer = connection.getresponse()
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
            except ConnectionError:
                return Answer(0, {}, "")


@pytest.fixture
def pair(place: Workplace) -> Iterator[Pair]:
    """A folder to start daemons with pages in."""
    with opened(place) as site:
        made = Pair(site)
        made.configure()
        yield made


@pytest.mark.slow
def test_who_confirms_gets_the_first_digest_at_once(pair: Pair, mails: Mails) -> None:
    """Letter and digest come without a tick: the pages ring. The daemon's own endpoint is another door."""
    pair.site.place.listing("a.jsonl", [paper("Reward models")])
    served = pair.start()
    served.ran()
    told = served.logged("pages")
    assert (told["url"], told["host"], told["port"]) == ("http://127.0.0.1", "127.0.0.1", pair.port)
    assert pair.ask("/subscribe", WISHES).status == 303
    until(lambda: mails.to(NEWCOMER), "a letter")
    link = re.search(r"/confirm/[\w.-]+", body_of(mails.parsed(NEWCOMER)[0], "plain"))
    assert link
    assert pair.ask(link[0]).status == 200
    assert len(mails.to(NEWCOMER)) == 1
    assert pair.ask(link[0], {}).status == 200
    until(lambda: len(mails.to(NEWCOMER)) == 2, "a digest")
    assert "Reward models" in body_of(mails.parsed(NEWCOMER)[1], "plain")
    assert pair.ask("/health").status == 404
    assert served.ask("/")[0] == 404
    assert "server" not in pair.ask("/").headers
    assert served.stop() == 0
    assert NEWCOMER not in "".join(served.errors)


@pytest.mark.slow
def test_a_reload_drops_nobody(pair: Pair) -> None:
    """Pages are asked for without a pause while the configuration changes; each is whole, of the old or the new."""
    served, over = pair.start(), threading.Event()
    answers: list[Answer] = []

    def ask_on() -> None:
        while not over.is_set():
            answers.append(pair.ask("/check-your-mail"))

    asking = threading.Thread(target=ask_on)
    asking.start()
    for count in (1, 2, 3):
        pair.configure(f"Number {count}")
        served.signal(signal.SIGHUP)
        served.logged("configuration reloaded", count)
    until(lambda: "Number 3" in answers[-1].text, "the newest pages")
    over.set()
    asking.join()
    assert {answer.status for answer in answers} == {200}
    assert served.stop() == 0


@pytest.mark.slow
def test_a_configuration_without_an_address_for_the_pages_is_refused_whole(pair: Pair) -> None:
    """Neither door moves; then a good one moves both."""
    served, site = pair.start(), pair.site
    before, site.port = (site.port, pair.port), free_port()
    pair.configure(url="")
    served.signal(signal.SIGHUP)
    refusal = served.logged("the new configuration is refused; the old one stays")
    assert "web.url" in refusal["reason"]
    assert (served.ask("/health")[0], pair.ask("/").status) == (200, 200)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        pair.port = taken.getsockname()[1]
        pair.configure()
        served.signal(signal.SIGHUP)
        refusal = served.logged("the new configuration is refused; the old one stays", 2)
    assert f"web.port {pair.port}: cannot listen on 127.0.0.1: another program does" in refusal["reason"]
    assert served.ask("/health")[0] == 200
    served.signal(signal.SIGHUP)
    served.logged("configuration reloaded")
    assert (served.ask("/health")[0], pair.ask("/").status) == (0, 200)
    served.port, pair.port = site.port, before[1]
    assert (served.ask("/health")[0], pair.ask("/").status) == (200, 0)
    assert served.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "refused"), [([], True), (["127.0.0.1"], False)])
def test_a_visitor_cannot_say_where_they_come_from(pair: Pair, trusted: list[str], refused: bool) -> None:
    """Only a proxy that is named may: its visitors have limits of their own, others share that of their connection."""
    pair.configure(more=f"trusted_proxies = {trusted}\n")
    served = pair.start()
    answers = {
        pair.ask("/subscribe", WISHES, **{"X-Forwarded-For": f"192.0.2.{number}"}).status for number in range(12)
    }
    assert answers == ({303, 429} if refused else {303})
    assert served.stop() == 0


@pytest.mark.slow
def test_strangers_cannot_fill_the_log(pair: Pair) -> None:
    """What is no HTTP at all is refused without a line, as are broken forms, and who comes when there are too many."""
    served = pair.start()
    served.ran()
    broken = {"Content-Type": "multipart/form-data; boundary=a"}
    assert pair.ask("/subscribe", {"--b": "c"}, **broken).status == 400
    crowd = [socket.create_connection(("127.0.0.1", pair.port), timeout=PATIENCE) for _ in range(400)]
    until(lambda: pair.ask("/").status == 503, "a full house")
    for one in crowd:
        one.sendall(b"\0\r\n\r\n")
        assert one.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 503")
        one.close()
    until(lambda: pair.ask("/").status == 200, "room")
    assert served.stop() == 0
    assert {line["event"] for line in served.lines if line["level"] != "info"} == set()


@pytest.mark.slow
def test_what_was_asked_before_the_end_is_answered(pair: Pair) -> None:
    """A form whose second half comes after SIGTERM."""
    served = pair.start()
    served.ran()
    body = urlencode(WISHES).encode()
    with socket.create_connection(("127.0.0.1", pair.port), timeout=PATIENCE) as connection:
        head = f"POST /subscribe HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        connection.sendall((head + kind).encode() + body[:10])
        until(lambda: pair.ask("/").status == 200)
        served.signal(signal.SIGTERM)
        until(lambda: pair.ask("/").status == 0, "a closed door")
        connection.sendall(body[10:])
        assert connection.recv(12) == b"HTTP/1.1 303"
    assert served.ended() == 0
    with pair.site.place.opened() as app, app.store.read() as store:
        assert store.exec_driver_sql("SELECT count(*) FROM signups").scalar() == 1


def test_pages_without_an_address_are_refused_at_the_start(place: Workplace) -> None:
    """With the file, the key, and what to write."""
    ended = place.command("serve", "--web")
    assert ended.returncode == 2
    assert re.match(
        r"digest: digest\.toml:?\d*: web\.url: the web pages need their public address: url = ", ended.stderr
    )


def test_all_doors_move_or_none() -> None:
    """A door that cannot be opened leaves the other where it was."""

    async def whole() -> None:
        doors = Doors({"serve": Door(PlainTextResponse("own"), OWN), "web": Door(PlainTextResponse("pages"), PUBLIC)})
        first, second = free_port(), free_port()
        await doors.move({"serve": Address("127.0.0.1", first)})
        with socket.create_server(("127.0.0.1", 0)) as taken:
            wanted = {"serve": Address("127.0.0.1", second), "web": Address("127.0.0.1", taken.getsockname()[1])}
            with pytest.raises(UsageError, match=r"web\.port"):
                await doors.move(wanted)
        assert await asyncio.to_thread(listens, first)
        assert not await asyncio.to_thread(listens, second)
        await doors.move({"serve": Address(), "web": Address("127.0.0.1", second)})
        assert not await asyncio.to_thread(listens, first)
        assert await asyncio.to_thread(listens, second)
        await doors.close()
        assert not await asyncio.to_thread(listens, second)

    asyncio.run(whole())


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionError:
        return False
    return True


def test_pages_end_when_what_was_asked_of_them_has_been_answered() -> None:
    """The newer ones answer meanwhile."""
    events: list[str] = []

    async def whole() -> None:
        go_on, begun = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                for moment in ("startup", "shutdown"):
                    await receive()
                    events.append(moment)
                    await send({"type": f"lifespan.{moment}.complete"})
                return
            begun.set()
            await go_on.wait()
            events.append("answered")

        async def quick(scope: Scope, receive: Receive, send: Send) -> None:
            events.append("quick")
            go_on.set()

        pages = Pages()
        async with living(slow) as old:
            pages.take_up(old)
            asked = asyncio.create_task(pages({"type": "http"}, no_receive, no_send))
            await begun.wait()
            pages.take_up(quick)
            asyncio.get_running_loop().call_later(
                0.05, lambda: later.append(asyncio.ensure_future(pages({"type": "http"}, no_receive, no_send)))
            )
        await asyncio.gather(asked, *later)

    async def no_receive() -> dict[str, object]:
        raise AssertionError

    async def no_send(_message: object) -> None:
        raise AssertionError

    later: list[asyncio.Future[None]] = []
    asyncio.run(whole())
    assert events == ["startup", "quick", "answered", "shutdown"]


def test_pages_that_cannot_begin_are_an_error() -> None:
    """Which a reload survives."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": ""})

    async def whole() -> None:
        with pytest.raises(UsageError, match="cannot begin"):
            async with living(broken):
                pass

    asyncio.run(whole())
