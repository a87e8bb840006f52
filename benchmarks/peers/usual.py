"""The usual stack: Jinja2 for every mail, EmailMessage, an aiosmtplib pool, and a commit to SQLite for every mail.

It gets its snippets and marks ready-made, and the editions from memory; it renders our own templates.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from email.message import EmailMessage
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtplib import SMTP

sys.path.append(str(Path(__file__).resolve().parents[1]))

from editions import synthetic, whole
from ready import ENTRIES
from rendering import links
from sending import SENDER, Cost, Load, clock, main, share

from digest.model import Edition
from digest.rendering.templates import load_html, load_text
from peers.senders import pool

_EDITIONS = 500


def pages() -> Callable[[Edition], tuple[str, str]]:
    """What makes the text and the HTML of an edition, all of it anew."""
    blocks: dict[str, str] = {}
    html, text = load_html(None, blocks), load_text(None, blocks)
    _, entries = synthetic(1, ENTRIES)

    def render(edition: Edition) -> tuple[str, str]:
        values = whole(edition, entries, links(edition))
        return text.whole(values), html.whole(values)

    return render


def _mail(edition: Edition, text: str, html: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Digest <{SENDER}>", edition.email, "Digest"
    mail["Message-ID"], mail["List-Unsubscribe"] = f"<{edition.id}@example.org>", f"<{links(edition).unsubscribe}>"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


async def _send(load: Load, database: sqlite3.Connection) -> Cost:
    render, numbers = pages(), iter(range(load.count))
    editions = cycle(synthetic(_EDITIONS, ENTRIES)[0])

    async def send(smtp: SMTP) -> None:
        edition = next(editions)
        await smtp.send_message(_mail(edition, *render(edition)))
        database.execute("UPDATE editions SET state = 'sent' WHERE id = ?", (next(numbers),))
        database.commit()

    async with AsyncExitStack() as stack:
        smtps = await pool(stack, load)
        with clock() as cost:
            await share(load.count, [partial(send, smtp) for smtp in smtps])
    return cost


def usual(load: Load) -> Cost:
    """All of it."""
    with TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "usual.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE editions (id INTEGER PRIMARY KEY, state TEXT)")
        database.executemany("INSERT INTO editions VALUES (?, 'planned')", ((n,) for n in range(load.count)))
        database.commit()
        return asyncio.run(_send(load, database))


if __name__ == "__main__":
    main({"usual": usual})
