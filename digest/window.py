"""The entries that an edition looks at; and which of those that match somebody had before."""

from __future__ import annotations

from collections.abc import Collection

from digest.matching import Frequencies, Lookup, Selection, Selector, built_in
from digest.store import entries, tellings
from digest.store.store import Store


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
    had = had_before(store, subscriber, watermark, set(roots.values()))
    again = {number for number, root in roots.items() if root in had}
    return chosen._replace(
        matches=tuple(match for match in chosen.matches if match.entry not in again),
        more=tuple(number for number in chosen.more if number not in again),
        matched=chosen.matched - len(again),
    )


def had_before(store: Store, subscriber: int, watermark: int, roots: Collection[int]) -> set[int]:
    """Which papers, by their roots, the subscriber had before the `watermark` in any telling."""
    with store.read() as connection:
        return tellings.had(connection, subscriber, roots, watermark)
