"""Milliseconds for a preview while somebody types, over entries made here.

    python benchmarks/preview.py [--entries N] [--rounds N] [--json]

A profile has nine keywords of one word or two; a tenth is typed letter by letter, another one in each round. Each
letter is one preview with the ten best entries and their reasons, as on the first page.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from digest.backtest import Trials
from digest.model import Entry, Listing, Profile
from digest.store import filing
from digest.store.entries import File
from digest.store.store import open_store

NOW = 1_795_158_000
DAY, DAYS = 86_400, 30
WORDS, IN_TITLE, IN_ABSTRACT = 40_000, 10, 170
NINE = 9


def vocabulary(chance: random.Random) -> list[str]:
    """Words that can be spoken; the first are used most."""
    syllables = [first + second for first in "bcdfghklmnprstvw" for second in ("a", "e", "i", "o", "u", "en", "or")]
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(chance.choices(syllables, k=chance.choice((2, 2, 3, 3, 4))))] = None
    return list(found)


def made(count: int, words: Sequence[str], chance: random.Random) -> Iterator[Entry]:
    """Entries whose words are as common as Zipf's law has it."""
    weights = [1 / (rank + 3) for rank in range(len(words))]
    said = chance.choices(words, weights, k=count * (IN_TITLE + IN_ABSTRACT))
    for number in range(count):
        start = number * (IN_TITLE + IN_ABSTRACT)
        title, abstract = said[start : start + IN_TITLE], said[start + IN_TITLE : start + IN_TITLE + IN_ABSTRACT]
        yield Entry((f"title:{number}",), " ".join(title).title(), " ".join(abstract))


def typed(words: Sequence[str], rounds: int, chance: random.Random) -> Iterator[Profile]:
    """A profile after each letter of its last keyword; a new last keyword in each round."""
    known = [" ".join(chance.sample(words[50:3_000], 1 + place % 2)) for place in range(NINE)]
    for _ in range(rounds):
        new = " ".join(chance.sample(words[50:6_000], chance.choice((1, 2))))
        for length in range(1, len(new) + 1):
            yield Profile("mine", (*known, new[:length].strip()))


def measure(count: int, rounds: int) -> dict[str, float]:
    """Figures in milliseconds, but for `previews` and `matched`, the median."""
    chance = random.Random(7)
    words = vocabulary(chance)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite:///preview.db", Path(folder))
        found = list(made(count, words, chance))
        for day in range(DAYS):
            listing = Listing("made", tuple(found[day::DAYS]))
            with store.write() as connection:
                filing.save(connection, File(f"{day}", f"{day}", 0, 0), listing, NOW - (DAYS - 1 - day) * DAY)
        trials = Trials(store)
        start = perf_counter()
        trials.backtest((), NOW)
        first = perf_counter() - start
        times, matched = [], []
        for profile in typed(words, rounds, chance):
            start = perf_counter()
            matched.append(trials.backtest((profile,), NOW).matched)
            times.append(perf_counter() - start)
        store.close()
    return {
        "entries": count,
        "previews": len(times),
        "matched": median(matched),
        "first": first * 1000,
        "median": median(times) * 1000,
        "p95": quantiles(times, n=20)[-1] * 1000,
        "most": max(times) * 1000,
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=next(islice((__doc__ or "").splitlines(), 1)))
    parser.add_argument("--entries", type=int, default=10_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    figures = measure(options.entries, options.rounds)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print(
            f"{options.entries:,} entries, {NINE + 1} keywords, {figures['previews']:,} previews, "
            f"{figures['matched']:,.0f} matches (median)"
        )
        print(f"the first, with the index: {figures['first']:,.0f} ms")
        print(f"while typing: median {figures['median']:.1f} ms, p95 {figures['p95']:.1f}, most {figures['most']:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
