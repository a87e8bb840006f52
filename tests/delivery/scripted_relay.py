"""An SMTP or LMTP server on loopback that does to each command what a test says, and keeps all that it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

DROP, SILENCE, TARPIT, ENDLESS = "drop", "silence", "tarpit", "endless"

Script = Mapping[str, str | Sequence[str]]

ANSWERS = {
    "CONNECT": "220 scripted",
    "EHLO": "250-scripted\r\n250 8BITMIME",
    "LHLO": "250-scripted\r\n250 PIPELINING",
    "STARTTLS": "220 go ahead",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    "BDAT": "250 2.0.0 kept",
    ".": "250 2.0.0 kept",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


class ScriptedRelay:
    """`script` maps a command line, or its verb, to its answers in turn; when they are used up, the usual one is given.

    The usual answer to MAIL within a transaction is 503, and so it is to RCPT, DATA and BDAT without what must come
    before. A plain string is the answer every time. `commands` are the lines received, `messages` the bodies as they
    came, `accepted` the recipients of accepted messages.
    """

    def __init__(
        self,
        script: Script,
        tls: ssl.SSLContext | None = None,
        *,
        implicit: bool = False,
        path: Path | None = None,
    ) -> None:
        self._script = {key: answer if isinstance(answer, str) else list(answer) for key, answer in script.items()}
        self._tls, self._implicit, self._path = tls, implicit, path
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.accepted: list[str] = []
        self.connections = 0

    async def __aenter__(self) -> ScriptedRelay:
        context = self._tls if self._implicit else None
        if self._path:
            self._server = await asyncio.start_unix_server(self._serve, self._path)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port: int = 0 if self._path else self._server.sockets[0].getsockname()[1]
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
                await _Session(self, reader, writer).run()
        finally:
            writer.transport.abort()
            self._sessions.discard(task)

    def next_answer(self, line: str) -> str | None:
        """What the script says to a command, if anything."""
        answer = self._script.get(line, self._script.get(line.split(" ", maxsplit=1)[0]))
        if isinstance(answer, list):
            return answer.pop(0) if answer else None
        return answer

    async def secure(self, writer: asyncio.StreamWriter) -> None:
        """Begin TLS."""
        assert self._tls
        await writer.start_tls(self._tls)


class _Session:
    """One connection: which transaction it is in, and what it says."""

    def __init__(self, relay: ScriptedRelay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._relay, self._reader, self._writer = relay, reader, writer
        self._sender = self._recipient = ""

    async def run(self) -> None:
        said = await self._answer("CONNECT")
        while said:
            line = (await self._reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
            self._relay.commands.append(line)
            said = await self._command(line)
            if line == "QUIT":
                return

    async def _command(self, line: str) -> str:
        verb = line.split(" ", maxsplit=1)[0]
        if verb == "BDAT":
            return await self._keep(line, await self._reader.readexactly(int(line.split()[1])))
        said = await self._answer(line)
        accepted = said.startswith("2")
        if verb == "MAIL" and accepted:
            self._sender = line
        elif verb == "RCPT" and accepted:
            self._recipient = line[9:-1]
        elif verb == "RSET" and accepted:
            self._sender = self._recipient = ""
        elif verb == "STARTTLS" and said.startswith("220"):
            await self._relay.secure(self._writer)
        elif verb == "DATA" and said.startswith("354"):
            return await self._keep(".", await self._body())
        return said

    async def _body(self) -> bytes:
        lines = []
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line)
        return b"".join(lines)

    async def _keep(self, line: str, body: bytes) -> str:
        self._relay.messages.append(body)
        recipient = self._recipient
        said = await self._answer(line)
        if said.startswith("250"):
            self._relay.accepted.append(recipient)
        if line == "." or said.startswith("250"):
            self._sender = self._recipient = ""
        return said

    async def _answer(self, line: str) -> str:
        """Say what is to be said; "" when nothing more will be."""
        answer = self._relay.next_answer(line) or self._usual(line.split(" ", maxsplit=1)[0])
        writer = self._writer
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

    def _usual(self, verb: str) -> str:
        if verb == "MAIL" and self._sender:
            return "503 5.5.1 nested MAIL"
        if verb == "RCPT" and not self._sender:
            return "503 5.5.1 need MAIL"
        if verb in ("DATA", "BDAT", ".") and not self._recipient:
            return "554 5.5.1 no valid recipients"
        return ANSWERS.get(verb, "500 what?")
