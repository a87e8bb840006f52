"""When entries came in, and when they came again: listings repeat what is new."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from digest.model import Movement
from digest.store.schema import entries, files, sightings

_LOOKED_BACK = 10_000


def loaded_at(connection: Connection, after: int) -> dict[int, int]:
    """When each entry numbered above `after` was loaded, in epoch seconds, by number."""
    rows = connection.execute(select(entries.c.number, entries.c.loaded_at).where(entries.c.number > after))
    return {row.number: row.loaded_at for row in rows}


def last_listed(connection: Connection, number: int) -> int:
    """When the last file that lists an entry was loaded, in epoch seconds."""
    listed = select(func.coalesce(func.max(files.c.loaded_at), 0)).join(sightings).where(sightings.c.entry == number)
    moment: int = connection.execute(listed).scalar_one()
    return moment


def listed_again(connection: Connection, after: int, until: int) -> list[int]:
    """The entries up to number `after` that came again with files loaded later than it, up to a moment (epoch seconds).

    Only the last _LOOKED_BACK are looked at.
    """
    begun = select(func.coalesce(func.max(entries.c.loaded_at), 0)).where(entries.c.number == after).scalar_subquery()
    near = sightings.c.entry > after - _LOOKED_BACK, sightings.c.entry <= after
    again = select(sightings.c.entry).distinct().join(files)
    again = again.where(*near, files.c.loaded_at > begun, files.c.loaded_at <= until)
    return list(connection.execute(again.order_by(sightings.c.entry.desc())).scalars())


class _Place(NamedTuple):
    """A place in a ranking; in order of time."""

    day: date
    file: int
    source: str
    position: int


def movements(connection: Connection, numbers: Collection[int], until: int) -> dict[int, Movement]:
    """How these entries moved in rankings that were loaded up to a moment (epoch seconds), by number.

    Of several sources, the one that listed it last counts. What did not move, or was listed once, is left out.
    """
    found: dict[int, list[_Place]] = {}
    for number, place in _places(connection, numbers, until):
        found.setdefault(number, []).append(place)
    moved = ((number, _movement(sorted(places))) for number, places in found.items())
    return {number: movement for number, movement in moved if movement.first != movement.last}


def _places(connection: Connection, numbers: Collection[int], until: int) -> Iterator[tuple[int, _Place]]:
    """The places of entries in rankings; they hang on the root of each."""
    root = func.coalesce(entries.c.first, entries.c.number)
    asked = select(entries.c.number, sightings, files.c.listed_on, files.c.loaded_at)
    asked = asked.join_from(entries, sightings, sightings.c.entry == root).join(files, files.c.id == sightings.c.file)
    ranked = sightings.c.position > 0, sightings.c.source != "", files.c.loaded_at <= until
    for row in connection.execute(asked.where(entries.c.number.in_(numbers), *ranked)):
        day = row.listed_on or datetime.fromtimestamp(row.loaded_at, UTC).date()
        yield row.number, _Place(day, row.file, row.source, row.position)


def _movement(places: list[_Place]) -> Movement:
    """From the first to the last of these places in the rankings of the source that has the last."""
    last = places[-1]
    first = next(place for place in places if place.source == last.source)
    return Movement(last.source, first.position, last.position)
