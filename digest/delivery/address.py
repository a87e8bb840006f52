"""Addresses: what is accepted, who is the same person, and what goes on the wire.

Rules
-----
1. An address is kept as typed. Two addresses are one person when `identity` gives the same for both: they differ in
   capitals at most, for a mailbox with ß is not the one with ss.
2. A relay of one's own delivers to `me@localhost` and `me@mail.local`, so names of no public use are addresses, too.
3. A domain travels as its A-label (RFC 5890). A local part beyond ASCII needs a relay with SMTPUTF8 (RFC 6531).
4. On the wire a local part has at most 64 octets and a domain 255 (RFC 5321 4.5.3.1), and neither holds a space, a
   quote, a bracket or a control character, so that no address can add to an SMTP command or to a header.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.errors import MessageError, UsageError

if TYPE_CHECKING:
    from email_validator import ValidatedEmail

_LOCAL = re.compile(r'[^\s"(),:;<>@\[\\\]\x00-\x20\x7f-\x9f\u2066-\u2069\u202a-\u202e\ud800-\udfff]+')
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_ATOM = "[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST = 254
"""Octets of an address (RFC 5321 4.5.3.1.3, RFC 3696 erratum 1690)."""


def parse_address(text: str) -> str:
    """The address as typed, but for white space around it. Raises UsageError if it cannot be one."""
    address = text.strip()
    if _PLAIN.fullmatch(address) and "--" not in address and len(address) <= _LONGEST:  # as nearly all are
        return address
    try:
        _validated(address)
    except ValueError as error:
        raise UsageError(f"{address!r} is not a mail address: {error}") from None
    return address


def identity(address: str) -> str:
    """What is the same for every spelling of one address: small letters, NFC, the domain as its A-label."""
    if address.isascii() and "@" in address:
        return address.lower()
    local, _, domain = unicodedata.normalize("NFC", address).rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}@{ascii_domain(domain).lower()}"


@lru_cache(maxsize=4096)  # each is asked for several times on its way
def envelope_address(address: str, smtputf8: bool) -> str:
    """The address as SMTP takes it. Raises MessageError if it can never be sent to by such a relay."""
    local, _, domain = address.rpartition("@")
    domain = ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise MessageError(f"{address!r} cannot stand in an SMTP command; correct the address")
    if len(local.encode()) > 64 or len(domain) > 255:
        raise MessageError(f"{address!r} is too long: 64 octets before the @ and 255 after it (RFC 5321 4.5.3.1)")
    if not (local.isascii() or smtputf8):
        raise MessageError(f"{address!r} needs a relay with SMTPUTF8, which this one does not offer (RFC 6531)")
    return f"{local}@{domain}"


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The A-label form of a domain; an ASCII domain is returned as it is. Raises MessageError if there is none."""
    if domain.isascii():
        return domain
    try:
        found = _validated(f"a@{domain}").ascii_domain
    except ValueError as error:
        raise MessageError(f"the domain {domain!r} has no ASCII form: {error}") from None
    return found or domain


def _validated(address: str) -> ValidatedEmail:
    """What the library makes of an address. Raises its ValueError."""
    import email_validator  # noqa: PLC0415 (slow to import, and nearly every address is plain)

    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # the library's switch for rule 2
    return email_validator.validate_email(address, check_deliverability=False, globally_deliverable=False)
