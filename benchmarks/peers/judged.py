"""Judged collections: entries, keyword profiles and who judged which entry relevant, and how good an order of them is.

A folder holds `docs.jsonl` {"id", "title", "text"}, `profiles.jsonl` {"id", "keywords": [[phrase, weight], …]} and
`qrels.txt` in TREC's four columns (profile, unused, document, grade); a grade above 0 is relevant, and more is better.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

from digest.model import Entry

FILES = ("docs.jsonl", "profiles.jsonl", "qrels.txt")

Keywords = tuple[tuple[str, float], ...]
"""Phrases with their weights."""

Order = Sequence[int]
"""Places in the list of entries, best first; entries without any score are left out."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Entries, and for the n-th profile its keywords and the grade of each relevant entry, by the entry's place."""

    name: str
    entries: tuple[Entry, ...]
    profiles: tuple[Keywords, ...]
    grades: tuple[dict[int, int], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the profiles. nDCG takes the grades as gains (Järvelin & Kekäläinen 2002); the others are binary."""

    ndcg_at_10: float
    average_precision: float
    precision_at_10: float
    recall_at_50: float

    def __iter__(self) -> Iterator[float]:
        yield from (self.ndcg_at_10, self.average_precision, self.precision_at_10, self.recall_at_50)


def folders(given: Sequence[Path]) -> list[Path]:
    """The collections among the folders given: a folder itself, or those inside it."""
    found = [each for folder in given for each in (folder, *sorted(folder.glob("*/"))) if _is_collection(each)]
    return list(dict.fromkeys(found))


def load(folder: Path) -> Collection:
    """One collection; profiles without a relevant entry are left out."""
    documents = _records(folder / "docs.jsonl")
    places = {document["id"]: place for place, document in enumerate(documents)}
    grades: dict[str, dict[int, int]] = {}
    for line in (folder / "qrels.txt").read_text(encoding="utf-8").splitlines():
        profile, _, document, grade = line.split()
        if int(grade) > 0 and document in places:
            grades.setdefault(profile, {})[places[document]] = int(grade)
    judged = [profile for profile in _records(folder / "profiles.jsonl") if profile["id"] in grades]
    return Collection(
        folder.resolve().name,
        tuple(Entry((document["id"],), document["title"], document["text"]) for document in documents),
        tuple(tuple((phrase, weight) for phrase, weight in profile["keywords"]) for profile in judged),
        tuple(grades[profile["id"]] for profile in judged),
    )


def quality(orders: Sequence[Order], collection: Collection) -> Quality:
    """How good one order per profile is."""
    each = [_measured(order, grades) for order, grades in zip(orders, collection.grades, strict=True)]
    return Quality(*(sum(column) / len(each) for column in zip(*each, strict=True)))


def _measured(order: Order, grades: dict[int, int]) -> tuple[float, float, float, float]:
    gains = [grades.get(place, 0) for place in order]
    hits = [rank for rank, gain in enumerate(gains, start=1) if gain]
    ndcg = _discounted(gains) / _discounted(sorted(grades.values(), reverse=True))
    average_precision = sum(found / rank for found, rank in enumerate(hits, start=1)) / len(grades)
    precision = sum(rank <= 10 for rank in hits) / 10
    return ndcg, average_precision, precision, sum(rank <= 50 for rank in hits) / len(grades)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains[:10], start=1))


def _is_collection(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
