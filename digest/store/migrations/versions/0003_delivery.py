"""Delivery: contents apart from states, fencing tokens, throttles, suppressions, keys of the program's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("state = 'planned' OR state = 'deferred' OR state = 'unknown' OR state = 'sending'")
_TOLD = sa.text("state = 'empty' OR state = 'deferred' OR state = 'failed' OR state = 'unknown'")
_AT_ONCE = 1_000


def upgrade() -> None:
    """Apply."""
    _contents()
    _editions()
    _subscribers()
    _others()


def _contents() -> None:
    made = op.create_table(
        "contents",
        sa.Column("edition", _KEY, autoincrement=False, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("profiles", sa.JSON(), nullable=False),
        sa.Column("matches", sa.JSON(), nullable=False),
        sa.Column("more", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["edition"], ["editions.id"], name=op.f("fk_contents_edition")),
        sa.PrimaryKeyConstraint("edition", name=op.f("pk_contents")),
    )
    for rows in _moved(made.columns.keys()):
        op.bulk_insert(made, rows)


def _moved(names: list[str]) -> Iterator[list[dict[str, Any]]]:
    """What the editions with matches hold, a few at a time; the reasons of a match become one text."""
    editions = sa.Table("editions", sa.MetaData(), autoload_with=op.get_bind())
    columns = [editions.c.id.label("edition"), *(editions.c[name] for name in names if name != "edition")]
    last = 0
    while True:
        some = sa.select(*columns).where(editions.c.id > last, editions.c.matched > 0, editions.c.state != "empty")
        found = [dict(row) for row in op.get_bind().execute(some.order_by(editions.c.id).limit(_AT_ONCE)).mappings()]
        if not found:
            return
        last = found[-1]["edition"]
        for row in found:
            row["matches"] = [[entry, score, json.dumps(reasons)] for entry, score, reasons in row["matches"]]
        yield found


def _editions() -> None:
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.drop_index("ix_editions_state_id")
        batch_op.add_column(sa.Column("run", _KEY, nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("doubtful", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("room", sa.Integer(), nullable=False, server_default="0"))
        for name in ("email", "name", "zone", "profiles", "matches", "more"):
            batch_op.drop_column(name)
    # One that was unknown and is to be sent again is deferred, too, and without a code.
    op.execute(
        "UPDATE editions SET doubtful = (state = 'unknown' OR state = 'sending' OR (state = 'deferred' AND code = 0))"
    )
    with op.batch_alter_table("editions", schema=None) as batch_op:  # values of old rows only
        for name in ("run", "doubtful", "room"):
            batch_op.alter_column(name, server_default=None)
    op.create_index("ix_editions_open", "editions", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_editions_told", "editions", ["state", "id"], sqlite_where=_TOLD, postgresql_where=_TOLD)


def _subscribers() -> None:
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("suppressed", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.alter_column("suppressed", server_default=None)


def _others() -> None:
    op.create_table(
        "throttles",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("free_at", sa.Float(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_throttles")),
    )
    op.create_table(
        "suppressions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_suppressions")),
    )
    op.create_index("ix_suppressions_at", "suppressions", ["at"])
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
