"""A relay → an open `Connection`: aiosmtplib greets, secures and logs in; then the transport is ours.

Rules
-----
1. Nothing of AUTH leaves before TLS is up and verified, if TLS is asked for; a relay without STARTTLS is refused.
2. No secret is in an error: of a refused login only the codes are told, and no frame or cause of it hangs on.
3. Whatever the relay has sent beyond the last reply is out of step, and the connection is not used.
4. LMTP says LHLO for EHLO (RFC 2033 4.1), and is otherwise the same for one recipient at a time.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

import aiosmtplib

from digest.delivery.relay import Relay
from digest.delivery.replies import enhanced, words
from digest.delivery.smtp import Connection
from digest.errors import RelayError


class UnreachableError(RelayError):
    """The relay cannot be used now; a later attempt may do."""


async def connect(relay: Relay) -> Connection:
    """Open a session: greeting, TLS, login. Raises UnreachableError if it may do later, RelayError if not."""
    smtp = _client(relay)
    try:
        async with asyncio.timeout(relay.limits.greeting):
            await smtp.connect(timeout=None)
        await _greet(relay, smtp)
        await _login(relay, smtp)
        return _take_over(relay, smtp)
    except BaseException as error:
        smtp.close()
        if not isinstance(error, aiosmtplib.SMTPException | OSError):
            raise
        # Raised below, so that neither frames nor causes of the login hang on what is reported.
        failure = _failure(relay, error)
    raise failure


def _client(relay: Relay) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=relay.host,
        port=None if relay.socket else relay.port,
        socket_path=relay.socket or None,
        local_hostname=relay.local_hostname,
        timeout=relay.limits.command,
        use_tls=relay.tls == "implicit",
        start_tls=False,
        tls_context=None if relay.tls == "none" else relay.tls_context(),
    )


async def _greet(relay: Relay, smtp: aiosmtplib.SMTP) -> None:
    await _hello(relay, smtp)
    if relay.tls == "starttls":
        if not smtp.supports_extension("starttls"):
            raise RelayError(
                f"{relay} offers no STARTTLS, so nothing was sent; is it the right port, or is somebody between?"
            )
        async with asyncio.timeout(relay.limits.command):
            await smtp.starttls()
            await _hello(relay, smtp)


async def _hello(relay: Relay, smtp: aiosmtplib.SMTP) -> None:
    if relay.protocol == "smtp":
        await smtp.ehlo()
        return
    reply = await smtp.execute_command(b"LHLO", (smtp.local_hostname or "").encode("ascii"))
    if reply.code != aiosmtplib.SMTPStatus.completed:
        raise aiosmtplib.SMTPHeloError(reply.code, reply.message)
    smtp.last_ehlo_response = reply


async def _login(relay: Relay, smtp: aiosmtplib.SMTP) -> None:
    if not relay.username:
        return
    if not smtp.supported_auth_methods:
        raise RelayError(f"{relay} offers no login that we know; remove smtp.username or use another port")
    async with asyncio.timeout(relay.limits.login):
        await smtp.login(relay.username, relay.password.get_secret_value() if relay.password else "")


def _take_over(relay: Relay, smtp: aiosmtplib.SMTP) -> Connection:
    transport, protocol = smtp.transport, smtp.protocol
    if transport is None or transport.is_closing():
        raise ConnectionError("closed by the relay behind its greeting")
    # The library shows this buffer nowhere in public; were it renamed, a reply too many would be dropped unseen there.
    if getattr(protocol, "_buffer", b""):
        raise ConnectionError("the relay answers more than it was asked")
    # uvloop's transports are no subclasses of asyncio's, but do the same.
    connection = Connection(relay, cast(asyncio.Transport, transport), smtp.esmtp_extensions)
    transport.set_protocol(connection)
    smtp.protocol = smtp.transport = None  # so that the library closes nothing of ours
    return connection


def _failure(relay: Relay, error: Exception) -> RelayError:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        # Only the codes: some servers repeat in words what they were sent.
        reason = f"the login is refused: {error.code} {enhanced(error.message)}".rstrip()
    elif isinstance(error, aiosmtplib.SMTPResponseException):
        reason = f"{error.code} {words(error.message)}"
    else:
        reason = words(str(error)) or type(error).__name__
    certificate = isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError)
    refused = isinstance(error, aiosmtplib.SMTPResponseException) and 500 <= error.code <= 599
    kind = RelayError if certificate or refused else UnreachableError
    return kind(f"{relay} cannot be used: {reason}")
