"""Run by alembic: migrates over the connection that the store hands in."""

from __future__ import annotations

from alembic import context

from digest.store import indexes  # noqa: F401 (they belong to the metadata)
from digest.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
