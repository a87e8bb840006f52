"""Subscribers deal with their own subscription: they change it, leave, come back, and are forgotten for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, select
from store_samples import TODAY, insert, plan

from digest.model import Outcome, Profile, State, Subscriber
from digest.store import dues, ledger, letters, members, overview, rates, runs, signups, subscribers, suppressions
from digest.store.members import Member
from digest.store.schema import metadata
from digest.store.schema import subscribers as table
from digest.store.store import Store
from digest.store.subscribers import Named

NOW = 1_795_158_000
DAY = 86_400
ADA = Subscriber("Ada@Example.org", (Profile("Secret plans", ("canary keyword",)),), "Ada Canary", skip=("2026-12-24",))
OTHER = replace(ADA, profiles=(Profile("Digest", ("lora",)),), max_entries=7, paused_until=date(2027, 1, 2))
BAO = Subscriber("bao@example.org", (Profile("Digest", ("x",)),))


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    """A transaction that writes, with two subscribers of the configuration."""
    with store.write() as opened:
        configure(opened, ADA, BAO)
        yield opened


def configure(connection: Connection, *people: Subscriber, now: int = NOW) -> tuple[int, int]:
    named = [Named(person.email.lower(), person) for person in people]
    return subscribers.put(connection, named, now, 7, configured=True)


def ada(connection: Connection) -> Member:
    found = members.find(connection, 1)
    assert found
    return found


def columns(connection: Connection, number: int = 1) -> dict[str, Any]:
    return dict(connection.execute(select(table).where(table.c.id == number)).one()._mapping)


def sendable(connection: Connection) -> list[int]:
    """The editions that a run would be granted now."""
    with connection.begin_nested() as tried:
        run = runs.begin(connection, NOW)
        waiting = [delivery.edition.id for delivery in ledger.waiting(connection, NOW + DAY, 0, 10)]
        granted = sorted(ledger.take(connection, waiting, NOW + DAY, run))
        tried.rollback()
    return granted


def test_a_member_is_found_by_number_and_by_identity(connection: Connection) -> None:
    """With their wishes and where they stand; nobody by another."""
    member = ada(connection)
    assert member.subscriber == replace(ADA, id=1)
    assert (member.active, member.suppressed, member.created_at, member.confirmed_at) == (True, "", NOW, None)
    assert member == members.find_by_identity(connection, "ada@example.org")
    assert members.find(connection, 3) is None
    assert members.find_by_identity(connection, "Ada@Example.org") is None


def test_what_a_member_changes_stays(connection: Connection) -> None:
    """Whatever the configuration says of them from then on; others it may still change."""
    members.change(connection, ada(connection), OTHER, NOW, 7)
    assert ada(connection).subscriber == replace(OTHER, id=1)
    assert configure(connection, ADA, replace(BAO, name="Bao")) == (0, 1)
    assert ada(connection).subscriber == replace(OTHER, id=1)


def test_who_changed_something_is_still_of_the_configuration(connection: Connection) -> None:
    """So they end with it, when they stand there no more."""
    members.change(connection, ada(connection), OTHER, NOW, 7)
    assert subscribers.drop_configured(connection, ["bao@example.org"]) == 1
    assert not ada(connection).active


def test_a_change_moves_no_slot_and_loses_no_entry(connection: Connection) -> None:
    """One of keywords; the next edition begins where the last one ended."""
    before = ada(connection)
    members.change(connection, before, replace(before.subscriber, profiles=OTHER.profiles), NOW + 60, 7)
    after = ada(connection)
    assert (after.due_at, after.watermark) == (before.due_at, before.watermark)


def test_who_leaves_gets_nothing_more(connection: Connection) -> None:
    """Not even what is planned; they are found still, and others get theirs."""
    insert(connection, [plan(1), plan(2)])
    assert sendable(connection) == [1, 2]
    members.leave(connection, ada(connection), NOW)
    assert sendable(connection) == [2]
    member = ada(connection)
    assert (member.active, member.due_at, member.suppressed) == (False, None, "left")
    assert [due.id for due in dues.due(connection, NOW + 9 * DAY)] == [2]


def test_to_leave_twice_changes_nothing(connection: Connection) -> None:
    """One-click is pressed again, or by two programs."""
    members.leave(connection, ada(connection), NOW)
    before = columns(connection), suppressions.newest(connection, 9)
    members.leave(connection, ada(connection), NOW + 60)
    assert (columns(connection), suppressions.newest(connection, 9)) == before


def test_no_configuration_and_no_import_brings_back_who_left(connection: Connection) -> None:
    """Only they do."""
    members.leave(connection, ada(connection), NOW)
    configure(connection, ADA)
    subscribers.put(connection, [Named("ada@example.org", ADA)], NOW, 7)
    assert ada(connection).suppressed == "left"
    insert(connection, [plan(1)])
    assert sendable(connection) == []


def test_who_comes_back_is_as_before(connection: Connection) -> None:
    """The undo of leaving: the same number and wishes, and it is due again."""
    before = ada(connection)
    members.leave(connection, before, NOW)
    assert members.come_back(connection, ada(connection), NOW + 60, 7)
    after = ada(connection)
    assert after.subscriber == before.subscriber
    assert (after.active, after.suppressed, after.due_at) == (True, "", before.due_at)
    assert suppressions.find(connection, "ada@example.org") is None


def test_who_is_suppressed_for_another_reason_stays_so(connection: Connection) -> None:
    """Leaving adds nothing to it, and coming back says that no mail will come."""
    suppressions.add(connection, "ada@example.org", "bounce", "5.1.1 nobody", NOW)
    members.leave(connection, ada(connection), NOW)
    assert not members.come_back(connection, ada(connection), NOW, 7)
    assert (ada(connection).active, ada(connection).suppressed) == (True, "bounce: 5.1.1 nobody")


def everything(connection: Connection) -> str:
    rows = [tuple(row) for one in metadata.sorted_tables for row in connection.execute(one.select())]
    return repr(rows).casefold()


def known_everywhere(connection: Connection) -> None:
    """Ada in every table that can know her: a signup, letters, editions in several states."""
    signup = signups.ask(connection, Named("ada@example.org", ADA), NOW)
    assert signups.confirm(connection, signup, NOW, 7) == 1
    letters.write(connection, "confirm", ADA.email, signup.id, NOW)
    letters.write(connection, "sign-in", ADA.email, 1, NOW)
    for day in (17, 18, 19):
        mine = plan(1, date(2026, 11, day))
        insert(connection, [mine])
    insert(connection, [plan(2, TODAY)])
    told = f"550 5.1.1 <{ADA.email}> has no such mailbox"
    ledger.record(connection, [Outcome(1, State.SENT, 250, "ok"), Outcome(2, State.FAILED, 550, told)], NOW, 0)


def test_nothing_is_left_of_who_is_forgotten(connection: Connection) -> None:
    """No address, name or keyword in any table; what others have stays."""
    known_everywhere(connection)
    assert "canary" in everything(connection)
    before = columns(connection, 2)
    members.forget(connection, ada(connection), NOW)
    left = everything(connection)
    for trace in ("ada@", "example.org'", "canary", "secret plans", "2026-12-24"):
        assert trace not in left.replace("bao@example.org", "").replace("reader2@example.org", ""), trace
    assert columns(connection, 2) == before
    assert sendable(connection) == [4]


def test_who_is_forgotten_is_found_no_more_and_gets_nothing(connection: Connection) -> None:
    """Their links are dead; what was planned is not sent, and no configuration brings mail back to the address."""
    known_everywhere(connection)
    members.forget(connection, ada(connection), NOW)
    assert members.find(connection, 1) is None
    assert members.find_by_identity(connection, "ada@example.org") is None
    found = suppressions.find(connection, "ada@example.org")
    assert found
    assert found.kind == "left"
    assert configure(connection, ADA) == (0, 0)
    assert members.find_by_identity(connection, "ada@example.org") is None


def test_all_that_is_known_can_be_taken_along(connection: Connection) -> None:
    """Editions with what was in them, letters however the address was spelled, the signup, a suppression."""
    assert members.kept(connection, ada(connection)) == members.Kept([], {}, [], None, None)
    known_everywhere(connection)
    letters.write(connection, "sign-in", "ADA@example.org", 1, NOW)
    letters.write(connection, "sign-in", BAO.email, 2, NOW)
    suppressions.add(connection, "ada@example.org", "manual", "why", NOW)
    kept = members.kept(connection, ada(connection))
    assert [(past.slot.day, past.state) for past in kept.editions] == [(17, "sent"), (18, "failed"), (19, "planned")]
    assert {edition.email for edition in kept.contents.values()} == {ADA.email}
    assert kept.contents.keys() == {past.id for past in kept.editions} == {1, 2, 3}
    assert [letter.email for letter in kept.letters] == [ADA.email, ADA.email, "ADA@example.org"]
    assert kept.signup
    assert kept.signup.subscriber == ADA
    assert kept.suppression == suppressions.Suppression("manual", "why", NOW)


def test_the_newest_editions_come_first(connection: Connection) -> None:
    """So many of one member, and of nobody else."""
    known_everywhere(connection)
    assert [past.slot.day for past in members.editions_of(connection, 1, 2)] == [19, 18]
    assert [past.id for past in members.editions_of(connection, 2, 9)] == [4]


def test_letters_are_forgotten_however_the_address_was_spelled(connection: Connection) -> None:
    """It is the same person; those of others stay."""
    for email in (ADA.email, "ADA@EXAMPLE.ORG", "ada@example.org", BAO.email):
        letters.write(connection, "sign-in", email, 1, NOW)
    members.forget(connection, ada(connection), NOW)
    assert [letter.email for letter in letters.claim(connection, NOW, 10)] == [BAO.email]


def test_the_number_of_a_forgotten_signup_is_never_another_s(connection: Connection) -> None:
    """Until no link to it can work any more; nobody finds it, and it is not counted."""
    number = signups.ask(connection, Named("ada@example.org", ADA), NOW).id
    members.forget(connection, ada(connection), NOW)
    assert signups.find(connection, number) is None
    assert overview.count_waiting(connection, NOW).number == 0
    assert signups.ask(connection, Named(BAO.email, BAO), NOW).id != number
    assert signups.ask(connection, Named("ada@example.org", ADA), NOW).id != number


def test_who_is_forgotten_can_ask_for_a_letter_again(connection: Connection) -> None:
    """Today; what they had of theirs is not counted any more, and others' is."""
    for rate in letters.RATES:
        for email in ("ada@example.org", BAO.email):
            while not rates.spend(connection, rate, email, NOW):
                pass
    members.forget(connection, ada(connection), NOW)
    for rate in letters.RATES:
        assert rates.wait(connection, rate, "ada@example.org", NOW) == 0
        assert rates.wait(connection, rate, BAO.email, NOW) > 0


def test_who_was_added_again_after_leaving_is_not_subscribed(connection: Connection) -> None:
    """Active by somebody else's will; nothing is sent."""
    assert ada(connection).subscribed
    members.leave(connection, ada(connection), NOW)
    subscribers.put(connection, [Named("ada@example.org", ADA)], NOW, 7)
    assert (ada(connection).active, ada(connection).subscribed) == (True, False)


def test_a_number_is_never_another_s(connection: Connection) -> None:
    """Who comes after the one forgotten last has a number of their own; two may be forgotten."""
    for number in (2, 1):
        member = members.find(connection, number)
        assert member
        members.forget(connection, member, NOW)
    configure(connection, replace(BAO, email="chidi@example.org"))
    chidi = members.find_by_identity(connection, "chidi@example.org")
    assert chidi
    assert chidi.subscriber.id == 3


def test_who_was_forgotten_may_begin_anew(connection: Connection) -> None:
    """By saying yes once more."""
    members.forget(connection, ada(connection), NOW)
    signup = signups.ask(connection, Named("ada@example.org", OTHER), NOW)
    member = members.find(connection, signups.confirm(connection, signup, NOW, 7))
    assert member
    assert (member.active, member.suppressed, member.subscriber.max_entries) == (True, "", 7)
