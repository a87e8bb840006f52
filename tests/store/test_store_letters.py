"""Letters as rows: given to one who sends, again if that one never says what became of it, and forgotten at last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from digest.model import State
from digest.store import letters
from digest.store.letters import CLAIMED, Kind, Letter
from digest.store.schema import letters as table
from digest.store.store import Store

NOW = 1_795_158_000
DAY = 86_400
ADA, BAO = "ada@example.org", "bao@example.org"


def write(store: Store, *emails: str, kind: Kind = "confirm", now: int = NOW) -> None:
    with store.write() as connection:
        for email in emails:
            letters.write(connection, kind, email, 31, now)


def claim(store: Store, now: int = NOW, limit: int = 10) -> list[Letter]:
    with store.write() as connection:
        return letters.claim(connection, now, limit)


def settle(store: Store, letter: int, state: State, next_at: int = 0) -> None:
    with store.write() as connection:
        letters.settle(connection, letter, state, 250, "why", next_at)


@pytest.mark.parametrize("kind", ["confirm", "sign-in"])
def test_what_is_written_is_claimed_once(store: Store, kind: Kind) -> None:
    """As it was written, with the attempt that the claim is for."""
    write(store, ADA, kind=kind)
    assert claim(store) == [Letter(1, kind, ADA, 31, 1, NOW)]
    assert claim(store) == []


def test_a_letter_is_not_claimed_before_its_moment(store: Store) -> None:
    """It may be tried again then, and the claim counts."""
    write(store, ADA)
    assert claim(store, NOW - 1) == []
    claim(store)
    settle(store, 1, State.PLANNED, NOW + 300)
    assert claim(store, NOW + 299) == []
    assert claim(store, NOW + 300) == [Letter(1, "confirm", ADA, 31, 2, NOW)]


def test_a_claim_that_nobody_settles_is_over_after_a_while(store: Store) -> None:
    """Whoever had it was killed."""
    write(store, ADA)
    claim(store)
    assert claim(store, NOW + CLAIMED - 1) == []
    assert [letter.attempts for letter in claim(store, NOW + CLAIMED)] == [2]


def test_so_many_are_claimed_and_the_oldest_first(store: Store) -> None:
    """Those that wait longest, whenever they were written."""
    for at in (NOW - 1, NOW - 3, NOW - 2):
        write(store, f"at{at}@example.org", now=at)
    assert [letter.written_at for letter in claim(store, limit=2)] == [NOW - 3, NOW - 2]
    assert [letter.written_at for letter in claim(store, limit=2)] == [NOW - 1]


@pytest.mark.parametrize("state", [State.SENT, State.FAILED])
def test_what_is_settled_is_claimed_no_more(store: Store, state: State) -> None:
    """And says what became of it."""
    write(store, ADA, BAO)
    claim(store)
    settle(store, 1, state)
    assert [letter.email for letter in claim(store, NOW + DAY)] == [BAO]
    with store.read() as connection:
        row = connection.execute(select(table).where(table.c.id == 1)).one()
    assert (row.state, row.code, row.reason) == (state, 250, "why")


def test_the_next_moment_is_that_of_the_first_that_waits(store: Store) -> None:
    """There is none if none waits."""

    def moment() -> int | None:
        with store.read() as connection:
            return letters.next_moment(connection)

    assert moment() is None
    write(store, ADA, now=NOW + 5)
    write(store, BAO)
    assert moment() == NOW
    claim(store)
    assert moment() == NOW + 5
    settle(store, 2, State.SENT)
    settle(store, 1, State.SENT)
    assert moment() is None


def test_what_is_over_is_forgotten_after_thirty_days(store: Store) -> None:
    """Not before, and nothing that still waits."""
    write(store, ADA, BAO, "chidi@example.org")
    claim(store)
    settle(store, 1, State.SENT)
    settle(store, 2, State.FAILED)
    for now, left in ((NOW + 30 * DAY, 3), (NOW + 30 * DAY + 1, 1)):
        with store.write() as connection:
            letters.forget_old(connection, now)
            assert len(connection.execute(select(table)).all()) == left
    assert [letter.email for letter in claim(store, NOW + 31 * DAY)] == ["chidi@example.org"]


def test_many_who_claim_at_once_get_each_letter_once(store: Store) -> None:
    """Eight threads, as many processes would."""
    write(store, *(f"reader{number}@example.org" for number in range(50)))
    with ThreadPoolExecutor(8) as threads:
        claimed = [letter for some in threads.map(lambda _: claim(store, limit=7), range(16)) for letter in some]
    assert sorted(letter.id for letter in claimed) == list(range(1, 51))


def test_what_waits_is_found_by_its_index(store: Store) -> None:
    """However many letters are over, so that a look every few seconds costs nothing."""
    if store.engine.dialect.name != "sqlite":
        return
    asked: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    with store.write() as connection:
        event.listen(connection, "before_cursor_execute", keep)
        letters.next_moment(connection)
        letters.claim(connection, NOW, 10)
        event.remove(connection, "before_cursor_execute", keep)
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert any("ix_letters_waiting" in row.detail for row in plan)
            assert not any(row.detail == "SCAN letters" for row in plan)
    assert len(asked) == 2


steps = st.lists(
    st.tuples(st.sampled_from(["write", "claim", "sent", "failed", "again", "later"]), st.integers(1, 3)), max_size=20
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_a_letter_is_with_one_sender_at_a_time(store: Store, steps: list[tuple[str, int]]) -> None:
    """In whatever order letters come, are claimed and settled, and time goes by."""
    now, held = NOW, dict[int, int]()  # a letter that was claimed and not settled, and until when
    over: set[int] = set()
    with store.rehearsal() as rehearsed, rehearsed.write() as connection:
        for what, count in steps:
            match what:
                case "write":
                    letters.write(connection, "confirm", ADA, 31, now)
                case "claim":
                    for letter in letters.claim(connection, now, count):
                        assert letter.id not in over
                        assert held.get(letter.id, 0) <= now
                        held[letter.id] = now + CLAIMED
                case "later":
                    now += count * CLAIMED // 2
                case _:
                    for number in list(held)[:count]:
                        del held[number]
                        state = State.PLANNED if what == "again" else State(what)
                        letters.settle(connection, number, state, 0, "", now)
                        over |= set() if what == "again" else {number}
