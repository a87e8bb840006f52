"""All checks, in their order: this machine first, then what is fetched, then the relays, then the DNS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from digest import sources
from digest.config import Config
from digest.doctor.dmarc import dmarc
from digest.doctor.dns import Dns
from digest.doctor.domain import bounces, spf
from digest.doctor.fetching import fetched
from digest.doctor.files import listings, private
from digest.doctor.findings import Finding, Level, UnansweredError, examined
from digest.doctor.hosts import own_addresses, reverse
from digest.doctor.keys import keys_of, sending_domain, usable
from digest.doctor.machine import clock, database, disk, zones
from digest.doctor.mails import links, postal_address, templates
from digest.doctor.relays import reached
from digest.doctor.signing import DkimKey, dkim
from digest.faults import relays_of

_NOT_PUBLIC = ("localhost", "local", "internal", "lan", "home.arpa", "test", "invalid")


def system_dns() -> Dns:
    """The DNS servers of this machine. Raises UnansweredError if there is none, or no library to ask them with."""
    from digest.doctor.lookup import Lookup  # noqa: PLC0415 - dnspython is an extra

    return Lookup()


def examine(
    config: Config,
    now: int,
    dns: Callable[[], Dns] = system_dns,
    own: Callable[[], Sequence[str]] = own_addresses,
) -> Iterator[Finding]:
    """What is found, one after the other. `own` gives the addresses from which this machine speaks to the world."""
    keys, relays = keys_of(config), relays_of(config)
    yield from examined(
        (
            ("database", lambda: database(config, now)),
            ("disk", lambda: disk(config)),
            ("clock", lambda: clock(config, now)),
            ("time zones", lambda: zones(config)),
            ("listings", lambda: listings(config, now)),
            ("secrets", lambda: private(config, [key.file for key in keys])),
            ("DKIM", lambda: usable(keys)),
            ("templates", lambda: templates(config, now)),
            ("postal address", lambda: postal_address(config)),
            ("web address", lambda: links(config)),
        )
    )
    yield from examined(("source", partial(fetched, remote)) for remote in sources.remotes(config))
    yield from examined(("relay", partial(reached, relay)) for relay in relays)
    hosts = ["" if relay.socket else relay.host for relay in relays]
    yield from in_dns(sending_domain(config), hosts, keys, dns, own)


def in_dns(
    domain: str,
    hosts: Sequence[str],
    keys: Sequence[DkimKey],
    dns: Callable[[], Dns],
    own: Callable[[], Sequence[str]],
) -> Iterator[Finding]:
    """What the DNS says of the sending domain and of the relays' hosts."""
    if "." not in domain or f".{domain}".endswith(tuple(f".{top}" for top in _NOT_PUBLIC)):
        yield Finding("DNS", Level.NOTE, f"{domain} is no public domain", "Only your own relay takes mail from it")
        return
    try:
        asked = dns()
        why = asked.unreachable(domain)
    except UnansweredError as error:
        why = str(error)
    if why:
        yield Finding("DNS", Level.WARNING, why, "So SPF, DKIM, DMARC, MX and reverse DNS were not checked")
        return
    yield from examined(
        (
            ("SPF", lambda: spf(asked, domain)),
            *(("DKIM", partial(dkim, asked, key)) for key in keys),
            ("DMARC", lambda: dmarc(asked, domain, keys)),
            ("MX", lambda: bounces(asked, domain)),
            *(("reverse DNS", partial(reverse, asked, host, own())) for host in dict.fromkeys(hosts)),
        )
    )
