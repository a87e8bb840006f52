"""What systemd is told, over real sockets."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from digest.schedule.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[tuple[str, socket.socket]]:
    """The service manager's end: NOTIFY_SOCKET and the socket."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        name = str(Path(folder) / "notify") if request.param == "path" else f"@digest-{uuid4().hex}"
        receiver.bind(name.replace("@", "\0"))
        receiver.settimeout(5)
        yield name, receiver


def test_the_life_of_a_daemon_is_told(manager: tuple[str, socket.socket]) -> None:
    """Each message is one datagram, in the words of sd_notify(3)."""
    name, receiver = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready("started")
    notifier.status("3 sent\nREADY=0")
    notifier.alive()
    notifier.stopping()
    told = [receiver.recv(1_000).decode() for _ in range(4)]
    assert told == ["READY=1\nSTATUS=started", "STATUS=3 sent READY=0", "WATCHDOG=1", "STOPPING=1"]


def test_a_reload_names_its_moment(manager: tuple[str, socket.socket]) -> None:
    """Without MONOTONIC_USEC, systemd takes RELOADING=1 for an older one."""
    name, receiver = manager
    Notifier({"NOTIFY_SOCKET": name}).reloading()
    first, second = receiver.recv(1_000).decode().split("\n")
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) > 0


@pytest.mark.parametrize("name", ["", "/nowhere/at/all", "@nobody-listens", "vsock:2:1234", "a\0b", "/x" * 200])
def test_nobody_to_tell_is_no_harm(name: str) -> None:
    """Without a manager, or with one that is gone, the daemon goes on."""
    Notifier({"NOTIFY_SOCKET": name} if name else {}).ready("started")


def test_a_full_socket_does_not_block(manager: tuple[str, socket.socket]) -> None:
    """A manager that reads nothing loses messages, and we lose no time."""
    name, _ = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    for _ in range(5_000):
        notifier.alive()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time(environment: dict[str, str], seconds: float | None) -> None:
    """Only if it is ours, and its time is a number."""
    assert Notifier({"NOTIFY_SOCKET": "@x"} | environment).watchdog_seconds == seconds
