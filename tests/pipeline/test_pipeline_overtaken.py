"""Freshness: an edition that waits when the next slot comes goes into that one; no entry is lost or comes twice."""

from __future__ import annotations

from collections import Counter
from datetime import time
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from workplace import ADA, BAO, DAY, NOON, Mails, Workplace, paper, subscriber

from digest.cadence import local_date
from digest.model import Cadence, Entry, Listing, Outcome, Profile, State, Subscriber
from digest.planning import Policy, plan
from digest.store import contents, entries, filing, ledger, runs, subscribers
from digest.store.contents import SHOWN
from digest.store.schema import editions as table
from digest.store.store import Store
from digest.store.subscribers import Named

MORNING = NOON - 4 * 3_600  # 2026-11-20 08:00 UTC, a Friday
FRIDAY, SATURDAY = "2026-11-20", "2026-11-21"
PEOPLE = ("ada", "bao", "chidi")
ALWAYS = Policy(first_days=7, stale_seconds=0, skip=(), calendars=lambda _: {})


def listed(place: Workplace, day: int) -> None:
    """A file with one matching entry of a day."""
    place.listing(f"{day}.jsonl", [paper(f"Reward model of day {day}")])


def only_planned(place: Workplace, day: int) -> None:
    """A day whose run ended before anything was sent."""
    place.clock.at = MORNING + day * DAY
    with place.opened() as app:
        app.pipeline.load()
        app.pipeline.plan()


def settle(place: Workplace, state: State) -> None:
    """What becomes of the first edition; UNKNOWN is what a killed run leaves."""
    with place.opened() as app, app.store.write() as connection:
        number = runs.begin(connection, place.clock.at)
        assert ledger.take(connection, [1], place.clock.at, number) == {1}
        if state is State.UNKNOWN:
            ledger.recover(connection, place.clock.at)
        else:
            ledger.record(connection, [Outcome(1, state, 451, "later")], place.clock.at, number)


def rows(place: Workplace, email: str = ADA) -> list[tuple[str, str, str, str]]:
    """Slot, first date, state and reason of a subscriber's editions, by slot."""
    with place.opened() as app, app.store.read() as connection:
        person = subscribers.find(connection, email)
        assert person
        columns = table.c.slot, table.c.since, table.c.state, table.c.reason
        found = select(*columns).where(table.c.subscriber == person.subscriber.id).order_by(table.c.slot)
        told = connection.execute(found).all()
    return [(str(row.slot), str(row.since), row.state, "" if row.state == State.SENT else row.reason) for row in told]


def days_in(text: str) -> list[int]:
    """The entries in a mail, by their day."""
    return [day for day in range(10) for _ in range(text.count(f"Reward model of day {day}\r\n"))]


@pytest.fixture(autouse=True)
def _fixed_time(place: Workplace) -> None:
    place.configure(subscriber(send_at="08:00"))


@pytest.mark.parametrize("state", [State.PLANNED, State.DEFERRED])
def test_an_edition_that_waits_goes_into_the_next(place: Workplace, mails: Mails, state: State) -> None:
    """Its entries come once, the mail says which days it covers, and the earlier row where they went."""
    listed(place, 0)
    only_planned(place, 0)
    settle(place, state)
    listed(place, 1)
    assert place.run(MORNING + DAY).counts()["sent"] == 1
    (text,) = mails.texts(ADA)
    assert days_in(text) == [0, 1]
    assert "20–21 Nov" in str(mails.parsed(ADA)[0]["Subject"])
    assert rows(place) == [
        (FRIDAY, FRIDAY, "empty", f"overtaken; in the edition of {SATURDAY}"),
        (SATURDAY, FRIDAY, "sent", ""),
    ]


def test_an_edition_that_waits_is_overtaken_also_when_nothing_new_came(place: Workplace, mails: Mails) -> None:
    """There is one mail, of the later date."""
    listed(place, 0)
    only_planned(place, 0)
    assert place.run(MORNING + DAY).counts()["sent"] == 1
    assert days_in(mails.texts(ADA)[0]) == [0]
    assert rows(place)[1] == (SATURDAY, FRIDAY, "sent", "")
    assert place.run(MORNING + 2 * DAY).counts()["sent"] == 0


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_an_edition_that_may_have_arrived_is_not_merged(place: Workplace, mails: Mails, policy: str) -> None:
    """It is sent again as it was, or held; the next has only what is new."""
    place.configure(subscriber(send_at="08:00"), extra=f'[delivery]\non_unknown = "{policy}"')
    listed(place, 0)
    only_planned(place, 0)
    settle(place, State.UNKNOWN)
    listed(place, 1)
    place.run(MORNING + DAY)
    first = [[0]] if policy == "resend" else []
    assert sorted(days_in(text) for text in mails.texts(ADA)) == [*first, [1]]
    assert rows(place)[1] == (SATURDAY, SATURDAY, "sent", "")
    assert rows(place)[0][2] == ("sent" if policy == "resend" else "unknown")


def test_an_edition_that_was_unknown_once_is_never_merged(place: Workplace, mails: Mails) -> None:
    """Not even when it waits again since, for a relay that put it off."""
    listed(place, 0)
    only_planned(place, 0)
    settle(place, State.UNKNOWN)
    with place.opened() as app, app.store.write() as connection:
        ledger.resend_unknown(connection, place.clock.at, 0)
    settle(place, State.DEFERRED)
    listed(place, 1)
    assert place.run(MORNING + DAY).counts()["sent"] == 2
    assert sorted(days_in(text) for text in mails.texts(ADA)) == [[0], [1]]


@pytest.mark.parametrize("closed", [{"paused_until": "2026-11-22"}, {"skip": [SATURDAY]}])
def test_a_day_without_mail_overtakes_nothing(place: Workplace, mails: Mails, closed: dict[str, Any]) -> None:
    """What waits on a paused or skipped day is an edition of an earlier one, and goes as such."""
    listed(place, 0)
    only_planned(place, 0)
    place.configure(subscriber(send_at="08:00", **closed))
    listed(place, 1)
    assert place.run(MORNING + DAY).counts()["sent"] == 1
    assert [row[:3] for row in rows(place)] == [(FRIDAY, FRIDAY, "sent"), (SATURDAY, SATURDAY, "empty")]
    assert place.run(MORNING + 2 * DAY).counts()["sent"] == 1
    assert [days_in(text) for text in mails.texts(ADA)] == [[0], [1]]


def test_after_days_without_a_relay_there_is_one_mail(place: Workplace, mails: Mails) -> None:
    """With the entries of all of them, each once."""
    for day in range(6):
        listed(place, day)
        only_planned(place, day)
    assert place.run().counts()["sent"] == 1
    assert days_in(mails.texts(ADA)[0]) == [0, 1, 2, 3, 4, 5]
    *earlier, last = rows(place)
    assert last == ("2026-11-25", FRIDAY, "sent", "")
    assert [row[3] for row in earlier] == [f"overtaken; in the edition of 2026-11-{day}" for day in range(21, 26)]
    assert "20–25 Nov" in str(mails.parsed(ADA)[0]["Subject"])


def test_days_that_nobody_planned_are_in_the_range_too(place: Workplace, mails: Mails) -> None:
    """One edition waits, then nothing runs for days: one mail, and a row for each slot that says where it went."""
    listed(place, 0)
    only_planned(place, 0)
    listed(place, 1)
    assert place.run(MORNING + 3 * DAY).counts()["sent"] == 1
    assert days_in(mails.texts(ADA)[0]) == [0, 1]
    assert [(row[0], row[3]) for row in rows(place)] == [
        (FRIDAY, "overtaken; in the edition of 2026-11-23"),
        (SATURDAY, "missed; in the edition of 2026-11-23"),
        ("2026-11-22", "missed; in the edition of 2026-11-23"),
        ("2026-11-23", ""),
    ]
    assert rows(place)[-1][1] == FRIDAY


def test_only_who_waits_gets_the_older_entries(place: Workplace, mails: Mails) -> None:
    """The window is read from where the earliest of them begins, but each has a beginning of their own."""
    place.configure(subscriber(send_at="08:00"), subscriber(BAO, send_at="08:00"))
    listed(place, 0)
    only_planned(place, 0)
    with place.opened() as app, app.store.write() as connection:
        number = runs.begin(connection, place.clock.at)
        (bao,) = [edition for edition, *_ in ledger.waiting(connection, place.clock.at, 0, 9) if edition.email == BAO]
        ledger.take(connection, [bao.id], place.clock.at, number)
        ledger.record(connection, [Outcome(bao.id, State.SENT, 250, "ok")], place.clock.at, number)
    listed(place, 1)
    assert place.run(MORNING + DAY).counts()["sent"] == 2
    assert [days_in(mails.texts(email)[0]) for email in (ADA, BAO)] == [[0, 1], [1]]
    assert [row[:3] for row in rows(place, BAO)] == [(FRIDAY, FRIDAY, "sent"), (SATURDAY, SATURDAY, "sent")]


def test_the_same_day_overtakes_nothing(place: Workplace, mails: Mails) -> None:
    """A second run of a day finds an edition that stays as it is, whatever was loaded since."""
    place.configure(subscriber())
    listed(place, 0)
    only_planned(place, 0)
    listed(place, 1)
    assert place.run(MORNING + 3_600).counts()["sent"] == 1
    assert days_in(mails.texts(ADA)[0]) == [0]
    assert place.run(MORNING + DAY).counts()["sent"] == 1
    assert days_in(mails.texts(ADA)[1]) == [1]


class Lived(NamedTuple):
    """A day: what becomes of the newest edition of each, whether there is a new entry, and whether anything runs."""

    lots: tuple[str, str, str]
    news: bool
    planned: bool


WAITS = "waits"
lots = st.sampled_from((WAITS, "deferred", "sent", "failed", "unknown", "paused"))
days = st.builds(Lived, st.tuples(lots, lots, lots), st.booleans(), st.booleans())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(days, min_size=2, max_size=8))
def test_every_entry_is_in_one_edition_whatever_becomes_of_editions(store: Store, lived: list[Lived]) -> None:
    """Of those that were mailed, may have been, or wait; and of those that nobody can have, only the newest waits."""
    with store.rehearsal() as rehearsed:
        for number, day in enumerate([*lived, Lived((WAITS,) * 3, news=True, planned=True)]):
            _live(rehearsed, MORNING + number * DAY, day)
        with rehearsed.read() as connection:
            held = contents.read(connection, connection.execute(SHOWN.where(table.c.state != State.EMPTY)))
            found = Counter((one.subscriber, match.entry) for one in held for match in one.matches)
            fresh = select(table.c.subscriber).where(table.c.state.in_(("planned", "deferred")), ~table.c.doubtful)
            waiting = Counter(connection.execute(fresh).scalars())
            people = [person.id for person in subscribers.everybody(connection)]
            numbers = range(1, entries.count(connection) + 1)
    assert found == Counter({(who, number): 1 for who in people for number in numbers})
    assert waiting == dict.fromkeys(people, 1)


def _live(store: Store, now: int, day: Lived) -> None:
    fate = dict(zip(PEOPLE, day.lots, strict=True))
    with store.write() as connection:
        if day.news:
            title = f"Reward model at {now}"
            listing = Listing("json", (Entry((f"title:{title}",), title),))
            filing.save(connection, entries.File(title, title, 1, now), listing, now)
        named = [_named(who, now if lot == "paused" else None) for who, lot in fate.items()]
        subscribers.put(connection, named, now, 7, configured=False)
    if day.planned:
        plan(store, now, ALWAYS, lambda: True)
    with store.write() as connection:
        run = runs.begin(connection, now)
        ledger.resend_unknown(connection, now, 0)
        for edition, *_ in ledger.waiting(connection, now, 0, 99):
            _meet(connection, edition.id, fate[edition.email], now, run)


def _meet(connection: Connection, edition: int, lot: str, now: int, run: int) -> None:
    if lot not in (WAITS, "paused"):
        ledger.take(connection, [edition], now, run)
        ledger.record(connection, [Outcome(edition, State(lot))], now, run)


def _named(who: str, paused_at: int | None) -> Named:
    until = local_date(paused_at + DAY, "UTC") if paused_at else None
    wishes = (Profile("Digest", ("reward model",)),)
    return Named(who, Subscriber(who, wishes, cadence=Cadence("daily", time(8), "UTC"), paused_until=until))
