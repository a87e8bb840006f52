"""Why an entry is in an edition: in which field a keyword hits, on which words.

Rules
-----
1. The words of a reason stand in the field's text as they are; neighbours are one piece, and no piece comes twice.
2. At most MOST_PIECES of at most LONGEST characters for a keyword in a field; more would say nothing more.
"""

from __future__ import annotations

import numpy as np

from digest.matching.arrays import Ints, Numbers
from digest.matching.table import Table
from digest.model import FIELDS

MOST_PIECES = 8
LONGEST = 80

Told = tuple[tuple[str, tuple[str, ...]], ...]
"""The fields in which a keyword hits an entry, each with the pieces of text."""


def told(table: Table, rows: Ints | Numbers, columns: Ints | Numbers) -> list[Told]:
    """Why each of these (evaluated) rows hits that column; each pair is looked up once."""
    width = max(1, len(table.window.entries))
    codes, which = np.unique(rows.astype(np.int64) * width + columns, return_inverse=True)
    found = _told(table, *np.divmod(codes, width))
    return [found[place] for place in which.tolist()]


def _told(table: Table, rows: Numbers, columns: Numbers) -> list[Told]:
    pieces = table.pieces(rows, columns)
    surfaces = table.window.surfaces(pieces.first, pieces.last, LONGEST)
    found: list[dict[int, dict[str, str]]] = [{} for _ in range(len(rows))]
    fields = table.window.field[pieces.first].tolist()
    for owner, field, surface in zip(pieces.owner.tolist(), fields, surfaces, strict=True):
        kept = found[owner].setdefault(field, {})
        if len(kept) < MOST_PIECES:
            kept.setdefault(surface.casefold(), surface)
    return [tuple([(FIELDS[field], tuple(kept.values())) for field, kept in one.items()]) for one in found]
