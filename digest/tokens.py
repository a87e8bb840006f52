"""Tokens in links: signed, for one purpose each, without an address.

A token is `ID.MAC`, the MAC an HMAC-SHA256 over purpose and id, cut to 128 bits. The first secret signs, every one is
accepted, so secrets rotate by putting a new one in front.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
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
    digest = hmac.digest(secret.encode(), f"{purpose}:{number}".encode(), "sha256")
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")
