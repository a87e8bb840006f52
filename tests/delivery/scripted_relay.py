"""An SMTP server on loopback that does to each command what a test says, and keeps all that it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress

DROP, SILENCE, TARPIT, ENDLESS = "drop", "silence", "tarpit", "endless"

ANSWERS = {
    "CONNECT": "220 scripted",
    "EHLO": "250-scripted\r\n250 8BITMIME",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    ".": "250 2.0.0 kept",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


class ScriptedRelay:
    """`script` maps a command line, or its verb, to its answers in turn; when they are used up, the usual one is given.

    A plain string is the answer every time. `commands` are the lines received, `messages` the bodies as they came,
    `transactions` the recipients of accepted messages.
    """

    def __init__(
        self, script: Mapping[str, str | Sequence[str]], tls: ssl.SSLContext | None = None, *, implicit: bool = False
    ) -> None:
        self._script = {key: answer if isinstance(answer, str) else list(answer) for key, answer in script.items()}
        self._tls, self._implicit = tls, implicit
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.accepted: list[str] = []
        self.connections = 0

    async def __aenter__(self) -> ScriptedRelay:
        context = self._tls if self._implicit else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._sessions: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._sessions.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                await self._session(reader, writer)
        finally:
            writer.transport.abort()
            self._sessions.discard(task)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        if not await self._answer("CONNECT", writer):
            return
        while True:
            line = (await reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
            self.commands.append(line)
            if line.startswith("RCPT"):
                recipient = line
            said = await self._answer(line, writer)
            if not said or line == "QUIT":
                return
            if line == "STARTTLS" and said.startswith("220"):
                assert self._tls
                await writer.start_tls(self._tls)
            if line == "DATA" and said.startswith("354"):
                self.messages.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                said = await self._answer(".", writer)
                if not said:
                    return
                if said.startswith("250"):
                    self.accepted.append(recipient[9:-1])

    async def _answer(self, line: str, writer: asyncio.StreamWriter) -> str:
        answer = self._next(line)
        if answer == DROP:
            return ""
        if answer == SILENCE:
            await asyncio.sleep(60)
        if answer == TARPIT:
            for _ in range(100):
                writer.write(b"2")
                await asyncio.sleep(0.02)
        while answer == ENDLESS:
            writer.write(b"250-more and more\r\n" * 100)
            await writer.drain()
        writer.write(answer.encode("utf-8", "surrogateescape") + b"\r\n")
        await writer.drain()
        return answer

    def _next(self, line: str) -> str:
        verb = line.split(" ", maxsplit=1)[0]
        answer = self._script.get(line, self._script.get(verb))
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        return answer or ANSWERS.get(verb, "500 what?")
