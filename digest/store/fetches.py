"""What is known of each source that is fetched: what its server said of the last copy, and when it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select

from digest.store.dialect import insert_or
from digest.store.schema import fetches as table


@dataclass(frozen=True, slots=True)
class Fetch:
    """How it stands with one source; times are epoch seconds.

    `etag` and `modified` are the server's headers, `digest` is the SHA-256 of the bytes that came last, all "" when
    nothing did. `fetched_at` is when it last answered well (None: never). Before `next_at` it is not asked again.
    `words` is why the last of so many `failures` in a row was one.
    """

    source: str
    url: str
    etag: str = ""
    modified: str = ""
    digest: str = ""
    tried_at: int = 0
    fetched_at: int | None = None
    next_at: int = 0
    failures: int = 0
    words: str = ""


def load(connection: Connection) -> Mapping[str, Fetch]:
    """All that is known, by source."""
    rows = connection.execute(select(*(table.c[name] for name in Fetch.__slots__)))
    return {row.source: Fetch(*row) for row in rows}


def save(connection: Connection, fetch: Fetch) -> None:
    """Keep this instead of what was known of the source."""
    statement = insert_or(connection, table)
    news = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=[table.c.source], set_=news), asdict(fetch))
