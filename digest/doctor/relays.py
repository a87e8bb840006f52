"""Whether a relay can be reached and logged in to, and what it offers. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

from digest.delivery.opening import connect
from digest.delivery.relay import Relay
from digest.doctor.findings import Finding, Level

_SECONDS = 15.0
_WANTED = {
    "chunking": "a mail waits for the answer to the one before it",
    "pipelining": "each mail takes several round trips",
}
"""Extensions that delivery uses, and what is so without."""


def reached(relay: Relay) -> Iterator[Finding]:
    """Connect, greet, secure and log in as a run does, and look at what is offered. Raises RelayError as that does."""
    offers = asyncio.run(_visited(relay))
    secured = {"none": "in plain text", "starttls": "with STARTTLS", "implicit": "with TLS"}[relay.tls]
    login = f", logged in as {relay.username}" if relay.username else ""
    yield Finding("relay", Level.OK, f"{relay} answers {secured}{login}; it offers {_listed(offers)}")
    if relay.tls == "none" and relay.allow_plaintext:
        why = "Mails and password can be read on the way"
        yield Finding("relay", Level.WARNING, f"{relay} is spoken to in plain text", why, 'Set tls = "starttls"')
    if "auth" in offers and not relay.username:
        why = "Such a relay may refuse mail to others without it"
        yield Finding("relay", Level.NOTE, f"{relay} offers a login, and none is set", why, "Set username and password")
    if missing := [name for name in _WANTED if name not in offers]:
        why = "So " + ", and ".join(_WANTED[name] for name in missing)
        yield Finding("relay", Level.NOTE, f"{relay} does not offer {_listed(dict.fromkeys(missing, ''))}", why)


async def _visited(relay: Relay) -> Mapping[str, str]:
    limits = replace(relay.limits, greeting=_SECONDS, command=_SECONDS, farewell=2.0)
    connection = await connect(replace(relay, limits=limits))
    offers = connection.extensions
    await connection.close()
    return offers


def _listed(offers: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}".strip().upper() for name, value in sorted(offers.items())) or "nothing more"
