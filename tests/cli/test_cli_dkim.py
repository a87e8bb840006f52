"""`digest dkim keygen`: the key it writes, and that what it prints can be pasted as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Any

import dkim as dkimpy  # type: ignore[import-untyped]  # it ships no types
import pytest
from workplace import Workplace

from digest.delivery import dkim

HEAD, BODY = b"From: digest@example.org\r\nTo: ada@example.com\r\nSubject: Hello\r\n", b"Hello.\r\n"
WITHOUT_LIBRARY = "import sys; sys.modules['cryptography'] = None; from digest.cli import main; main()"


def table(printed: str) -> dict[str, Any]:
    """The [[dkim]] table among what was printed."""
    (one,) = tomllib.loads(printed[printed.index("[[dkim]]") :])["dkim"]
    return dict(one)


def shown(printed: str, name: str) -> str:
    found = re.search(rf"^  {name} +(\S.*)$", printed, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_what_is_printed_verifies_what_the_key_signs(place: Workplace, algorithm: str) -> None:
    """A mail signed as the printed table says verifies with the printed record, under the printed name."""
    ended = place.invoke("dkim", "keygen", "--selector", "2026a", "--algorithm", algorithm)
    assert (ended.returncode, ended.stderr) == (0, "")
    told = table(ended.stdout)
    key = dkim.read_key(place.folder / told["key"])
    signer = dkim.signer(told["domain"], told["selector"], key)
    message = dkim.sign([signer], HEAD, [BODY], 1_700_000_000) + HEAD + b"\r\n" + BODY
    zone = {shown(ended.stdout, "name") + ".": shown(ended.stdout, "value")}
    assert dkimpy.verify(message, dnsfunc=lambda name, timeout: zone[name.decode()].encode())


def test_the_domain_is_that_of_the_sender_unless_one_is_given(place: Workplace) -> None:
    """With --domain no configuration is read."""
    assert table(place.invoke("dkim", "keygen", "--selector", "a").stdout)["domain"] == "example.org"
    place.config.unlink()
    given = place.invoke("dkim", "keygen", "--selector", "b", "--domain", "lists.example.net")
    assert table(given.stdout)["domain"] == "lists.example.net"
    neither = place.invoke("dkim", "keygen", "--selector", "c")
    assert (neither.returncode, neither.stdout) == (2, "")
    assert "digest.toml: there is no such file" in neither.stderr
    assert not (place.folder / "dkim-c.pem").exists()


def test_the_zone_file_has_the_same_record_in_strings(place: Workplace) -> None:
    """Each of at most 255 octets, which together are the value."""
    printed = place.invoke("dkim", "keygen", "--selector", "2026a").stdout
    strings = re.findall(r'^    "(.*)"(?: \))?$', printed, re.MULTILINE)
    assert "".join(strings) == shown(printed, "value")
    assert [len(one) <= 255 for one in strings] == [True, True]
    assert f"\n  {shown(printed, 'name')}. IN TXT (\n" in printed
    assert len(b64decode(shown(printed, "value").partition("p=")[2])) == 294  # an RSA key of 2048 bits


def test_only_the_file_holds_the_key(place: Workplace) -> None:
    """It is for its owner alone, and neither stream shows a line of it."""
    ended = place.invoke("dkim", "keygen", "--selector", "2026a")
    file = place.folder / "dkim-2026a.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [line for line in file.read_text().splitlines() if line in ended.stdout + ended.stderr]


def test_a_key_is_never_written_over(place: Workplace) -> None:
    """A second call with the same name fails, says what to do, and leaves the file as it was."""
    place.invoke("dkim", "keygen", "--selector", "2026a")
    before = (place.folder / "dkim-2026a.pem").read_bytes()
    ended = place.invoke("dkim", "keygen", "--selector", "2026a", "--algorithm", "ed25519")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "digest: dkim-2026a.pem is there already and was left as it is; name another selector or folder\n"
    )
    assert (place.folder / "dkim-2026a.pem").read_bytes() == before


@pytest.mark.parametrize(("out", "key"), [("site/keys", "keys/dkim-a.pem"), ("../keys", "")])
def test_the_key_is_named_from_the_configuration(place: Workplace, tmp_path: Path, out: str, key: str) -> None:
    """Relative to its folder where it lies below that, else in full."""
    (place.folder / "work").mkdir()
    work = Workplace(place.folder / "work", place.port)
    (work.folder / "site").mkdir()
    work.config.rename(work.folder / "site" / "digest.toml")
    ended = work.invoke("dkim", "keygen", "--selector", "a", "--out", out, "--config", "site/digest.toml")
    assert table(ended.stdout)["key"] == (key or str(tmp_path / "keys" / "dkim-a.pem"))
    assert (work.folder / out / "dkim-a.pem").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--selector", "a b"), "the selector 'a b' is not a DNS name"),
        (("--selector", "a/b"), "the selector 'a/b' is not a DNS name"),
        (("--selector", "a", "--domain", "ex;ample"), "the domain 'ex;ample' is not a DNS name"),
        (("--selector", "a", "--out", "digest.toml"), "digest.toml/dkim-a.pem cannot be written: "),
        (("--selector", "a", "--algorithm", "dsa"), "dsa"),
    ],
)
def test_what_cannot_be_is_said(place: Workplace, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, nothing on standard output, and no file."""
    ended = place.invoke("dkim", "keygen", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert not list(place.folder.rglob("*.pem"))


@pytest.mark.parametrize(
    ("arguments", "code", "errors"),
    [
        (
            ("dkim", "keygen", "--selector", "a"),
            2,
            'digest: DKIM needs a library; pip install "email-digest[dkim]"\n',
        ),
        (("status",), 0, ""),
    ],
)
def test_only_dkim_needs_its_library(place: Workplace, arguments: tuple[str, ...], code: int, errors: str) -> None:
    """Without it the command says what to install, and others do not mind."""
    command = [sys.executable, "-c", WITHOUT_LIBRARY, *arguments]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=place.folder, env=place.environment(), timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (code, errors)
