"""When entries came in, and when they came again: listings repeat what is new."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

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
