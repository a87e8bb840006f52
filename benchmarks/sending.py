"""What every sender that is measured is told, and what it answers: one line of JSON, so that any language can.

A sender is a program of its own: PROGRAM WAY PORT CONNECTIONS COUNT FOLDER. It connects first and then starts
the clock, so neither its start nor the handshakes are counted.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from uvloop import new_event_loop

SENDER, RECIPIENT = "digest@example.org", "reader@example.org"


@dataclass(frozen=True, slots=True)
class Load:
    """So many messages over so many connections to a port of loopback; `folder` holds what to send (see ready.py)."""

    port: int
    connections: int
    count: int
    folder: Path

    @property
    def message(self) -> bytes:
        """The message, ready for the wire."""
        return (self.folder / "message.eml").read_bytes()


@dataclass(slots=True)
class Cost:
    """What sending took: seconds, those of the CPU, and the most memory that the program ever had, in megabytes."""

    seconds: float = 0.0
    cpu: float = 0.0
    megabytes: float = 0.0


Way = Callable[[Load], Cost]


@contextmanager
def clock() -> Iterator[Cost]:
    """Measures what is done inside."""
    cost, start, before = Cost(), perf_counter(), process_time()
    yield cost
    cost.seconds, cost.cpu = perf_counter() - start, process_time() - before
    cost.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(main: Coroutine[Any, Any, Cost], uvloop: bool) -> Cost:
    """Run on asyncio's own event loop or on uvloop's."""
    with asyncio.Runner(loop_factory=new_event_loop if uvloop else None) as runner:
        return runner.run(main)


async def share(count: int, senders: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Call the senders `count` times in all, each of them again as soon as it has ended."""
    turns = repeat(None, count)

    async def work(send: Callable[[], Awaitable[object]]) -> None:
        for _ in turns:
            await send()

    await asyncio.gather(*map(work, senders))


def main(ways: Mapping[str, Way]) -> None:
    """The program: read the arguments, send, answer."""
    way, port, connections, count, folder = sys.argv[1:]
    cost = ways[way](Load(int(port), int(connections), int(count), Path(folder)))
    print(json.dumps(asdict(cost)))
