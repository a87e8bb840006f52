"""What the mails themselves need: templates that work, a postal address, links that receivers follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.app import App
from digest.config import Config
from digest.doctor.findings import Finding, Level
from digest.store.store import open_store


def templates(config: Config, now: int) -> Iterator[Finding]:
    """They pass the proof that every run begins with, as do holiday files. Raises DigestError with the fault.

    The proof needs a database, so it gets an empty one: the real one may be missing or broken.
    """
    with TemporaryDirectory() as folder, closing(open_store("sqlite:///proof.db", Path(folder))) as store:
        App(config, store, lambda: now).prove()
    yield Finding("templates", Level.OK, "templates and holiday files are sound")


def postal_address(config: Config) -> Iterator[Finding]:
    """There is one in the footer."""
    if config.sender.postal_address.strip():
        yield Finding("postal address", Level.OK, "it is in the footer of every mail")
    else:
        why = "Laws such as CAN-SPAM ask for one in mails to many people"
        remedy = "Set postal_address in [sender]"
        yield Finding("postal address", Level.WARNING, "there is none", why, remedy)


def links(config: Config) -> Iterator[Finding]:
    """The web address is one that mail programs trust."""
    url = config.web.url
    if not url:
        why = "So mails have no link to unsubscribe with one click, which Gmail and Yahoo ask of whoever sends many"
        yield Finding("web address", Level.NOTE, "[web] has no url", why, "Set one when the mails go to other people")
    elif not url.startswith("https:"):
        why = "So mails have no one-click unsubscribe (RFC 8058), and their links can be read on the way"
        yield Finding("web address", Level.WARNING, f"{url} is not https", why, "Put the pages behind https")
    else:
        yield Finding("web address", Level.OK, f"{url} is https")
