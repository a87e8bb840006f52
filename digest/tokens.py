"""Tokens in links: signed, for one purpose each, without an address.

A token is `ID.MAC`, the MAC a keyed BLAKE2b (RFC 7693) of 128 bits over the id, made for one purpose. The first secret
signs, every one is accepted, so secrets rotate by putting a new one in front.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha512
from typing import Literal

Purpose = Literal["manage", "pause", "unsubscribe", "view"]


def sign(purpose: Purpose, number: int, secrets: Sequence[str]) -> str:
    """A token for this purpose and number (of a subscriber, or of an edition to view)."""
    return f"{number}.{_mac(purpose, number, secrets[0])}"


def read(token: str, purpose: Purpose, secrets: Sequence[str]) -> int | None:
    """The number in a token, or None if it is not ours or not for this purpose."""
    number, _, mac = token.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 20 and mac.isascii()):
        return None
    genuine = any(hmac.compare_digest(mac, _mac(purpose, int(number), secret)) for secret in secrets)
    return int(number) if genuine else None


def _mac(purpose: Purpose, number: int, secret: str) -> str:
    made = _keyed(purpose, secret).copy()  # four links of every mail need one: a copy is quicker than a beginning
    made.update(b"%d" % number)
    return urlsafe_b64encode(made.digest()).decode().rstrip("=")


@lru_cache(maxsize=64)
def _keyed(purpose: Purpose, secret: str) -> blake2b:
    return blake2b(key=sha512(secret.encode()).digest(), digest_size=16, person=purpose.encode())
