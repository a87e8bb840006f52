"""Postfix's smtp-sink, which takes every mail: for benchmarks, and as an independent receiver in tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@contextmanager
def sink(*options: str) -> Iterator[int]:
    """Run it on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    assert SINK
    account = ("-u", "root") if os.geteuid() == 0 else ()  # smtp-sink refuses to run as root without being told
    with subprocess.Popen([SINK, *account, *options, f"127.0.0.1:{port}", "100"]) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, "smtp-sink does not listen"
            time.sleep(0.02)
        else:
            return
