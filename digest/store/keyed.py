"""Keyed hashes: HMAC-SHA256 (RFC 2104) with a random key of this database's own, one for each use.

What stands in a table this way can be found again by whoever has the text, and cannot be read back.
"""

from __future__ import annotations

import hmac
from secrets import token_hex

from sqlalchemy import Connection, select

from digest.store.dialect import insert_or
from digest.store.schema import secrets

_KEY_OCTETS = 32


def hashed(key: bytes, text: str) -> str:
    """The hash of a text, in hexadecimal."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def key_of(connection: Connection, name: str) -> bytes | None:
    """The key for a use; None: nothing was ever hashed for it."""
    value = connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar()
    return bytes.fromhex(value) if value else None


def key_for(connection: Connection, name: str) -> bytes:
    """The same, made if need be; of two programs that make one at once, both get that of the first."""
    if key := key_of(connection, name):
        return key
    made = insert_or(connection, secrets).values(name=name, value=token_hex(_KEY_OCTETS))
    kept = made.on_conflict_do_update(index_elements=["name"], set_={"value": secrets.c.value})
    return bytes.fromhex(connection.execute(kept.returning(secrets.c.value)).scalar_one())
