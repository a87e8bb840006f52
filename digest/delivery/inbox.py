"""An SMTP inbox in this process, for the demo and for trying things out: it takes every mail and sends none on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Receive = Callable[[str, tuple[str, ...], bytes], None]
"""Called with sender, recipients and message for each mail, in the inbox's own thread. An error refuses the mail."""


class Inbox(Controller):
    """Listens on loopback while its `with` block runs; with port 0 on a free one, which `port` then names."""

    def __init__(self, receive: Receive, port: int = 0, **options: Any) -> None:
        super().__init__(_Handler(receive), hostname="127.0.0.1", port=port, **options)
        self._conversations: WeakSet[SMTP] = WeakSet()

    def __enter__(self) -> Inbox:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result()
        self.stop()

    def factory(self) -> SMTP:
        """What talks to one client."""
        made: SMTP = super().factory()  # type: ignore[no-untyped-call]  # the library has no types
        self._conversations.add(made)
        return made

    async def _hang_up(self) -> None:
        """Close what clients have left open; the library would leave the sockets to the collector of garbage."""
        for one in list(self._conversations):
            if isinstance(one.transport, asyncio.WriteTransport):
                one.transport.abort()
        await asyncio.sleep(0)  # until the loop has closed them

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        # Bound here and not by number, so that nobody can take a free port between finding and using it.
        listener = socket.create_server((self.hostname, self.port))
        self.port = listener.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listener, ssl=self.ssl_context)


class _Handler:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802, ARG002 - aiosmtpd's
        message = envelope.original_content or b""
        self._receive(envelope.mail_from or "", tuple(envelope.rcpt_tos), message)
        return "250 2.0.0 kept"
