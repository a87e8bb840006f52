"""Keywords as numbers: a compact form of profiles, and of what is in editions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from struct import pack
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 1_000
_AS_WAS = "as it was"
"""In place of a mode of matching: editions did not tell it."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "queries",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("keyword", sa.Text(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("capitals", sa.Boolean(), nullable=False),
        sa.Column("whose", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queries")),
        sa.UniqueConstraint("keyword", "match", "capitals", name=op.f("uq_queries_keyword_match_capitals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_queries_whose", "queries", ["whose"])
    op.create_table(
        "hits",
        sa.Column("entry", _KEY, autoincrement=False, nullable=False),
        sa.Column("query", _KEY, autoincrement=False, nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["query"], ["queries.id"], name=op.f("fk_hits_query")),
        sa.PrimaryKeyConstraint("entry", "query", name=op.f("pk_hits")),
        sqlite_with_rowid=False,
    )
    _add("subscribers", sa.Column("names", sa.JSON(), nullable=False, server_default="[]"), _octets("queries"))
    _add("contents", *map(_octets, ("entries", "scores", "reasons")))
    queries = _Queries()
    _subscribers(queries)
    _contents(queries)
    queries.share()
    _end("subscribers", added=("names", "queries"))
    _end("contents", added=("entries", "scores", "reasons"), dropped=("matches", "more"))


class _Queries:
    """Gives each keyword in one sense a number, and notes which are several people's."""

    def __init__(self) -> None:
        self._table = _table("queries")
        self._known: dict[tuple[str, str, bool], tuple[int, str]] = {}
        self._shared: set[int] = set()

    def number(self, keyword: str, match: str, capitals: bool, whose: str) -> int:
        key = keyword, match, capitals
        if key not in self._known:
            self._known[key] = len(self._known) + 1, whose
            row = {"id": len(self._known), "keyword": keyword, "match": match, "capitals": capitals, "whose": whose}
            op.get_bind().execute(self._table.insert(), row)
        number, first = self._known[key]
        if first != whose:
            self._shared.add(number)
        return number

    def share(self) -> None:
        shared = self._table.update().where(self._table.c.id == sa.bindparam("which")).values(whose="")
        if self._shared:
            op.get_bind().execute(shared, [{"which": number} for number in self._shared])
        if self._known and op.get_bind().dialect.name == "postgresql":  # the numbers were given here
            op.execute(f"SELECT setval(pg_get_serial_sequence('queries', 'id'), {len(self._known)})")


def _subscribers(queries: _Queries) -> None:
    table = _table("subscribers")
    changed = table.update().where(table.c.id == sa.bindparam("which"))
    for rows in _some(table.c.id, table.c.identity, table.c.profiles):
        told = [{"which": row.id, **_compact(row, queries)} for row in rows]
        op.get_bind().execute(changed.values(names=sa.bindparam("names"), queries=sa.bindparam("queries")), told)


def _compact(row: sa.Row[Any], queries: _Queries) -> dict[str, Any]:
    lists = [
        [queries.number(keyword, one["match"], one["capitals"], row.identity) for keyword in one["keywords"]]
        for one in row.profiles
    ]
    return {"names": [one["name"] for one in row.profiles], "queries": _packed(lists)}


def _contents(queries: _Queries) -> None:
    table, hits, editions, people = map(_table, ("contents", "hits", "editions", "subscribers"))
    identity = sa.select(people.c.identity).join(editions, editions.c.subscriber == people.c.id)
    whose = identity.where(editions.c.id == table.c.edition).scalar_subquery().label("identity")
    told: defaultdict[tuple[int, str], list[object]] = defaultdict(list)
    filled: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("entries", "scores", "reasons")}
    for rows in _some(table.c.edition, table.c.profiles, table.c.matches, table.c.more, whose):
        new: list[dict[str, Any]] = []
        changes = [_filling(row, queries, told, new) for row in rows]
        op.get_bind().execute(table.update().where(table.c.edition == sa.bindparam("which")).values(filled), changes)
        if new:
            op.get_bind().execute(hits.insert(), new)


def _filling(
    row: sa.Row[Any],
    queries: _Queries,
    told: defaultdict[tuple[int, str], list[object]],
    new: list[dict[str, Any]],
) -> dict[str, Any]:
    """The columns of one edition; hits that no edition before it has are added to `new`."""
    lists: list[list[int]] = []
    for entry, _, reasons in row.matches:
        found: dict[tuple[str, str], list[object]] = {}
        for profile, keyword, field, words in json.loads(reasons):
            found.setdefault((profile, keyword), []).append([field, words])
        numbers: dict[str, list[int]] = {name: [] for name in row.profiles}
        for (profile, keyword), where in found.items():
            same = told[entry, keyword]  # one keyword, taken in two senses, may hit other words
            if where not in same:
                same.append(where)
                sense = f"{_AS_WAS} {len(same)}"
                new.append(
                    {"entry": entry, "query": queries.number(keyword, sense, True, row.identity), "found": where}
                )
            sense = f"{_AS_WAS} {same.index(where) + 1}"
            numbers[profile].append(queries.number(keyword, sense, True, row.identity))
        lists += numbers.values()
    entries = [entry for entry, _, _ in row.matches] + row.more
    return {
        "which": row.edition,
        "new_entries": pack(f"<{len(entries)}I", *entries),
        "new_scores": pack(f"<{len(row.matches)}f", *(score for _, score, _ in row.matches)),
        "new_reasons": _packed(lists),
    }


def _packed(lists: Sequence[Sequence[int]]) -> bytes:
    flat = [number for one in lists for number in (*one, 0)]
    return pack(f"<{len(flat)}I", *flat)


def _some(key: sa.Column[Any], *columns: sa.ColumnElement[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    """All rows, some at a time."""
    last = 0
    while True:
        some = sa.select(key, *columns).where(key > last).order_by(key).limit(_AT_ONCE)
        if not (rows := op.get_bind().execute(some).all()):
            return
        yield rows
        last = rows[-1][0]


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _octets(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, server_default="")


def _add(table: str, *columns: sa.Column[Any]) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in columns:
            batch_op.add_column(column)


def _end(table: str, added: Sequence[str], dropped: Sequence[str] = ()) -> None:
    """The defaults were for old rows only; and columns go that are told otherwise now."""
    with op.batch_alter_table(table, schema=None) as batch_op:
        for name in added:
            batch_op.alter_column(name, server_default=None)
        for name in dropped:
            batch_op.drop_column(name)
