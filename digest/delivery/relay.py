"""The SMTP relay as configured, and whether it may be spoken to in plain text.

Rules
-----
1. Plain text goes to loopback or through a Unix socket only, unless the configuration allows it in words.
2. Certificates are always verified, against the system's authorities or those in `ca_file`.
3. The password is asked for only at AUTH, and is in no repr.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Protocol

from digest.errors import RelayError, UsageError


class Secret(Protocol):
    """A password that does not print itself, such as pydantic's SecretStr."""

    def get_secret_value(self) -> str:
        """Return the password."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that each step may take in all (RFC 5321 4.5.3.2).

    `block` is how long the relay may take nothing of what waits to be written; `farewell` is for QUIT.
    """

    greeting: float = 300.0
    login: float = 60.0
    command: float = 300.0
    data: float = 120.0
    block: float = 180.0
    dot: float = 600.0
    farewell: float = 5.0


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed over. Raises UsageError if it would be plain text over a network.

    `socket` is the path of a Unix socket, used in place of host and port. `pipelining` and `chunking` are used where
    the relay offers them; `depth` is how many messages may then be on their way at once on a connection with chunking,
    and so the most that are unknown when it breaks. Relays of the highest `priority` come first, those of equal
    priority share by `weight`; `per_minute` bounds the mails (0: no bound).
    """

    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    username: str = ""
    password: Secret | None = field(default=None, repr=False)
    connections: int = 4
    local_hostname: str | None = None
    ca_file: str | None = None
    allow_plaintext: bool = False
    limits: Limits = Limits()
    socket: str = ""
    protocol: Literal["smtp", "lmtp"] = "smtp"
    pipelining: bool = True
    chunking: bool = True
    depth: int = 4
    priority: int = 0
    weight: int = 1
    per_minute: int = 0

    def __post_init__(self) -> None:
        if self.tls == "none" and not (self.allow_plaintext or self.socket or _is_loopback(self.host)):
            raise UsageError(
                f'smtp.tls is "none", but {self.host} is not this machine: mails and password would be readable on the '
                'way. Set tls = "starttls" or "implicit", or allow_plaintext = true if you mean it'
            )

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that verifies certificate and name. Raises RelayError if `ca_file` cannot be read."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise RelayError(f"smtp.ca_file {self.ca_file} cannot be used: {error}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
