"""Tokens in links: signed, for one purpose each, without an address.

Rules
-----
1. A token is `NUMBER.MAC`, the MAC a keyed BLAKE2b (RFC 7693) of 128 bits over the number, made for one purpose.
2. Tokens of the purposes in LIFETIMES are `NUMBER.MOMENT.MAC` and end; the others never do: an old mail must still let
   its reader unsubscribe.
3. The first secret signs, every one is accepted, so secrets rotate by putting a new one in front.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b, sha512
from typing import Literal

Purpose = Literal["manage", "pause", "unsubscribe", "view", "feedback", "feed"]
"""What a token without an end is for: `view` and `feedback` number an edition, the others a subscriber."""
Passing = Literal["confirm", "sign-in", "operator"]
"""What a token that ends is for: `confirm` numbers a signup, `sign-in` a subscriber, `operator` nothing."""
LIFETIMES: Mapping[Passing, int] = {"confirm": 72 * 3600, "sign-in": 3600, "operator": 12 * 3600}
"""Seconds."""
_NUMBER = re.compile(r"[0-9]{1,19}")


def sign(purpose: Purpose, number: int, secrets: Sequence[str]) -> str:
    """A token for this purpose and number, for good."""
    said = str(number)
    return f"{said}.{_mac(purpose, said, secrets[0])}"


def sign_passing(purpose: Passing, number: int, secrets: Sequence[str], at: int) -> str:
    """A token that is accepted from this moment (epoch seconds) for as long as LIFETIMES says."""
    said = f"{number}.{at}"
    return f"{said}.{_mac(purpose, said, secrets[0])}"


def read(token: str, purpose: Purpose, secrets: Sequence[str]) -> int | None:
    """The number in a token, or None if it is not ours or not for this purpose."""
    number, _, mac = token.partition(".")
    if not (_NUMBER.fullmatch(number) and _genuine(purpose, number, mac, secrets)):
        return None
    return int(number)


def read_passing(token: str, purpose: Passing, secrets: Sequence[str], now: int) -> int | None:
    """The same of a token that ends; None, too, if it has ended."""
    number, _, rest = token.partition(".")
    at, _, mac = rest.partition(".")
    if not (_NUMBER.fullmatch(number) and _NUMBER.fullmatch(at) and now < int(at) + LIFETIMES[purpose]):
        return None
    return int(number) if _genuine(purpose, f"{number}.{at}", mac, secrets) else None


def _genuine(purpose: Purpose | Passing, said: str, mac: str, secrets: Sequence[str]) -> bool:
    return mac.isascii() and any(hmac.compare_digest(mac, _mac(purpose, said, secret)) for secret in secrets)


def _mac(purpose: Purpose | Passing, said: str, secret: str) -> str:
    made = _keyed(purpose, secret).copy()  # several links of every mail need one: a copy is quicker than a beginning
    made.update(said.encode())
    return urlsafe_b64encode(made.digest()).decode().rstrip("=")


@lru_cache(maxsize=64)
def _keyed(purpose: Purpose | Passing, secret: str) -> blake2b:
    return blake2b(key=sha512(secret.encode()).digest(), digest_size=16, person=purpose.encode())
