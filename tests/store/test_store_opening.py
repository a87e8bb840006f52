"""Opening a database: its tables, and what is said of one that cannot be used."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select, text
from workplace import Workplace

import digest.store
from digest.errors import ConfigError, DigestError, StoreError
from digest.model import Cadence, Match, Profile, Reason, State
from digest.store import dues, entries, ledger, runs, subscribers, suppressions
from digest.store.schema import HEAD, contents, letters, metadata, rates, signups
from digest.store.schema import editions as editions_table
from digest.store.schema import subscribers as people_table
from digest.store.store import Store, _engine, open_store


def test_migrations_from_scratch_give_the_tables_of_the_schema(store: Store) -> None:
    """Alembic finds no difference in tables, columns, types, keys and indexes."""
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_that_the_schema_names(store: Store) -> None:
    """Or a database would be migrated at every start, or never."""
    config = Config()
    config.set_main_option("script_location", str(Path(digest.store.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
    with store.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_a_database_is_kept_between_two_openings(database: str, tmp_path: Path) -> None:
    """The second opening migrates nothing and finds what the first left."""
    first = open_store(database, tmp_path)
    with first.write() as connection:
        connection.execute(text("INSERT INTO stems VALUES ('model', 1, 2)"))
    first.close()
    second = open_store(database, tmp_path)
    with second.read() as connection:
        assert entries.frequencies(connection, ["model"]).by_stem["model"] == (1, 2)
    second.close()


def test_a_database_of_a_newer_version_is_left_alone(database: str, tmp_path: Path) -> None:
    """The message says that the program is the older one."""
    store = open_store(database, tmp_path)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match=r"made by a newer version of digest.*9999"):
        open_store(database, tmp_path)


def test_a_relative_path_is_relative_to_the_folder_of_the_configuration(tmp_path: Path) -> None:
    """Whatever the working folder is."""
    open_store("sqlite:///some.db", tmp_path).close()
    assert (tmp_path / "some.db").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("digest.db", 'write one like "sqlite:///digest.db"'),
        ("oracle://x/y", 'write one like "sqlite:///digest.db"'),
        ("nonsense://x", 'write one like "sqlite:///digest.db"'),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_a_url_that_is_none_is_a_fault_of_the_configuration(tmp_path: Path, url: str, said: str) -> None:
    """And the message shows one that is."""
    with pytest.raises(ConfigError, match=said):
        open_store(url, tmp_path)


def test_a_password_in_the_url_is_in_no_error(tmp_path: Path) -> None:
    """Whether the server is out of reach or the URL is wrong."""
    for url in (
        "postgresql://ada:canary-7c1f@127.0.0.1:1/x",
        "oracle://ada:canary-7c1f@x/y",
        "sqlite://ada:canary-7c1f@h/x",
    ):
        with pytest.raises((StoreError, ConfigError)) as caught:
            open_store(url, tmp_path)
        assert "canary-7c1f" not in str(caught.value)


def test_a_database_that_cannot_be_used_is_told_without_a_traceback(place: Workplace) -> None:
    """A missing folder, a file that is something else, and a folder: each ends with a line that names it."""
    (place.folder / "notes.txt").write_text("Dear diary, " * 500)
    (place.folder / "folder.db").mkdir()
    for path in ("nowhere/digest.db", "notes.txt", "folder.db"):
        place.database = path
        place.configure()
        ended = place.invoke("status")
        assert ended.returncode in (1, 2), ended
        assert str(place.folder / path) in ended.stderr
        assert "Traceback" not in ended.stderr
    assert "nowhere does not exist" in _said(place, "nowhere/digest.db")
    assert (place.folder / "notes.txt").read_text().startswith("Dear diary")


def _said(place: Workplace, path: str) -> str:
    with pytest.raises(DigestError) as caught:
        open_store(f"sqlite:///{path}", place.folder)
    return str(caught.value)


def test_a_database_that_fails_at_work_is_told_without_a_traceback(place: Workplace) -> None:
    """A table that is gone or a full disk ends the command with a line, and exit code 1."""
    assert place.invoke("status").returncode == 0
    with sqlite3.connect(place.folder / "digest.db") as connection:
        connection.execute("DROP TABLE runs")
    connection.close()
    ended = place.invoke("status")
    assert ended.returncode == 1
    assert "no such table: runs" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_was_committed_survives_a_loss_of_power(store: Store) -> None:
    """SQLite waits for the disk at each commit, and readers do not wait for a writer."""
    if store.engine.dialect.name == "sqlite":
        with store.read() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    with store.write() as writing, store.read() as reading:
        writing.execute(text("INSERT INTO stems VALUES ('model', 1, 2)"))
        assert reading.execute(text("SELECT count(*) FROM stems")).scalar() == 0


def _fail_after_writing(store: Store) -> None:
    with suppress(ZeroDivisionError), store.write() as connection:
        connection.execute(text("INSERT INTO stems VALUES ('lora', 1, 2)"))
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    """Half a listing file or half a batch of editions never stays."""
    _fail_after_writing(store)
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM stems")).scalar() == 0


def test_a_rehearsal_leaves_nothing_behind(store: Store) -> None:
    """It sees what is there and what it wrote itself; then all is as before, even after an error in it."""
    with store.write() as connection:
        connection.execute(text("INSERT INTO stems VALUES ('model', 1, 2)"))
    with store.rehearsal() as rehearsed:
        with rehearsed.write() as connection:
            connection.execute(text("INSERT INTO stems VALUES ('reward', 1, 2)"))
        _fail_after_writing(rehearsed)
        with rehearsed.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM stems")).scalar() == 2
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM stems")).scalar() == 1


def test_the_schema_creates_without_migrations_what_they_create(store: Store, tmp_path: Path) -> None:
    """The names of all constraints and indexes agree as SQLite writes them down."""
    if store.engine.dialect.name != "sqlite":
        return
    engine = create_engine(f"sqlite:///{tmp_path}/fresh.db")
    metadata.create_all(engine)
    query = text(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'alembic%' ORDER BY name"
    )
    with engine.begin() as fresh, store.read() as migrated:
        assert fresh.execute(query).all() == migrated.execute(query).all()
    engine.dispose()


def test_a_reader_sees_one_state_of_the_database(store: Store) -> None:
    """What others commit in the meantime comes into sight with the next transaction."""
    count = text("SELECT count(*) FROM stems")
    with store.read() as reading:
        assert reading.execute(count).scalar() == 0
        with store.write() as writing:
            writing.execute(text("INSERT INTO stems VALUES ('model', 1, 2)"))
        assert reading.execute(count).scalar() == 0
    with store.read() as reading:
        assert reading.execute(count).scalar() == 1


def _as_it_was(database: str, folder: Path, version: str, *statements: tuple[str, list[dict[str, Any]]]) -> None:
    """A database as an older version left it, with these rows."""
    engine = _engine(database, folder)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(digest.store.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        for statement, rows in statements:
            connection.execute(text(statement), rows)
    engine.dispose()


def test_an_older_database_is_brought_up_to_date_with_what_is_in_it(database: str, tmp_path: Path) -> None:
    """Subscribers of the first tables are due as before, get mail every day, and their editions keep their date."""
    people = [{"id": number, "active": active} for number, active in ((1, True), (2, False))]
    run = "INSERT INTO runs (id, started_at, finished_at, report) VALUES (1, 5, 6, '{}')"
    _as_it_was(database, tmp_path, "0001", (_OLD_SUBSCRIBER, people), (_OLD_EDITION, [{}]), (run, [{}]))
    with closing(open_store(database, tmp_path)) as store, store.read() as connection:
        (due,) = dues.due(connection, 100)
        assert due.cadence == Cadence("daily", time(7, 30), "Asia/Kathmandu")
        assert (due.due_at, due.watermark, due.since, due.min_matches) == (99, 7, None, 1)
        ((edition, _, _),) = ledger.waiting(connection, 100, 0, 10)
        assert (edition.slot, edition.since, edition.due_at) == (date(2026, 11, 20), date(2026, 11, 20), 50)
        assert runs.last(connection) == (5, 6, {})


def test_editions_keep_what_is_in_them_when_it_moves(database: str, tmp_path: Path) -> None:
    """To a table of its own, so many at a time: what waits is mailed with the same bytes; what is empty has nothing."""
    people = [{"id": number, "active": True} for number in range(1, 4)]
    settled = [_edition(number, state, number % 2) for number, state in enumerate(State, start=1)]
    many = [_edition(number, "planned") for number in range(100, 2_100)]
    unread = _edition(3_000, "failed", matches=[], matched=0)
    _as_it_was(database, tmp_path, "0002", (_SUBSCRIBER_2, people), (_EDITION_2, [*settled, *many, unread]))
    with closing(open_store(database, tmp_path)) as store, store.read() as connection:
        kept = {row.edition: row for row in connection.execute(select(contents))}
        assert kept.keys() == {row["id"] for row in (*settled, *many) if row["state"] != State.EMPTY}
        ((first, attempts, room), *others) = ledger.waiting(connection, 100, 0, 5_000)
        assert len(others) == len(many) + 1  # the deferred one, too
        assert (attempts, room) == (1, 0)
        assert (first.id, first.email, first.name, first.zone) == (1, "ada@example.org", "Ada", "Asia/Tokyo")
        assert (first.matches, first.more, first.profiles) == ((_MATCH, Match(8, 1.0)), (4, 5), ("Digest", "Ünï"))


def test_editions_that_may_have_arrived_are_doubtful(database: str, tmp_path: Path) -> None:
    """The unknown, those in sending, and those put off without a relay's word: they may have been unknown before."""
    states = [*State, State.DEFERRED]
    settled = [_edition(number, state) for number, state in enumerate(states, start=1)]
    settled[-1]["code"] = 451
    _as_it_was(*(database, tmp_path, "0002"), (_SUBSCRIBER_2, [{"id": 1, "active": True}]), (_EDITION_2, settled))
    with closing(open_store(database, tmp_path)) as store, store.read() as connection:
        doubtful = select(editions_table.c.id).where(editions_table.c.doubtful).order_by(editions_table.c.id)
        found = [states[number - 1] for number in connection.execute(doubtful).scalars()]
        assert sorted(found) == sorted([State.SENDING, State.DEFERRED, State.UNKNOWN])
        assert len(states) not in connection.execute(doubtful).scalars().all()
        assert set(connection.execute(select(editions_table.c.run, editions_table.c.room)).all()) == {(0, 0)}
        assert suppressions.of_subscribers(connection) == {}


def test_people_from_before_the_web_pages_are_as_they_were(database: str, tmp_path: Path) -> None:
    """Due, ended, suppressed and paused; none of them has changed anything themselves, and their editions go out."""
    people: list[dict[str, Any]] = [
        {"id": 1, "active": True, "configured": True, "due_at": 99, "paused_until": None, "suppressed": ""},
        {"id": 2, "active": False, "configured": False, "due_at": None, "paused_until": None, "suppressed": ""},
        {
            "id": 3,
            "active": True,
            "configured": False,
            "due_at": 99,
            "paused_until": "2027-01-02",
            "suppressed": "manual",
        },
    ]
    _as_it_was(database, tmp_path, "0003", (_SUBSCRIBER_3, people), (_EDITION_3, [{}]), (_CONTENT_3, [{}]))
    with closing(open_store(database, tmp_path)) as store, store.write() as connection:
        rows = connection.execute(select(people_table).order_by(people_table.c.id)).all()
        assert [(row.own, row.confirmed_at) for row in rows] == [(False, None)] * 3
        kept = [(row.active, row.configured, row.due_at, row.paused_until, row.suppressed) for row in rows]
        paused_until = date(2027, 1, 2)
        assert kept == [
            (True, True, 99, None, ""),
            (False, False, None, None, ""),
            (True, False, 99, paused_until, "manual"),
        ]
        ((edition, _, _),) = ledger.waiting(connection, 100, 0, 10)
        assert (edition.subscriber, edition.email) == (1, "ada@example.org")
        wanted = subscribers.wisher(rows[0])
        assert wanted.profiles == (Profile("Digest", ("x",)),)
        changed = [subscribers.Named("reader1", replace(wanted, max_entries=5))]
        assert subscribers.put(connection, changed, 200, 7, configured=True) == (0, 1)
        for table in (signups, letters, rates):
            assert connection.execute(select(table)).all() == []


def test_reasons_stay_what_they_were_when_they_become_numbers(database: str, tmp_path: Path) -> None:
    """Also where one keyword hit other words of an entry for another; and profiles have their compact form."""
    other = (7, 2.5, [["Ünï", '"reward model"', "abstract", ["Reward"]], ["Digest", "x", "title", []]])
    editions = [_edition(1, "planned"), _edition(2, "planned", matches=(other, (9, 0.5, ())))]
    people = [{"id": 1, "active": True}]
    _as_it_was(database, tmp_path, "0002", (_SUBSCRIBER_2, people), (_EDITION_2, editions))
    profiles = '[{"name": "Digest", "keywords": ["x", "y"], "match": "near", "capitals": true}]'
    engine = _engine(database, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("UPDATE subscribers SET profiles = :profiles"), {"profiles": profiles})
    engine.dispose()
    with closing(open_store(database, tmp_path)) as store, store.write() as connection:
        one, two = (delivery.edition for delivery in ledger.waiting(connection, 100, 0, 10))
        assert one.matches == (_MATCH, Match(8, 1.0))
        hit, plain = Reason("Ünï", '"reward model"', "abstract", ("Reward",)), Reason("Digest", "x", "title", ())
        assert two.matches == (Match(7, 2.5, (plain, hit)), Match(9, 0.5))
        row = connection.execute(select(people_table)).one()
        assert (row.names, len(row.queries)) == (["Digest"], 12)
        changed = [subscribers.Named("reader1", subscribers.wisher(row))]
        assert subscribers.put(connection, changed, 200, 7, configured=True) == (0, 0)


def test_programs_that_start_together_on_an_empty_database_all_work(place: Workplace, database: str) -> None:
    """One of them makes the tables, and the others wait for it."""
    place.config.write_text(place.config.read_text().replace(f"sqlite:///{place.database}", database))
    started = [place.start("status") for _ in range(3)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 3


_OLD_SUBSCRIBER = """
    INSERT INTO subscribers (id, identity, email, name, zone, send_at, max_entries, active, configured, profiles,
                             watermark, due_at, created_at)
    VALUES (:id, 'reader' || :id, 'a@example.org', '', 'Asia/Kathmandu', '07:30', 20, :active, :active, '[]', 7, 99, 1)
"""
_OLD_EDITION = """
    INSERT INTO editions (id, subscriber, slot, state, reason, code, attempts, planned_at, next_at, changed_at, after,
                          upto, considered, matched, matches, more, email, name, zone, profiles)
    VALUES (1, 1, '2026-11-20', 'planned', '', 0, 0, 50, 50, 50, 0, 7, 1, 1, '[]', '[]', 'ada@example.org', '', 'UTC',
            '[]')
"""
_SUBSCRIBER_2 = """
    INSERT INTO subscribers (id, identity, email, name, zone, send_at, days, min_matches, max_entries, skip, active,
                             configured, profiles, watermark, due_at, created_at)
    VALUES (:id, 'reader' || :id, 'a@example.org', '', 'UTC', NULL, 'daily', 1, 20, '[]', :active, :active, '[]', 7, 99,
            1)
"""
_EDITION_2 = """
    INSERT INTO editions (id, subscriber, slot, since, due_at, state, reason, code, attempts, planned_at, next_at,
                          changed_at, after, upto, considered, matched, matches, more, email, name, zone, profiles)
    VALUES (:id, 1, :slot, :slot, 50, :state, 'why', :code, :attempts, 50, 50, 50, 0, 7, 1, :matched, :matches,
            '[4, 5]', 'ada@example.org', 'Ada', 'Asia/Tokyo', '["Digest", "Ünï"]')
"""
_SUBSCRIBER_3 = """
    INSERT INTO subscribers (id, identity, email, name, zone, send_at, days, min_matches, max_entries, paused_until,
                             skip, active, configured, profiles, watermark, due_at, suppressed, created_at)
    VALUES (:id, 'reader' || :id, 'a@example.org', '', 'UTC', NULL, 'daily', 1, 20, :paused_until, '[]', :active,
            :configured, '[{"name": "Digest", "keywords": ["x"], "match": "near", "capitals": true}]', 7, :due_at,
            :suppressed, 1)
"""
_EDITION_3 = """
    INSERT INTO editions (id, subscriber, slot, since, due_at, state, reason, code, attempts, planned_at, next_at,
                          changed_at, after, upto, considered, matched, run, doubtful, room)
    VALUES (1, 1, '2026-11-20', '2026-11-20', 50, 'planned', '', 0, 0, 50, 50, 50, 0, 7, 1, 0, 0, false, 0)
"""
_CONTENT_3 = """
    INSERT INTO contents (edition, email, name, zone, profiles, matches, more)
    VALUES (1, 'ada@example.org', '', 'UTC', '[]', '[]', '[]')
"""
_MATCH = Match(7, 2.5, (Reason("Digest", '"reward model"', "title", ("réward", 'mod"el')),))


def _edition(
    number: int, state: str, attempts: int = 0, matches: Sequence[object] = (_MATCH, (8, 1.0, ())), matched: int = 2
) -> dict[str, Any]:
    """An edition as the second tables had it."""
    return {
        "id": number,
        "slot": str(date(2020, 1, 1) + timedelta(days=number)),
        "state": str(state),
        "code": 0,
        "attempts": attempts,
        "matches": json.dumps(matches),
        "matched": matched,
    }
