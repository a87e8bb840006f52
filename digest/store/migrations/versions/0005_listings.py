"""One identity for every listing: new versions, merged entries, sightings by source; sources that are fetched."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_KINDS = ("doi", "arxiv", "openreview", "acl", "url", "title")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first", _KEY, nullable=True))
        batch_op.create_foreign_key(op.f("fk_entries_first"), "entries", ["first"], ["number"])
    _add(
        "entries",
        _not_null("links", sa.JSON(), "[]"),
        _not_null("version", sa.Integer(), "0"),
        _not_null("updated", sa.Boolean(), sa.false()),
    )
    _add("sightings", _not_null("source", sa.Text(), ""), _not_null("version", sa.Integer(), "0"))
    _add("subscribers", _not_null("updates", sa.Boolean(), sa.false()))
    ranks = " ".join(f"WHEN key LIKE '{kind}:%' THEN {rank}" for rank, kind in enumerate(_KINDS))
    op.execute(f"UPDATE keys SET rank = CASE {ranks} ELSE {len(_KINDS)} END")  # noqa: S608 - our own words
    there = sa.text("first IS NOT NULL")
    op.create_index(op.f("ix_entries_first"), "entries", ["first"], sqlite_where=there, postgresql_where=there)
    op.create_table(
        "fetches",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("modified", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_fetches")),
    )


def _not_null(name: str, kind: sa.types.TypeEngine[Any], old: str | sa.False_) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=old)


def _add(table: str, *columns: sa.Column[Any]) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        for column in columns:
            batch_op.add_column(column)
    with op.batch_alter_table(table, schema=None) as batch_op:  # a value of old rows only
        for column in columns:
            batch_op.alter_column(column.name, server_default=None)
