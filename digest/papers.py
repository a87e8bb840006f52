"""When two listed entries are one paper, and what is then new about it. Pure.

Rules
-----
1. Entries that share a key are one paper, unless both have an identifier of the same kind and those differ. Two papers
   may have one title ("Weekly links"): those that share nothing else, and have other addresses on one host, are two.
2. An entry that shares keys with several papers shows that they are one, unless their identifiers differ.
3. A paper is told in rows, the first being its root. What a listing knows beyond the newest row goes into that row,
   unless an edition may hold it: then the mail would be another when it is tried again.
4. An abstract, where no row had any, is worth a further row in that case: profiles that did not match may do so now.
5. A new version is a further row that is `updated`. It is new if its number is higher than the last one known. Where no
   numbers tell, an announcement is new unless it is of the same day as one before, or of a day near that of one that
   came by another way: a feed names the version, a mail does not.
6. A paper of which only updates were told, for it is older than our listings, and which is then listed otherwise, gets
   a further row that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from digest.model import Entry

_KINDS = ("doi", "arxiv", "openreview", "acl", "url", "title")
_WEAK = ("url:", "title:")
ANNOUNCED_TWICE = timedelta(days=3)
"""Announcements by two ways that are no further apart are one."""
_GAINED = ("abstract", "authors", "categories", "url", "published", "votes", "links", "version")
_NOTHING = ("", (), None, 0)


@dataclass(slots=True)
class Paper:
    """What is known of one paper: its keys, and its rows in the order of their numbers.

    `became`: it turned out to be another one.
    """

    keys: set[str] = field(default_factory=set)
    rows: list[Entry] = field(default_factory=list)
    became: Paper | None = None

    @property
    def root(self) -> int:
        """The number by which it is known."""
        return self.became.root if self.became else self.rows[0].number

    def tell(self, entry: Entry, held: int, number: int) -> bool:
        """Take in a listed entry; return whether that made a further row, which has this `number`.

        `held`: rows up to this number may be in editions.
        """
        if _has_address(entry.keys) and not _has_address(self.keys):
            self._forget_address(held)
        self.keys.update(entry.keys)
        further = _further(self.rows, entry, held)
        if further is not None:
            self.rows.append(replace(further, number=number, first=self.root if self.rows else 0))
        elif (newest := self.rows[-1]).number > held:
            self.rows[-1] = _over(newest, entry)
        elif not newest.version and not newest.updated:  # no mail shows it
            self.rows[-1] = replace(newest, version=entry.version)
        return further is not None

    def _forget_address(self, held: int) -> None:
        """The newest row's address is not the paper's own, but made of its title or its id: a real one is better."""
        if self.rows and self.rows[-1].number > held:
            self.rows[-1] = replace(self.rows[-1], url="")

    def take_in(self, other: Paper, held: int) -> None:
        """Become one with another paper, which is then no longer one of its own."""
        other.became = self
        self.keys |= other.keys
        root, *others = sorted((*self.rows, *other.rows), key=lambda row: row.number)
        for row in others if root.number > held else ():
            root = _over(root, row)
        self.rows = [replace(root, first=0), *(replace(row, first=root.number) for row in others)]


def agree(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether nothing of the one contradicts the other (rule 1)."""
    some, others = set(some), set(others)
    one, other = _identifiers(some), _identifiers(others)
    if not all(one[kind] & other[kind] for kind in one.keys() & other.keys()):
        return False
    if any(not key.startswith("title:") for key in some & others):
        return True
    here, there = _addresses(some), _addresses(others)
    return all(here[host] & there[host] for host in here.keys() & there.keys())


def _identifiers(some: Iterable[str]) -> dict[str, set[str]]:
    return _grouped(key.partition(":")[::2] for key in some if not key.startswith(_WEAK))


def _addresses(some: Iterable[str]) -> dict[str, set[str]]:
    """What stands behind the host of each address, by host."""
    plain = (key.split("://", 1)[-1].removeprefix("www.") for key in some if key.startswith("url:"))
    return _grouped((host, path) for host, _, path in (address.partition("/") for address in plain))


def _grouped(pairs: Iterable[Sequence[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, value in pairs:
        found.setdefault(name, set()).add(value)
    return found


def _has_address(some: Iterable[str]) -> bool:
    return any(key.startswith("url:") for key in some)


def strength(key: str) -> int:
    """The rank of a key by its kind; 0: the strongest."""
    kind = key.partition(":")[0]
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS)


def _further(rows: Sequence[Entry], entry: Entry, held: int) -> Entry | None:
    """The row that an entry adds to those of a paper; None: it adds none."""
    if not rows:
        return entry
    newest = rows[-1]
    if not entry.updated and all(row.updated for row in rows):
        return _over(entry, newest)
    if _is_new_version(rows, entry):  # of which neither the day nor the number is that of the last one
        return replace(_over(entry, newest), updated=True, published=entry.published, version=entry.version)
    first_abstract = bool(entry.abstract) and not any(row.abstract for row in rows) and newest.number <= held
    return _over(entry, newest) if first_abstract and not entry.updated else None


def _is_new_version(rows: Sequence[Entry], entry: Entry) -> bool:
    known = _version(rows)
    if not entry.updated or (known and entry.version):
        return 0 < known < entry.version
    return not any(_announced_with(row, entry) for row in rows)


def _announced_with(row: Entry, entry: Entry) -> bool:
    """Whether a row tells of the same new version as an entry."""
    by_another_way = bool(row.version) != bool(entry.version)
    if not (row.updated and by_another_way and row.published and entry.published):
        return row.updated and row.published == entry.published
    return abs(row.published - entry.published) <= ANNOUNCED_TWICE


def _version(rows: Sequence[Entry]) -> int:
    """The version last known (0: none); an announcement without a number is one more."""
    known = 0
    for row in rows:
        known = max(known, row.version or (known + 1 if row.updated and known else known))
    return known


def _over(entry: Entry, other: Entry) -> Entry:
    """An entry, and what it lacks from another."""
    wanting = [name for name in _GAINED if getattr(entry, name) in _NOTHING]
    values = {name: getattr(other, name) for name in wanting if getattr(other, name) not in _NOTHING}
    return replace(entry, **values) if values else entry
