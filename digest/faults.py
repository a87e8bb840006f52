"""What is wrong with a configuration that only several rooms together can tell."""

from __future__ import annotations

from collections.abc import Iterator

from digest.config import Config
from digest.delivery.address import identity, parse_address
from digest.delivery.relay import Relay
from digest.errors import MessageError, UsageError
from digest.profiles import check
from digest.settings import Smtp


def relays_of(config: Config) -> tuple[Relay, ...]:
    """The relays as configured. Raises UsageError for plain text over a network."""
    return tuple(_relay(config, smtp) for smtp in (config.smtp, *config.relays))


def _relay(config: Config, smtp: Smtp) -> Relay:
    return Relay(
        smtp.host,
        smtp.port,
        smtp.tls,
        smtp.username,
        smtp.password,
        smtp.connections,
        ca_file=str(config.path(smtp.ca_file)) if smtp.ca_file else None,
        allow_plaintext=smtp.allow_plaintext,
        socket=str(config.path(smtp.socket)) if smtp.socket else "",
        protocol=smtp.protocol,
        pipelining=smtp.pipelining,
        chunking=smtp.chunking,
        depth=smtp.depth,
        priority=smtp.priority,
        weight=smtp.weight,
        per_minute=smtp.per_minute,
    )


def faults(config: Config) -> Iterator[str]:
    """What only other rooms can tell of it: plain text over a network, bad addresses and keywords, one person twice."""
    for smtp, place in [(config.smtp, ("smtp",)), *((one, ("relays", n)) for n, one in enumerate(config.relays))]:
        try:
            _relay(config, smtp)
        except UsageError as error:
            yield f"{config.where((*place, 'tls'))}: {error}"
    seen: set[str] = set()
    for key, address in (("address", config.sender.address), ("reply_to", config.sender.reply_to)):
        if address and (fault := address_fault(address)):
            yield f"{config.where(('sender', key))}: {fault}"
    for address in config.alarms.to:
        if fault := address_fault(address):
            yield f"{config.where(('alarms', 'to'), address)}: {fault}"
    for number, table in enumerate(config.subscribers):
        place = ("subscribers", number)
        if fault := address_fault(table.email):
            yield f"{config.where((*place, 'email'))}: {fault}"
        elif identity(table.email) in seen:
            twice = f"{table.email} stands here twice; give one subscriber several profiles"
            yield f"{config.where((*place, 'email'))}: {twice}"
        else:
            seen.add(identity(table.email))
        several = bool(table.profiles)
        for index, profile in enumerate(table.subscriber(1).profiles):
            where = (*place, "profiles", index, "keywords") if several else (*place, "keywords")
            yield from (f"{config.where(where, fault.keyword)}: {fault}" for fault in check(profile))


def address_fault(address: str) -> str:
    """Why mail cannot be sent to an address ("": it can)."""
    try:
        identity(parse_address(address))
    except (UsageError, MessageError) as error:
        return str(error)
    return ""
