"""The keys of DKIM: their DNS records, their files, what is wrong with those, and that they keep to themselves."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from traceback import TracebackException

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from dkim_verifiers import AT, BOTH, ED25519, RSA
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery import dkim
from digest.errors import ConfigError, UsageError


def signature(signer: dkim.Signer) -> bytes:
    return dkim.sign([signer], b"From: digest@example.org\r\n", [b"Hello.\r\n"], AT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples of a property."""
    return tmp_path_factory.mktemp("dkim")


def test_the_record_of_rfc_8463() -> None:
    """The Ed25519 key of its appendix A has the record that stands there."""
    key = Ed25519PrivateKey.from_private_bytes(b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
    record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert dkim.dns_record(key.public_key()) == record
    assert dkim.zone_strings(record) == [f'"{record}"']


def test_the_record_of_an_rsa_key() -> None:
    """It holds the public key, in strings that DNS takes, under the name that verifiers ask for."""
    assert RSA.dns_name == "rsa1._domainkey.example.org"
    record = RSA.dns_record
    public = load_der_public_key(b64decode(record.removeprefix("v=DKIM1; k=rsa; p=")))
    assert public == RSA.key.public_key()
    strings = [one[1:-1] for one in dkim.zone_strings(record)]
    assert "".join(strings) == record
    assert [len(one) <= 255 for one in strings] == [True, True]


def test_an_international_domain_signs_by_its_a_label() -> None:
    """DNS and `d=` know no other form, and capitals make no difference there."""
    signer = dkim.signer("Bücher.example", "A1", ED25519.key)
    assert signer.dns_name == "a1._domainkey.xn--bcher-kva.example"


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a\r\nb", "-a", "a.", "_a", "x" * 64, ".".join(["x" * 60] * 5)])
def test_an_impossible_name_is_refused(name: str) -> None:
    """So that nothing gets into the header through a selector or domain."""
    with pytest.raises(UsageError, match=r"DKIM: the selector .* is not a DNS name"):
        dkim.signer("example.org", name, ED25519.key)
    with pytest.raises(UsageError, match=r"DKIM: the domain .* is not a DNS name"):
        dkim.signer(name, "a", ED25519.key)


def pem(key: dkim.PrivateKey | ec.EllipticCurvePrivateKey, lock: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


def small_rsa() -> bytes:
    """A key of 512 bits, from two known primes, for the library makes none."""
    p, q = 2**255 - 19, 2**256 - 189
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return pem(rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key())


UNUSABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "public": (
        lambda: RSA.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "this is the public key",
    ),
    "encrypted": (lambda: pem(RSA.key, BestAvailableEncryption(b"secret")), "is encrypted"),
    "elliptic": (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "RSA and Ed25519 only"),
    "small": (small_rsa, "an RSA key of 511 bits"),
    "cut": (lambda: pem(RSA.key)[:300], "not a private key in PEM form"),
    "binary": (lambda: b"\x00\xff" * 40, "not a private key in PEM form"),
    "empty": (lambda: b"", "not a private key in PEM form"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_an_unusable_key_is_named(tmp_path: Path, what: str) -> None:
    """The message begins with the path, says what is wrong and, like the traceback, shows nothing of the key."""
    make, words = UNUSABLE[what]
    file = tmp_path / "key.pem"
    file.write_bytes(text := make())
    with pytest.raises(ConfigError) as caught:
        dkim.read_key(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert words in str(caught.value)
    if what != "binary":
        shows_nothing(text, caught.value)


def shows_nothing(text: bytes, fault: BaseException) -> None:
    """A traceback with all local names of digest holds no line of a key."""
    shown = TracebackException.from_exception(fault, capture_locals=True)
    local = [str(frame.locals) for frame in shown.stack if "/digest/" in frame.filename]
    told = "".join(local) + str(fault)
    assert local
    assert not [line for line in text.decode().splitlines() if line in told]


@pytest.mark.parametrize("name", ["missing.pem", "."])
def test_a_key_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """Missing, or no file."""
    with pytest.raises(ConfigError, match=r"the DKIM key cannot be read: (No such file|Is a directory)"):
        dkim.read_key(tmp_path / name)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_key_file_is_a_fault_of_ours(folder: Path, data: st.DataObject) -> None:
    """Whichever octets are changed, either a key comes out or a ConfigError."""
    text = bytearray(pem(ED25519.key))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    file = folder / "damaged.pem"
    file.write_bytes(text)
    with suppress(ConfigError):
        assert dkim.read_key(file)


@pytest.mark.parametrize("signer", BOTH, ids=lambda signer: signer.selector)
def test_a_key_is_written_for_its_owner_and_read_back(tmp_path: Path, signer: dkim.Signer) -> None:
    """Mode 0600; the key that is read signs the same; the file is never written over, and no repr shows it."""
    file = tmp_path / "keys" / "dkim.pem"
    dkim.write_key(signer.key, file)
    text = file.read_bytes()
    assert text == pem(signer.key)
    assert file.stat().st_mode & 0o777 == 0o600
    again = dkim.signer("example.org", signer.selector, dkim.read_key(file))
    assert signature(again) == signature(signer)
    with pytest.raises(UsageError, match="is there already and was left as it is") as caught:
        dkim.write_key(dkim.make_key("ed25519"), file)
    assert file.read_bytes() == text
    shows_nothing(text, caught.value)
    assert repr(again) == f"Signer(domain='example.org', selector='{signer.selector}')"


def test_a_key_of_openssl_is_read(tmp_path: Path) -> None:
    """The older form, BEGIN RSA PRIVATE KEY, which other tools for DKIM write."""
    file = tmp_path / "key.pem"
    file.write_bytes(RSA.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    assert signature(dkim.signer("example.org", "rsa1", dkim.read_key(file))) == signature(RSA)
