"""The sending domain: who may send in its name (SPF), and where bounces come back to (MX)."""

from __future__ import annotations

from collections.abc import Iterator

from digest.doctor.dns import Dns
from digest.doctor.findings import Finding, Level
from digest.doctor.spf_cost import MOST_LOOKUPS, MOST_VOID, Cost, spf_cost, spf_records


def spf(dns: Dns, domain: str) -> Iterator[Finding]:
    """One SPF record, which receivers can evaluate within the limits of RFC 7208, and which ends in a refusal."""
    records = spf_records(dns, domain)
    if not records:
        why = "Receivers cannot tell your mail from forged mail, and some refuse it"
        remedy = f'Publish a TXT record at {domain}, such as "v=spf1 include:YOUR.RELAY -all"'
        yield Finding("SPF", Level.ERROR, f"{domain} has no SPF record", why, remedy)
    elif len(records) > 1:
        why = "Receivers then take none of them"
        yield Finding("SPF", Level.ERROR, f"{domain} has {len(records)} SPF records", why, "Merge them into one")
    else:
        yield from _followed(spf_cost(dns, domain), domain)


def _followed(cost: Cost, domain: str) -> Iterator[Finding]:
    faults = [*_spf_errors(cost), *_spf_advice(cost)]
    used = f"{cost.lookups} of {MOST_LOOKUPS} look-ups, {len(cost.void)} of {MOST_VOID} void, ends in {cost.end}all"
    if not any(fault.level is Level.ERROR for fault in faults) and cost.end:
        yield Finding("SPF", Level.OK, f"{domain}: {used}")
    yield from faults


def _spf_errors(cost: Cost) -> Iterator[Finding]:
    for fault in cost.faults:
        yield Finding("SPF", Level.ERROR, fault, "Receivers then drop the whole record", "Correct that term")
    for domain in cost.open_:
        why = "The record lets everybody send in your name"
        yield Finding("SPF", Level.ERROR, f"the record of {domain} ends in +all", why, "End it in -all or ~all")
    if cost.lookups > MOST_LOOKUPS:
        what = f"it takes {cost.lookups} DNS look-ups, and the limit is {MOST_LOOKUPS} (RFC 7208 4.6.4)"
        remedy = "Leave out what you do not send by, or name networks by ip4: and ip6:"
        yield Finding("SPF", Level.ERROR, what, "Receivers then drop the whole record", remedy)
    if len(cost.void) > MOST_VOID:
        what = f"{len(cost.void)} terms name what is not in the DNS: {', '.join(cost.void)}; the limit is {MOST_VOID}"
        yield Finding("SPF", Level.ERROR, what, "Receivers may drop the whole record", "Remove these terms")


def _spf_advice(cost: Cost) -> Iterator[Finding]:
    if cost.void and len(cost.void) <= MOST_VOID:
        what = f"it names what is not in the DNS: {', '.join(cost.void)}"
        yield Finding("SPF", Level.NOTE, what, f"Receivers allow {MOST_VOID} such terms", "Remove them")
    if cost.pointers:
        why = "It is slow, and some receivers pass it over (RFC 7208 5.5)"
        yield Finding("SPF", Level.NOTE, "it uses ptr", why, "Name networks or hosts instead")
    if cost.end in ("", "?") and not cost.faults:
        what = "it ends in ?all" if cost.end else "it has no all at its end"
        yield Finding("SPF", Level.WARNING, what, "So it forbids nobody to send in your name", "End it in -all or ~all")


def bounces(dns: Dns, domain: str) -> Iterator[Finding]:
    """Bounces come back to the sender's domain: it has a mail server, and that has an address."""
    exchanges = dns.exchanges(domain)
    lost = "Bounces and replies are lost, and many receivers refuse mail from such a domain"
    remedy = f"Publish an MX record at {domain}"
    if exchanges == (".",):
        yield Finding("MX", Level.ERROR, f"{domain} says that it takes no mail (MX 0 .)", lost, remedy)
    elif not exchanges and dns.addresses(domain):
        why = "Bounces go to the web server of that name, if to anybody"
        yield Finding("MX", Level.WARNING, f"{domain} has no MX record, only an address", why, remedy)
    elif not exchanges:
        yield Finding("MX", Level.ERROR, f"{domain} has neither MX record nor address", lost, remedy)
    elif homeless := [host for host in exchanges if not dns.addresses(host)]:
        level = Level.ERROR if len(homeless) == len(exchanges) else Level.WARNING
        yield Finding(
            "MX", level, f"mail servers without an address: {', '.join(homeless)}", lost, "Correct the MX record"
        )
    else:
        yield Finding("MX", Level.OK, f"{domain}: {', '.join(exchanges)}")
