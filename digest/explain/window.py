"""The whole window of an edition: every entry with its standing.

A window that an edition has closed does not change, so what was made of it is kept for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

from digest.explain import verdict
from digest.explain.verdict import Placed, Standing, Verdict
from digest.matching.misses import Misses
from digest.matching.sift import Sieve, Sifted, exclusions
from digest.model import Edition, Entry, Profile
from digest.press import Press, listed
from digest.profiles import check
from digest.rendering.edition import Shown
from digest.store import editions, entries, sightings
from digest.store.editions import Kept
from digest.store.store import Store
from digest.window import lookup


class Window:
    """Entries numbered above `after`, up to `upto`, ready to be sorted by any thread, one at a time."""

    def __init__(self, store: Store, after: int, upto: int) -> None:
        with store.read() as connection:
            found = entries.window(connection, after, upto)
        self._sieve = Sieve(found, lookup(store))
        self._lock = Lock()

    def sift(self, profiles: tuple[Profile, ...]) -> Sifted:
        """The window as these profiles see it."""
        with self._lock:
            return self._sieve.sift(profiles)

    def twin(self, entry: Entry) -> Entry | None:
        """The earlier entry of the window that this one repeats."""
        return self._sieve.twin(entry)


def unmatched(
    store: Store,
    some: Mapping[Standing, Sequence[Entry]],
    profiles: tuple[Profile, ...],
    twin: Callable[[Entry], Entry | None],
) -> list[Verdict]:
    """The verdicts on entries that no profile takes in, by their standing."""
    out, missed = some.get(Standing.EXCLUDED, ()), some.get(Standing.MISSED, ())
    why, misses = exclusions(out, profiles, lookup(store)), Misses(missed, lookup(store))
    faults = [fault for profile in profiles for fault in check(profile)]
    return [
        *(verdict.kept_out(entry, why.get(entry.number, ()), several=len(profiles) > 1) for entry in out),
        *(verdict.repeat(entry, twin(entry)) for entry in some.get(Standing.REPEAT, ())),
        *(verdict.missed(entry, misses.of(entry.number, profiles), faults) for entry in missed),
    ]


@dataclass(frozen=True, slots=True)
class Opened:
    """An edition with every entry of its window: those in the mail first, then in the order of Standing.

    Earlier entries that were listed again stand last.
    """

    store: Store
    kept: Kept
    profiles: tuple[Profile, ...]
    shown: Shown
    placed: tuple[Placed, ...]

    def told(self, some: Sequence[Placed]) -> list[Verdict]:
        """The verdicts on some of the entries."""
        with self.store.read() as connection:
            named = entries.by_numbers(connection, [one.number for one in some])
        by: dict[Standing, list[Entry]] = {}
        for one in some:
            by.setdefault(one.standing, []).append(named[one.number])
        others = [*unmatched(self.store, by, self.profiles, self._twin), *self._earlier(by.get(Standing.EARLIER, ()))]
        verdicts = {each.entry.number: each for each in others}
        reasons = {match.entry: match.reasons for match in self.kept.edition.matches}
        for one in some:
            if one.number not in verdicts:
                words = verdict.matched(self.kept, one, self.shown)
                verdicts[one.number] = Verdict(
                    named[one.number], one.standing, words, reasons=reasons.get(one.number, ())
                )
        slot, state = self.kept.edition.slot, self.kept.state
        return [replace(verdicts[one.number], slot=slot, state=state, rank=one.rank) for one in some]

    def _twin(self, entry: Entry) -> Entry | None:
        return _window(self.store, self.kept.after, self.kept.upto).twin(entry)

    def _earlier(self, again: Sequence[Entry]) -> list[Verdict]:
        """The verdicts on those that were new before."""
        if not again:
            return []
        numbers, subscriber = [entry.number for entry in again], self.kept.edition.subscriber
        with self.store.read() as connection:
            others = editions.touching(connection, subscriber, min(numbers), max(numbers))
        return [verdict.earlier(entry, others) for entry in again]


def of_window(store: Store, kept: Kept, profiles: tuple[Profile, ...], press: Press) -> Opened:
    """An edition opened, for a subscriber who has these profiles now; `press` makes its mail."""
    edition, ranked = kept.edition, kept.edition.entries
    shown = press.shown(edition, listed(store, edition), kept.room)
    with store.read() as connection:
        again = sightings.listed_again(connection, kept.after, edition.planned_at)
    sifted, held = _sifted(store, kept.after, kept.upto, profiles), set(ranked)
    beyond = Standing.CUT if edition.matched > len(ranked) else Standing.SINCE
    order = [(_standing(edition, shown, rank), number) for rank, number in enumerate(ranked, start=1)]
    others = (
        (beyond, sifted.ranked),
        (Standing.EXCLUDED, sifted.excluded),
        (Standing.REPEAT, sifted.repeats),
        (Standing.MISSED, sifted.missed),
        (Standing.EARLIER, again),
    )
    order += [(standing, number) for standing, numbers in others for number in numbers if number not in held]
    placed = (
        Placed(number, standing, rank if standing in verdict.RANKED else 0)
        for rank, (standing, number) in enumerate(order, start=1)
    )
    return Opened(store, kept, profiles, shown, tuple(placed))


def _standing(edition: Edition, shown: Shown, rank: int) -> Standing:
    """Where an entry that an edition names stands in its mail."""
    if rank <= shown.cards:
        return Standing.SENT
    if rank <= shown.cards + shown.titles:
        return Standing.TITLE
    return Standing.SIZE if rank <= len(edition.matches) else Standing.CUT


_windows = lru_cache(maxsize=4)(Window)
_opening = Lock()


def _window(store: Store, after: int, upto: int) -> Window:
    """A closed window; whoever asks for one that is being read waits for it, instead of reading it again."""
    with _opening:
        return _windows(store, after, upto)


@lru_cache(maxsize=64)
def _sifted(store: Store, after: int, upto: int, profiles: tuple[Profile, ...]) -> Sifted:
    return _window(store, after, upto).sift(profiles)
