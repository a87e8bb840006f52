"""How good our order of entries is on judged collections, beside other ways to rank by the same keywords.

    python benchmarks/relevance.py [FOLDER ...]

A FOLDER is a collection (peers/judged.py says in which form) or holds some; without one, ../shared/relevance is read.
Exits 1 if our nDCG@10 is below the best peer's on any collection by more than TOLERANCE, 2 if there is nothing to run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from peers.judged import FILES, Collection, Keywords, Order, Quality, folders, load, quality

from digest.matching import Frequencies, Reader, Selector
from digest.matching.index import Window
from digest.matching.rank import in_tie_order
from digest.model import Entry, Profile

try:
    from peers import ranking
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed. It comes with: pip install -e '.[bench]'")

Engine = Callable[[Sequence[Entry], Sequence[Keywords]], Iterable[Order]]

TOLERANCE = 0.0005
SHARED = Path(__file__).resolve().parents[2] / "shared" / "relevance"
PEERS: dict[str, Engine] = {
    "FTS5, phrases OR": ranking.fts5_phrases,
    "FTS5, words OR": ranking.fts5_words,
    "FTS5, words OR, repeated": ranking.fts5_repeated_words,
    "bm25s + Snowball": ranking.bm25s_snowball,
    "TF-IDF cosine": ranking.tfidf_cosine,
    "substring counting": ranking.substring_counting,
}


def ours(entries: Sequence[Entry], profiles: Sequence[Keywords]) -> Iterable[Order]:
    """This project: one word of a keyword is enough to qualify, and the entries are their own history.

    Entries with nearly the same title are not made one, since each has a judgement of its own.
    """
    numbered = [replace(entry, number=place) for place, entry in enumerate(entries, start=1)]
    frequencies = Frequencies.count(entries)
    selector = Selector.over(Window(in_tie_order(numbered)), lambda _: frequencies)
    readers = [Reader((_profile(keywords),), most=0) for keywords in profiles]
    return [[number - 1 for number in found.more] for found in selector.select(readers, more=len(entries))]


def _profile(keywords: Keywords) -> Profile:
    return Profile("judged", tuple(_query(*keyword) for keyword in keywords), match="any", capitals=False)


def _query(phrase: str, weight: float) -> str:
    """A phrase in our query language, without the signs that mean something there."""
    words = " ".join(re.findall(r"\w+(?:[-'’]\w+)*", phrase.lower()))
    return f"({words})^{weight:g}"


def measure(collection: Collection) -> dict[str, Quality]:
    """The quality of every engine's orders, ours first."""
    engines = {"ours": ours, **PEERS}
    return {
        name: quality(list(engine(collection.entries, collection.profiles)), collection)
        for name, engine in engines.items()
    }


def report(collection: Collection, found: dict[str, Quality]) -> bool:
    """Prints a collection's table; whether ours is not below the best peer."""
    size = f"{len(collection.entries)} entries, {len(collection.profiles)} profiles"
    print(f"\n{collection.name} ({size})\n{'':26}nDCG@10     MAP    P@10    R@50")
    for name, figures in found.items():
        print(f"{name:26}" + " ".join(f"{figure:7.4f}" for figure in figures))
    best = max(PEERS, key=lambda name: found[name].ndcg_at_10)
    ahead = found["ours"].ndcg_at_10 - found[best].ndcg_at_10
    holds = ahead >= -TOLERANCE
    print(f"{'not below' if holds else 'BELOW'} the best peer, {best}: {ahead:+.4f}")
    return holds


def main(arguments: Sequence[str]) -> int:
    given = [Path(argument) for argument in arguments] or [SHARED]
    collections = folders(given)
    if not collections:
        print(f"No collection in {', '.join(map(str, given))}: one holds {', '.join(FILES)}.", file=sys.stderr)
        return 2
    below = 0
    for folder in collections:
        collection = load(folder)
        below += not report(collection, measure(collection))
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
