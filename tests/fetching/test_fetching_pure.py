"""Which addresses may be fetched from, how long to wait, and how what came is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import FetchError
from digest.fetching import files, waits
from digest.fetching.address import barred, masked

NOW = int(datetime(2026, 11, 21, 7, 0, 42, tzinfo=UTC).timestamp())
PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.1.2.3", "198.18.0.1"),
    *("192.0.0.8", "192.0.2.1", "240.0.0.1", "255.255.255.255", "::1", "fc00::1", "fd12::1", "fec0::1"),
    *("2001:db8::1", "::127.0.0.1", "64:ff9b:1::1", "2001:0:53aa:64c:0:7b:f5ff:fffe", "100::1"),
]
NEVER = [
    *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "239.1.2.3", "ff02::1", "0.0.0.0"),
    *("::", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
]
PUBLIC = ["1.1.1.1", "151.101.0.81", "2606:4700::1111", "2a00:1450::1"]


def written_in(address: str) -> list[str]:
    """The IPv6 addresses that stand for an IPv4 address: mapped, 6to4, NAT64."""
    number = int(ip_address(address))
    return [f"::ffff:{address}", str(ip_address((0x2002 << 112) | (number << 80))), f"64:ff9b::{address}"]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_may_be_fetched_from(address: str) -> None:
    """In each way to write it."""
    ways = [address, *(written_in(address) if "." in address else [])]
    assert [barred(way, allow_private=False) for way in ways] == [""] * len(ways)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_take_a_word(address: str) -> None:
    """In each way to write them."""
    for way in [address, *(written_in(address) if ":" not in address else [])]:
        assert "set allow_private = true" in barred(way, allow_private=False), way
        assert barred(way, allow_private=True) == "", way


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_fetched_from(address: str) -> None:
    """Whatever is allowed, and in each way to write them."""
    for way in [address, *(written_in(address) if ":" not in address else [])]:
        assert "no address of a web server" in barred(way, allow_private=False), way
        assert "no address of a web server" in barred(way, allow_private=True), way


def test_an_address_is_shown_without_what_is_secret() -> None:
    """No login, no query, no fragment; host, port and path stay."""
    assert masked("https://me:secret@example.org:8443/a/b?token=t#x") == "https://example.org:8443/a/b?…"
    assert masked("http://[::1]/a") == "http://[::1]/a"


def test_a_fetch_that_went_well_is_followed_by_one_on_the_minute() -> None:
    """So that a cron job of every hour, some seconds early, does not find it too early."""
    assert waits.regular(NOW, 3600) == NOW - 42 + 3600


@given(failures=st.integers(1, 10**6), chance=st.floats(0, 1))
def test_failures_make_longer_waits_between_bounds(failures: int, chance: float) -> None:
    """From five minutes to six hours, and a fifth more by chance; never shorter than after fewer failures."""
    wait = waits.after_failures(failures, chance)
    assert 300 <= wait <= 21_600 * 1.2
    assert wait <= waits.after_failures(failures + 1, chance)
    assert waits.after_failures(1, 0) == 300
    assert waits.after_failures(9, 0) == 21_600


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *(("120", 120), (" 120 ", 120), ("0", 60), ("999999", 86_400), ("9" * 5000, 86_400)),
        (format_datetime(datetime.fromtimestamp(NOW + 600, UTC), usegmt=True), 600),
        ("Friday, 20-Nov-26 07:00:00 GMT", 60),
        ("Wed, 31 Dec 9999 23:59:59 GMT", 86_400),
        *((text, None) for text in ("", "soon", "-5", "1.5", "²", "Fri, 99 Nov 2026 07:00:00 GMT")),
    ],
)
def test_a_server_may_say_when_to_come_again(header: str, seconds: int | None) -> None:
    """In seconds or as a date, between a minute and a day; what cannot be read says nothing."""
    assert waits.asked_for(header, NOW) == seconds


@given(st.text())
def test_no_retry_after_is_too_odd(header: str) -> None:
    """Whatever a server writes there gives a wait between the bounds, or none."""
    assert waits.asked_for(header, NOW) in (None, *range(60, 86_401))


def test_a_file_is_named_by_its_moment_and_type(tmp_path: Path) -> None:
    """Its time of modification is that moment, too; a second one of the same second gets a name of its own."""
    kinds = ["application/rss+xml; charset=utf-8", "APPLICATION/JSON", "", "text/plain", "../x", "application/json"]
    saved = [files.save(tmp_path / "arXiv", b"x", kind, NOW) for kind in kinds]
    stamp = "2026-11-21T070042Z"
    ends = (".xml", ".json", ".txt", "-2.txt", "-3.txt", "-2.json")
    assert [path.name for path in saved] == [f"{stamp}{end}" for end in ends]
    assert {path.stat().st_mtime for path in saved} == {NOW}
    assert set((tmp_path / "arXiv").iterdir()) == set(saved)  # and nothing half-written


def test_what_cannot_be_saved_is_told(tmp_path: Path) -> None:
    """With the folder and the reason; a file stands where the folder should be."""
    (tmp_path / "arXiv").touch()
    with pytest.raises(FetchError, match=r"^it cannot be saved in .*arXiv: File exists$"):
        files.save(tmp_path / "arXiv", b"x", "", NOW)


@pytest.mark.parametrize(
    ("content", "kind", "kept"),
    [
        ("Modèle".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Modèle".encode()),
        ("“Modèle”".encode("cp1252"), "text/csv; charset=latin1", "“Modèle”".encode()),
        ("модель".encode("koi8-r"), 'text/plain; charset="KOI8-R"', "модель".encode()),
        ("モデル".encode("shift_jis"), "application/json; charset=shift_jis", "モデル".encode()),
        ("модель".encode(), "text/plain; charset=koi8-r", "модель".encode()),
        ("\ufeffмодель".encode("utf-16"), "text/plain; charset=koi8-r", "\ufeffмодель".encode("utf-16")),
        *(
            (content, kind, content)
            for content, kind in [
                ("<?xml version='1.0' encoding='koi8-r'?><a>модель</a>".encode("koi8-r"), "text/xml; charset=cp1251"),
                ("модель".encode("koi8-r"), "text/plain"),
                ("модель".encode("koi8-r"), "text/plain; charset=klingon"),
                ("модель".encode("koi8-r"), "text/plain; charset=us-ascii"),
                (b"PK\3\4\xff\xfe", "application/zip; charset=koi8-r"),
                (b"\xff\xfe\xfd", "text/plain; charset=utf-8"),
                (b"\xff\xfd", "text/plain; charset=base64"),
                (b"\xff\xfd", "text/plain; charset=\r\nx"),
            ]
        ),
    ],
)
def test_a_charset_that_only_the_server_names_is_not_lost(
    tmp_path: Path, content: bytes, kind: str, kept: bytes
) -> None:
    """Such a text is kept as UTF-8; all else stays byte by byte."""
    assert files.save(tmp_path, content, kind, NOW).read_bytes() == kept


@given(content=st.binary(), kind=st.text())
def test_no_content_type_is_too_odd(tmp_path_factory: pytest.TempPathFactory, content: bytes, kind: str) -> None:
    """Whatever a server writes there, the bytes are kept, as they are or as UTF-8."""
    assert isinstance(files._readable(content, kind), bytes)
    assert files._suffix(kind).startswith(".")
