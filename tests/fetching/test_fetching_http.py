"""One GET: what is taken, what is refused, and what is said of it."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from email.message import Message

import pytest
import trustme
from web_site import Reply, Site, Visit, keeps, says, serving

from digest import __version__
from digest.errors import FetchError
from digest.fetching import http, wire
from digest.fetching.http import Answer, Wanted, get

PAPERS = b'{"title": "Reward models", "abstract": "All about them."}\n'
MOST = 100_000


@pytest.fixture
def site() -> Iterator[Site]:
    """A server on loopback."""
    with serving() as served:
        yield served


def fetched(
    url: str,
    *,
    allow_private: bool = True,
    headers: Mapping[str, str] | None = None,
    etag: str = "",
    modified: str = "",
) -> Answer:
    """What is got from an address."""

    async def done() -> Answer:
        async with asyncio.timeout(20):
            return await get(Wanted(url, MOST, allow_private, headers or {}, etag, modified))

    return asyncio.run(done())


def refused(url: str, *, allow_private: bool = True) -> FetchError:
    """Why nothing is got from it."""
    with pytest.raises(FetchError) as caught:
        fetched(url, allow_private=allow_private)
    return caught.value


def test_a_file_comes_with_what_the_server_says_of_it(site: Site) -> None:
    """The bytes as they are, and the three headers; the request says who asks, and nothing of anybody else."""
    url = site.on("/papers", says(200, PAPERS, ETag='"1"', Last_Modified="Fri, 20 Nov 2026 07:00:00 GMT"))
    assert fetched(f"{url}?a=b") == Answer(PAPERS, "", '"1"', "Fri, 20 Nov 2026 07:00:00 GMT")
    [(path, headers)] = site.asked
    assert path == "/papers?a=b"
    assert headers["User-Agent"] == f"email-digest/{__version__}"
    assert headers["Host"] == site.url.removeprefix("http://")
    assert not {"Cookie", "Authorization", "If-None-Match", "If-Modified-Since", "Referer"} & set(headers)


@pytest.mark.parametrize(
    ("etag", "modified"), [('"1"', ""), ("", "Fri, 20 Nov 2026 07:00:00 GMT"), ('"1"', "Thu, 19 Nov 2026 07:00:00 GMT")]
)
def test_a_copy_that_is_the_newest_is_not_sent_again(site: Site, etag: str, modified: str) -> None:
    """By ETag or by date; what the server said of it stays known."""
    url = site.on("/papers", keeps(PAPERS, ETag='"1"', Last_Modified="Fri, 20 Nov 2026 07:00:00 GMT"))
    answer = fetched(url, etag=etag, modified=modified)
    assert (answer.content, answer.etag) == (None, '"1"')
    site.on("/papers", says(304))
    assert fetched(url, etag=etag, modified=modified) == Answer(None, "", etag, modified)


def test_nothing_new_is_no_answer_to_whom_has_nothing(site: Site) -> None:
    """A 304 without a condition is a fault of the server."""
    assert str(refused(site.on("/papers", says(304)))).startswith("304 Not Modified")


@pytest.mark.parametrize(
    ("status", "words", "passing", "lasting"),
    [
        (401, "401 Unauthorized; give it a login or token in headers", False, True),
        (403, "403 Forbidden; see whether it wants a token", False, True),
        (404, "404 Not Found; correct url", False, True),
        (410, "410 Gone; it is gone for good; remove", False, True),
        (418, "418 I'm a teapot; see what a browser shows", False, True),
        (429, "429 Too Many Requests; it wants to be asked less often", False, False),
        (500, "500 Internal Server Error", True, False),
        (503, "503 Service Unavailable", True, False),
        (599, "599", True, False),
        (204, "204 No Content; see what a browser shows", False, True),
        (206, "206 Partial Content; see what a browser shows", False, True),
    ],
)
def test_another_status_is_told_with_what_to_do(
    site: Site, status: int, words: str, passing: bool, lasting: bool
) -> None:
    """What may pass is told from what only a person can mend."""
    error = refused(site.on("/papers", says(status)))
    assert str(error).startswith(words)
    assert (error.passing, error.lasting, error.retry_after) == (passing, lasting, "")


def test_when_to_come_again_is_kept_as_it_was_said(site: Site) -> None:
    """For whoever plans the next try."""
    assert refused(site.on("/papers", says(429, Retry_After="120"))).retry_after == "120"


def test_redirects_are_followed_to_their_end(site: Site) -> None:
    """All five kinds, relative ones too, with the same headers on the same host."""
    for number, status in enumerate((301, 302, 303, 307, 308)):
        site.on(f"/{number}", says(status, Location=f"../{number + 1}"))
    site.on("/5", says(200, PAPERS))
    assert fetched(f"{site.url}/0", headers={"X-Token": "t"}).content == PAPERS
    assert site.paths() == [f"/{number}" for number in range(6)]
    assert {headers["X-Token"] for _, headers in site.asked} == {"t"}


def test_redirects_without_end_are_not(site: Site) -> None:
    """Nor is one to nowhere."""
    site.on("/a", says(302, Location="/b"))
    site.on("/b", says(302, Location="/a"))
    assert "redirected more than 5 times" in str(refused(f"{site.url}/a"))
    assert len(site.asked) == 6
    for location in ("", "file:///etc/passwd", "ftp://127.0.0.1/", "data:,x", "gopher://127.0.0.1/x"):
        assert "redirected to no web address (302)" in str(refused(site.on("/c", says(302, Location=location)))), (
            location
        )


def test_a_token_goes_to_its_own_host_only(site: Site) -> None:
    """Not to another port or host, and no more when that one sends us back."""
    with serving(host="127.0.0.2") as other:
        site.on("/a", says(302, Location=f"{other.url}/b"))
        other.on("/b", says(302, Location=f"{site.url}/c"))
        site.on("/c", says(200, PAPERS))
        assert fetched(f"{site.url}/a", headers={"Authorization": "Bearer t"}).content == PAPERS
        assert [headers["Authorization"] for _, headers in (*site.asked, *other.asked)] == ["Bearer t", None, None]


def test_another_port_is_another_host(site: Site) -> None:
    """Somebody else may listen there."""
    with serving() as other:
        site.on("/a", says(302, Location=other.on("/b", says(200, PAPERS))))
        fetched(f"{site.url}/a", headers={"Authorization": "Bearer t"})
        assert [headers["Authorization"] for _, headers in other.asked] == [None]


def test_a_login_in_a_redirect_is_not_used(site: Site) -> None:
    """Whoever redirects may not choose whom we say we are."""
    there = site.url.replace("http://", "http://me:secret@")
    site.on("/a", says(302, Location=f"{there}/b"))
    site.on("/b", says(200, PAPERS, Set_Cookie="a=b"))
    assert fetched(f"{site.url}/a").content == PAPERS
    assert [headers["Authorization"] for _, headers in site.asked] == [None, None]
    assert [headers["Host"] for _, headers in site.asked] == [site.url.removeprefix("http://")] * 2


PRIVATE = ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0177.1"]


@pytest.mark.parametrize("host", PRIVATE)
def test_the_machine_itself_is_not_asked(site: Site, host: str) -> None:
    """However it is written, unless that is allowed."""
    url = site.on("/papers", says(200, PAPERS)).replace("127.0.0.1", host)
    error = refused(url, allow_private=False)
    assert "set allow_private = true" in str(error)
    assert not error.passing
    assert site.asked == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1", "100.100.100.200"])
def test_a_redirect_to_what_is_no_web_server_is_not_followed(site: Site, host: str) -> None:
    """Where clouds keep secrets nothing is fetched, whatever is allowed."""
    error = refused(site.on("/a", says(302, Location=f"http://{host}/latest/meta-data")))
    assert "is no address of a web server" in str(error)


def test_each_redirect_is_judged_anew(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public server cannot send us into the private network."""
    monkeypatch.setattr(http, "barred", lambda address, allow_private: "private" if address == "127.0.0.2" else "")
    with serving(host="127.0.0.2") as inside:
        site.on("/a", says(302, Location=inside.on("/b", says(200, PAPERS))))
        assert str(refused(f"{site.url}/a", allow_private=False)) == "127.0.0.2 may not be fetched from: private"
        assert inside.asked == []


def test_what_was_judged_is_what_is_connected_to(site: Site) -> None:
    """A name is looked up once for each request, and a second answer, as of a rebinding DNS, is never asked for."""
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    port = site.on("/papers", says(200, PAPERS)).rsplit(":", 1)[1]
    wanted = Wanted(f"http://papers.example:{port}", MOST, allow_private=True)
    assert asyncio.run(get(wanted, lookup)).content == PAPERS
    assert asked == ["papers.example"]
    assert site.asked[0][1]["Host"] == f"papers.example:{port.partition('/')[0]}"


def test_an_address_that_does_not_answer_is_followed_by_the_next(site: Site) -> None:
    """And those that are not allowed are left out."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["169.254.169.254", "127.0.0.9", "127.0.0.1"]

    port = site.on("/papers", says(200, PAPERS)).rsplit(":", 1)[1]
    assert asyncio.run(get(Wanted(f"http://papers.example:{port}", MOST, True), lookup)).content == PAPERS


def test_a_name_that_nobody_knows_is_told() -> None:
    """It may be the DNS, so it is tried again."""
    error = refused("http://nowhere.invalid/")
    assert str(error).startswith("nowhere.invalid was not found: ")
    assert error.passing


def test_no_server_at_all_is_told() -> None:
    """With the host, and what to look at."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    error = refused(f"http://127.0.0.1:{port}/secret-path?token=t")
    assert str(error).startswith("127.0.0.1 cannot be reached")
    assert error.passing


def endless(visit: Visit) -> None:
    """A body that never ends."""
    visit.begin(200, {})
    while not visit.site.over.is_set():
        visit.wfile.write(b"x" * 10_000)


def chunked(*chunks: bytes) -> Reply:
    """Chunks as they stand, without an end."""

    def reply(visit: Visit) -> None:
        visit.begin(200, {"Transfer-Encoding": "chunked"})
        visit.wfile.write(b"".join(chunks))

    return reply


def test_what_is_too_large_is_left_off_at_the_limit(site: Site) -> None:
    """Whether the server says so before, says nothing, or packs it small."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < MOST

    def announced(visit: Visit) -> None:
        visit.begin(200, {"Content-Length": "999999999999"})
        visit.site.over.wait()

    def nothing_packed(visit: Visit) -> None:
        visit.begin(200, {"Content-Encoding": "gzip"})
        visit.wfile.write(gzip.compress(b"") * 6_000)

    for reply in (
        says(200, bytes(MOST + 1)),
        endless,
        says(200, bomb, Content_Encoding="gzip"),
        announced,
        nothing_packed,
    ):
        error = refused(site.on("/papers", reply))
        assert str(error).startswith("it is larger than 100,000 bytes; raise max_megabytes")
        assert not error.passing
    assert len(fetched(site.on("/papers", says(200, bytes(MOST)))).content or b"") == MOST


def test_no_more_is_unpacked_at_once_than_is_allowed() -> None:
    """However much a part holds."""
    pieces = wire._Gzip(1000).pieces(gzip.compress(bytes(10_000)))
    assert [len(piece) for piece in pieces] == [1001] * 9 + [991]


def test_what_is_packed_is_unpacked(site: Site) -> None:
    """One member of gzip or several."""
    packed = gzip.compress(PAPERS) + gzip.compress(PAPERS)
    url = site.on("/papers", says(200, packed, Content_Encoding="GZIP"))
    assert fetched(url).content == PAPERS * 2
    assert site.asked[0][1]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("reply", "words", "passing"),
    [
        (says(200, gzip.compress(PAPERS)[:-9], Content_Encoding="gzip"), "it broke off before its end", True),
        (says(200, b"no gzip", Content_Encoding="gzip"), "cannot be unpacked", True),
        (says(200, PAPERS, Content_Encoding="br"), "packed as 'br', which nobody asked for", False),
        (says(200, PAPERS, Content_Length="999"), "broke before the end", True),
        (chunked(b"5\r\npaper\r\n"), "broke before the end", True),
        (chunked(b"zz\r\npapers\r\n0\r\n\r\n"), "its answer is no HTTP", True),
        (lambda visit: visit.wfile.write(b"SSH-2.0-papers\r\n"), "its answer is no HTTP", True),
        (lambda visit: None, "broke before the end", True),
        (says(200), "the answer is empty", True),
    ],
)
def test_a_broken_answer_is_not_taken_for_a_whole_one(site: Site, reply: Reply, words: str, passing: bool) -> None:
    """It is told, and tried again where that may help."""
    error = refused(site.on("/papers", reply))
    assert words in str(error)
    assert error.passing is passing


def test_a_server_that_is_silent_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for its head nor within its body."""
    monkeypatch.setitem(http._SECONDS, "read", 0.2)

    def stops(visit: Visit) -> None:
        visit.begin(200, {"Content-Length": "10"})
        visit.wfile.write(b"12345")
        visit.site.over.wait()

    for reply in (lambda visit: visit.site.over.wait(), stops):
        error = refused(site.on("/papers", reply))
        assert str(error) == "127.0.0.1 was silent for 0.2 seconds"
        assert error.passing


def test_a_certificate_must_be_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By the system's authorities, and for the name that was asked for, not for the address found."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("papers.example").configure_cert(context)

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    def got(host: str) -> bytes | None:
        return asyncio.run(get(Wanted(f"https://{host}:{port}", MOST, True), lookup)).content

    with serving(context) as site:
        port = site.on("/papers", says(200, PAPERS)).rsplit(":", 1)[1]
        with pytest.raises(FetchError, match=r"^the certificate of papers.example is not to be trusted: ") as caught:
            got("papers.example")
        assert not caught.value.passing
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        monkeypatch.setattr(http, "_tls", lambda: trusting)
        assert got("papers.example") == PAPERS
        with pytest.raises(FetchError, match=r"^the certificate of other.example is not to be trusted: .*mismatch"):
            got("other.example")


def test_plain_text_at_a_secure_address_is_told(site: Site) -> None:
    """It is no untrusted certificate, but no certificate at all."""
    assert "no secure connection to 127.0.0.1" in str(refused(site.url.replace("http:", "https:")))


def test_own_headers_cannot_change_the_request_itself(site: Site) -> None:
    """They may say who asks; whom and how is not theirs."""
    url = site.on("/papers", says(200, PAPERS))
    fetched(url, headers={"user-agent": "me", "accept": "text/csv", "accept-encoding": "br"})
    headers: Message = site.asked[0][1]
    assert (headers.get_all("User-Agent"), headers.get_all("Accept")) == (["me"], ["text/csv"])
    assert headers.get_all("Accept-Encoding") == ["gzip"]
