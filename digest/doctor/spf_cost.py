"""What it costs a receiver to evaluate an SPF record, and what the record lets through in the end.

Rules (RFC 7208)
----------------
1. `include`, `a`, `mx`, `ptr`, `exists` and `redirect` cost a look-up each, also in records that are included (4.6.4).
2. The worst case is counted: a mail that nothing matches makes receivers evaluate every term.
3. A look-up without an answer is void. A term with a macro depends on the mail; it is counted and not followed (7).
4. A domain has one record; to include or redirect to one that has none, or several, breaks the whole record (4.5, 5.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from digest.doctor.dns import Dns
from digest.doctor.spf import Directive, Record, SpfError, is_spf, read_spf

MOST_LOOKUPS, MOST_VOID, _MOST_EXCHANGES = 10, 2, 10
_ENOUGH = 30
"""Look-ups after which a record is not followed any further."""


@dataclass(slots=True)
class Cost:
    """What was counted. `void` are the look-ups without an answer, `faults` what breaks the record for receivers.

    `open_` are the domains whose record lets everybody through; `end` is what befalls a mail that nothing matches: the
    qualifier of the last `all` ("": there is none).
    """

    lookups: int = 0
    void: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)
    pointers: bool = False
    end: str = ""


def spf_records(dns: Dns, domain: str) -> tuple[str, ...]:
    """The SPF records of a domain; there should be one."""
    return tuple(text for text in dns.texts(domain) if is_spf(text))


def spf_cost(dns: Dns, domain: str) -> Cost:
    """Follow the record of a domain."""
    cost = Cost()
    cost.end = _follow(dns, cost, domain, ())
    return cost


def _follow(dns: Dns, cost: Cost, domain: str, way: tuple[str, ...]) -> str:
    """Count a domain's record with all that it includes; return the qualifier that ends it."""
    record = _record(dns, cost, domain, way)
    if record is None:
        return ""
    if record.all == "+":
        cost.open_.append(domain)
    for directive in record.directives:
        _count(dns, cost, directive, (*way, domain))
    if not record.redirect:
        return record.all
    return _into(dns, cost, record.redirect, (*way, domain))


def _record(dns: Dns, cost: Cost, domain: str, way: tuple[str, ...]) -> Record | None:
    found = spf_records(dns, domain)
    if len(found) != 1:
        cost.faults.append(f"{domain} has {len(found) or 'no'} SPF record{'s' if found else ''}{_through(way)}")
        return None
    try:
        return read_spf(found[0])
    except SpfError as error:
        cost.faults.append(f"{domain}: {error}{_through(way)}")
        return None


def _through(way: tuple[str, ...]) -> str:
    return f" (by way of {', '.join(way)})" if way else ""


def _count(dns: Dns, cost: Cost, directive: Directive, way: tuple[str, ...]) -> None:
    domain = directive.domain or way[-1]
    match directive.mechanism:
        case "include":
            _into(dns, cost, domain, way)
        case "a" | "exists":
            _term(cost, directive, domain, dns.addresses)
        case "mx":
            exchanges = _term(cost, directive, domain, dns.exchanges)
            if len(exchanges) > _MOST_EXCHANGES:
                cost.faults.append(f"{directive} stands for {len(exchanges)} mail servers; the limit is 10")
        case "ptr":
            cost.lookups += 1
            cost.pointers = True


def _term(cost: Cost, directive: Directive, domain: str, ask: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    cost.lookups += 1
    if "%" in domain or cost.lookups > _ENOUGH:
        return ()
    found = ask(domain)
    if not found:
        cost.void.append(str(directive))
    return found


def _into(dns: Dns, cost: Cost, domain: str, way: tuple[str, ...]) -> str:
    """Count an `include` or a `redirect`; return the qualifier that ends what is there."""
    cost.lookups += 1
    if domain.lower() in map(str.lower, way):
        cost.faults.append(f"{domain} includes itself{_through(way)}")
    elif "%" not in domain and cost.lookups <= _ENOUGH:
        return _follow(dns, cost, domain, way)
    return ""
