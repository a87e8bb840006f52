"""Suppressions: kept as keyed hashes, first come first kept, and stronger than any subscription."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from digest.model import Profile, Subscriber
from digest.store import runs, subscribers, suppressions
from digest.store.schema import metadata, secrets
from digest.store.schema import subscribers as people
from digest.store.schema import suppressions as table
from digest.store.store import Store
from digest.store.subscribers import Named
from digest.store.suppressions import KINDS, Kind, Suppression

NOW = 1_795_158_000
DAY = 86_400
ADA, BAO = "ada@example.org", "bao@example.org"


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes."""
    with store.write() as opened:
        yield opened


def put(connection: Connection, *emails: str, configured: bool = False) -> tuple[int, int]:
    """Add or change subscribers."""
    named = [Named(email.lower(), Subscriber(email, (Profile("Digest", ("x",)),))) for email in emails]
    return subscribers.put(connection, named, NOW, 7, configured=configured)


def marks(connection: Connection) -> dict[str, str]:
    """What the rows of subscribers say of a suppression."""
    return {row.identity: row.suppressed for row in connection.execute(people.select())}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_added_is_found(connection: Connection, kind: Kind) -> None:
    """With kind, reason and moment; another address is not."""
    assert suppressions.find(connection, ADA) is None
    assert suppressions.add(connection, ADA, kind, "5.1.1 nobody", NOW)
    assert suppressions.find(connection, ADA) == Suppression(kind, "5.1.1 nobody", NOW)
    assert suppressions.find(connection, BAO) is None


def test_the_first_suppression_stays(connection: Connection) -> None:
    """A second one changes neither its row nor the subscriber's."""
    put(connection, ADA)
    assert suppressions.add(connection, ADA, "bounce", "5.1.1 nobody", NOW)
    assert not suppressions.add(connection, ADA, "complaint", "spam", NOW + DAY)
    assert suppressions.find(connection, ADA) == Suppression("bounce", "5.1.1 nobody", NOW)
    assert marks(connection) == {ADA: "bounce: 5.1.1 nobody"}


def test_the_subscriber_s_row_says_it_in_words(connection: Connection) -> None:
    """As long as it lasts, and that of nobody else."""
    put(connection, ADA, BAO)
    suppressions.add(connection, ADA, "manual", "", NOW)
    assert marks(connection) == {ADA: "manual", BAO: ""}
    assert suppressions.of_subscribers(connection) == {1: "manual"}
    assert suppressions.remove(connection, ADA)
    assert marks(connection) == {ADA: "", BAO: ""}
    assert suppressions.of_subscribers(connection) == {}


def test_what_is_removed_is_gone(connection: Connection) -> None:
    """It cannot be removed twice, and may be suppressed anew."""
    assert not suppressions.remove(connection, ADA)
    suppressions.add(connection, ADA, "bounce", "", NOW)
    assert suppressions.remove(connection, ADA)
    assert not suppressions.remove(connection, ADA)
    assert suppressions.find(connection, ADA) is None
    assert suppressions.add(connection, ADA, "complaint", "", NOW)


def test_who_is_imported_again_stays_suppressed(connection: Connection) -> None:
    """Unsubscribed, deleted, or only known as an address: every way back leads to the mark."""
    put(connection, ADA, BAO)
    for one in (ADA, BAO, "chidi@example.org"):
        suppressions.add(connection, one, "bounce", "nobody", NOW)
    subscribers.remove(connection, ADA)
    connection.execute(people.delete().where(people.c.identity == BAO))
    assert put(connection, "Ada@example.org", BAO, "chidi@example.org", "dora@example.org") == (3, 1)
    assert list(marks(connection).values()).count("bounce: nobody") == 3
    assert marks(connection)["dora@example.org"] == ""
    assert subscribers.count(connection) == 4
    assert put(connection, "Ada@example.org", BAO, "chidi@example.org", "dora@example.org") == (0, 0)


def test_a_change_brings_the_mark_back(connection: Connection) -> None:
    """Whatever became of the row, the table of suppressions decides."""
    put(connection, ADA, configured=True)
    suppressions.add(connection, ADA, "complaint", "", NOW)
    connection.execute(people.update().values(suppressed=""))
    assert put(connection, ADA, configured=True) == (0, 1)
    assert marks(connection) == {ADA: "complaint"}


def test_who_unsubscribed_is_not_suppressed(connection: Connection) -> None:
    """And may come back."""
    put(connection, ADA)
    subscribers.remove(connection, ADA)
    assert suppressions.find(connection, ADA) is None
    put(connection, ADA)
    assert marks(connection) == {ADA: ""}


def test_a_list_is_looked_up_at_once(connection: Connection) -> None:
    """Those of it that are suppressed, with the reason in words."""
    assert suppressions.among(connection, [ADA, BAO]) == {}
    suppressions.add(connection, ADA, "bounce", "nobody", NOW)
    suppressions.add(connection, "elsewhere@example.org", "manual", "", NOW)
    assert suppressions.among(connection, [ADA, BAO]) == {ADA: "bounce: nobody"}
    assert suppressions.among(connection, []) == {}


def test_kinds_are_counted_since_a_moment(connection: Connection) -> None:
    """The moment itself included."""
    for number, kind in enumerate(("bounce", "complaint", "complaint", "manual")):
        suppressions.add(connection, f"reader{number}@example.org", kind, "", NOW + number)  # type: ignore[arg-type]  # they are kinds
    assert suppressions.count_by_kind(connection) == Counter(bounce=1, complaint=2, manual=1)
    assert suppressions.count_by_kind(connection, NOW + 2) == Counter(complaint=1, manual=1)
    assert suppressions.count_by_kind(connection, NOW + 4) == Counter()


def test_the_newest_come_first_with_their_subscribers(connection: Connection) -> None:
    """An address that no subscriber has is not known."""
    put(connection, "Ada@example.org")
    assert suppressions.newest(connection, 9) == []
    for at, one in enumerate((BAO, ADA, "chidi@example.org"), start=NOW):
        suppressions.add(connection, one, "manual", "x", at)
    found = [(one.email, one.at) for one in suppressions.newest(connection, 9)]
    assert found == [("", NOW + 2), ("Ada@example.org", NOW + 1), ("", NOW)]
    assert len(suppressions.newest(connection, 2)) == 2


def test_no_address_is_kept(connection: Connection) -> None:
    """Neither in the key nor in what a relay says, in whatever spelling; the key is that of this database alone."""
    said = "550 5.1.1 <Ada@Example.org>: forwarded to\r\nada.l@forward.example\0 no such user"
    suppressions.add(connection, ADA, "bounce", said, NOW)
    (row,) = connection.execute(table.select())
    assert row.reason == "550 5.1.1 (address) forwarded to (address) no such user"
    assert len(row.key) == 64
    everything = [tuple(row) for one in metadata.sorted_tables for row in connection.execute(one.select())]
    assert "example" not in repr(everything).casefold()
    (key,) = connection.execute(select(secrets.c.value)).scalars()
    connection.execute(secrets.update().values(value=key[::-1]))
    assert suppressions.find(connection, ADA) is None


def test_a_reason_is_short(connection: Connection) -> None:
    """However much the relay said."""
    put(connection, ADA)
    suppressions.add(connection, ADA, "bounce", "no " * 1000, NOW)
    (row,) = connection.execute(table.select())
    assert len(row.reason) == 200
    assert len(marks(connection)[ADA]) <= 210


def test_programs_that_begin_together_use_one_key(store: Store) -> None:
    """Each finds what any of them added, and of one address one is the first."""

    def added(number: int) -> list[bool]:
        with store.write() as connection:
            own = suppressions.add(connection, f"reader{number}@example.org", "manual", "", NOW)
        with store.write() as connection:
            return [own, suppressions.add(connection, ADA, "manual", "", NOW)]

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(added, range(8)))
    assert [own for own, _ in done] == [True] * 8
    assert sorted(first for _, first in done) == [False] * 7 + [True]
    with store.read() as connection:
        everybody = [ADA, *(f"reader{number}@example.org" for number in range(8))]
        assert set(suppressions.among(connection, everybody)) == set(everybody)
        assert len(connection.execute(secrets.select()).all()) == 1


def run(connection: Connection, at: int, sent: int | None) -> None:
    """A run that sent so many mails; None: it was killed before it could tell."""
    number = runs.begin(connection, at)
    if sent is not None:
        runs.finish(connection, number, at + 60, {"sent": sent})


def test_complaints_are_held_against_mails_sent(connection: Connection) -> None:
    """Of the same time; a run that was killed counts for nothing, and bounces are no complaints."""
    run(connection, NOW - DAY, 500)
    for number, at in enumerate((NOW - DAY, NOW, NOW)):
        suppressions.add(connection, f"reader{number}@example.org", "complaint", "", at)
    suppressions.add(connection, ADA, "bounce", "", NOW)
    run(connection, NOW, 2_000_000_000)
    run(connection, NOW, 1_000_000_000)
    run(connection, NOW, 70)
    run(connection, NOW, None)
    assert suppressions.complaints(connection, NOW - 30 * DAY) == (3, 3_000_000_570)
    assert suppressions.complaints(connection, NOW) == (2, 3_000_000_070)
    assert suppressions.complaints(connection, NOW + 1) == (0, 0)


def test_complaints_of_before_the_oldest_run_do_not_count(connection: Connection) -> None:
    """Else runs that are forgotten would make the share of complaints look higher than it is."""
    suppressions.add(connection, ADA, "complaint", "", NOW - 1)
    suppressions.add(connection, BAO, "complaint", "", NOW)
    assert suppressions.complaints(connection, NOW - DAY) == (2, 0)
    run(connection, NOW, 10)
    assert suppressions.complaints(connection, NOW - DAY) == (1, 10)
    run(connection, NOW - 1, 5)  # the clock was put back
    assert suppressions.complaints(connection, NOW - DAY) == (2, 15)


identities = st.sampled_from([ADA, BAO, "é@example.org", "a'; --@example.org"])
steps = st.lists(st.tuples(st.sampled_from(["add", "remove", "put", "end", "delete"]), identities), max_size=15)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_no_way_leads_round_a_suppression(store: Store, steps: list[tuple[str, str]]) -> None:
    """In whatever order people come, go and are suppressed: the rows say what was added and not removed."""
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        expected: set[str] = set()
        for what, one in steps:
            match what:
                case "add":
                    assert suppressions.add(connection, one, "bounce", "", NOW) is (one not in expected)
                    expected.add(one)
                case "remove":
                    assert suppressions.remove(connection, one) is (one in expected)
                    expected.discard(one)
                case "put":
                    put(connection, one)
                case "end":
                    subscribers.remove(connection, one)
                case _:
                    connection.execute(people.delete().where(people.c.identity == one))
            assert all((words != "") is (one in expected) for one, words in marks(connection).items())
