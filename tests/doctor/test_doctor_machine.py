"""What `digest doctor` finds on the machine itself."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from workplace import DAY, NOON, Workplace, subscriber

from digest.config import Config, load
from digest.delivery.dkim import make_key, write_key
from digest.doctor import files, keys, machine, mails
from digest.doctor.findings import Finding, Level, UnansweredError, examined
from digest.errors import StoreError

NOW = 4_000_000_000
"""Later than every file of this machine."""


def levels(found: Iterable[Finding]) -> list[str]:
    return [str(one.level) for one in found]


@pytest.fixture
def open_place(place: Workplace) -> Iterator[Workplace]:
    """A folder that other users of the machine can look into."""
    folder = Path(mkdtemp(prefix="digest-doctor-"))
    folder.chmod(0o755)
    yield Workplace(folder, place.port)
    shutil.rmtree(folder)


def config(place: Workplace, extra: str = "", smtp: str = "") -> Config:
    place.configure(subscriber(), extra=extra, smtp=smtp)
    return load(place.config)


def test_a_database_is_not_made(place: Workplace) -> None:
    """Only a run makes it: whoever looks may be another user."""
    assert levels(machine.database(config(place), NOW)) == ["note"]
    assert not (place.folder / "digest.db").exists()


def test_a_database_in_order(place: Workplace) -> None:
    """It is opened, and told how many it holds."""
    place.run()
    (finding,) = machine.database(config(place), NOON)
    assert finding.level is Level.OK
    assert "subscribers: 1, last run 2026-11-20 12:00" in finding.what


def test_a_run_in_the_future_means_a_wrong_clock(place: Workplace) -> None:
    """The clock was wrong then, or is now."""
    place.run(NOON + DAY)
    assert [(one.check, str(one.level)) for one in machine.database(config(place), NOON)] == [
        ("database", "ok"),
        ("clock", "error"),
    ]


@pytest.mark.parametrize("fault", ["no database", "newer", "no folder"])
def test_a_database_that_cannot_be_used(place: Workplace, fault: str) -> None:
    """A broken file, one of a newer version, and one without a folder."""
    if fault == "newer":
        place.run()
        with sqlite3.connect(place.folder / "digest.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
    elif fault == "no folder":
        place.database = "nowhere/digest.db"
    else:
        (place.folder / "digest.db").write_text("this is no database " * 100)
    settings = config(place)
    assert levels(examined([("database", lambda: machine.database(settings, NOW))])) == ["error"]


@pytest.mark.parametrize(
    ("free", "files_free", "level"),
    [(10**10, 10**6, "ok"), (5 * 10**8, 10**6, "warning"), (10**7, 10**6, "error"), (10**10, 10, "error")],
)
def test_room_on_the_disk(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, free: int, files_free: int, level: str
) -> None:
    """In bytes, and in files that may be made."""
    there = os.statvfs_result((1, 1, free, free, free, 10**7, files_free, files_free, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: there)
    assert levels(machine.disk(config(place))) == [level]


def test_a_clock_behind_the_files_is_wrong(place: Workplace) -> None:
    """Digest was not installed in the future."""
    assert levels(machine.clock(config(place), NOW)) == ["ok"]
    assert levels(machine.clock(config(place), 86_400)) == ["error"]


def test_the_zones_are_known(place: Workplace) -> None:
    """Those of all subscribers."""
    assert levels(machine.zones(config(place))) == ["ok"]


def test_listings_in_order(place: Workplace) -> None:
    """Files are counted; an empty folder is a note, since the first file may come."""
    assert levels(files.listings(config(place), NOW)) == ["note"]
    place.listing("a.jsonl", [])
    (finding,) = files.listings(config(place), NOW)
    assert (finding.level, "1 file" in finding.what) == (Level.OK, True)


def test_listings_that_are_not_there(place: Workplace) -> None:
    """A missing folder, and a link to nothing."""
    (place.listings / "a.txt").symlink_to("gone")
    assert levels(files.listings(config(place), NOW)) == ["error"]
    shutil.rmtree(place.listings)
    (finding,) = files.listings(config(place), NOW)
    assert (finding.level, str(place.listings) in finding.what) == (Level.ERROR, True)


def test_listings_that_may_not_even_be_looked_for(open_place: Workplace) -> None:
    """A source below a closed folder is told of, and stops no other check."""
    configured = config(open_place, extra='[[sources]]\nname = "Hidden"\npath = "closed/papers"\n')
    (closed := open_place.folder / "closed").mkdir(mode=0)
    user = os.geteuid()
    try:
        if user == 0:  # whom nothing is forbidden
            os.seteuid(65534)
        found = list(files.listings(configured, NOW))
    finally:
        os.seteuid(user)
        closed.chmod(0o700)
    assert any("closed/papers: no permission" in one.what for one in found)


def test_listings_that_cannot_be_read(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user that looks may not; root always may, so the system's answer is made up."""
    path = place.listing("a.jsonl", [])
    monkeypatch.setattr(os, "access", lambda file, _mode: Path(file) != path)
    (finding,) = files.listings(config(place), NOW)
    assert (finding.level, str(path) in finding.what) == (Level.ERROR, True)


@pytest.mark.parametrize(
    "secret",
    [
        {"smtp": 'username = "ada"\npassword = "x"'},
        {"extra": '[web]\nurl = "https://x.example"\nsecrets = ["a secret for tests"]'},
        {"extra": '[alarms]\nheartbeat = "https://x.example/y"'},
    ],
)
def test_a_configuration_with_a_secret_is_kept_from_others(open_place: Workplace, secret: dict[str, str]) -> None:
    """By its own mode, or by a folder above it."""
    settings = config(open_place, **secret)
    assert levels(files.private(settings, [])) == ["error"]
    open_place.config.chmod(0o640)
    assert levels(files.private(settings, [])) == ["ok"]
    open_place.config.chmod(0o644)
    open_place.folder.chmod(0o750)
    assert levels(files.private(settings, [])) == ["ok"]


def test_a_secret_of_the_environment_is_not_in_the_file(open_place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """So everybody may read that."""
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "x")
    assert levels(files.private(config(open_place), [])) == ["ok"]


def test_keys_and_addresses_are_kept_from_others(open_place: Workplace) -> None:
    """A key is an error, the database a warning."""
    key = open_place.folder / "s1.pem"
    settings = config(open_place)
    assert levels(files.private(settings, [key])) == ["ok"]
    key.touch(0o644)
    (open_place.folder / "digest.db").touch(0o644)
    assert levels(files.private(settings, [key])) == ["error", "warning"]
    key.chmod(0o600)
    (open_place.folder / "digest.db").chmod(0o660)
    assert levels(files.private(settings, [key])) == ["ok"]


def test_a_configured_key_is_read(place: Workplace) -> None:
    """With the record that belongs to it; a missing file, and no key at all, are told."""
    write_key(make_key("ed25519"), place.folder / "s1.pem")
    settings = config(place, '[[dkim]]\nselector = "S1"\nkey = "s1.pem"\n[[dkim]]\nselector = "s2"\nkey = "gone.pem"')
    found = keys.keys_of(settings)
    assert [one.name for one in found] == ["s1._domainkey.example.org", "s2._domainkey.example.org"]
    assert found[0].record.startswith("v=DKIM1; k=ed25519; p=")
    assert "gone.pem" in found[1].fault
    assert levels(keys.usable(found)) == ["ok", "error"]
    assert levels(keys.usable([])) == ["note"]


def test_templates_are_proved(place: Workplace) -> None:
    """With the fault and its place, and without touching the database."""
    assert levels(mails.templates(config(place), NOW)) == ["ok"]
    own = place.folder / "own"
    own.mkdir()
    (own / "digest.txt").write_text("{{ nonsense }")
    settings = config(place, '[editions]\ntemplates = "own"')
    (finding,) = examined([("templates", lambda: mails.templates(settings, NOW))])
    assert (finding.level, "digest.txt:1" in finding.what) == (Level.ERROR, True)
    assert not (place.folder / "digest.db").exists()


def test_a_postal_address_is_missed(place: Workplace) -> None:
    """Checklist 38: a warning when it is missing."""
    assert levels(mails.postal_address(config(place))) == ["warning"]
    assert levels(mails.postal_address(config(place, 'postal_address = "1 Main St"'))) == ["ok"]


@pytest.mark.parametrize(("url", "level"), [("", "note"), ("http://x.example", "warning"), ("https://x.example", "ok")])
def test_the_web_address_is_https(place: Workplace, url: str, level: str) -> None:
    """None at all is a note."""
    assert levels(mails.links(config(place, f'[web]\nurl = "{url}"\nsecrets = ["a secret for tests"]'))) == [level]


def test_what_a_check_raises_becomes_a_finding() -> None:
    """What it found before is kept, and the next check is made."""

    def raising(error: Exception) -> Callable[[], Iterator[Finding]]:
        def check() -> Iterator[Finding]:
            yield Finding("x", Level.OK, "before")
            raise error

        return check

    errors = (UnansweredError("silent"), StoreError("locked"), ZeroDivisionError("oh"))
    found = list(examined([("x", raising(error)) for error in errors]))
    assert levels(found) == ["ok", "warning", "ok", "error", "ok", "error"]
    assert found[-1].what == "the check failed: ZeroDivisionError: oh"
