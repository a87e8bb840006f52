"""Incidents: what is or was broken, and which of it the operator was told.

Rules
-----
1. Of one kind and subject at most one incident is open; the database sees to it, whoever writes.
2. Of each incident there is one mail about its beginning and one about its end. If it was over before the first could
   go, there is only the second. `told` counts past what was not needed.
3. Whoever is to send such a mail claims it first, in a transaction of its own; so two programs never both send it, and
   a kill between the claim and the mail loses the mail.
4. What is over and told is forgotten after 90 days.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, select, tuple_, update

from digest.alarms import Condition, Incident
from digest.store.dialect import insert_or
from digest.store.schema import incidents

_KEPT_SECONDS = 90 * 86_400
_BEGINNING, _END = 1, 2
"""What `told` is when there was a mail about the one, and about the other."""

_is_open = incidents.c.closed_at.is_(None)


def observe(connection: Connection, kinds: Collection[str], now: Sequence[Condition], at: int) -> None:
    """Bring the incidents of these kinds to what is broken now, at `at`: open, reword, close. Other kinds stay."""
    for condition in now:
        _opened(connection, condition)
    broken = [(condition.kind, condition.subject) for condition in now]
    over = _is_open, incidents.c.kind.in_(kinds), tuple_(incidents.c.kind, incidents.c.subject).not_in(broken)
    connection.execute(update(incidents).where(*over).values(closed_at=at))
    forgotten = incidents.c.told == _END, incidents.c.closed_at < at - _KEPT_SECONDS
    connection.execute(incidents.delete().where(*forgotten))


def open_(connection: Connection) -> list[Incident]:
    """What is broken, the oldest first."""
    return _incidents(connection, _is_open)


def untold(connection: Connection) -> list[Incident]:
    """What the operator is to be told, the oldest first: an open incident of its beginning, a closed one of its end."""
    beginning = _is_open & (incidents.c.told < _BEGINNING)
    return _incidents(connection, beginning | (incidents.c.closed_at.is_not(None) & (incidents.c.told < _END)))


def claim(connection: Connection, incident: Incident) -> bool:
    """Take over the telling of an incident as `untold` gave it; False: another did."""
    return _told(connection, incident, incident.told, _claimed(incident))


def unclaim(connection: Connection, incident: Incident) -> None:
    """Give back what was claimed and could not be told."""
    _told(connection, incident, _claimed(incident), incident.told)


def _opened(connection: Connection, condition: Condition) -> None:
    kind, subject, words, since = condition
    row = {"kind": kind, "subject": subject, "words": words, "opened_at": since, "told": 0}
    statement = insert_or(connection, incidents).values(row)
    new_words = statement.excluded.words
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject"],
            index_where=_is_open,
            set_={"words": new_words},
            where=incidents.c.words != new_words,
        )
    )


def _claimed(incident: Incident) -> int:
    return _BEGINNING if incident.closed_at is None else _END


def _told(connection: Connection, incident: Incident, before: int, after: int) -> bool:
    as_seen = incidents.c.id == incident.id, incidents.c.told == before
    return connection.execute(update(incidents).where(*as_seen).values(told=after)).rowcount == 1


def _incidents(connection: Connection, which: ColumnElement[bool]) -> list[Incident]:
    rows = connection.execute(select(incidents).where(which).order_by(incidents.c.id))
    return [Incident(*row) for row in rows]
