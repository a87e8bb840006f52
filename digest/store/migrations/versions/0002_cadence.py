"""Cadence: days, pauses and skipped dates of subscribers; what an edition covers; progress of runs; incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    _subscribers()
    _editions()
    _runs()
    _incidents()


def _subscribers() -> None:
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.drop_index("ix_subscribers_due_at")
        batch_op.add_column(sa.Column("days", sa.Text(), nullable=False, server_default="daily"))
        batch_op.add_column(sa.Column("min_matches", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("paused_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("skip", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("since", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("again_at", sa.BigInteger(), nullable=True))
        batch_op.alter_column("due_at", existing_type=sa.BigInteger(), nullable=True)
    with op.batch_alter_table("subscribers", schema=None) as batch_op:  # values of old rows only
        for name in ("days", "min_matches", "skip"):
            batch_op.alter_column(name, server_default=None)
        batch_op.create_index("ix_subscribers_due_at_id", ["due_at", "id"], unique=False)
        waits = sa.text("again_at IS NOT NULL")
        batch_op.create_index("ix_subscribers_again_at", ["again_at"], sqlite_where=waits, postgresql_where=waits)
        batch_op.create_index(
            "ix_subscribers_configured",
            ["configured"],
            sqlite_where=sa.text("configured = 1"),
            postgresql_where=sa.text("configured"),
        )
    op.execute("UPDATE subscribers SET due_at = NULL WHERE NOT active")


def _editions() -> None:
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("since", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE editions SET since = slot, due_at = planned_at")
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.alter_column("since", existing_type=sa.Date(), nullable=False)
        batch_op.alter_column("due_at", existing_type=sa.BigInteger(), nullable=False)


def _runs() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("progress_at", sa.BigInteger(), nullable=True))
        batch_op.alter_column("finished_at", existing_type=sa.BigInteger(), nullable=True)
    op.execute("UPDATE runs SET progress_at = finished_at")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.alter_column("progress_at", existing_type=sa.BigInteger(), nullable=False)


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        "ix_incidents_kind_subject",
        "incidents",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
