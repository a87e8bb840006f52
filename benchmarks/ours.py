"""Digest as a sender that is measured: its connection alone with a ready message, and in full."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from backlog import DISTINCT, wait
from sending import RECIPIENT, SENDER, Cost, Load, Way, clock, main
from sending import run as run_on

from digest.app import opened, plan_share
from digest.crew import Processes, Share, divided
from digest.delivery.check import Checked
from digest.delivery.message import Envelope
from digest.delivery.opening import connect
from digest.delivery.relay import Relay
from digest.delivery.sender import Report
from digest.delivery.smtp import Connection
from digest.delivery.verdict import Result, verdict
from digest.model import State
from digest.pipeline import unhindered
from digest.store import runs
from digest.store.ledger import StoreLedger


async def _alone(load: Load, pipelining: bool, chunking: bool) -> Cost:
    relay = Relay(
        "127.0.0.1", load.port, "none", local_hostname="me", pipelining=pipelining, chunking=chunking, depth=4
    )
    connections = [await connect(relay) for _ in range(load.connections)]
    with clock() as cost:
        await _keep_busy(connections, load.count, Checked(load.message))
    for connection in connections:
        await connection.close()
    return cost


async def _keep_busy(connections: list[Connection], count: int, message: Checked) -> None:
    envelope, over = Envelope(SENDER, RECIPIENT), asyncio.get_running_loop().create_future()
    unsent = unanswered = count

    def done(result: Result) -> None:
        nonlocal unanswered
        unanswered -= 1
        if verdict(result).state is not State.SENT:
            over.set_exception(RuntimeError(f"the sink did not take a message: {result}"))
        elif not unanswered:
            over.set_result(None)

    def fill(connection: Connection) -> None:
        nonlocal unsent
        while unsent and connection.free:
            unsent -= 1
            connection.send(envelope, message, done)

    for connection in connections:
        connection.on_free = partial(fill, connection)
        fill(connection)
    await over


def alone(*, uvloop: bool, pipelining: bool = True, chunking: bool = False) -> partial[Cost]:
    """The connection alone, in one of its modes."""
    return partial(_run_alone, uvloop, pipelining, chunking)


def _run_alone(uvloop: bool, pipelining: bool, chunking: bool, load: Load) -> Cost:
    return run_on(_alone(load, pipelining, chunking), uvloop)


class _FromNowOn:
    """A watch that starts a clock when so many mails are out."""

    def __init__(self, mails: int) -> None:
        self._mails, self._stack, self._cost = mails, ExitStack(), Cost()
        self._look()

    def expect(self, editions: int) -> None:
        """Known."""

    def outcome(self, _edition: object, _outcome: object, _seconds: float) -> None:
        """One more is out."""
        self._mails -= 1
        self._look()

    def _look(self) -> None:
        if not self._mails:
            self._cost = self._stack.enter_context(clock())

    def stop(self) -> Cost:
        """What it took since then."""
        self._stack.close()
        return self._cost


def _deliver(file: Path, before: int, share: Share) -> Report:
    """One process's share of a delivery; what it took after the first mails is left in a file."""
    with opened(file) as app:
        ledger = StoreLedger(app.store, app.clock, share.run, share.number, share.of)
        dispatch = replace(app.dispatch, terms=divided(app.dispatch.terms, share.of))
        press, watch = app.press, _FromNowOn(before // share.of)
        report = app.pipeline.deliver(press, dispatch, ledger, watch, share.going)
        cost = watch.stop()
    (file.parent / f"{share.number}.cost").write_text(json.dumps(asdict(cost)))
    return report


def in_full(load: Load, processes: int = 1, key: str = "", before: int = DISTINCT) -> Cost:
    """From editions that wait in the database to the sink.

    Not counted are the start of processes and so many mails `before`, in which cards are rendered for the first time:
    that is the cost of entries and keywords rather than of mails, and rendering.py has it.
    """
    with TemporaryDirectory() as name:
        load = replace(load, count=load.count + before)
        file = wait(Path(name), load, _dkim(Path(name), key) if key else "")
        with opened(file) as app, app.store.write() as connection:
            run = runs.begin(connection, app.clock())
        deliver = partial(_deliver, file, before)
        if processes == 1:
            report = deliver(Share(run, 0, 1, unhindered, None))
        else:
            report = Processes(processes, deliver, partial(plan_share, file)).deliver(run, None, unhindered)
        assert report.states == {State.SENT: load.count}, report
        costs = [Cost(**json.loads(each.read_text())) for each in Path(name).glob("*.cost")]
    return Cost(max(one.seconds for one in costs), sum(one.cpu for one in costs), sum(one.megabytes for one in costs))


def _dkim(folder: Path, algorithm: str) -> str:
    """A new key, and the lines that configure it."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519" else rsa.generate_private_key(65_537, 2_048)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return '[[dkim]]\nselector = "bench"\nkey = "key.pem"\n'


WAYS: dict[str, Way] = {
    "stepwise": alone(uvloop=True, pipelining=False),
    "pipelined": alone(uvloop=False),
    "pipelined-uvloop": alone(uvloop=True),
    "chunked": alone(uvloop=False, chunking=True),
    "chunked-uvloop": alone(uvloop=True, chunking=True),
    "full": in_full,
    "full-cold": partial(in_full, before=0),
    "full-2": partial(in_full, processes=2),
    "full-ed25519": partial(in_full, key="ed25519"),
    "full-rsa": partial(in_full, key="rsa"),
    "full-rsa-2": partial(in_full, key="rsa", processes=2),
}

if __name__ == "__main__":
    main(WAYS)
