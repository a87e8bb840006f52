"""The keys that sign, as configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from digest.config import Config
from digest.delivery.address import ascii_domain
from digest.doctor.findings import Finding, Level
from digest.doctor.signing import DkimKey
from digest.errors import DigestError


def sending_domain(config: Config) -> str:
    """The domain that mails are from, as the DNS writes it."""
    return ascii_domain(config.sender.address.rpartition("@")[2]).lower()


def keys_of(config: Config) -> tuple[DkimKey, ...]:
    """Every [[dkim]] with the record that belongs to its key, or with what is wrong with its file."""
    own = sending_domain(config)
    return tuple(_key(one.domain or own, one.selector, config.path(one.key)) for one in config.dkim)


def _key(domain: str, selector: str, file: Path) -> DkimKey:
    try:
        from digest.delivery import dkim  # noqa: PLC0415 - its library is an extra

        signer = dkim.signer(domain, selector, dkim.read_key(file))
    except DigestError as error:
        return DkimKey(domain.lower(), selector.lower(), file, fault=str(error))
    return DkimKey(signer.domain, signer.selector, file, signer.dns_record)


def usable(keys: Sequence[DkimKey]) -> Iterator[Finding]:
    """Each key file holds a key that can sign. Without any, somebody else has to sign."""
    for key in keys:
        if key.fault:
            yield Finding("DKIM", Level.ERROR, key.fault, "Nothing is sent so")
        else:
            yield Finding("DKIM", Level.OK, f"{key.file} can sign for {key.domain}")
    if not keys:
        why = "Big receivers refuse or hide unsigned mail to many people"
        remedy = "Let the relay sign, or run: digest dkim keygen"
        yield Finding("DKIM", Level.NOTE, "there is no [[dkim]], so mails are not signed here", why, remedy)
