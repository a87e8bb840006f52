"""How the tables came to be: an append-only list, run by alembic."""
