"""What is kept of a member, for themselves to see."""

from __future__ import annotations

from datetime import date

from store_samples import NOW, TODAY, be, five_readers, insert, plan

from digest.model import State
from digest.store import letters, members
from digest.store.store import Store


def test_ones_own_editions_are_the_newest_with_anything_in_them(store: Store) -> None:
    """So many at most; empty ones and those of others are not among them."""
    with five_readers(store) as connection:
        for day in (17, 18, 19):
            insert(connection, [plan(1, date(2026, 11, day))])
        insert(connection, [plan(1, TODAY, State.EMPTY), plan(2)])
        assert [past.slot.day for past in members.editions_of(connection, 1, 2)] == [19, 18]
        assert [past.slot.day for past in members.editions_of(connection, 1, 9)] == [19, 18, 17]


def test_all_that_is_kept_is_ones_own(store: Store) -> None:
    """Editions with what was in them, and letters in any spelling of the address; nothing of others."""
    with five_readers(store) as connection:
        be(connection, State.SENT, State.FAILED)
        insert(connection, [plan(1, date(2026, 11, 21), State.EMPTY)])
        letters.write(connection, "sign-in", "Reader1@Example.org", 1, NOW)
        letters.write(connection, "sign-in", "reader2@example.org", 2, NOW)
        member = members.find(connection, 1)
        assert member
        kept = members.kept(connection, member)
    assert [past.state for past in kept.editions] == [State.SENT, State.EMPTY]
    assert [(edition.email, edition.more) for edition in kept.contents.values()] == [("reader1@example.org", (2, 3))]
    assert [letter.email for letter in kept.letters] == ["Reader1@Example.org"]
    assert (kept.signup, kept.suppression) == (None, None)
