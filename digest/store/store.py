"""The database: opening it, bringing its tables up to date, transactions, and the lock that keeps runs apart.

SQLite is the default; a URL is the only difference to PostgreSQL.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pydantic_core import from_json
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from digest.errors import BusyError, ConfigError, StoreError
from digest.store.schema import HEAD

_BUSY_SECONDS = 30
_LOCK_NUMBER = 0x44494745  # "DIGE", for PostgreSQL's advisory lock
_MIGRATION_LOCK_NUMBER = _LOCK_NUMBER + 1
_POLL_SECONDS = 0.1


class Store:
    """An open database. `read` and `write` are transactions; `lock` is held by one run at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads: it sees one state of the database."""
        if self.engine.dialect.name == "sqlite":
            return _begun(self.engine)
        return _begun(self.engine.execution_options(isolation_level="REPEATABLE READ"))

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that writes; it waits for others that write, and for no others."""
        return _begun(self.engine.execution_options(write=True))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def rehearsal(self) -> Iterator[Store]:
        """A store on the same database that forgets everything at the end."""
        with self.write() as connection:
            yield _Rehearsal(connection)
            connection.rollback()

    @contextmanager
    def lock(self, wait_seconds: float, abandoned: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Keep other runs out; the system gives the lock back even after a kill. Raises BusyError after the wait.

        If whoever holds it has `abandoned` it by then, as a process that was stopped, there is no error.
        """
        take = self._file_lock if self.engine.dialect.name == "sqlite" else self._advisory_lock
        with take(time.monotonic() + wait_seconds, abandoned):
            yield

    @contextmanager
    def _file_lock(self, deadline: float, abandoned: Callable[[], bool]) -> Iterator[None]:
        with _opened(Path(f"{self.engine.url.database}.lock")) as file:
            _wait(lambda: _flock(file.fileno()), deadline, abandoned)
            yield

    @contextmanager
    def _advisory_lock(self, deadline: float, abandoned: Callable[[], bool]) -> Iterator[None]:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            asked = text("SELECT pg_try_advisory_lock(:number)")
            number = {"number": _LOCK_NUMBER}
            _wait(lambda: bool(connection.execute(asked, number).scalar()), deadline, abandoned)
            try:
                yield
            finally:
                with suppress(SQLAlchemyError):
                    connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _LOCK_NUMBER})


class _Rehearsal(Store):
    """Every transaction is a savepoint of one that is rolled back."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.engine)
        self._connection = connection

    @contextmanager
    def _savepoint(self) -> Iterator[Connection]:
        with self._connection.begin_nested():
            yield self._connection

    read = write = _savepoint


def open_store(url: str, folder: Path) -> Store:
    """Open a database and bring its tables up to date; a relative SQLite path is relative to `folder`.

    Raises ConfigError for a URL that cannot be used, StoreError for a database that cannot.
    """
    engine = _engine(url, folder)
    try:
        if _version(engine) != HEAD:
            _migrate(engine)
    except StoreError:
        engine.dispose()
        raise
    return Store(engine)


@contextmanager
def _begun(engine: Engine) -> Iterator[Connection]:
    """A transaction whose errors are ours. Raises StoreError in the database's own words."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StoreError(f"store.url {engine.url!r}: the database cannot be used: {reason}") from error


def _engine(url: str, folder: Path) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            parsed = parsed.set(database=str(_file(parsed.database or "", folder)))
        elif parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        # The parser of pydantic is three times as quick. Parameters hold addresses, which no error may show.
        engine = create_engine(parsed, json_deserializer=from_json, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        hint = (
            'pip install "email-digest[postgres]"'
            if "psycopg" in str(error)
            else 'write one like "sqlite:///digest.db"'
        )
        raise ConfigError(f"store.url cannot be used: {error}; {hint}") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _file(database: str, folder: Path) -> Path:
    if database in ("", ":memory:"):
        raise ConfigError('store.url names no file; write one like "sqlite:///digest.db"')
    file = folder / database
    if not file.parent.is_dir():
        raise ConfigError(f"store.url {file}: the folder {file.parent} does not exist; create it, or name another")
    with suppress(OSError):  # whoever opens it says what is wrong
        if not file.exists():
            file.touch(mode=0o600)  # it holds addresses
    return file


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin below, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # what was committed as SENDING must survive a loss of power
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("migrating"):  # SQLite changes a table by making another in its place
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    # A transaction that reads first and writes later cannot wait for another writer; so writers say so at the start.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("write") else "BEGIN")


def _version(engine: Engine) -> str | None:
    with _begun(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine) -> None:
    # Alembic costs as much time as all the rest of a small run, so it is only loaded when there is something to do.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with _begun(engine.execution_options(write=True, migrating=True)) as connection:
            if connection.dialect.name == "postgresql":  # where programs may start together
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK_NUMBER})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"the database was made by a newer version of digest: {error}") from None
    finally:
        engine.dispose()  # a connection that migrated does not check foreign keys


def _opened(file: Path) -> IO[str]:
    try:
        return file.open("w")
    except OSError as error:
        raise StoreError(
            f"{file}: cannot be opened: {error.strerror}; let the user that owns the database run digest"
        ) from None


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(taken: Callable[[], bool], deadline: float, abandoned: Callable[[], bool]) -> None:
    while not taken():
        if time.monotonic() >= deadline:
            if abandoned():
                return
            raise BusyError("another run is at work on this database; nothing was done. Try again when it has ended")
        time.sleep(_POLL_SECONDS)
