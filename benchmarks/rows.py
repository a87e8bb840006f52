"""The senders that are measured: each is a program of its own (see sending.py)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peers import nodemailer
from sending import RECIPIENT, SENDER, Load

_HERE = Path(__file__).parent
_SOURCE = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Row:
    """A sender and its command.

    `chunking`: it needs what smtp-sink does not offer; `distant`: it has a row where there is a delay, too; `planned`:
    it sends what waits in a database.
    """

    name: str
    command: Callable[[Load], list[str]]
    chunking: bool = False
    distant: bool = False
    planned: bool = False


def _source(load: Load) -> list[str]:
    assert _SOURCE
    options = ["-d", "-M", "me", "-f", SENDER, "-t", RECIPIENT, "-F", str(load.folder / "message.lf")]
    numbers = ["-s", str(load.connections), "-m", str(load.count)]
    return [_SOURCE, *options, *numbers, f"127.0.0.1:{load.port}"]


def _program(program: str, file: str, way: str) -> Callable[[Load], list[str]]:
    def command(load: Load) -> list[str]:
        numbers = map(str, (load.port, load.connections, load.count))
        return [program, str(_HERE / file), way, *numbers, str(load.folder)]

    return command


def _python(file: str, way: str) -> Callable[[Load], list[str]]:
    return _program(sys.executable, file, way)


def _node(way: str) -> Callable[[Load], list[str]]:
    return _program(nodemailer.NODE or "node", "peers/nodemailer.js", way)


REFERENCE = Row("smtp-source, many messages a connection", _source, distant=True)


def _full(name: str, way: str) -> Row:
    return Row(f"Digest in full, {name}", _python("ours.py", way), planned=True)


COLD = _full("cold start", "full-cold")
ROWS = [
    Row("smtplib, a thread a connection", _python("peers/senders.py", "smtplib")),
    Row("aiosmtplib pool", _python("peers/senders.py", "aiosmtplib")),
    Row("aiosmtplib pool, uvloop", _python("peers/senders.py", "aiosmtplib-uvloop"), distant=True),
    Row("nodemailer pool, ready message", _node("raw"), distant=True),
    Row("nodemailer pool, building the message", _node("built")),
    Row("the usual stack", _python("peers/usual.py", "usual")),
    Row("Digest's connection, one command at a time, uvloop", _python("ours.py", "stepwise")),
    Row("Digest's connection, PIPELINING", _python("ours.py", "pipelined")),
    Row("Digest's connection, PIPELINING, uvloop", _python("ours.py", "pipelined-uvloop"), distant=True),
    Row("Digest's connection, CHUNKING", _python("ours.py", "chunked"), chunking=True),
    Row("Digest's connection, CHUNKING, uvloop", _python("ours.py", "chunked-uvloop"), chunking=True, distant=True),
    _full("one process", "full"),
    _full("two processes", "full-2"),
    _full("Ed25519", "full-ed25519"),
    _full("RSA-2048", "full-rsa"),
    _full("RSA-2048, two processes", "full-rsa-2"),
]
