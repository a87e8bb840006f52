"""Reading an SPF record (RFC 7208): text → Record.

Rules
-----
1. A record is `v=spf1` and terms with spaces between them; capitals in their names do not count (4.5, 4.6).
2. A directive is a qualifier (none: +), a mechanism and what it needs; a modifier is `name=value` (4.6.1).
3. What comes after `all` is never reached, and `redirect` counts only where there is no `all` (5.1, 6.1).
4. A term that is not known makes receivers drop the whole record, but a modifier that is not known does not (6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from digest.errors import DigestError

_VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"([-+~?]?)([a-z][a-z0-9]*)(?::(.+?))?((?:/\d{1,3})?(?://\d{1,3})?)", re.IGNORECASE)
_OWN, _NAMED = ("a", "mx", "ptr"), ("include", "exists")
"""The mechanisms that ask the DNS, by whether they may leave out the domain."""
_NETWORKS = {"ip4": IPv4Network, "ip6": IPv6Network}


class SpfError(DigestError):
    """An SPF record that receivers cannot read."""


@dataclass(frozen=True, slots=True)
class Directive:
    """A mechanism with its qualifier (`+`, `-`, `~` or `?`). `domain` is what it names ("": this one), or a network."""

    qualifier: str
    mechanism: str
    domain: str = ""

    def __str__(self) -> str:
        return f"{self.qualifier.removeprefix('+')}{self.mechanism}{':' if self.domain else ''}{self.domain}"


@dataclass(frozen=True, slots=True)
class Record:
    """What counts of a record: its directives up to `all`, and where it sends those that none matches ("": nowhere)."""

    directives: tuple[Directive, ...]
    redirect: str = ""

    @property
    def all(self) -> str:
        """The qualifier of `all` ("": there is none)."""
        return next((one.qualifier for one in self.directives if one.mechanism == "all"), "")


def is_spf(text: str) -> bool:
    """Whether a TXT record is meant to be one of SPF."""
    return _VERSION.match(text) is not None


def read_spf(text: str) -> Record:
    """Read a record. Raises SpfError with the term that cannot be read."""
    directives: list[Directive] = []
    modifiers: dict[str, str] = {}
    for term in text[len("v=spf1") :].split():
        if modifier := _MODIFIER.fullmatch(term):
            _add(modifiers, modifier[1].lower(), modifier[2])
        else:
            directives.append(_directive(term))
    end = next((place for place, one in enumerate(directives, 1) if one.mechanism == "all"), None)
    return Record(tuple(directives[:end]), "" if end else modifiers.get("redirect", ""))


def _add(modifiers: dict[str, str], name: str, value: str) -> None:
    if name in modifiers and name in ("redirect", "exp"):
        raise SpfError(f"{name}= stands there twice")
    if name == "redirect" and not value:
        raise SpfError("redirect= names no domain")
    modifiers[name] = value


def _directive(term: str) -> Directive:
    found = _DIRECTIVE.fullmatch(term)
    if not found:
        raise SpfError(f"{term!r} is no term of SPF")
    qualifier, mechanism, domain, lengths = found[1] or "+", found[2].lower(), found[3] or "", found[4]
    if mechanism in _NETWORKS:
        domain += lengths
    if fault := _fault(mechanism, domain, lengths):
        raise SpfError(f"{term!r}: {fault}")
    return Directive(qualifier, mechanism, domain)


def _fault(mechanism: str, domain: str, lengths: str) -> str:
    """What is wrong with the parts of a directive ("": nothing)."""
    if mechanism in _NETWORKS:
        return "" if _is_network(mechanism, domain) else f"{domain!r} is no network"
    if mechanism not in ("all", *_OWN, *_NAMED):
        return f"there is no mechanism {mechanism!r}"
    if domain and mechanism == "all":
        return "all names no domain"
    if not domain and mechanism in _NAMED:
        return f"{mechanism} must name a domain"
    if lengths and mechanism not in ("a", "mx"):
        return f"{mechanism} takes no length of a network"
    four, _, six = lengths.partition("//")
    return "there is no network of that length" if int(four[1:] or 0) > 32 or int(six or 0) > 128 else ""


def _is_network(kind: str, text: str) -> bool:
    try:
        _NETWORKS[kind](text, strict=False)
    except ValueError:
        return False
    return True
