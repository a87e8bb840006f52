"""The message that all senders send: an edition of ENTRIES entries as Digest renders it."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from editions import SITE, synthetic
from sending import SENDER

from digest.delivery.message import Sender
from digest.press import Named, Press
from digest.rendering.edition import Renderer

ENTRIES = 10


def ready(count: int) -> list[bytes]:
    """So many editions' messages, ready for the wire."""
    editions, entries = synthetic(count, ENTRIES)
    press = Press(Renderer(None, SITE), Sender(SENDER, "Digest"), "https://digest.example.org", ("secret" * 6,))
    return [press.message(edition, Named(entries)) for edition in editions]


def write(folder: Path) -> int:
    """Write one in the forms that senders want, and return its size.

    message.eml   for the wire
    message.lf    its lines as a text file's, for smtp-source
    message.json  its parts, for those that build it themselves
    """
    (message,) = ready(1)
    (folder / "message.eml").write_bytes(message)
    (folder / "message.lf").write_bytes(message.replace(b"\r\n", b"\n"))
    (folder / "message.json").write_text(json.dumps(_parts(message)))
    return len(message)


def _parts(message: bytes) -> dict[str, object]:
    mail = message_from_bytes(message, policy=default)
    assert isinstance(mail, EmailMessage)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    headers = {name: value for name, value in mail.items() if name.startswith(("List-", "Auto-", "Feedback-"))}
    return {"subject": mail["Subject"], "text": text.get_content(), "html": html.get_content(), "headers": headers}
