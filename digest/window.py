"""The entries that a plan looks at, ready to be matched; and which of those that match somebody had before."""

from __future__ import annotations

from collections.abc import Callable, Collection

from digest.matching import Frequencies, Lookup, Selection, Selector, built_in
from digest.model import Entry
from digest.store import entries, tellings
from digest.store.store import Store

MOST_KEPT = 500_000
"""Distinct keywords with which a window is kept for the next plan; beyond, memory is worth more than time."""


class Ready:
    """The window of the last plan, made ready to be matched: it is the same until another file is loaded.

    Most ticks find few who are due, and to read and index the window takes longer than to match them.
    """

    def __init__(self) -> None:
        self._selector = Selector((), lambda _: built_in())
        self._of = (-1, -1)
        self.window = 0

    def selector(self, after: int, file: int, window: Callable[[], list[Entry]], frequencies: Lookup) -> Selector:
        """The entries numbered above `after`, when `file` was the last one loaded."""
        if self._of != (after, file) or len(self._selector.table.rows) > MOST_KEPT:
            found = window()
            self._selector, self._of, self.window = Selector(found, frequencies), (after, file), len(found)
        return self._selector


def lookup(store: Store) -> Lookup:
    """Word frequencies over all entries in the store, and the built-in ones."""

    def look_up(stems: Collection[str]) -> Frequencies:
        with store.read() as connection:
            return entries.frequencies(connection, stems) + built_in().of(stems)

    return look_up


def anew(store: Store, selector: Selector, chosen: Selection, subscriber: int, watermark: int) -> Selection:
    """A selection without what the subscriber had before the `watermark` under another number."""
    numbers = (*(match.entry for match in chosen.matches), *chosen.more) if selector.roots else ()
    roots = {number: selector.roots[number] for number in numbers if number in selector.roots}
    if not roots:
        return chosen
    with store.read() as connection:
        had = tellings.had(connection, subscriber, set(roots.values()), watermark)
    again = {number for number, root in roots.items() if root in had}
    return chosen._replace(
        matches=tuple(match for match in chosen.matches if match.entry not in again),
        more=tuple(number for number in chosen.more if number not in again),
        matched=chosen.matched - len(again),
    )
