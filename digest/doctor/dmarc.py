"""DMARC of the domain that mails are from, and whether their signatures are aligned with it.

Rules (RFC 7489, and its successor's walk up the tree)
------------------------------------------------------
1. The record is asked for at `_dmarc.` of the domain, then of each domain above it but the top one. The first counts.
2. A signature is aligned when its domain is that of From (`adkim=s`), or when both lie under the domain that has the
   record. The envelope is from the same address as the mail, so SPF is always aligned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digest.doctor.dns import Dns
from digest.doctor.findings import Finding, Level
from digest.doctor.signing import DkimKey
from digest.doctor.tags import TagError, read_tags

_POLICIES = ("none", "quarantine", "reject")


def dmarc(dns: Dns, domain: str, keys: Sequence[DkimKey]) -> Iterator[Finding]:
    """One DMARC record with a policy, and signatures that count for it."""
    owner, records = _found(dns, domain)
    if not records:
        why = "Gmail, Yahoo and Outlook ask for one from whoever sends many mails"
        remedy = f'Publish a TXT record at _dmarc.{domain}: "v=DMARC1; p=none", and later p=quarantine or p=reject'
        yield Finding("DMARC", Level.WARNING, f"{domain} has no DMARC record", why, remedy)
    elif len(records) > 1:
        what = f"_dmarc.{owner} has {len(records)} DMARC records"
        yield Finding("DMARC", Level.ERROR, what, "Receivers then take none of them", "Leave one")
    else:
        yield from _read(domain, owner, records[0], keys)


def _found(dns: Dns, domain: str) -> tuple[str, list[str]]:
    """The domain that has records, and these."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        owner = ".".join(labels[start:])
        if records := [text for text in dns.texts(f"_dmarc.{owner}") if _is_dmarc(text)]:
            return owner, records
    return "", []


def _is_dmarc(text: str) -> bool:
    return text.replace(" ", "").partition(";")[0] == "v=DMARC1"


def _read(domain: str, owner: str, record: str, keys: Sequence[DkimKey]) -> Iterator[Finding]:
    try:
        tags = {name.lower(): value.lower() for name, value in read_tags(record).items()}
    except TagError as error:
        yield Finding(
            "DMARC", Level.ERROR, f"_dmarc.{owner}: {error}", "Receivers cannot read it", "Correct the record"
        )
        return
    policy = tags.get("p", "") if owner == domain else tags.get("sp", tags.get("p", ""))
    if policy not in _POLICIES:
        what = f"_dmarc.{owner} has no policy that receivers know (p={policy})"
        yield Finding("DMARC", Level.ERROR, what, "They pass over the record", "Write p=none, p=quarantine or p=reject")
        return
    yield Finding("DMARC", Level.OK, f"_dmarc.{owner}: policy {policy}")
    if policy == "none":
        why = "Forged mail in your name is delivered as well"
        remedy = "When SPF and DKIM have passed for some weeks, write p=quarantine or p=reject"
        yield Finding("DMARC", Level.NOTE, "the policy is none", why, remedy)
    strict = tags.get("adkim") == "s"
    yield from (_unaligned(key, domain) for key in keys if not _aligned(key.domain.lower(), domain, owner, strict))


def _aligned(signing: str, domain: str, owner: str, strict: bool) -> bool:
    if strict:
        return signing == domain
    return f".{signing}".endswith(f".{owner}") or f".{domain}".endswith(f".{signing}")


def _unaligned(key: DkimKey, domain: str) -> Finding:
    what = f"the key {key.selector} signs as {key.domain}, which is not aligned with {domain}"
    return Finding("DMARC", Level.WARNING, what, "Its signatures do not count", f'Set domain = "{domain}" in [[dkim]]')
