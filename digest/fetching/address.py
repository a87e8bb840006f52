"""Which addresses a source may be fetched from, and how one is written where others can read it.

Rules
-----
1. An address of the machine's own network is fetched from only where the source says `allow_private`: private
   (RFC 1918, RFC 4193), loopback, shared (RFC 6598) and all else that is not of the public internet.
2. Never fetched from: link-local addresses and those where clouds keep a machine's secrets, multicast, unspecified.
3. An IPv6 address that stands for an IPv4 address is judged as that one: mapped (RFC 4291 2.5.5.2), 6to4 (RFC 3056),
   NAT64 (RFC 6052).
4. In words an address has no login, and instead of its query "?…": tokens stand there.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_CLOUDS = frozenset(map(ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")))
"""Where Alibaba, Azure, Oracle and Amazon answer a machine's questions about itself; others use link-local ones."""
_NAT64 = ip_network("64:ff9b::/96")
_NOT_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10")))
"""What the standard library takes for public, or did (RFC 6890, RFC 8215, RFC 3879)."""


def barred(address: str, *, allow_private: bool) -> str:
    """Why an IP address must not be connected to ("": it may). Raises ValueError if it is none."""
    found = _meant(ip_address(address.partition("%")[0]))
    if found.is_link_local or found.is_multicast or found.is_unspecified or found in _CLOUDS:
        return f"{address} is no address of a web server"
    not_public = not found.is_global or found.is_reserved or any(found in network for network in _NOT_PUBLIC)
    if not_public and not allow_private:
        mend = "set allow_private = true in its [[sources]], then: digest load --fetch"
        return f"{address} is in a private network; if that is meant, {mend}"
    return ""


def masked(url: str) -> str:
    """An address for messages and pages (rule 4)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?…' if parts.query else ''}"


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or nat64 or address
