"""Why an entry is in an edition: which keywords hit, in which field, on which words.

Rules
-----
1. Only profiles for which the entry qualifies give reasons.
2. The words of a reason stand in the field's text as they are; neighbours are one piece, and no piece comes twice.
3. At most MOST_PIECES of at most LONGEST characters for a keyword in a field; more would say nothing more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from digest.matching.index import Window
from digest.matching.near import Pieces
from digest.matching.table import Table
from digest.model import FIELDS, Profile, Reason

MOST_PIECES = 8
LONGEST = 80
_KEPT = 1 << 19


class Explainer:
    """Reasons of the entries of one table; what was found for a keyword is kept for the next who has it.

    A *place* is an entry in which a keyword hits. Places are numbered; the pieces of place n are those from bounds[n]
    to bounds[n + 1].
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._forget()

    def _forget(self) -> None:
        self._places: dict[int, dict[int, int]] = {}
        self._excluding: set[int] = set()
        self._made: defaultdict[str, dict[int, tuple[Reason, ...]]] = defaultdict(dict)
        self._first, self._last = np.empty((2, 0), dtype=np.int64)
        self._bounds = np.zeros(1, dtype=np.int64)

    def prepare(self, rows: Iterable[int]) -> None:
        """Find all these (evaluated) rows of the table at once, which is many times faster than one by one."""
        if len(self._bounds) > _KEPT:
            self._forget()
        unknown = set(rows) - self._places.keys()
        self._places.update((row, {}) for row in unknown)
        new = [row for row in sorted(unknown) if self._table.hits(row)]
        asked = [self._table.rows[row] for row in new]
        self._excluding.update(number for number, row in zip(new, asked, strict=True) if row.keyword.excluded)
        found = self._table.search.find([(row.keyword.query, row.sense) for row in asked])
        pieces = found.pieces._replace(owner=found.owner[found.pieces.owner])
        self._add(new, _merged(self._table.window, pieces))

    def _add(self, rows: Sequence[int], pieces: Pieces) -> None:
        """Note the places of rows; the owner of a piece is numbered in `rows`."""
        columns = self._table.window.column[pieces.first]
        begins = np.ones(len(columns), dtype=bool)
        begins[1:] = (columns[1:] != columns[:-1]) | (pieces.owner[1:] != pieces.owner[:-1])
        owners = pieces.owner[begins].tolist()
        for place, (owner, column) in enumerate(
            zip(owners, columns[begins].tolist(), strict=True), len(self._bounds) - 1
        ):
            self._places[rows[owner]][column] = place
        ends = np.append(np.flatnonzero(begins)[1:], len(columns))[: len(owners)]
        self._bounds = np.append(self._bounds, ends + len(self._first))
        self._first = np.append(self._first, pieces.first)
        self._last = np.append(self._last, pieces.last)

    def reasons(self, mine: Sequence[tuple[Profile, Sequence[int]]], columns: Sequence[int]) -> dict[int, list[Reason]]:
        """Every reason for each of these columns, in the order of the profiles (with their prepared rows)."""
        found: dict[int, list[Reason]] = {column: [] for column in columns}
        for profile, rows in mine:
            qualifying = found
            if not self._excluding.isdisjoint(rows):
                kept_out = {column for row in rows if row in self._excluding for column in self._places[row]}
                qualifying = {column: reasons for column, reasons in found.items() if column not in kept_out}
            made = self._made[profile.name]
            for keyword, row in zip(profile.keywords, rows, strict=True):
                places = self._places[row]
                if places and row not in self._excluding:
                    for column in places.keys() & qualifying.keys():
                        place = places[column]
                        if place not in made:
                            made[place] = tuple(self._make(profile.name, keyword, place))
                        qualifying[column] += made[place]
        return found

    def _make(self, profile: str, keyword: str, place: int) -> Iterator[Reason]:
        """The reasons that a keyword gives in one place."""
        window = self._table.window
        chosen = slice(int(self._bounds[place]), int(self._bounds[place + 1]))
        by_field: dict[int, dict[str, str]] = {}
        for first, last in zip(self._first[chosen].tolist(), self._last[chosen].tolist(), strict=True):
            kept = by_field.setdefault(int(window.field[first]), {})
            if len(kept) < MOST_PIECES:
                surface = window.surface(first, last, LONGEST)
                kept.setdefault(surface.casefold(), surface)
        for field, kept in by_field.items():
            yield Reason(profile, keyword, FIELDS[field], tuple(kept.values()))


def _merged(window: Window, pieces: Pieces) -> Pieces:
    """Each owner's pieces in the order of the text, neighbours in one run made one."""
    stride = len(window.run) + 2
    order = np.argsort(pieces.owner * stride + pieces.first, kind="stable")
    owner, first, last = pieces.owner[order], pieces.first[order], pieces.last[order]
    reached = np.maximum.accumulate(owner * stride + last) - owner * stride
    begins = np.ones(len(owner), dtype=bool)
    apart = (first[1:] > reached[:-1] + 1) | (window.run[first[1:]] != window.run[first[:-1]])
    begins[1:] = apart | (owner[1:] != owner[:-1])
    ends = np.append(begins[1:], True)[: len(begins)]
    return Pieces(owner[begins], first[begins], reached[ends])
