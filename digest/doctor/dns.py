"""What the checks ask of the DNS."""

from __future__ import annotations

from typing import Protocol


class Dns(Protocol):
    """Questions to the DNS. No answer is an empty tuple; each raises UnansweredError where nothing is known."""

    def unreachable(self, domain: str) -> str:
        """Why nothing can be asked ("": it can)."""

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, each with its strings joined."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """The IPv4 and IPv6 addresses of a name."""

    def exchanges(self, domain: str) -> tuple[str, ...]:
        """The mail servers of a domain, best first; a root `.` says that it takes no mail (RFC 7505)."""

    def names(self, address: str) -> tuple[str, ...]:
        """The names that an IP address has by reverse DNS."""
