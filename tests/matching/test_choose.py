"""Readers in bulk: the same as one by one, whoever else is there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matching_samples import GREEK, entry, history, profile, select

from digest.matching import Chosen, Crowd, Reader, Selection, Selector, sums
from digest.matching.select import crowd_of
from digest.model import Entry, Profile

SEEN = history(500, alpha=90, beta=10, gamma=5, omega=60)
KEYWORDS = (*GREEK, *(f"{one} {other}" for one, other in product(GREEK[:4], GREEK[3:7])), "-kappa", '"iota"', "alph*^3")


def papers(size: int) -> list[Entry]:
    """Papers of a few of the words each; some tell an earlier one again, some are new versions."""
    chance = np.random.default_rng(size)
    made = [
        entry(number, f"Paper{number} {GREEK[number % 7]}", " ".join(chance.choice(GREEK, 4)), votes=number % 3)
        for number in range(1, size + 1)
    ]
    again = [replace(one, first=one.number - 5, updated=one.number % 2 == 0) for one in made[5::7]]
    return [*{one.number: one for one in (*made, *again)}.values()]


def readers(size: int) -> list[Reader]:
    chance = np.random.default_rng(size)
    return [
        Reader(
            tuple(
                Profile(f"p{place}", tuple(chance.choice(KEYWORDS, chance.integers(1, 6), replace=False)))
                for place in range(number % 4)
            ),
            watermark=int(chance.choice([0, 3, 20])),
            most=int(chance.integers(0, 5)),
            updates=bool(number % 2),
        )
        for number in range(size)
    ]


def crowd(selector: Selector, asked: list[Reader]) -> Crowd:
    return crowd_of(asked, [[selector.table.numbers(one) for one in reader.profiles] for reader in asked])


@pytest.mark.parametrize("size", [0, 1, 3, 64, 65, 200])
def test_many_get_what_each_gets_alone(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranked by hundreds in slices of any size or one by one, everybody gets the same to the last digit."""
    asked, selector = readers(300), Selector(papers(size), SEEN)
    everyone = crowd(selector, asked)
    assert len(everyone.owner) > sums._BULK
    alone = [next(selector.choose(crowd(selector, [reader]), 2)) for reader in asked]
    for octets in (1, 1 << 14, 1 << 22):
        monkeypatch.setattr("digest.matching.select._OCTETS", octets)
        found = [one for chosen in selector.choose(everyone, 2) for one in apart(chosen)]
        assert found == [one for chosen in alone for one in apart(chosen)]


def apart(chosen: Chosen) -> list[tuple[object, ...]]:
    """What each reader of some gets: columns, scores, numbers, reasons."""
    found: list[tuple[object, ...]] = []
    for reader, (start, stop) in enumerate(zip(chosen.bounds[:-1], chosen.bounds[1:], strict=True)):
        mine = (chosen.card >= start) & (chosen.card < stop)
        reasons = (chosen.card[mine] - start).tolist(), chosen.profile[mine].tolist(), chosen.row[mine].tolist()
        numbers = int(chosen.matched[reader]), int(chosen.considered[reader])
        found.append((chosen.columns[start:stop].tolist(), chosen.scores[start:stop].tolist(), *numbers, *reasons))
    return found


def one_by_one(selector: Selector, reader: Reader, more: int) -> Selection:
    """The rules of ranking, entry by entry."""
    table, entries = selector.table, selector.table.window.entries
    rows = [selector.table.numbers(one) for one in reader.profiles]
    known, best = table.evaluated(), dict[int, float]()
    width = known.bits.shape[1] * 64
    for mine in rows:
        flags = np.unpackbits(known.bits.view(np.uint8), axis=1, bitorder="little")[mine].astype(bool)
        out = known.excluded[mine]
        scores = sums.Few(known, width).of(np.array(mine, dtype=np.int32), np.array([0, len(mine)]))[0]
        for column in np.flatnonzero(flags[~out].any(axis=0) & ~flags[out].any(axis=0)).tolist():
            one = entries[column]
            if one.number > reader.watermark and (
                not one.updated or (reader.updates and one.first <= reader.watermark)
            ):
                best[column] = max(best.get(column, 0), float(scores[column]))
    last = {entries[column].root: column for column in sorted(best, key=lambda column: entries[column].number)}
    kept = sorted(last.values(), key=lambda column: (-best[column], column))
    numbers = [entries[column].number for column in kept]
    considered = sum(one.number > reader.watermark and (reader.updates or not one.updated) for one in entries)
    return Selection((), tuple(numbers[: reader.most + more]), len(kept), considered)


@given(st.integers(1, 80), st.integers(1, 10_000), st.integers(0, 4))
@settings(max_examples=40, deadline=None)
def test_the_rules_hold(size: int, seed: int, more: int) -> None:
    """Any window, readers and limits: who gets what is as the rules say, entry by entry."""
    selector, asked = Selector(papers(size), SEEN), readers(seed % 12 + 1)
    for reader, found in zip(asked, selector.select(asked, more), strict=True):
        expected = one_by_one(selector, reader, more)
        assert (*(match.entry for match in found.matches), *found.more) == expected.more
        assert len(found.matches) == min(reader.most, expected.matched)
        assert (found.matched, found.considered) == (expected.matched, expected.considered)


def test_the_last_telling_stays() -> None:
    """Of several tellings of one entry that match a reader gets the last, however many better ones there are."""
    told = [entry(1, "quark quark"), *(entry(n, f"other{n} quark") for n in range(2, 8))]
    told += [entry(8, "quark again", first=1), entry(9, "nothing of it", first=1)]
    (few,) = select(told, Reader((profile("quark"),), most=1), more=1)
    assert few.matched == 7
    (many,) = select(told, Reader((profile("quark"),), most=9))
    assert sorted(match.entry for match in many.matches) == [2, 3, 4, 5, 6, 7, 8]


def test_keywords_that_cannot_be_read() -> None:
    """Among keywords added together one with a fault has no row, and the table says why."""
    table = Selector(papers(3), SEEN).table
    asked = [("alpha", "near", True), ("(alpha", "near", True), ("alpha", "any", True), ("alpha", "near", True)]
    assert table.add(asked) == [0, -1, 1, 0]  # type: ignore[arg-type]  # literals in a list are plain text
    assert "never closed" in table.faults["(alpha", "near", True]


def test_reasons_are_told_for_any_pair() -> None:
    """The text of a reason is found for every row and column that hits, in the order asked, and more than once."""
    selector = Selector([entry(1, "Alpha beta", "betas"), entry(2, "gamma alpha")], SEEN)
    alpha, beta = selector.table.numbers(profile("alpha", "beta"))
    selector.table.evaluated()
    first, second = np.argsort(selector.numbers)
    rows, columns = np.array([beta, alpha, alpha, beta]), np.array([first, second, first, first])
    texts = selector.told(rows.astype(np.int32), columns.astype(np.int32))
    assert texts[0] == (("title", ("beta",)), ("abstract", ("betas",)))
    assert texts[1:] == [(("title", ("alpha",)),), (("title", ("Alpha",)),), texts[0]]


def test_a_word_behind_is_not_before() -> None:
    """Words are as far apart as they stand, also where one stands only behind the other."""
    (found,) = select([entry(1, "Alpha one two beta")], Reader((profile('"beta Alpha"~2'),)))
    assert not found.matches


def test_few_readers_do_not_wait_for_scipy() -> None:
    """To rank for a few readers loads nothing that takes long to load."""
    code = (
        "import sys; from digest.matching import *; from digest.model import *;"
        "list(Selector([Entry(('a',), 'alpha', number=1)], lambda _: Frequencies(0, {}))"
        ".select([Reader((Profile('p', ('alpha',)),))], 3)); print('scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
