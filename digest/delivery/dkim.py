"""DKIM: signatures on the final bytes of a message, and the keys that make them (RFC 6376, RFC 8463).

Rules
-----
1. relaxed/relaxed (3.4.2, 3.4.4) and SHA-256, without `l=`: the body is covered whole. White space is spaces and tabs;
   a run of it is one space. A header is unfolded, its name in lower case, without white space round its colon and at
   its end. A body has no white space at the end of lines and no empty lines at its end.
2. What a reader sees or a program acts on is signed. Of several headers with one name all are, the last first (5.4.2).
3. Names in _SEALED are listed once more than they are there, so that one added on the way breaks the signature (8.15).
   List-Id and Feedback-ID are not among them: lists and relays may add theirs.
4. `t=` is a moment of the message, and both algorithms are deterministic: a retry has the same bytes.
5. Several signatures cover the message as it was composed, not one another.
6. A private key stands in its file and in no message, repr or traceback.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

from digest.delivery.address import ascii_domain
from digest.delivery.headers import LINE
from digest.errors import ConfigError, UsageError

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )
except ModuleNotFoundError:
    raise ConfigError('DKIM needs a library; pip install "email-digest[dkim]"') from None

_SEALED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type",
    b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
_WHERE_PRESENT = (
    b"list-id", b"list-help", b"list-archive", b"list-owner", b"list-post", b"list-subscribe", b"feedback-id",
    b"auto-submitted",
)  # fmt: skip
_BITS = 2048
_FEWEST_BITS = 1024  # with fewer, receivers ignore the signature (RFC 8301 3.2)
_LABELS = re.compile(r"(?!.{254})[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)*")
_OPENSSL = "openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW"

Algorithm = Literal["rsa", "ed25519"]
PrivateKey = RSAPrivateKey | Ed25519PrivateKey
PublicKey = RSAPublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the DNS name under which its public half is found; make one by `signer`."""

    domain: str
    selector: str
    key: PrivateKey = field(repr=False)

    @property
    def dns_name(self) -> str:
        """Where the TXT record stands (RFC 6376 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def dns_record(self) -> str:
        """What the TXT record says."""
        return dns_record(self.key.public_key())

    def header(self, covered: bytes, tags: Sequence[bytes], at: int) -> bytes:
        """One DKIM-Signature. It covers itself as well, with an empty `b=` and no CRLF (RFC 6376 3.7)."""
        kind = "rsa" if isinstance(self.key, RSAPrivateKey) else "ed25519"
        first = f"v=1; a={kind}-sha256; c=relaxed/relaxed; t={at};".encode()
        lines = [first, f"d={self.domain};".encode(), f"s={self.selector};".encode(), *tags]
        signature = b"b=" + b64encode(self._signature(covered + b"dkim-signature:" + b" ".join([*lines, b"b="])))
        lines += [signature[start : start + LINE - 1] for start in range(0, len(signature), LINE - 1)]
        return b"DKIM-Signature: " + b"\r\n ".join(lines) + b"\r\n"

    def _signature(self, octets: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(octets, PKCS1v15(), SHA256())
        return self.key.sign(sha256(octets).digest())  # the hash, not the octets, is signed (RFC 8463 3)


def signer(domain: str, selector: str, key: PrivateKey) -> Signer:
    """A signer for a domain, which may be an international one. Raises UsageError for an impossible name."""
    domain, selector = ascii_domain(domain).lower(), selector.lower()
    for what, name in (("domain", domain), ("selector", selector)):
        if not _LABELS.fullmatch(name):
            raise UsageError(f"DKIM: the {what} {name!r} is not a DNS name; write letters, digits and hyphens")
    return Signer(domain, selector, key)


def sign(signers: Iterable[Signer], head: bytes, body: Iterable[bytes], at: int) -> bytes:
    """The DKIM-Signature headers to put before a message, one for each signer.

    `head` is its headers, `body` what follows the blank line in pieces of whole lines, `at` the moment of signing in
    epoch seconds.
    """
    headers = canonical_headers(head)
    names = [name for name in (*_SEALED, *_WHERE_PRESENT) if name in headers]
    covered = b"".join([line + b"\r\n" for name in names for line in reversed(headers[name])])
    bh = b"bh=" + b64encode(sha256(canonical_body(body)).digest()) + b";"
    tags = (*_h(tuple([(name, len(headers[name])) for name in names])), bh)
    return b"".join([signer.header(covered, tags, at) for signer in signers])


@lru_cache(maxsize=64)
def _h(present: tuple[tuple[bytes, int], ...]) -> tuple[bytes, ...]:
    """The tag `h=` in lines: how often each name is there, and once more where it is sealed."""
    counts = dict.fromkeys(_SEALED, 1)
    for name, count in present:
        counts[name] = counts.get(name, 0) + count
    names = b":".join([name for name, count in counts.items() for _ in range(count)])
    return tuple(_filled((b"h=" + names + b";").replace(b":", b": ").split(b" ")))


def _filled(words: Iterable[bytes]) -> Iterator[bytes]:
    line = b""
    for word in words:
        if len(line) + len(word) > LINE - 1:  # one less, for the space that goes before
            yield line
            line = b""
        line += word
    yield line


def canonical_headers(head: bytes) -> Mapping[bytes, Sequence[bytes]]:
    """The headers by name, each as `name:value` in the relaxed form (RFC 6376 3.4.2)."""
    unfolded = _single_spaced(head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t"))
    found = defaultdict[bytes, list[bytes]](list)
    for line in unfolded.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            name = name.strip(b" ").lower()
            found[name].append(name + b":" + value.strip(b" "))
    return found


def canonical_body(pieces: Iterable[bytes]) -> bytes:
    """A body, in pieces of whole lines, in the relaxed form (RFC 6376 3.4.4)."""
    body = b"".join(map(_relaxed, pieces))
    end = len(body)
    while body.endswith(b"\r\n\r\n", 0, end):
        end -= 2
    return b"" if body[:end] == b"\r\n" else body[:end]


@lru_cache(maxsize=1 << 15)
def _relaxed(piece: bytes) -> bytes:
    # Most pieces of a mail are in many mails, and to look through all of them would take longer than Ed25519 does.
    return _single_spaced(piece).replace(b" \r\n", b"\r\n")


def _single_spaced(octets: bytes) -> bytes:
    first, *rest = octets.replace(b"\t", b" ").split(b"  ")
    return b" ".join([first, *filter(None, [piece.lstrip(b" ") for piece in rest])])


def make_key(algorithm: Algorithm) -> PrivateKey:
    """A new key: RSA of 2048 bits, or Ed25519."""
    return generate_private_key(65537, _BITS) if algorithm == "rsa" else Ed25519PrivateKey.generate()


def write_key(key: PrivateKey, file: Path) -> None:
    """Write a PEM file (PKCS#8) that nobody else can read. Raises UsageError, also if there is a file already."""
    if file.exists():
        raise UsageError(f"{file} is there already and was left as it is; name another selector or folder")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from None


def read_key(file: Path) -> PrivateKey:
    """The key in a PEM file. Raises ConfigError if there is none that can sign."""
    try:
        key = _key_or_fault(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: the DKIM key cannot be read: {error.strerror or error}") from None
    # It is raised here and not where the text of the key is at hand, for a traceback may show local names (rule 6).
    if isinstance(key, str):
        raise ConfigError(f"{file}: {key}")
    return key


def _key_or_fault(text: bytes) -> PrivateKey | str:
    if b"PUBLIC KEY-----" in text:
        return "this is the public key, which goes into DNS; DKIM signs with the private one"
    try:
        key = load_pem_private_key(text, None)
    except TypeError:
        return f"the DKIM key is encrypted, and nobody is there to type its password; decrypt it: {_OPENSSL}"
    except (ValueError, UnsupportedAlgorithm):
        return "not a private key in PEM form; make one with: digest dkim keygen"
    if not isinstance(key, PrivateKey):
        return "DKIM knows keys of RSA and Ed25519 only; make one with: digest dkim keygen"
    if isinstance(key, RSAPrivateKey) and key.key_size < _FEWEST_BITS:
        return f"an RSA key of {key.key_size} bits, which receivers ignore; make one with: digest dkim keygen"
    return key


def dns_record(key: PublicKey) -> str:
    """What DNS says of a key: the whole of it for RSA, its 32 octets for Ed25519 (RFC 6376 3.6.1, RFC 8463 4.2)."""
    if isinstance(key, RSAPublicKey):
        kind, octets = "rsa", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, octets = "ed25519", key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind}; p={b64encode(octets).decode()}"


def zone_strings(record: str) -> list[str]:
    """The record as a zone file has it: quoted strings of at most 255 octets, which readers join (RFC 6376 3.6.2.2)."""
    return [f'"{record[at : at + 255]}"' for at in range(0, len(record), 255)]
