"""Asking the DNS. The only place that imports dnspython.

Rules
-----
1. A name that does not exist and one without records of that kind are the same to us: no answer, an empty tuple.
2. A server that fails, refuses or keeps silent is an `UnansweredError`: nothing is known.
3. Every question has a deadline, and all of them together have one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from digest.doctor.findings import UnansweredError

try:
    import dns.exception
    import dns.name
    import dns.nameserver
    import dns.resolver
    import dns.reversename
except ModuleNotFoundError:
    raise UnansweredError('asking the DNS needs a library; pip install "email-digest[doctor]"') from None

_EACH_SECONDS, _ALL_SECONDS = 5.0, 30.0


class Lookup:
    """Questions to the DNS servers of this machine, or to others (address and port)."""

    def __init__(
        self, servers: Sequence[tuple[str, int]] = (), each: float = _EACH_SECONDS, all_: float = _ALL_SECONDS
    ) -> None:
        """`each` question and `all_` of them may take so many seconds. Raises UnansweredError without any server."""
        try:
            self._resolver = dns.resolver.Resolver(configure=not servers)
        except (dns.resolver.NoResolverConfiguration, OSError) as error:
            raise UnansweredError(f"this machine has no DNS servers: {error}") from None
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
        self._resolver.cache = dns.resolver.Cache()
        self._each, self._deadline = each, time.monotonic() + all_

    def unreachable(self, domain: str) -> str:
        """Why nothing can be asked ("": it can). What knows neither domain nor root is not the DNS of the world."""
        why = f"the DNS servers of this machine know neither {domain} nor the root"
        for name, kind in ((domain, "SOA"), (".", "NS")):
            try:
                if self._ask(name, kind):
                    return ""
            except UnansweredError as error:
                why = str(error)
        return why

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, each with its strings joined."""
        return tuple(b"".join(one.strings).decode("utf-8", "replace") for one in self._ask(name, "TXT"))

    def addresses(self, name: str) -> tuple[str, ...]:
        """The IPv4 and IPv6 addresses of a name."""
        return tuple(one.address for kind in ("A", "AAAA") for one in self._ask(name, kind))

    def exchanges(self, domain: str) -> tuple[str, ...]:
        """The mail servers of a domain, best first; a root `.` says that it takes no mail (RFC 7505)."""
        found = sorted((one.preference, one.exchange.to_text()) for one in self._ask(domain, "MX"))
        return tuple(name if name == "." else name.rstrip(".") for _, name in found)

    def names(self, address: str) -> tuple[str, ...]:
        """The names that an IP address has by reverse DNS."""
        return tuple(
            one.target.to_text().rstrip(".") for one in self._ask(dns.reversename.from_address(address), "PTR")
        )

    def _ask(self, name: str | dns.name.Name, kind: str) -> Sequence[Any]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise UnansweredError(f"there was no time left to ask the DNS for {name} ({kind})")
        try:
            return list(self._resolver.resolve(name, kind, search=False, lifetime=min(self._each, left)))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise UnansweredError(f"the DNS does not say {name} ({kind}): {_said(error)}") from None


def _said(error: dns.exception.DNSException) -> str:
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "no answer in time"
    return " ".join(str(error).split()) or type(error).__name__
