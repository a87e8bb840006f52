"""`digest demo`: the whole pipeline on sample listings, with an inbox in the same process."""

from __future__ import annotations

import shutil
import sys
import webbrowser
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from importlib.resources import as_file, files
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import typer

from digest import look, press
from digest.app import App, opened
from digest.cli.load import described
from digest.cli.options import plural, say, shown, warn
from digest.cli.run import summary
from digest.delivery.message import body
from digest.errors import UsageError
from digest.model import Edition
from digest.rendering.clean import clean
from digest.report import RunReport

FOLDER = Path("digest-demo")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Writes each mail that arrives as .eml and .html; `mails` has them by recipient."""

    folder: Path
    mails: dict[str, Path] = field(default_factory=dict)

    def receive(self, sender: str, recipients: tuple[str, ...], message: bytes) -> None:  # noqa: ARG002 (what an inbox calls)
        """Take one mail."""
        when = message_from_bytes(message, policy=policy.default)["Date"].datetime
        path = self._free(f"{recipients[0].partition('@')[0]}-{when:%Y-%m-%d}")
        path.with_suffix(".html").write_text(body(message, "html"), encoding="utf-8", newline="")
        arriving = path.with_suffix(".part")
        arriving.write_bytes(message)
        arriving.replace(path)  # whoever looks on sees a mail as a whole
        self.mails[recipients[0]] = path

    def _free(self, name: str) -> Path:
        """A file that is not there yet: somebody may get several mails in a day."""
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        return next(path for each in names if not (path := self.folder / f"{each}.eml").exists())


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to work; it is made if need be.")] = FOLDER,
    show: Annotated[bool, typer.Option("--open", help="Show the mails, or the first page, in the browser.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Serve the web pages and the inbox, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where --web listens on this machine.")] = 8480,
) -> None:
    """Run everything on sample listings: load, match, rank, render, and send to an inbox in this process."""
    from digest.cli import demo_web  # noqa: PLC0415 (only the demo needs an inbox)
    from digest.delivery.inbox import Inbox  # noqa: PLC0415

    config = _prepare(folder)
    mailbox = Mailbox(folder / "mails")
    if web:
        demo_web.serve(config, mailbox.folder, mailbox.receive, port, show=show)
        return
    with Inbox(mailbox.receive) as inbox, opened(config) as configured:
        app = _sending_to(configured, inbox.port)
        report = app.run()
        if mailbox.mails:
            _tell(app, report, mailbox)
    warn(report.troubles(shown))
    say(summary(report))
    if not mailbox.mails:
        say(f"Nothing is sent twice. The mails sent before are in {mailbox.folder}/; remove {folder}/ to start anew.")
    if show:
        for path in sorted(mailbox.folder.glob("*.html")):
            webbrowser.open(path.absolute().as_uri())
    raise typer.Exit(int(report.failed))


def _prepare(folder: Path) -> Path:
    """The demo's folder, filled with the samples where it is new; return its configuration."""
    config = folder / "digest.toml"
    try:
        (folder / "mails").mkdir(parents=True, exist_ok=True)
        if not config.exists():
            with as_file(files("digest.samples")) as samples:
                shutil.copytree(
                    samples / "listings", folder / "listings", copy_function=shutil.copyfile, dirs_exist_ok=True
                )
                shutil.copyfile(samples / "demo.toml", config)
    except OSError as error:
        raise UsageError(
            f"{folder}: the demo cannot work there: {error.strerror or error}; name another folder"
        ) from None
    return config


def _sending_to(app: App, port: int) -> App:
    smtp = app.config.smtp.model_copy(update={"port": port})
    return replace(app, config=app.config.model_copy(update={"smtp": smtp}))


def _tell(app: App, report: RunReport, mailbox: Mailbox) -> None:
    """The files loaded, and a table of what was sent to whom, and why."""
    for line in described(report.loaded):
        say(line)
    say("")
    _print_table(app, look.sent(app.store, mailbox.mails))
    for path in mailbox.mails.values():
        say(f"{path}\n{path.with_suffix('.html')}")
    say("")


def _print_table(app: App, editions: list[Edition]) -> None:
    from rich.box import SIMPLE  # noqa: PLC0415 (only a person who looks on needs it)
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("To", "", "Entry", "Why", box=SIMPLE, pad_edge=False)
    for edition in editions:
        entries = press.listed(app.store, edition).entries
        for rank, match in enumerate(edition.matches, start=1):
            why = ", ".join(dict.fromkeys(reason.keyword for reason in match.reasons))
            person = edition.email if rank == 1 else ""
            table.add_row(
                Text(person),
                str(rank),
                Text(clean(entries[match.entry].title), overflow="ellipsis", no_wrap=True),
                Text(why),
            )
        rest = edition.matched - len(edition.matches)
        table.add_row("", "", Text(f"and {plural(rest, 'more title')}" if rest else ""), "", end_section=True)
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 110).print(table)
