"""Subscribers whose every part is known to be right: what was found so once is not looked at again.

Rules
-----
1. A subscriber is right if the address is, the wishes are, and every profile is by itself.
2. Whoever cannot be told right here is read in full, which also has the words for what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from digest.cli.rows import Person, Row, parts
from digest.faults import address_fault
from digest.model import Profile, Subscriber
from digest.profiles import check

_KEPT = 16_384
"""Distinct wishes that are remembered, and distinct profiles but for their keywords."""
_KEYWORDS_KEPT = 500_000
_SOMEBODY, _SOMETHING = "ada@example.org", "x"

Whole = Callable[[Person], Subscriber | None]
"""Reads a subscriber in full (None: something is wrong)."""


class Known:
    """Remembers what `whole` found right."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._wishes = lru_cache(_KEPT)(self._read_wishes)
        self._profile = lru_cache(_KEPT)(self._read_profile)
        self._keywords: set[str] = set()

    def subscriber(self, person: Person) -> Subscriber | None:
        """The subscriber (None: to be read in full)."""
        first = person.rows[0]
        email, wishes = first.email.strip(), self._wishes(first.wishes)
        if wishes is None or person.beyond or address_fault(email):
            return None
        profiles = []
        for row in person.rows:
            rest, keywords = self._profile(row.profile, row.match, row.capitals), parts(row.keywords)
            if rest is None or not keywords or not self._readable(keywords):
                return None
            name, *others = rest
            profiles.append(Profile(name, tuple(dict.fromkeys(keywords)), *others))
        return Subscriber(email, tuple(profiles), first.name, *wishes)

    def _readable(self, keywords: Sequence[str]) -> bool:
        if not self._keywords.issuperset(keywords):
            new = [keyword for keyword in keywords if keyword not in self._keywords]
            if check(Profile("", tuple(new))):
                return False
            if len(self._keywords) > _KEYWORDS_KEPT:
                self._keywords.clear()
            self._keywords.update(new)
        return True

    def _read_wishes(self, wishes: Sequence[str]) -> tuple[Any, ...] | None:
        """The fields of a subscriber with these wishes, from the fourth on: after address, profiles and name."""
        found = self._whole(Person(0, [Row(_SOMEBODY, "", *wishes)._replace(keywords=_SOMETHING)]))
        return tuple(getattr(found, field.name) for field in fields(Subscriber)[3:]) if found else None

    def _read_profile(self, name: str, match: str, capitals: str) -> tuple[Any, ...] | None:
        """The fields of a profile but for its keywords, which are the second."""
        row = Row(_SOMEBODY, profile=name, match=match, capitals=capitals, keywords=_SOMETHING)
        found = self._whole(Person(0, [row]))
        if found is None:
            return None
        name, _, *others = (getattr(found.profiles[0], field.name) for field in fields(Profile))
        return name, *others
