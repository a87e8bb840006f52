"""Sources with a url: each gives its file now, of which nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from digest.doctor.findings import Finding, Level
from digest.errors import FetchError
from digest.fetch import Remote, prove
from digest.fetching.address import masked

_SECONDS = 30


def fetched(remote: Remote) -> Iterator[Finding]:
    """What one gives. Raises UsageError without the library."""
    prove([remote])
    what = f"{remote.name} ({masked(remote.url)})"
    try:
        size = asyncio.run(_size(remote))
    except TimeoutError:
        yield Finding("source", Level.WARNING, f"{what}: not fetched: it was not done in {_SECONDS} seconds")
    except FetchError as error:
        yield Finding("source", Level.WARNING, f"{what}: not fetched: {error}", "Nothing new comes from it")
    else:
        yield Finding("source", Level.OK, f"{what}: {size:,} bytes")


async def _size(remote: Remote) -> int:
    from digest.fetching.http import Wanted, get  # noqa: PLC0415 (its library is an extra)

    async with asyncio.timeout(_SECONDS):
        answer = await get(Wanted(remote.url, remote.max_bytes, remote.allow_private, remote.headers))
    return len(answer.content or b"")
