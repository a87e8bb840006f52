"""Our small C programs for benchmarks, compiled when they are first needed, and the lean sink among them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

COMPILER = shutil.which("cc")
_HERE = Path(__file__).parent


@dataclass(slots=True)
class Sink:
    """A running sink; when it has ended, what it took (None: it does not say)."""

    port: int
    messages: int | None = None
    octets: int | None = None


@dataclass(slots=True)
class Program:
    """A running program of ours: the port it chose, and all that it said, which is complete when it has ended."""

    port: int
    said: list[str] = field(default_factory=list)


def cache() -> Path:
    """A folder for what may be made or fetched again at any time."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "email-digest" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compiled(name: str) -> Path:
    """The program of `name`.c, made anew when its source has changed."""
    assert COMPILER, "a C compiler is missing: install the Debian package gcc"
    source = _HERE / f"{name}.c"
    program = cache() / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    if not program.exists():
        making = program.with_suffix(f".{os.getpid()}")  # so that nobody runs half of it
        subprocess.run([COMPILER, "-O2", "-Wall", "-Wextra", "-Werror", "-o", making, source], check=True)
        making.replace(program)
    return program


@contextmanager
def running(name: str, *arguments: str) -> Iterator[Program]:
    """Run a program that says its port first; SIGTERM ends it."""
    with subprocess.Popen([compiled(name), *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        program = Program(int(process.stdout.readline()))
        try:
            yield program
        finally:
            process.terminate()
            program.said += process.stdout.read().splitlines()


@contextmanager
def lean_sink(*options: str) -> Iterator[Sink]:
    """Run the lean sink on loopback. `-p` and `-c`: without PIPELINING, without CHUNKING."""
    with running("lean_sink", *options) as program:
        sink = Sink(program.port)
        yield sink
    numbers = program.said[-1].split()
    sink.messages, sink.octets = int(numbers[0]), int(numbers[2])
