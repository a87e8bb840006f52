"""Incidents: opened once, closed once, and each told of by at most two mails, whoever tells."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.alarms import KINDS, Condition, Incident
from digest.store import incidents
from digest.store.schema import incidents as table
from digest.store.store import Store

NOW = 1_795_158_000
DAY = 86_400
RELAY = Condition("relay", "", "It refuses.", NOW - 900)
SOURCE = Condition("source", "/in", "No entries.", NOW - 60)


def observe(store: Store, *now: Condition, at: int = NOW, kinds: tuple[str, ...] = KINDS) -> None:
    """Observe in a transaction."""
    with store.write() as connection:
        incidents.observe(connection, kinds, now, at)


def broken(store: Store) -> list[Incident]:
    """What is open."""
    with store.read() as connection:
        return incidents.open_(connection)


def untold(store: Store) -> list[Incident]:
    """What is to be told."""
    with store.read() as connection:
        return incidents.untold(connection)


def claim(store: Store, incident: Incident) -> bool:
    """Claim in a transaction."""
    with store.write() as connection:
        return incidents.claim(connection, incident)


def unclaim(store: Store, incident: Incident) -> None:
    """Give back in a transaction."""
    with store.write() as connection:
        incidents.unclaim(connection, incident)


def tell(store: Store) -> list[tuple[int, str]]:
    """Claim all that is to be told; return of which incident it told what."""
    return [(i.id, "end" if i.closed_at else "beginning") for i in untold(store) if claim(store, i)]


def test_a_condition_opens_one_incident_however_often_it_is_seen(store: Store) -> None:
    """It begins when the condition began, and its words follow the condition."""
    for at in range(NOW, NOW + 180, 60):
        observe(store, RELAY, SOURCE, at=at)
    observe(store, RELAY._replace(words="It hangs."), SOURCE)
    assert [tuple(incident)[1:] for incident in broken(store)] == [
        ("relay", "", "It hangs.", NOW - 900, None, 0),
        ("source", "/in", "No entries.", NOW - 60, None, 0),
    ]


def test_two_subjects_are_two_incidents(store: Store) -> None:
    """One source may be well again while another is not, whatever signs stand in their paths."""
    odd = [SOURCE._replace(subject=subject) for subject in ("/in", "/IN", "/i%", "", "/é", "/in'; --")]
    observe(store, *odd)
    observe(store, *odd[1:], at=NOW + 60)
    assert [incident.subject for incident in broken(store)] == [condition.subject for condition in odd[1:]]


def test_what_is_gone_is_closed_among_its_kinds_only(store: Store) -> None:
    """An observation of some kinds says nothing of the others."""
    observe(store, RELAY, SOURCE)
    observe(store, at=NOW + 60, kinds=("source", "overdue"))
    assert [incident.kind for incident in broken(store)] == ["relay"]
    observe(store, at=NOW + 120)
    assert broken(store) == []
    assert [incident.closed_at for incident in untold(store)] == [NOW + 120, NOW + 60]


def test_an_incident_is_told_at_its_beginning_and_at_its_end(store: Store) -> None:
    """Each once; between the two there is nothing to tell."""
    observe(store, RELAY)
    [(number, what)] = tell(store)
    assert what == "beginning"
    observe(store, RELAY, at=NOW + 60)
    assert tell(store) == []
    observe(store, at=NOW + 120)
    assert tell(store) == [(number, "end")]
    assert tell(store) == []


def test_what_was_over_before_it_could_be_told_is_told_once(store: Store) -> None:
    """There is one mail with both times, not two."""
    observe(store, RELAY)
    observe(store, at=NOW + 60)
    [incident] = untold(store)
    assert (incident.opened_at, incident.closed_at) == (NOW - 900, NOW + 60)
    assert tell(store) == [(incident.id, "end")]
    assert tell(store) == []


def test_what_comes_back_is_another_incident(store: Store) -> None:
    """It has a mail about its beginning and one about its end of its own."""
    told = []
    for conditions in ([RELAY], [], [RELAY], []):
        observe(store, *conditions)
        told += tell(store)
    assert [what for _, what in told] == ["beginning", "end"] * 2
    assert len({number for number, _ in told}) == 2


def test_a_telling_that_failed_is_given_back(store: Store) -> None:
    """It can be claimed again, whether it was of the beginning or of the end."""
    observe(store, RELAY)
    [incident] = untold(store)
    assert claim(store, incident)
    assert untold(store) == []
    unclaim(store, incident)
    assert untold(store) == [incident]
    observe(store, at=NOW + 60)
    [incident] = untold(store)
    assert claim(store, incident)
    unclaim(store, incident)
    assert untold(store) == [incident]


def test_a_telling_given_back_after_the_end_was_told_stays_told(store: Store) -> None:
    """The mail about the end has both times, so the one about the beginning is not sent behind it."""
    observe(store, RELAY)
    [beginning] = untold(store)
    assert claim(store, beginning)
    observe(store, at=NOW + 60)
    assert len(tell(store)) == 1
    unclaim(store, beginning)
    assert untold(store) == []


def test_of_many_that_tell_one_does(store: Store) -> None:
    """All saw the same incident; one claim succeeds."""
    observe(store, RELAY)
    [incident] = untold(store)
    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(lambda _: claim(store, incident), range(8))) == [False] * 7 + [True]


def test_many_that_observe_open_one_incident(store: Store) -> None:
    """Two programs see the same at the same moment."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: observe(store, RELAY, SOURCE), range(8)))
    assert len(broken(store)) == 2


def test_what_is_over_and_told_is_forgotten_after_90_days(store: Store) -> None:
    """What is open or not yet told stays, however old."""
    observe(store, RELAY)
    observe(store)
    tell(store)
    observe(store, SOURCE)
    observe(store, RELAY)
    observe(store, RELAY, at=NOW + 90 * DAY)
    assert rows(store) == 3
    observe(store, RELAY, at=NOW + 90 * DAY + 1)
    assert [incident.kind for incident in untold(store)] == ["source", "relay"]
    assert rows(store) == 2


def rows(store: Store) -> int:
    """How many incidents are kept."""
    with store.read() as connection:
        return len(connection.execute(table.select()).all())


class Step(NamedTuple):
    """What is seen, of which kinds, and who tells how: sends, fails to send, or does not try."""

    broken: frozenset[tuple[str, str]]
    kinds: tuple[str, ...]
    telling: str


THINGS = [("relay", ""), ("overdue", ""), ("source", "/a"), ("source", "/b")]
STEPS = st.builds(
    Step,
    st.frozensets(st.sampled_from(THINGS)),
    st.sampled_from([KINDS, ("relay",), ("source", "overdue"), ()]),
    st.sampled_from(["sent", "failed", "none"]),
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_every_incident_has_one_end_and_at_most_one_beginning(store: Store, steps: list[Step]) -> None:
    """Whatever is seen, and whichever mails fail: what is open is what was seen last, and no mail is sent twice."""
    with store.write() as connection:
        connection.execute(table.delete())
    expected: set[tuple[str, str]] = set()
    opened = 0
    sent: list[tuple[int, str]] = []
    for number, step in enumerate([*steps, Step(frozenset(), KINDS, "sent")]):
        seen = {thing for thing in step.broken if thing[0] in step.kinds}
        opened += len(seen - expected)
        expected = {thing for thing in expected if thing[0] not in step.kinds} | seen
        observe(store, *(Condition(*thing, "x", NOW) for thing in sorted(seen)), at=NOW + number, kinds=step.kinds)
        assert {(incident.kind, incident.subject) for incident in broken(store)} == expected
        if step.telling == "sent":
            sent += tell(store)
        elif step.telling == "failed":
            for incident in untold(store):
                assert claim(store, incident)
                unclaim(store, incident)
    ends = [incident for incident, what in sent if what == "end"]
    assert len(sent) == len(set(sent))
    assert len(ends) == len(set(ends)) == opened == rows(store)
    assert {incident for incident, _ in sent} == set(ends)
    assert all(sent.index((i, "beginning")) < sent.index((i, "end")) for i in ends if (i, "beginning") in sent)
