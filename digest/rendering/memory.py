"""What was made and may be asked for again, up to so many octets."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
_EACH = 400  # octets, of a key, its place in the table and the objects around a value


class Memory(Generic[T]):
    """Keeps values in two generations: when the young one holds half the octets it becomes the old one, which goes.

    So what is asked for stays, at the cost of one look into a table, and what is not is gone after a while.
    """

    __slots__ = ("_half", "_old", "_room", "_young")

    def __init__(self, octets: int) -> None:
        self._half = self._room = octets // 2
        self._young: dict[Hashable, tuple[T, int]] = {}
        self._old: dict[Hashable, tuple[T, int]] = {}

    def get(self, key: Hashable) -> T | None:
        """The value of this key, if it is still here."""
        if found := self._young.get(key):
            return found[0]
        if found := self._old.get(key):
            return self.keep(key, *found)
        return None

    def keep(self, key: Hashable, value: T, octets: int) -> T:
        """Keep a value of so many octets; return it."""
        self._room -= octets + _EACH
        if self._room < 0:
            self._young, self._old, self._room = {}, self._young, self._half - octets - _EACH
        self._young[key] = value, octets
        return value
