"""Editions made by hand, as a plan writes them; tests use it, too."""

from __future__ import annotations

from struct import pack

from sqlalchemy import Connection

from digest.model import Edition, State
from digest.store import contents, queries
from digest.store.contents import Filling, Hit
from digest.store.editions import Plan
from digest.store.queries import Asked


def planned(
    connection: Connection, edition: Edition, after: int = 0, upto: int = 0, state: State = State.PLANNED
) -> Plan:
    """The plan of an edition, whose reasons are written already; one keyword has the same reasons in every profile."""
    found: dict[tuple[int, str], list[tuple[str, tuple[str, ...]]]] = {}
    lists: list[dict[str, None]] = []
    for match in edition.matches:
        mine: dict[str, dict[str, None]] = {name: {} for name in edition.profiles}
        for reason in match.reasons:
            mine[reason.profile][reason.keyword] = None
            where = found.setdefault((match.entry, reason.keyword), [])
            if (reason.field, reason.words) not in where:
                where.append((reason.field, reason.words))
        lists += mine.values()
    numbers = queries.numbers(connection, {_asked(keyword): "" for _, keyword in found})
    told = [Hit(entry, numbers[_asked(keyword)], where) for (entry, keyword), where in found.items()]
    contents.tell(connection, told)
    flat = [number for keywords in lists for number in (*(numbers[_asked(word)] for word in keywords), 0)]
    filling = Filling(
        pack(f"<{len(edition.entries)}I", *edition.entries),
        pack(f"<{len(edition.matches)}f", *(match.score for match in edition.matches)),
        pack(f"<{len(flat)}I", *flat),
    )
    dates = edition.slot, edition.since, edition.due_at
    return Plan(edition.subscriber, *dates, after, upto, edition.considered, edition.matched, state, "", filling)


def _asked(keyword: str) -> Asked:
    return Asked(keyword, "near", capitals=True)
