"""The demo's inbox: the mails that it caught, as a mail program shows them. Only a demo has these pages.

Rules
-----
1. A mail goes by its number in the order of arrival; no address is in a URL.
2. A link in its HTML that somebody clicks leads out of the frame, to the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Literal

from starlette.responses import Response

from digest.delivery.message import body
from digest.web.desk import Asked, Page, RefusedError
from digest.web.pages import sandboxed

PATH = "/inbox"
_SANDBOX = "allow-top-navigation-by-user-activation allow-popups"
_MOST = 100
"""Mails on the page, the newest."""


def pages(folder: Path) -> tuple[Page, ...]:
    """The pages of the mails that are files (.eml) in a folder."""
    inbox = _Inbox(folder)
    return (
        Page(PATH, inbox.listed),
        Page(PATH + "/{number}", inbox.opened),
        Page(PATH + "/{number}/mail", inbox.framed),
    )


@dataclass(frozen=True, slots=True)
class _Mail:
    number: int
    file: Path

    @property
    def at(self) -> int:
        """When it came, in epoch seconds."""
        return int(self.file.stat().st_mtime)

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.file.read_bytes(), policy=policy.default)

    def body(self, kind: Literal["plain", "html"]) -> str:
        """Its text or HTML."""
        return body(self.file.read_bytes(), kind)


@dataclass(frozen=True, slots=True)
class _Inbox:
    folder: Path

    def listed(self, asked: Asked) -> Response:
        """All mails, the newest first. A page that has `seen` them all has nothing to change."""
        mails = list(self._mails())
        if asked.part and asked.query.get("seen") == str(len(mails)):
            return Response(status_code=204)
        show = partial(asked.show_part, block="mails") if asked.part else asked.show
        return show("inbox.html", count=len(mails), mails=mails[: -_MOST - 1 : -1])

    def opened(self, asked: Asked) -> Response:
        """One mail."""
        mail = self._mail(asked)
        text = mail.body("plain")
        one_click = re.search(re.escape(asked.desk.site) + r"(/unsubscribe/[\w.-]+)", text)
        return asked.show(
            "inbox_mail.html",
            mail=mail,
            message=mail.message,
            text=text,
            one_click=one_click[1] if one_click else "",
            sandbox=_SANDBOX,
        )

    def framed(self, asked: Asked) -> Response:
        """Its HTML, for the frame."""
        html = self._mail(asked).body("html").replace("<head>", '<head><base target="_top">', 1)
        return sandboxed(html, _SANDBOX)

    def _mail(self, asked: Asked) -> _Mail:
        found = {str(mail.number): mail for mail in self._mails()}.get(asked.place["number"])
        if found is None:
            raise RefusedError(404, "There is no such mail", "It may be another demo's. The inbox has all there are.")
        return found

    def _mails(self) -> Iterator[_Mail]:
        arrived = sorted(self.folder.glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        return (_Mail(number, file) for number, file in enumerate(arrived, start=1))
