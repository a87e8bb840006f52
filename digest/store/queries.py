"""Keywords as numbers: each has one in each of its senses, for good. So profiles are short, and plans read them fast.

What only one subscriber ever had goes with all else that is known of that person; what several had is nobody's.

The compact form of profiles: the numbers of the first one's keywords and a 0, those of the second one's and a 0, and so
on, each in four octets, the lowest first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from struct import pack
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from digest.model import MatchMode, Profile, Subscriber
from digest.store.dialect import Rows, insert_or
from digest.store.schema import hits, queries

_AT_ONCE = 10_000


class Asked(NamedTuple):
    """A keyword as typed, in one sense."""

    keyword: str
    match: MatchMode
    capitals: bool


def asked(people: Iterable[tuple[str, Subscriber]]) -> dict[Asked, str]:
    """Every keyword of some people, with the identity of the only one of them who has it (several: "")."""
    wanted: dict[Asked, str] = {}
    for identity, person in people:
        for one in person.profiles:
            for keyword in one.keywords:
                key = Asked(keyword, one.match, one.capitals)
                wanted[key] = identity if wanted.get(key, identity) == identity else ""
    return wanted


def numbers(connection: Connection, wanted: Mapping[Asked, str]) -> dict[Asked, int]:
    """The number of each keyword that is `asked` for; what has none gets one."""
    known = _known(connection, wanted)
    if new := [key._asdict() | {"whose": whose} for key, whose in wanted.items() if key not in known]:
        # Another program may give the same keyword a number meanwhile.
        connection.execute(insert_or(connection, queries).on_conflict_do_nothing(), new)
        known |= _known(connection, [key for key in wanted if key not in known])
    if shared := [number for key, (number, whose) in known.items() if whose and whose != wanted.get(key, whose)]:
        connection.execute(update(queries).where(queries.c.id.in_(shared)).values(whose=""))
    return {key: number for key, (number, _) in known.items()}


def _known(connection: Connection, wanted: Collection[Asked]) -> dict[Asked, tuple[int, str]]:
    rows = Rows(connection.dialect.name)
    words = list({one.keyword for one in wanted})
    joined = select(queries).join(rows.table, queries.c.keyword == rows.text(0))
    parts = (words[start : start + _AT_ONCE] for start in range(0, len(words), _AT_ONCE))
    found = (connection.execute(joined, {"rows": Rows.of([[word] for word in part])}) for part in parts)
    return {Asked(row.keyword, row.match, row.capitals): (row.id, row.whose) for row in chain.from_iterable(found)}


def forget(connection: Connection, identity: str) -> None:
    """Remove the keywords that nobody else ever had."""
    mine = select(queries.c.id).where(queries.c.whose == identity)
    connection.execute(delete(hits).where(hits.c.query.in_(mine)))
    connection.execute(delete(queries).where(queries.c.whose == identity))


def by_number(connection: Connection, wanted: Sequence[int]) -> dict[int, Asked]:
    """What some numbers stand for."""
    rows = Rows(connection.dialect.name)
    joined = select(queries).join(rows.table, queries.c.id == rows.number(0))
    found = connection.execute(joined, {"rows": Rows.of([[one] for one in wanted])})
    return {row.id: Asked(row.keyword, row.match, row.capitals) for row in found}


def compact(profiles: Iterable[Profile], known: Mapping[Asked, int]) -> bytes:
    """The compact form of somebody's profiles."""
    lists = ((*(known[Asked(word, one.match, one.capitals)] for word in one.keywords), 0) for one in profiles)
    flat = list(chain.from_iterable(lists))
    return pack(f"<{len(flat)}I", *flat)
