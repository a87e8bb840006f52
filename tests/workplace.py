"""A folder as an operator would have it: configuration, listing files, database; and the mails that came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple

from digest.app import App, opened
from digest.cli import main
from digest.model import State
from digest.report import RunReport
from digest.store import editions
from digest.store.schema import metadata

NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
DAY = 86_400
ADA, BAO = "ada@example.org", "bao@example.org"
REPOSITORY = Path(__file__).resolve().parents[1]
DIGEST = (sys.executable, "-c", "from digest.cli import main; main()")


@dataclass
class Mails:
    """What an inbox was sent. Recipients in `refused` are turned away.

    `on_mail` is called when a mail is kept and its sender not yet told so.
    """

    port: int = 0
    kept: list[tuple[str, bytes]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    on_mail: Callable[[], None] | None = None

    def receive(self, _sender: str, recipients: tuple[str, ...], message: bytes) -> None:
        """Take one mail, or raise, which refuses it."""
        (recipient,) = recipients
        if recipient in self.refused:
            raise ValueError("nobody of that name")
        self.kept.append((recipient, message))
        if self.on_mail:
            self.on_mail()

    def to(self, email: str) -> list[bytes]:
        """The mails to one person, in order of arrival."""
        return [message for recipient, message in self.kept if recipient == email]

    def parsed(self, email: str) -> list[EmailMessage]:
        """The same, read strictly: a defect raises."""
        return [message_from_bytes(mail, policy=policy.strict) for mail in self.to(email)]

    def texts(self, email: str) -> list[str]:
        """Their text parts."""
        return [body_of(mail, "plain") for mail in self.parsed(email)]


def body_of(mail: EmailMessage, kind: str) -> str:
    """The text or HTML part of a mail."""
    part = mail.get_body([kind])
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def subscriber(email: str = ADA, keywords: Sequence[str] = ("reward model",), **settings: object) -> str:
    """A [[subscribers]] table."""
    facts = {"email": email, "keywords": list(keywords), **settings}
    return "[[subscribers]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items())


def paper(title: str, abstract: str = "", **more: object) -> dict[str, object]:
    """A record of a JSON listing."""
    return {"title": title, "abstract": abstract, **more}


class Ended(NamedTuple):
    """What a command ended with."""

    returncode: int
    output: bytes
    errors: bytes

    @property
    def stdout(self) -> str:
        """Standard output."""
        return self.output.decode()

    @property
    def stderr(self) -> str:
        """Standard error."""
        return self.errors.decode()


def _exit_code() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


class Clock:
    """Stands still until it is set."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def __call__(self) -> int:
        """Epoch seconds."""
        return self.at


@dataclass
class Workplace:
    """The folder of one operator. `clock` is what the program takes for the time."""

    folder: Path
    port: int
    clock: Clock = field(default_factory=Clock)
    database: str = "digest.db"

    def __post_init__(self) -> None:
        self.listings = self.folder / "listings"
        self.listings.mkdir(exist_ok=True)
        self.config = self.folder / "digest.toml"
        self.configure(subscriber())

    def configure(self, *subscribers: str, extra: str = "", smtp: str = "") -> None:
        """Write the configuration, with these subscribers."""
        self.config.write_text(
            f'[store]\nurl = "sqlite:///{self.database}"\nwait_seconds = 5\n'
            '[listings]\npaths = ["listings"]\nsettle_seconds = 0\n'
            f'[smtp]\nhost = "127.0.0.1"\nport = {self.port}\ntls = "none"\n{smtp}\n'
            f'[sender]\naddress = "digest@example.org"\n{extra}\n' + "\n".join(subscribers),
            encoding="utf-8",
        )

    def listing(self, name: str, papers: Iterable[dict[str, object]]) -> Path:
        """Write a listing file, of JSON Lines."""
        path = self.listings / name
        path.write_text("".join(json.dumps(one) + "\n" for one in papers), encoding="utf-8")
        return path

    @contextmanager
    def opened(self) -> Iterator[App]:
        """The program on this folder, in this process."""
        with opened(self.config, self.clock) as app:
            yield app

    def run(self, at: int | None = None) -> RunReport:
        """What `digest run` does, at a time."""
        self.clock.at = self.clock.at if at is None else at
        with self.opened() as app:
            return app.run()

    def states(self) -> dict[State, int]:
        """How many editions stand in each state."""
        with self.opened() as app, app.store.read() as connection:
            return dict(editions.by_state(connection))

    def dump(self, *but: str) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, but for those named."""
        with self.opened() as app, app.store.read() as connection:
            tables = [table for table in metadata.sorted_tables if table.name not in but]
            return {table.name: sorted(map(tuple, connection.execute(table.select())), key=repr) for table in tables}

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `digest` as cron would: without a terminal, from another folder."""
        return subprocess.run(
            [*DIGEST, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=self.environment() | environment,
            cwd=self.folder,
            text=True,
            timeout=60,
            check=False,
        )

    def invoke(self, *arguments: str) -> Ended:
        """The same in this process, which is faster; `preview` and others that write bytes can."""
        out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        argv, sys.argv = sys.argv, ["digest", *arguments]
        folder = Path.cwd()
        os.chdir(self.folder)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = _exit_code()
        finally:
            sys.argv = argv
            os.chdir(folder)
        written = []
        for stream in (out, err):
            stream.flush()
            written.append(stream.buffer.getvalue())
        return Ended(code, *written)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, without waiting for its end."""
        return subprocess.Popen(
            [*DIGEST, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            cwd=self.folder,
            text=True,
        )

    def environment(self) -> dict[str, str]:
        """The environment of a command."""
        return {**os.environ, "PYTHONPATH": str(REPOSITORY)}
