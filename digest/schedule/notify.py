"""Tells systemd how the daemon is (sd_notify(3)). Without a service manager it tells nobody.

Rules
-----
1. One datagram per message, to the socket that NOTIFY_SOCKET names: a path, or `@` and an abstract name.
2. A socket that is gone, full or of an unknown kind never harms the daemon.
3. WATCHDOG=1 is sent at half of WATCHDOG_USEC, unless WATCHDOG_PID names another process.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """The way to the service manager, as the environment describes it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self.watchdog_seconds = _watchdog_seconds(environment) if name else None

    def ready(self, status: str = "") -> None:
        """Started, or done with a reload."""
        self._send("READY=1", *([f"STATUS={_line(status)}"] if status else []))

    def reloading(self) -> None:
        """Told to reload; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000}")

    def stopping(self) -> None:
        """Told to stop."""
        self._send("STOPPING=1")

    def status(self, words: str) -> None:
        """A line for `systemctl status`."""
        self._send(f"STATUS={_line(words)}")

    def alive(self) -> None:
        """Not hung."""
        self._send("WATCHDOG=1")

    def _send(self, *assignments: str) -> None:
        if not self._address:
            return
        with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(assignments).encode(errors="replace"), self._address)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """How often WATCHDOG=1 is to be sent (None: never)."""
    if environment.get("WATCHDOG_PID", "") not in ("", str(os.getpid())):
        return None
    try:
        return int(environment["WATCHDOG_USEC"]) / 2_000_000 or None
    except (KeyError, ValueError):
        return None


def _line(words: str) -> str:
    return " ".join(words.split())
