"""Other ways to rank entries by keywords. Each gets the same entries and keywords, and orders ties by place.

A keyword of weight 2 is given twice, as it would stand twice in a text.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from digest.model import Entry
from peers.judged import Keywords, Order

Entries = Sequence[Entry]
Profiles = Sequence[Keywords]


def fts5_phrases(entries: Entries, profiles: Profiles) -> Iterator[Order]:
    """SQLite FTS5, porter, bm25(): keywords as phrases, joined by OR."""
    yield from _fts5(entries, ([phrase for phrase, _ in keywords] for keywords in profiles))


def fts5_words(entries: Entries, profiles: Profiles) -> Iterator[Order]:
    """SQLite FTS5, porter, bm25(): all different words, joined by OR."""
    yield from _fts5(entries, (list(dict.fromkeys(_words(keywords))) for keywords in profiles))


def fts5_repeated_words(entries: Entries, profiles: Profiles) -> Iterator[Order]:
    """SQLite FTS5, porter, bm25(): all words joined by OR, each as often as it stands in the keywords."""
    yield from _fts5(entries, (_words(keywords) for keywords in profiles))


def bm25s_snowball(entries: Entries, profiles: Profiles) -> Iterator[Order]:
    """bm25s as its guide has it: English stop words, Snowball stems, k1 1.5, b 0.75."""
    stemmer = Stemmer.Stemmer("english")

    def stems(texts: list[str]) -> list[list[str]]:
        found: list[list[str]] = bm25s.tokenize(
            texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )
        return found

    index = bm25s.BM25()
    index.index(stems(_texts(entries)), show_progress=False)
    for words in stems([" ".join(_repeated(keywords)) for keywords in profiles]):
        known = [word for word in words if word in index.vocab_dict]
        yield _order(index.get_scores(known)) if known else []


def tfidf_cosine(entries: Entries, profiles: Profiles) -> Iterator[Order]:
    """scikit-learn's TF-IDF without English stop words, cosine."""
    vectorizer = TfidfVectorizer(stop_words="english")
    texts = vectorizer.fit_transform(_texts(entries))
    wanted = vectorizer.transform([" ".join(_repeated(keywords)) for keywords in profiles])
    for row in (wanted @ texts.T).toarray():
        yield _order(row)


def substring_counting(entries: Entries, profiles: Profiles) -> Iterator[Order]:
    """How often the keywords stand in the text as they are, capitals aside."""
    texts = [text.lower() for text in _texts(entries)]
    for keywords in profiles:
        counts = [sum(weight * text.count(phrase.lower()) for phrase, weight in keywords) for text in texts]
        yield _order(np.array(counts))


def _fts5(entries: Entries, queries: Iterator[list[str]]) -> Iterator[Order]:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE entry USING fts5(title, abstract, tokenize = 'porter')")
    rows = ((place, entry.title, entry.abstract) for place, entry in enumerate(entries))
    database.executemany("INSERT INTO entry (rowid, title, abstract) VALUES (?, ?, ?)", rows)
    for units in queries:
        query = " OR ".join('"{}"'.format(unit.replace('"', " ")) for unit in units)
        found = database.execute("SELECT rowid FROM entry WHERE entry MATCH ? ORDER BY bm25(entry), rowid", (query,))
        yield [place for (place,) in found]
    database.close()


def _order(scores: NDArray[np.floating]) -> Order:
    best: list[int] = np.argsort(-scores, kind="stable")[: np.count_nonzero(scores > 0)].tolist()
    return best


def _texts(entries: Entries) -> list[str]:
    return [f"{entry.title} {entry.abstract}" for entry in entries]


def _repeated(keywords: Keywords) -> list[str]:
    return [phrase for phrase, weight in keywords for _ in range(round(weight))]


def _words(keywords: Keywords) -> list[str]:
    return [word for phrase in _repeated(keywords) for word in re.findall(r"\w+", phrase)]
