"""One SMTP connection, and how far each message got on it.

Rules
-----
1. Nothing of AUTH leaves before TLS is up and verified, if TLS is asked for; a relay without STARTTLS is refused.
2. Until the first byte of the body is written, a lost connection means: certainly not accepted, DEFERRED. From then
   on until the reply it means UNKNOWN.
3. A refusal counts by its code: 4xx DEFERRED; 5xx FAILED; but 5xx at MAIL, and 530 anywhere, are the relay's word
   about us, not about the recipient: RelayError. 421 closes the connection.
4. A reply that cannot be an answer closes the connection, so that replies and commands never get out of step.
5. Each step has one deadline for all of it, so that a byte a second does not keep it alive.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import aiosmtplib

from digest.delivery.address import envelope_address
from digest.delivery.check import Checked
from digest.delivery.headers import clean
from digest.delivery.message import Envelope
from digest.delivery.relay import Relay
from digest.errors import MessageError, RelayError
from digest.model import State

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class UnreachableError(RelayError):
    """The relay cannot be used now; a later attempt may do."""


class Phase(StrEnum):
    """The step of a transaction at which its result was settled."""

    ADDRESS = "address"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "end of data"


_EXPECTED = {Phase.MAIL: (250,), Phase.RCPT: (250, 251), Phase.DATA: (354,), Phase.BODY: (250,)}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one message: its state, the step that settled it, the relay's code (0: none) and words."""

    state: State
    phase: Phase
    code: int = 0
    reply: str = ""


class Connection:
    """A session with a relay, opened by `connect`. It sends one message at a time."""

    def __init__(self, relay: Relay, smtp: aiosmtplib.SMTP) -> None:
        self._relay, self._limits, self._smtp = relay, relay.limits, smtp
        self._smtputf8 = smtp.supports_extension("smtputf8")

    @property
    def is_open(self) -> bool:
        """Whether another message can be sent here."""
        return self._smtp.is_connected

    async def send(self, envelope: Envelope, message: Checked) -> Result:
        """Run one transaction. Raises RelayError if the relay refuses us rather than the recipient."""
        try:
            return await self._transact(envelope, message)
        except asyncio.CancelledError:
            self.abort()
            raise

    async def close(self) -> None:
        """Say QUIT if the relay still listens, and close."""
        if self.is_open:
            with suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit(timeout=self._limits.farewell)
        self.abort()

    def abort(self) -> None:
        """Close at once; what is not yet written never leaves."""
        transport = self._smtp.transport
        self._smtp.close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    async def _transact(self, envelope: Envelope, message: Checked) -> Result:
        try:
            commands = self._commands(envelope)
        except MessageError as error:
            return Result(State.FAILED, Phase.ADDRESS, 0, str(error))
        for phase, command, limit in commands:
            try:
                reply = await self._smtp.execute_command(*command, timeout=limit)
            except (aiosmtplib.SMTPException, OSError) as error:
                return self._lost(State.DEFERRED, phase, error)
            if reply.code not in _EXPECTED[phase]:
                return await self._refused(phase, reply)
        return await self._send_body(message)

    def _commands(self, envelope: Envelope) -> tuple[tuple[Phase, tuple[bytes, ...], float], ...]:
        sender = envelope_address(envelope.mail_from, smtputf8=False).encode()
        recipient = envelope_address(envelope.recipient, self._smtputf8).encode()
        options = () if recipient.isascii() else (b"SMTPUTF8",)
        return (
            (Phase.MAIL, (b"MAIL", b"FROM:<" + sender + b">", *options), self._limits.command),
            (Phase.RCPT, (b"RCPT", b"TO:<" + recipient + b">"), self._limits.command),
            (Phase.DATA, (b"DATA",), self._limits.data),
        )

    async def _send_body(self, message: Checked) -> Result:
        # Not SMTP.data(): it cannot tell a connection lost before 354 from one lost after the body. Nor is there
        # anything left to normalise or to dot-stuff in checked bytes.
        protocol = self._smtp.protocol
        if protocol is None or not protocol.is_connected:
            return self._lost(State.DEFERRED, Phase.DATA, ConnectionError("closed behind 354"))
        protocol.write(message + b".\r\n")
        try:
            reply = await protocol.read_response(timeout=self._limits.dot)
        except (aiosmtplib.SMTPException, OSError) as error:
            return self._lost(State.UNKNOWN, Phase.BODY, error)
        if reply.code in _EXPECTED[Phase.BODY]:
            return Result(State.SENT, Phase.BODY, reply.code, _line(reply.message))
        return await self._refused(Phase.BODY, reply)

    async def _refused(self, phase: Phase, reply: aiosmtplib.SMTPResponse) -> Result:
        code, words = reply.code, _line(reply.message)
        if not 400 <= code <= 599:
            state = State.UNKNOWN if phase is Phase.BODY else State.DEFERRED
            return self._lost(state, phase, RuntimeError(f"{code} {words} is no answer to {phase}"))
        if code == 530 or (code >= 500 and phase is Phase.MAIL):
            await self.close()
            raise RelayError(f"{self._relay} refuses us at {phase}: {code} {words}; check the sender and the login")
        if code == 421:
            self.abort()
        elif phase is not Phase.BODY:
            await self._reset()
        return Result(State.FAILED if code >= 500 else State.DEFERRED, phase, code, words)

    async def _reset(self) -> None:
        """Drop the half-made transaction, or the connection if the relay will not."""
        try:
            await self._smtp.rset(timeout=self._limits.command)
        except (aiosmtplib.SMTPException, OSError):
            self.abort()

    def _lost(self, state: State, phase: Phase, error: Exception) -> Result:
        self.abort()
        return Result(state, phase, 0, f"connection lost at {phase}: {_words(error)}")


async def connect(relay: Relay) -> Connection:
    """Open a session: greeting, TLS, login. Raises UnreachableError if it may do later, RelayError if not."""
    context = None if relay.tls == "none" else relay.tls_context()
    smtp = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        local_hostname=relay.local_hostname,
        timeout=relay.limits.command,
        use_tls=relay.tls == "implicit",
        start_tls=False,
        tls_context=context,
    )
    try:
        async with asyncio.timeout(relay.limits.greeting):
            await smtp.connect(timeout=None)
        await _greet(relay, smtp)
        await _login(relay, smtp)
    except BaseException as error:
        smtp.close()
        if not isinstance(error, aiosmtplib.SMTPException | OSError):
            raise
        # Raised below, so that neither frames nor causes of the login hang on what is reported.
        failure = _failure(relay, error)
    else:
        return Connection(relay, smtp)
    raise failure


async def _greet(relay: Relay, smtp: aiosmtplib.SMTP) -> None:
    await smtp.ehlo()
    if relay.tls == "starttls":
        if not smtp.supports_extension("starttls"):
            raise RelayError(
                f"{relay} offers no STARTTLS, so nothing was sent; is it the right port, or is somebody between?"
            )
        async with asyncio.timeout(relay.limits.command):
            await smtp.starttls()
            await smtp.ehlo()


async def _login(relay: Relay, smtp: aiosmtplib.SMTP) -> None:
    if not relay.username:
        return
    if not smtp.supported_auth_methods:
        raise RelayError(f"{relay} offers no login that we know; remove smtp.username or use another port")
    async with asyncio.timeout(relay.limits.command):
        await smtp.login(relay.username, relay.password.get_secret_value() if relay.password else "")


def _failure(relay: Relay, error: Exception) -> RelayError:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # Only the codes: some servers repeat in words what they were sent.
        enhanced = _ENHANCED.match(error.message)
        reason = f"the login is refused: {error.code}{' ' + enhanced[0] if enhanced else ''}"
    else:
        reason = _words(error)
    certificate = isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError)
    refused = isinstance(error, aiosmtplib.SMTPResponseException) and 500 <= error.code <= 599
    kind = RelayError if certificate or refused else UnreachableError
    return kind(f"{relay} cannot be used: {reason}")


def _words(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {_line(error.message)}"
    return _line(str(error)) or type(error).__name__


def _line(reply: str) -> str:
    """One line that can be stored and shown, whatever the relay sent (surrogates stand for octets beyond UTF-8)."""
    return clean(reply)[:500]
