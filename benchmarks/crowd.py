"""A crowd to measure with: zones as people live in them, send times as people choose them, keywords of some texts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import time
from itertools import chain, islice
from typing import Any
from zoneinfo import available_timezones

import numpy as np
from numpy.typing import NDArray
from peers.matching import choices, keywords

from digest.model import Cadence, Entry, Profile, Subscriber
from digest.store.dues import AT_ONCE
from digest.store.subscribers import Named

_SEED = 20_260_329
_FEWEST, _MOST = 2, 6
"""Keywords of one subscriber."""
_DISTINCT = 20_000
_NO_TIME = 0.05
"""The share of those who set no send time."""
DISTINCT = 200_000
"""Keywords that a crowd of readers may choose from."""
_FEWEST_EACH, _MOST_EACH = 5, 20
"""Keywords drawn for one profile of a reader; one that is drawn twice counts once."""
_PROFILES = ("Papers", "Work", "Reading group")
_BLOCK = 1 << 13
_MILLIONS = """
    Asia/Kolkata 1430 Asia/Shanghai 1400 America/New_York 170 America/Chicago 110 America/Denver 25
    America/Los_Angeles 55 America/Phoenix 7 America/Toronto 20 America/Vancouver 5 America/Halifax 2
    America/St_Johns 1 America/Mexico_City 100 America/Bogota 52 America/Lima 34 America/Caracas 28 America/Santiago 19
    America/Sao_Paulo 180 America/Manaus 5 America/Argentina/Buenos_Aires 45 America/Havana 11 Atlantic/Azores 1
    Europe/London 67 Europe/Dublin 5 Europe/Lisbon 10 Europe/Madrid 47 Europe/Paris 66 Europe/Berlin 84 Europe/Rome 59
    Europe/Vienna 9 Europe/Warsaw 37 Europe/Stockholm 10 Europe/Athens 10 Europe/Kyiv 36 Europe/Istanbul 85
    Europe/Moscow 95 Asia/Yekaterinburg 15 Asia/Novosibirsk 10 Asia/Vladivostok 5 Africa/Lagos 220 Africa/Cairo 110
    Africa/Johannesburg 60 Africa/Nairobi 55 Africa/Addis_Ababa 125 Africa/Casablanca 37 Africa/Kinshasa 50
    Asia/Riyadh 36 Asia/Beirut 5 Asia/Jerusalem 9 Asia/Tehran 88 Asia/Dubai 10 Asia/Kabul 40 Asia/Karachi 240
    Asia/Dhaka 170 Asia/Kathmandu 30 Asia/Yangon 54 Asia/Bangkok 70 Asia/Jakarta 200 Asia/Manila 115 Asia/Tokyo 124
    Asia/Seoul 52 Australia/Perth 3 Australia/Adelaide 2 Australia/Sydney 15 Pacific/Auckland 5
"""
_PEOPLE = {zone: int(millions) for zone, millions in zip(*[iter(_MILLIONS.split())] * 2, strict=True)}


def zones() -> list[str]:
    """Every zone that a subscriber can live in."""
    return sorted(available_timezones() - {"Factory", "localtime"})


def crowd(count: int, texts: Sequence[str], days: str) -> Iterator[list[Named]]:
    """Subscribers, some at a time, at least one in every zone; `days` is their rule."""
    rng = np.random.default_rng(_SEED)
    homes, times = _homes(count, rng), _times(count, rng)
    known = keywords(texts, min(_DISTINCT, count))
    chosen = chain.from_iterable(rows.tolist() for rows in choices(len(known), count, _MOST))
    most = rng.integers(_FEWEST, _MOST, count, endpoint=True).tolist()
    people = (
        _person(number, Cadence(days, at, home), tuple(dict.fromkeys([known[one] for one in mine[:some]])))
        for number, (home, at, mine, some) in enumerate(zip(homes, times, chosen, most, strict=True))
    )
    while batch := list(islice(people, AT_ONCE)):
        yield batch


def _person(number: int, cadence: Cadence, keywords: tuple[str, ...]) -> Named:
    email = f"reader{number}@example.org"
    return Named(email, Subscriber(email, (Profile("Papers", keywords),), cadence=cadence))


def readers(count: int, texts: Sequence[str], days: str, distinct: int = DISTINCT) -> Iterator[Subscriber]:
    """Subscribers with one to three profiles; a keyword is chosen the less often the later it stands (Zipf)."""
    rng = np.random.default_rng(_SEED)
    homes, times = _homes(count, rng), _times(count, rng)
    known = keywords(texts, distinct)
    profiles = chain.from_iterable(_wishes(known, min(_BLOCK, count - start), rng) for start in range(0, count, _BLOCK))
    for number, (home, at, wanted) in enumerate(zip(homes, times, profiles, strict=True)):
        yield Subscriber(f"reader{number}@example.org", wanted, cadence=Cadence(days, at, home))


def _wishes(known: Sequence[str], count: int, rng: np.random.Generator) -> Iterator[tuple[Profile, ...]]:
    """The profiles of so many readers."""
    each = rng.integers(1, len(_PROFILES), count, endpoint=True).tolist()
    sizes = rng.integers(_FEWEST_EACH, _MOST_EACH, sum(each), endpoint=True).tolist()
    odds = np.cumsum(1 / np.arange(1, len(known) + 1))
    drawn = iter(np.searchsorted(odds, rng.random(sum(sizes)) * odds[-1]).tolist())
    lists = (tuple(dict.fromkeys(known[number] for number in islice(drawn, size))) for size in sizes)
    for profiles in each:
        yield tuple(Profile(name, mine) for name, mine in zip(_PROFILES, islice(lists, profiles), strict=False))


def _homes(count: int, rng: np.random.Generator) -> list[str]:
    known = zones()
    if count < len(known):
        raise ValueError(f"{count} subscribers cannot live in {len(known)} zones; ask for more")
    weights = np.array(list(_PEOPLE.values()), dtype=float)
    others = rng.choice(list(_PEOPLE), count - len(known), p=weights / weights.sum())
    homes: list[str] = rng.permutation(np.concatenate([known, others])).tolist()
    return homes


def _times(count: int, rng: np.random.Generator) -> Iterator[time | None]:
    """Most people in the morning, most of these at a full hour; some in the evening, some whenever it is ready."""
    weights = {minute: _liked(minute) for minute in [*range(360, 541, 5), *range(1020, 1411, 30)]}
    share = np.array(list(weights.values()), dtype=float)
    minutes: NDArray[np.int64] = rng.choice(list(weights), count, p=share / share.sum())
    unset = rng.random(count) < _NO_TIME
    for minute, none in zip(minutes.tolist(), unset.tolist(), strict=True):
        yield None if none else time(minute // 60, minute % 60)


def _liked(minute: int) -> int:
    """How many choose a minute of the day, beside others."""
    if minute in (420, 480):  # 07:00 and 08:00
        return 100
    return 30 if minute % 60 == 0 else 10 if minute % 15 == 0 else 2


def listing(sample: Sequence[Entry], count: int, first: int = 0) -> str:
    """So many more entries, numbered from `first`, as JSON Lines, whose words come as often as in the sample."""
    chance = random.Random(_SEED + first)
    words = " ".join(f"{entry.title} {entry.abstract}" for entry in sample).split()
    return "".join(json.dumps(_paper(number, words, chance)) + "\n" for number in range(first, first + count))


def _paper(number: int, words: Sequence[str], chance: random.Random) -> dict[str, Any]:
    starts = [chance.randrange(len(words) - 16) for _ in range(10)]
    return {
        "title": " ".join(chance.choices(words, k=9)) + f" ({number})",
        "abstract": " ".join(" ".join(words[start : start + 16]) for start in starts),
        "url": f"https://example.org/papers/{number}",
        "votes": chance.randrange(200),
    }
