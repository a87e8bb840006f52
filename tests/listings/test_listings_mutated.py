"""Irregular pages made from the two real ones, which are read in place: every block must come out exactly."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from digest.listings import Origin, trending
from digest.listings.wording.readable import readable

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "listings"
HEADER_LINES = {"trending-spaced.txt": 5, "trending-compact.txt": 2}
MODIFIED = Origin(date(2026, 11, 21))
HEADER = ["new", "Get trending papers in your email inbox!", "Subscribe", "byAK and the research community", "Mar 13"]
SENTENCE_END = re.compile(r"(?<=[a-z)][.!?]) (?=[A-Z])")

Block = tuple[str, list[str]]
Mutation = Callable[[random.Random, list[Block]], str]
Change = Callable[[random.Random, str, list[str]], Block]


def real_blocks(name: str) -> list[Block]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the project")
    lines = [readable(line) for line in path.read_text().splitlines() if line.strip()][HEADER_LINES[name] :]
    lines[0] = lines[0].removeprefix("Subscribe")
    return [(title, [abstract]) for title, abstract in zip(lines[::2], lines[1::2], strict=True)]


def lines_of(blocks: list[Block]) -> list[str]:
    return [line for title, paragraphs in blocks for line in (title, *paragraphs)]


def spaced(rng: random.Random, blocks: list[Block]) -> str:
    return "\n\n".join([*HEADER, *lines_of(blocks)])


def compact(rng: random.Random, blocks: list[Block]) -> str:
    first, *rest = lines_of(blocks)
    return "\n".join(["Get trending papers in your email inbox!", f"Subscribe{first}", *rest])


def headerless(rng: random.Random, blocks: list[Block]) -> str:
    return rng.choice(("\n", "\n\n", "\r\n", "\r\n\r\n")).join(lines_of(blocks))


def shuffled_header(rng: random.Random, blocks: list[Block]) -> str:
    header = rng.sample(HEADER * 2, rng.randint(1, 9))
    return rng.choice(("\n", "\n\n")).join([*header, *lines_of(blocks)])


def glued_header(rng: random.Random, blocks: list[Block]) -> str:
    glue = rng.choice(("Subscribe", "byAK and the research communityMar 13", "Mar 13", "Mar 13Subscribe"))
    first, *rest = lines_of(blocks)
    return "\n".join([*rng.sample(HEADER, 2), glue + first, *rest])


def two_pages(rng: random.Random, blocks: list[Block]) -> str:
    middle = rng.randrange(1, len(blocks))
    pages = rng.choice((spaced, compact)), rng.choice((spaced, compact))
    return pages[0](rng, blocks[:middle]) + rng.choice(("\n", "\n\n\n")) + pages[1](rng, blocks[middle:])


def pages_run_together(rng: random.Random, blocks: list[Block]) -> str:
    middle = rng.randrange(1, len(blocks))
    return spaced(rng, blocks[:middle]) + rng.choice((spaced, compact))(rng, blocks[middle:])


def half_spaced(rng: random.Random, blocks: list[Block]) -> str:
    return "".join(line + rng.choice(("\n", "\n\n", "\r\n", "\n \n\n")) for line in lines_of(blocks))


LAYOUTS: list[Mutation] = [
    spaced, compact, headerless, shuffled_header, glued_header, two_pages, pages_run_together, half_spaced,
]  # fmt: skip


def without_some_abstracts(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    return title, [] if rng.random() < 0.05 else paragraphs


def paragraphs(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    sentences = SENTENCE_END.split(paragraphs[0])
    cuts = sorted(rng.sample(range(1, len(sentences)), min(len(sentences) - 1, rng.randint(1, 2))))
    edges = [0, *cuts, len(sentences)]
    return title, [" ".join(sentences[a:b]) for a, b in pairwise(edges)]


def some_paragraphs(rng: random.Random, title: str, whole: list[str]) -> Block:
    return paragraphs(rng, title, whole) if rng.random() < 0.1 else (title, whole)


def one_sentence(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    return title, [rng.choice(SENTENCE_END.split(paragraphs[0]))] if rng.random() < 0.2 else paragraphs


def sentence_case(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    first, *rest = title.split()
    plain = [word if word[1:] != word[1:].lower() else word.lower() for word in rest]
    return " ".join([first, *plain]), paragraphs


def ended_titles(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    return title.rstrip("?") + rng.choice(".?!") if rng.random() < 0.2 else title, paragraphs


def ended_sentence_case(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    return ended_titles(rng, *sentence_case(rng, title, paragraphs))


def long_titles(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    return f"{title} with Applications to {title}" if rng.random() < 0.2 else title, paragraphs


def unended(rng: random.Random, title: str, paragraphs: list[str]) -> Block:
    return title, [paragraphs[0].rstrip(".").strip()]


def everything(rng: random.Random, title: str, whole: list[str]) -> Block:
    title, whole = rng.choice((sentence_case, long_titles, ended_titles, unended))(rng, title, whole)
    return rng.choice((without_some_abstracts, some_paragraphs, one_sentence))(rng, title, whole)


CHANGES: list[Change] = [
    without_some_abstracts, paragraphs, some_paragraphs, one_sentence, sentence_case, ended_titles, ended_sentence_case,
    long_titles, unended, everything,
]  # fmt: skip


def recovered(text: str, blocks: list[Block]) -> float:
    """The share of the blocks that come out exactly."""
    found = {(entry.title, entry.abstract) for entry in trending.parse(text, MODIFIED).entries}
    wanted = [(title, " ".join(paragraphs)) for title, paragraphs in blocks]
    return sum(block in found for block in wanted) / len(wanted)


@pytest.mark.parametrize("name", HEADER_LINES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_and_headers_lose_nothing(name: str, layout: Mutation) -> None:
    """Every title and abstract comes out exactly, whatever the layout and wherever header words stand."""
    blocks = real_blocks(name)
    for seed in range(4):
        text = layout(random.Random(seed), blocks)
        entries = trending.parse(text, MODIFIED).entries
        assert [(entry.title, [entry.abstract]) for entry in entries] == blocks


@pytest.mark.parametrize("change", CHANGES)
def test_irregular_blocks_come_out_exactly(change: Change) -> None:
    """Of irregular blocks, in every layout, at least 99.5 % come out exactly."""
    rates = []
    for seed in range(4):
        for name in HEADER_LINES:
            rng = random.Random(seed)
            blocks = [change(rng, *block) for block in real_blocks(name)]
            rates.append(recovered(rng.choice(LAYOUTS)(rng, blocks), blocks))
    assert sum(rates) / len(rates) >= 0.995
