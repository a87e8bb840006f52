"""Lists of tags, `v=DKIM1; k=rsa; p=…`, as DKIM and DMARC records are written (RFC 6376 3.2, RFC 7489 6.3)."""

from __future__ import annotations

import re

from digest.errors import DigestError

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)


class TagError(DigestError):
    """A record is no list of tags."""


def read_tags(record: str) -> dict[str, str]:
    """The tags of a record by name, in its order. Raises TagError for what is no tag, and for one that comes twice."""
    tags: dict[str, str] = {}
    parts = record.split(";")
    for part in parts if parts[-1].strip() else parts[:-1]:
        found = _TAG.fullmatch(part)
        if not found:
            raise TagError(f"{part.strip()!r} is no tag=value")
        if found[1] in tags:
            raise TagError(f"the tag {found[1]} stands there twice")
        tags[found[1]] = found[2]
    return tags
