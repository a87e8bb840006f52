"""Subscribers and their keywords, and other ways to find each one's ten best entries.

A peer takes texts and, for each subscriber, plain keywords without the signs of our query language. It returns the
seconds spent once and the seconds spent for all subscribers. Each does what its users do: one query per subscriber with
the keywords as phrases joined by OR; for TF-IDF, batches of documents made of the keywords.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

Texts = Sequence[str]
Subscribers = Sequence[Sequence[str]]
Peer = Callable[[Texts, Subscribers], tuple[float, float]]

TOP = 10
_BATCH = 1000
_SEED = 20_261_121


def keywords(texts: Texts, size: int) -> list[str]:
    """Distinct keywords: half are runs of one to three words of the texts, half of the same words at random.

    Words in more than a twentieth of the texts are left out, since nobody asks for `the` or `which`. Every tenth
    keyword has a sign of the query language: a phrase, a prefix, an AND or OR, an exclusion.
    """
    chance = random.Random(_SEED)
    lines = [re.findall(r"[a-z][a-z]+(?:-[a-z]+)*", text.lower()) for text in texts]
    spread = Counter(word for line in lines for word in set(line))
    lines = [[word for word in line if spread[word] <= len(texts) / 20] for line in lines]
    lines = [line for line in lines if len(line) > 3]
    vocabulary = sorted({word for line in lines for word in line})
    found: dict[str, None] = {}
    while len(found) < size:
        length = chance.choices((1, 2, 3), (2, 5, 3))[0]
        line = chance.choice(lines)
        start = chance.randrange(len(line) - length)
        run = line[start : start + length] if chance.random() < 0.5 else chance.choices(vocabulary, k=length)
        found[_signed(run, chance)] = None
    return list(found)


def _signed(words: list[str], chance: random.Random) -> str:
    plain, last = " ".join(words), words[-1]
    if chance.random() >= 0.1:
        return plain
    prefix = f"{last[: max(4, len(last) // 2)]}*"
    return chance.choice([f'"{plain}"', prefix, f"({plain}) AND NOT {last[:3]}", f"({plain}) OR {prefix}", f"-{last}"])


def choices(known: int, subscribers: int, each: int) -> Iterator[NDArray[np.int64]]:
    """The keywords (by number) of subscribers, some rows at a time: the n-th is chosen 1/n as often as the first."""
    chance = np.random.default_rng(_SEED)
    odds = np.cumsum(1 / np.arange(1, known + 1))
    for start in range(0, subscribers, 1 << 13):
        rows = min(1 << 13, subscribers - start)
        yield np.searchsorted(odds, chance.random((rows, each)) * odds[-1])


def plain(keyword: str) -> str:
    """A keyword without signs."""
    return " ".join(word for word in re.findall(r"[A-Za-z-]*[A-Za-z]", keyword) if word not in ("AND", "OR", "NOT"))


def fts5(texts: Texts, subscribers: Subscribers) -> tuple[float, float]:
    """SQLite FTS5 with Porter stems, ordered by bm25()."""
    start = perf_counter()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE entries USING fts5(body, tokenize='porter unicode61')")
    database.executemany("INSERT INTO entries VALUES (?)", ((text,) for text in texts))
    once, start = perf_counter() - start, perf_counter()
    query = f"SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY bm25(entries) LIMIT {TOP}"
    for mine in subscribers:
        database.execute(query, (" OR ".join(f'"{keyword}"' for keyword in mine),)).fetchall()
    return once, perf_counter() - start


def tantivy(texts: Texts, subscribers: Subscribers) -> tuple[float, float]:
    """Tantivy with English stems, BM25."""
    import tantivy as engine

    start = perf_counter()
    schema = engine.SchemaBuilder().add_text_field("body", tokenizer_name="en_stem").build()
    index = engine.Index(schema)
    writer = index.writer()
    for text in texts:
        writer.add_document(engine.Document(body=text))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    once, start = perf_counter() - start, perf_counter()
    for mine in subscribers:
        query = index.parse_query(" ".join(f'"{keyword}"' for keyword in mine), ["body"])
        list(searcher.search(query, TOP).hits)
    return once, perf_counter() - start


def tfidf(texts: Texts, subscribers: Subscribers) -> tuple[float, float]:
    """scikit-learn's TF-IDF as arxiv-sanity-lite sets it up, in batches, and the ten largest products."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    start = perf_counter()
    vectorizer = TfidfVectorizer(
        strip_accents="unicode", stop_words="english", ngram_range=(1, 2), max_features=20_000, sublinear_tf=True
    )
    entries = vectorizer.fit_transform(texts).T.tocsr()
    once, start = perf_counter() - start, perf_counter()
    for batch in range(0, len(subscribers), _BATCH):
        documents = [" ".join(mine) for mine in subscribers[batch : batch + _BATCH]]
        scores = (vectorizer.transform(documents) @ entries).toarray()
        best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
        np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return once, perf_counter() - start


def substrings(texts: Texts, subscribers: Subscribers) -> tuple[float, float]:
    """How often the keywords stand in each text, as substrings."""
    start = perf_counter()
    lowered = [text.lower() for text in texts]
    once, start = perf_counter() - start, perf_counter()
    for mine in subscribers:
        counts = [sum(text.count(keyword) for keyword in mine) for text in lowered]
        sorted(range(len(counts)), key=counts.__getitem__, reverse=True)[:TOP]
    return once, perf_counter() - start
