"""Editions to measure, to photograph and to test with, in our own words."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from digest.model import Edition, Entry, Match, Movement, Reason
from digest.rendering.cards import Card, Row, card, row
from digest.rendering.edition import CONTENTS_OVER, Links, Site
from digest.rendering.subject import long_dates, preheader, summary

LINKS = Links(**{name: f"https://digest.example.org/{name}/sample" for name in Links.__slots__})
UNMOVED: Mapping[int, Movement] = MappingProxyType({})
SITE = Site("digest@example.org", postal_address="Digest, 12 Library Lane, 1010 Exampletown")


def sample() -> tuple[Edition, dict[int, Entry]]:
    """An edition as a reader of two profiles may get it, in our own words."""
    entries = {number: entry for number, (entry, _) in enumerate(SAMPLE, 1)}
    matches = [Match(number, 1 / number, reasons) for number, (_, reasons) in enumerate(SAMPLE, 1) if reasons]
    more = [number for number, (_, reasons) in enumerate(SAMPLE, 1) if not reasons]
    edition = Edition(
        id=1,
        subscriber=1,
        email="ada@example.org",
        name="Ada",
        slot=date(2026, 11, 20),
        since=date(2026, 11, 20),
        zone="Europe/Vienna",
        due_at=1_795_000_000,
        planned_at=1_795_000_000,
        matches=tuple(matches),
        more=tuple(more),
        matched=len(matches) + len(more),
        considered=217,
        profiles=("Alignment", "Small models"),
    )
    return edition, entries


def synthetic(
    subscribers: int, per_edition: int, *, entries: int = 300, pairs: int = 2_000, seed: int = 7
) -> tuple[list[Edition], dict[int, Entry]]:
    """Editions whose reasons are drawn from `pairs` of keyword and entry, popular keywords more often."""
    rng = random.Random(seed)
    papers = {number: _synthetic_paper(number, rng) for number in range(1, entries + 1)}
    hits: dict[int, list[Reason]] = {number: [] for number in papers}
    for _ in range(pairs):
        number = rng.randint(1, entries)
        hits[number].append(_hit(papers[number], rng))
    return [_synthetic_edition(index, per_edition, hits, rng) for index in range(subscribers)], papers


def _synthetic_paper(number: int, rng: random.Random) -> Entry:
    words = [rng.choice(WORDS) for _ in range(rng.randint(110, 230))]
    sentences = [" ".join(words[at : at + 16]).capitalize() for at in range(0, len(words), 16)]
    names = tuple(f"{rng.choice(WORDS).title()} {rng.choice(WORDS).title()}" for _ in range(rng.randint(1, 7)))
    title = " ".join(rng.choice(WORDS) for _ in range(rng.randint(6, 14))).title()
    url = f"https://example.org/papers/{number}"
    day = date(2026, 11, rng.randint(15, 20))
    known = (f"url:{url}",), title, ". ".join(sentences) + "."
    return Entry(*known, names, source="arXiv", url=url, published=day, votes=number, number=number)


def _hit(entry: Entry, rng: random.Random) -> Reason:
    field = rng.choice(("title", "abstract", "abstract"))
    words = (entry.title if field == "title" else entry.abstract).split()
    at = rng.randrange(len(words) - 1)
    piece = " ".join(words[at : at + 2]).rstrip(".")
    return Reason("Papers", piece.lower(), field, (piece,))


def _synthetic_edition(index: int, per_edition: int, hits: Mapping[int, list[Reason]], rng: random.Random) -> Edition:
    chosen = rng.sample([number for number, reasons in hits.items() if reasons], per_edition)
    matches = []
    for number in chosen:
        found = hits[number]
        some = sorted(rng.sample(range(len(found)), min(len(found), rng.choice((1, 1, 1, 2)))))
        matches.append(Match(number, rng.random(), tuple(found[at] for at in some)))
    more = tuple(rng.sample(sorted(hits), 5))
    matched = per_edition + len(more)
    email, day = f"reader{index}@example.org", date(2026, 11, 20)
    return Edition(index, index, email, "", day, day, "UTC", 0, 0, tuple(matches), more, matched, 300, ("Papers",))


def whole(
    edition: Edition, entries: Mapping[int, Entry], links: Links | None, moved: Mapping[int, Movement] = UNMOVED
) -> dict[str, object]:
    """What a template is given when an edition is rendered by Jinja in one go: the plain way, and the standard."""
    several = len(edition.profiles) > 1
    matches = enumerate(edition.matches, 1)
    cards = [_card(rank, entries[m.entry], m.reasons, several, moved.get(m.entry)) for rank, m in matches]
    if links:
        ways = ((f"{links.feedback}/{card.rank}/more", f"{links.feedback}/{card.rank}/less") for card in cards)
        cards = [replace(card, more=more, less=less) for card, (more, less) in zip(cards, ways, strict=True)]
    more = max(len(edition.more), edition.matched - len(cards))
    return {
        "site": SITE,
        "edition": {
            "date": long_dates(edition.since, edition.slot),
            "summary": summary(edition.matched, edition.considered),
            "preheader": preheader(card.heading for card in cards[:4]),
            "email": edition.email,
            "more": f"{more:,}" if more else "",
            "others": f"{more - len(edition.more):,}" if more > len(edition.more) else "",
            "profiles": ", ".join(edition.profiles) if several else "",
        },
        "links": links,
        "cards": cards,
        "contents": cards if len(cards) > CONTENTS_OVER else [],  # a card has all that a row has
        "more": [_row(entries[number]) for number in edition.more],
    }


@lru_cache(1 << 16)
def _card(rank: int, entry: Entry, reasons: tuple[Reason, ...], several: bool, movement: Movement | None) -> Card:
    """Kept, so that the plain way is measured without the cost of snippets and marks."""
    return card(str(rank), entry, reasons, several=several, movement=movement)


@lru_cache(1 << 16)
def _row(entry: Entry) -> Row:
    return row("", entry)


_TEXT = """
    reward model policy gradient attention quantized adapter sparse dense retrieval label noise calibration decoder
    token image video speech graph kernel prior posterior sample estimate variance bound proof learner teacher
    student small large robust efficient careful simple joint latent linear shallow deep measure compare predict
    explain align distil rank score select prune merge search plan agent tool memory context window prompt answer
    question table code test the a of in with for under from between without and or by over through new old same
    other better fewer
"""
WORDS = tuple(_TEXT.split())


def _why(keyword: str, profile: str = "Alignment", **words: str) -> tuple[Reason, ...]:
    """The reasons of one keyword: for each field, the pieces that hit, separated by `|`."""
    return tuple(Reason(profile, keyword, field, tuple(pieces.split("|"))) for field, pieces in words.items())


def _paper(number: int, title: str, abstract: str, authors: str = "", votes: int | None = None, day: int = 19) -> Entry:
    url = f"https://example.org/papers/{number}"
    names = tuple(name for name in authors.split(", ") if name)
    return Entry(
        (f"url:{url}",), title, abstract, names, source="arXiv", url=url, published=date(2026, 11, day), votes=votes
    )


SAMPLE: list[tuple[Entry, tuple[Reason, ...]]] = [
    (
        _paper(
            1,
            "What a Reward Model Knows: Probing Preference Heads for Calibration",
            "Preference data teach a model which of two answers people like, but not how sure it may be of that. "
            "We probe the last layers of eleven reward models and find that confidence is stored there in plain "
            "linear form, while the score itself hides it. A head of one hidden layer that reads both turns a "
            "badly calibrated reward model into one whose stated confidence is right within two per cent, without"
            " new labels. Policies trained against it take fewer strange shortcuts. Code and probes: "
            "https://github.com/example/reward-probes.",
            "Ines Halvorsen, Tomás Okafor, Li Wen, Ruth Adeyemi, Jonas Petit",
            86,
        ),
        _why("reward model", title="Reward Model", abstract="reward models|reward model")
        + _why("calibrat*", title="Calibration", abstract="calibrated"),
    ),
    (
        _paper(
            2,
            "Four Bits Are Enough for the First Layer, Not for the Last",
            "Quantizing every layer alike wastes bits. A sweep over nine open models shows that early layers "
            "tolerate four bits while the output projection needs eight, and that the order hardly depends on "
            "size. We give a rule that needs no calibration data and one pass over the weights.",
            "Marek Lindqvist, Ada Brandt",
            54,
        ),
        _why("quantiz*", "Small models", abstract="Quantizing")
        + _why("author:Brandt", "Small models", author="Brandt"),
    ),
    (
        _paper(
            3,
            "LoRA Without the Guesswork: Choosing the Rank from One Gradient",
            "Low-rank adapters leave one question to the practitioner: which rank? The singular values of a "
            "single gradient, taken before training begins, answer it for each matrix. On summarisation, "
            "translation and tool use, adapters of the rank we predict match a full search over ranks at a "
            "fortieth of its cost. We describe when the prediction fails, which is when the data are very few, "
            "and how to notice. A page with all runs is at https://rank-from-gradient.github.io, the code at "
            "https://github.com/example/lora-rank.",
            "Sofia Marchetti, Noor El-Amin, Henrik Dahl",
            31,
            18,
        ),
        _why("LoRA", "Small models", title="LoRA"),
    ),
    (
        _paper(
            4,
            "Learning to Say “I Am Not Sure”: Preference Training with an Abstain Option",
            "Raters forced to choose between two poor answers add noise. We let them abstain, and let the reward "
            "model learn from it. The result abstains where raters do, and its errors halve.",
            "Grace Mbeki, Paul Anders",
            12,
        ),
        _why("reward model", abstract="reward model"),
    ),
    (
        _paper(
            5,
            "奖励模型的校准研究",
            "我们研究偏好数据中的噪声如何影响奖励模型的校准,并提出一种无需额外标注的修正方法。实验表明,该方法在多个任务上有效。",
            "王芳, 李明",
            9,
        ),
        _why("奖励模型", title="奖励模型", abstract="奖励模型"),
    ),
    (
        _paper(
            6,
            "A Small Model That Reads Tables",
            "Three hundred million parameters suffice to answer questions over spreadsheets when rows are given "
            "as short sentences. Quantized to four bits, the model runs on a telephone.",
            "Yuki Tanabe",
            None,
            17,
        ),
        _why("quantiz*", "Small models", abstract="Quantized")
        + _why('"small model"^2', "Small models", title="Small Model"),
    ),
    (
        _paper(
            7, "Noisy Labels, Honest Rewards", "A note on the bias that noisy labels bring into learned rewards.", "", 3
        ),
        _why('"noisy labels"~5', title="Noisy Labels", abstract="noisy labels"),
    ),
    (_paper(8, "Distilling Preference Models into Rules", "", ""), ()),
    (
        _paper(
            9,
            "How Long Should an Adapter Train? A Study of Stopping Times for Low-Rank Updates in Small Language Models",
            "",
        ),
        (),
    ),
    (_paper(10, "Rewards from Silence", ""), ()),
]
