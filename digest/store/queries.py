"""Keywords as numbers: each has one in each of its senses, for good. So profiles are short, and plans read them fast.

What only one subscriber ever had goes with all else that is known of that person; what several had is nobody's.

The compact form of profiles: the numbers of the first one's keywords and a 0, those of the second one's and a 0, and so
on, each in four octets, the lowest first.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from struct import pack
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, delete, select, update

from digest.model import MatchMode, Profile, Subscriber
from digest.store.dialect import Rows
from digest.store.schema import hits, queries

_AT_ONCE = 10_000
_MOST = 500_000
"""Numbers that are kept, each in some 200 octets with its keyword."""


class Asked(NamedTuple):
    """A keyword as typed, in one sense."""

    keyword: str
    match: MatchMode
    capitals: bool


class Numbers:
    """What is looked up for many people, some at a time: keywords that several had keep their numbers for good."""

    def __init__(self) -> None:
        self._lasting: dict[Asked, int] = {}

    def of(self, connection: Connection, people: Iterable[tuple[str, Subscriber]]) -> dict[Asked, int]:
        """The number of every keyword of some people; what has none gets one."""
        if len(self._lasting) > _MOST:
            self._lasting.clear()
        found = _numbered(connection, asked(people, self._lasting))
        self._lasting |= {key: number for key, (number, whose) in found.items() if not whose}
        return self._lasting | {key: number for key, (number, _) in found.items()}


def asked(people: Iterable[tuple[str, Subscriber]], but: Container[Asked] = frozenset()) -> dict[Asked, str]:
    """Every keyword of some people `but` these, with the identity of the only one of them who has it (several: "")."""
    wanted: dict[Asked, str] = {}
    for identity, person in people:
        for one in person.profiles:
            match, capitals = one.match, one.capitals
            for keyword in one.keywords:
                if (keyword, match, capitals) not in but:
                    key = Asked(keyword, match, capitals)
                    wanted[key] = identity if wanted.get(key, identity) == identity else ""
    return wanted


def numbers(connection: Connection, wanted: Mapping[Asked, str]) -> dict[Asked, int]:
    """The number of each keyword that is `asked` for; what has none gets one."""
    return {key: number for key, (number, _) in _numbered(connection, wanted).items()}


def _numbered(connection: Connection, wanted: Mapping[Asked, str]) -> dict[Asked, tuple[int, str]]:
    """The number of each keyword, and whose alone it is from now on."""
    known = _known(connection, wanted)
    if new := {key: whose for key, whose in wanted.items() if key not in known}:
        _insert(connection, new)
        known |= _known(connection, new)
    if shared := {key: number for key, (number, whose) in known.items() if whose and whose != wanted.get(key, whose)}:
        rows = Rows(connection.dialect.name)
        everybodys = update(queries).where(queries.c.id == rows.number(0)).values(whose="")
        connection.execute(everybodys, {"rows": Rows.of([[number] for number in shared.values()])})
        known |= {key: (number, "") for key, number in shared.items()}
    return known


def _insert(connection: Connection, new: Mapping[Asked, str]) -> None:
    rows = Rows(connection.dialect.name)
    values: dict[str, ColumnElement[Any]]
    values = {"keyword": rows.text(0), "match": rows.text(1), "capitals": rows.number(2) != 0, "whose": rows.text(3)}
    added = rows.insert(connection, queries, values)
    # Another program may give the same keyword a number meanwhile.
    told = Rows.of([(word, match, int(capitals), whose) for (word, match, capitals), whose in new.items()])
    connection.execute(added.on_conflict_do_nothing(), {"rows": told})


def _known(connection: Connection, wanted: Collection[Asked]) -> dict[Asked, tuple[int, str]]:
    rows = Rows(connection.dialect.name)
    words = list({word for word, _, _ in wanted})
    columns = queries.c.keyword, queries.c.match, queries.c.capitals, queries.c.id, queries.c.whose
    joined = select(*columns).join(rows.table, queries.c.keyword == rows.text(0))
    known: dict[Asked, tuple[int, str]] = {}
    for part in (words[start : start + _AT_ONCE] for start in range(0, len(words), _AT_ONCE)):
        found = connection.execute(joined, {"rows": Rows.of([[word] for word in part])}).all()
        known |= {Asked(word, match, capitals): (number, whose) for word, match, capitals, number, whose in found}
    return known


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
    flat: list[int] = []
    plain = cast("Mapping[tuple[str, MatchMode, bool], int]", known)  # an Asked of each would take four times as long
    for one in profiles:
        match, capitals = one.match, one.capitals
        flat += [plain[word, match, capitals] for word in one.keywords]
        flat.append(0)
    return pack(f"<{len(flat)}I", *flat)
