"""Papers that stand in several rows of the entries: who had one of them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, or_, select

from digest.store.editions import touching
from digest.store.schema import entries


def had(connection: Connection, subscriber: int, roots: Collection[int], until: int) -> set[int]:
    """Which papers, by their roots, are in a subscriber's editions of entries up to number `until`, in any telling."""
    same = or_(entries.c.number.in_(roots), entries.c.first.in_(roots))
    told = select(entries.c.number, func.coalesce(entries.c.first, entries.c.number)).where(same)
    root_of = {number: root for number, root in connection.execute(told)}  # noqa: C416 - see the trap of `dict`
    kept = touching(connection, subscriber, min(root_of), max(root_of))
    return {root_of[one] for each in kept if each.upto <= until for one in each.edition.entries if one in root_of}
