"""The heartbeat, against a real HTTP server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest
from heartbeat_service import Service, serving

from digest.heartbeat import Heartbeat, masked, ping


@pytest.fixture
def service() -> Iterator[Service]:
    """One for each test."""
    with serving() as kept:
        yield kept


def test_a_good_run_calls_the_url(service: Service) -> None:
    """POST, without a body."""
    assert ping(service.url) == ""
    assert service.told == [("POST", "/secret-id", "")]


def test_a_failed_run_calls_fail_with_the_report(service: Service) -> None:
    """The report comes without mail addresses, for the service is not ours."""
    assert ping(service.url, "ada@example.org: failed: 550 no") == ""
    assert service.told == [("POST", "/secret-id/fail", "(address): failed: 550 no")]


@pytest.mark.parametrize(
    ("url", "path"), [("/?a=1&b=%20", "/secret-id/fail?a=1&b=%20"), ("?a=1", "/secret-id/fail?a=1")]
)
def test_fail_goes_before_the_query(service: Service, url: str, path: str) -> None:
    """/fail belongs to the path; what is asked stays as it is."""
    assert ping(service.url + url, "broken") == ""
    assert service.told[0][1] == path


def test_a_long_report_is_cut(service: Service) -> None:
    """A service takes 10 kB of it."""
    assert ping(service.url, "x" * 100_000) == ""
    assert len(service.told[0][2]) == 10_000


@pytest.mark.parametrize("answer", [302, 404, 500])
def test_another_answer_is_told_without_the_url(service: Service, answer: int) -> None:
    """A redirection is not followed, for the URL is a secret of the service that it names."""
    service.answer = answer
    assert ping(service.url) == f"the heartbeat service answered {answer}"
    assert len(service.told) == 1


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd#secret-id",
        "ftp://example.org/secret-id",
        "secret-id",
        "http://[secret-id",
        "http://127.0.0.1:secret-id/",
        "http:///secret-id",
        "http://127.0.0.1:9/secret id",
    ],
)
def test_a_url_of_no_use_is_told_without_it(url: str) -> None:
    """Nothing is raised, and the secret is in no word."""
    reason = ping(url)
    assert reason
    assert "secret" not in reason


def test_a_service_out_of_reach_is_told(service: Service) -> None:
    """A refused connection is a word, no error."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert ping(f"http://127.0.0.1:{port}/") == "the heartbeat service cannot be reached: Connection refused"


def test_a_service_that_hangs_up_is_told(service: Service) -> None:
    """An answer that is no HTTP is a word, no error."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(1_000)
            connection.close()

        thread = Thread(target=hang_up)
        thread.start()
        assert "cannot be reached" in ping(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


def test_the_same_is_said_once_a_minute(service: Service) -> None:
    """A change is said at once, and so is its end."""
    now = [0.0]
    heartbeat = Heartbeat(service.url, lambda: now[0])
    for at, failure in [(0, ""), (30, ""), (31, "broken"), (45, "still broken"), (46, ""), (100, ""), (106, "")]:
        now[0] = float(at)
        assert heartbeat.tell(failure) == ""
    paths = [path for _, path, _ in service.told]
    assert paths == ["/secret-id", "/secret-id/fail", "/secret-id", "/secret-id"]


def test_without_a_url_nobody_is_called() -> None:
    """No heartbeat is configured."""
    assert Heartbeat("").tell("broken") == ""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("550 <ada@example.org>: unknown", "550 <(address)>: unknown"),
        ("to ada+x@mail.example.org, bao@ex.org", "to (address), (address)"),
        ('"ada b"@example.org', "(address)"),
        ("grå@exämple.org's", "(address)'s"),
        ("postgresql://digest:pass@host/db", "postgresql://digest:(address)"),
        ("a@[127.0.0.1] x", "(address) x"),
        ("@ at", "@ at"),
        ("lists/monday.txt:12: not loaded", "lists/monday.txt:12: not loaded"),
    ],
)
def test_addresses_are_masked(text: str, kept: str) -> None:
    """Wherever they stand in a text."""
    assert masked(text) == kept
