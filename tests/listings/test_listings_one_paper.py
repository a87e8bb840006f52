"""The sixty papers in every format, loaded one file after the other, are sixty entries in the database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256

import pytest
from papers import PAPERS
from sqlalchemy import select
from writers import File, files

from digest.listings import Origin, read
from digest.model import Listing
from digest.store import entries
from digest.store.filing import Saved, save
from digest.store.schema import keys
from digest.store.store import Store

ORIGIN = Origin(date(2026, 11, 18))
FILES = tuple(files())


@cache
def listing(file: File) -> Listing:
    """What a file holds."""
    return read(file.content, ORIGIN)


def load(store: Store, some: Sequence[File]) -> list[Saved]:
    """What loading each of these files gave."""
    done = []
    for file in some:
        known = entries.File(file.name, sha256(file.content).hexdigest(), len(file.content), 0)
        with store.write() as connection:
            done.append(save(connection, known, listing(file), 0))
    return done


def identities(store: Store) -> set[frozenset[str]]:
    """The keys of each entry."""
    found: dict[int, set[str]] = {}
    with store.read() as connection:
        for key, entry in connection.execute(select(keys.c.key, keys.c.entry)):
            found.setdefault(entry, set()).add(key)
    return {frozenset(some) for some in found.values()}


def test_the_first_file_brings_all_papers_and_the_others_none(store: Store) -> None:
    """A paper that was seen in one format is known in every other, and is no update of itself."""
    first, *others = load(store, FILES)
    assert first == Saved(new=len(PAPERS))
    assert set(others) == {Saved()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_files_does_not_matter(store: Store, seed: int) -> None:
    """Whatever comes first, a title alone or every id, the database has the same papers with the same keys."""
    order = random.Random(seed).sample(FILES, len(FILES)) if seed > 1 else FILES[::-1]
    done = load(store, order)
    assert sum(saved.new for saved in done) == len(PAPERS)
    assert sum(saved.updated for saved in done) == 0
    listed = {key for file in FILES for entry in listing(file).entries for key in entry.keys}
    found = identities(store)
    assert len(found) == len(PAPERS)
    assert set().union(*found) == listed
    by_title = {next(key for key in some if key.startswith("title:")): some for some in found}
    for file in FILES:
        for entry in listing(file).entries:
            assert set(entry.keys) <= by_title[entry.keys[-1]]
