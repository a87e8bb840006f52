"""A network on loopback: a proxy through which every octet takes its time, and as many of them as the machine can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lean import running


@contextmanager
def delayed(port: int, milliseconds: float) -> Iterator[int]:
    """The port of a proxy to `port` with this round trip, half of it each way."""
    with running("delay", str(port), str(round(milliseconds * 500))) as program:
        yield program.port
