"""Damage to listing files, and what must hold of a listing however its file was damaged."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from digest.listings.drafts import VOTES
from digest.listings.lines import EXCERPT
from digest.listings.wording.decode import tidy
from digest.model import Entry, Listing

SIGNS = (
    "<",
    ">",
    "&",
    "{",
    "}",
    "\\",
    "$",
    '"',
    "'",
    ",",
    ";",
    "\t",
    "\\\\",
    "]]>",
    "\u2028",
    "\u0301",
    "🦉",
    "\ufeff",
)

Change = Callable[[random.Random, list[str]], None]


def mangled(text: str, rng: random.Random) -> str:
    """The text after one to four changes to its lines."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 4)):
        rng.choice(_CHANGES)(rng, lines)
        lines = lines or [""]
    return "\n".join(lines)


def mangled_bytes(content: bytes, rng: random.Random) -> bytes:
    """The bytes with some of them flipped, lost, doubled or cut off."""
    out = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(0, len(out))
        end = start + rng.choice((0, 1, 1, 4, 64, len(out)))
        out[start:end] = rng.choice((b"", rng.randbytes(end - start & 63), out[start : start + 200] * 2))
    return bytes(out)


def assert_sound(listing: Listing, text: str) -> None:
    """Every entry is clean and can be stored and told apart; every rejection says where, why and of what."""
    for entry in listing.entries:
        _assert_clean(entry)
    lines = text.count("\n") + 1
    for one in listing.rejected:
        assert 0 <= one.line <= lines
        assert one.reason
        assert one.reason == tidy(one.reason), one
        assert len(one.excerpt) <= EXCERPT
        assert one.excerpt.rstrip() == tidy(one.excerpt), one
    for words in (*listing.warnings, *listing.notes, listing.source, listing.curator):
        assert words == tidy(words), words


def _assert_clean(entry: Entry) -> None:
    texts = (entry.title, entry.abstract, entry.source, entry.url, *entry.authors, *entry.categories, *entry.links)
    assert entry.title
    assert all(text == tidy(text) for text in texts), texts
    assert all((*entry.authors, *entry.categories, *entry.links))
    assert len(set(entry.keys)) == len(entry.keys) > 0
    assert entry.keys[-1].startswith("title:")
    assert "".join(entry.keys).encode()
    assert entry.votes is None or entry.votes in VOTES
    assert entry.version in range(2**31)


def _drop(rng: random.Random, lines: list[str]) -> None:
    start = rng.randrange(len(lines))
    del lines[start : start + rng.randint(1, 3)]


def _repeat(rng: random.Random, lines: list[str]) -> None:
    start = rng.randrange(len(lines))
    lines[start:start] = lines[start : start + rng.randint(1, 3)] * rng.choice((1, 1, 2, 30))


def _move(rng: random.Random, lines: list[str]) -> None:
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randint(0, len(lines)), line)


def _join(rng: random.Random, lines: list[str]) -> None:
    start = rng.randrange(len(lines))
    lines[start : start + 2] = [rng.choice(("", " ", "\t")).join(lines[start : start + 2])]


def _cut(rng: random.Random, lines: list[str]) -> None:
    del lines[rng.randint(1, len(lines)) :]
    lines[-1] = lines[-1][: rng.randint(0, len(lines[-1]))]


def _spoil(rng: random.Random, lines: list[str]) -> None:
    number = rng.randrange(len(lines))
    place = rng.randint(0, len(lines[number]))
    end = place + rng.choice((0, 0, 1, 5))
    lines[number] = lines[number][:place] + rng.choice(SIGNS) * rng.choice((1, 1, 3, 200)) + lines[number][end:]


_CHANGES: Sequence[Change] = (_drop, _repeat, _move, _join, _cut, _spoil, _spoil, _spoil)
