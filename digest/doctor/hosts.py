"""Reverse DNS of the hosts that hand our mail to receivers.

Rules
-----
1. An address that sends has a name (PTR), and that name has the address; big receivers refuse others (5.7.25).
2. Where the relay is this machine, its own public addresses count; one behind a router does not know them.
3. Another relay may send from other addresses than it takes mail at, so what is found there is a warning at most.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

from digest.doctor.dns import Dns
from digest.doctor.findings import Finding, Level

_CHECK = "reverse DNS"
_FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_addresses() -> tuple[str, ...]:
    """The addresses from which this machine would speak to the world. Nothing is sent to learn them."""
    found = []
    for family, target in _FAR_AWAY:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            found.append(str(probe.getsockname()[0]))
    return tuple(found)


def reverse(dns: Dns, host: str, own: Sequence[str]) -> Iterator[Finding]:
    """The names of a relay's addresses; where it is on this machine (host "": a socket), of the machine's `own`."""
    literal = _literal(host)
    if not host or host.lower() == "localhost" or (literal and literal.is_loopback):
        yield from _public(dns, "this machine", own, Level.ERROR)
    elif literal:
        yield from _public(dns, host, [str(literal)], Level.WARNING)
    else:
        addresses = dns.addresses(host)
        here = bool(set(addresses) & set(own))
        yield from _public(dns, host, addresses, Level.ERROR if here else Level.WARNING)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _public(dns: Dns, host: str, addresses: Sequence[str], level: Level) -> Iterator[Finding]:
    public = [address for address in addresses if ip_address(address).is_global]
    if not public:
        what = f"{host} has no public address that is known here"
        yield Finding(_CHECK, Level.NOTE, what, "So this was not checked", "Ask whoever runs the way out of it")
    for address in public:
        yield _named(dns, host, address, level)


def _named(dns: Dns, host: str, address: str, level: Level) -> Finding:
    names = dns.names(address)
    confirmed = [name for name in names if address in dns.addresses(name)]
    if confirmed:
        return Finding(_CHECK, Level.OK, f"{address} ({host}) is {confirmed[0]}, and back")
    why = "Big receivers refuse mail from such an address (550 5.7.25)"
    remedy = "Have the owner of the address set its PTR to a name that has this address"
    if not names:
        return Finding(_CHECK, level, f"{address} ({host}) has no name (PTR)", why, remedy)
    return Finding(_CHECK, level, f"{address} ({host}) is {', '.join(names)}, which has other addresses", why, remedy)
