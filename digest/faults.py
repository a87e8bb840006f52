"""What is wrong with a configuration that only several rooms together can tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from digest.config import Config, load
from digest.delivery.address import identity, parse_address
from digest.delivery.relay import Relay
from digest.errors import ConfigError, MessageError, RelayError, UsageError
from digest.places import Place
from digest.profiles import check
from digest.settings import Smtp


def relays_of(config: Config) -> tuple[Relay, ...]:
    """The relays as configured. Raises UsageError for plain text over a network."""
    return tuple(_relay(config, smtp) for _, smtp in _tables(config))


def _tables(config: Config) -> list[tuple[Place, Smtp]]:
    """Each relay's table with its place. [smtp] is one only if it is written, or there is no other."""
    first = [(("smtp",), config.smtp)] if "smtp" in config.model_fields_set or not config.relays else []
    return [*first, *((("relays", number), smtp) for number, smtp in enumerate(config.relays))]


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


def sound(file: Path) -> Config:
    """The configuration in a file. Raises ConfigError with every fault in it."""
    config = load(file)
    if found := list(faults(config)):
        raise ConfigError("\n".join(found))
    return config


def faults(config: Config) -> Iterator[str]:
    """What only other rooms can tell of it: plain text over a network, bad addresses and keywords, one person twice."""
    yield from _relay_faults(config)
    for number, one in enumerate(config.dkim):
        if not config.path(one.key).is_file():
            missing = f"{config.path(one.key)} is not there; make a key with: digest dkim keygen"
            yield f"{config.where(('dkim', number, 'key'))}: {missing}"
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


def _relay_faults(config: Config) -> Iterator[str]:
    """Plain text over a network, a relay twice or without an address, a login without a password, no certificates."""
    seen: set[str] = set()
    for place, smtp in _tables(config):
        try:
            relay = _relay(config, smtp)
            if smtp.ca_file:
                relay.tls_context()
        except UsageError as error:
            yield f"{config.where((*place, 'tls'))}: {error}"
            continue
        except RelayError as error:
            yield f"{config.where((*place, 'ca_file'))}: {error}"
            continue
        if place != ("smtp",) and not smtp.model_fields_set & {"host", "socket"}:
            yield f"{config.where(place)}: this relay has no host; add one, or a socket"
        elif str(relay) in seen:
            yield f"{config.where(place)}: {relay} stands here twice; give one relay more connections"
        seen.add(str(relay))
        if smtp.username and not smtp.password.get_secret_value():
            where = config.where((*place, "username"))
            yield f"{where}: a login needs a password; set it in the environment: DIGEST_SMTP__PASSWORD"


def address_fault(address: str) -> str:
    """Why mail cannot be sent to an address ("": it can)."""
    try:
        identity(parse_address(address))
    except (UsageError, MessageError) as error:
        return str(error)
    return ""
