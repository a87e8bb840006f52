"""Very many papers, made here, and the files that hold them in each format: the same papers in all of them.

An abstract has about 1.1 kB, of words that are as common as Zipf's law has it; one in eight has a formula, one in
sixteen a link to code. Papers have three authors, a category or two, a day, and an arXiv id.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, count, islice
from pathlib import Path
from textwrap import fill
from xml.sax.saxutils import escape

from preview import vocabulary

_SEED = 20_261_121
_WORDS = 30_000
_IN_TITLE, _IN_ABSTRACT, _IN_SENTENCE = 9, 196, 20
_FIRST_DAY = date(2025, 1, 1)
_PER_MONTH = 10_000
_PER_MAIL = 200
_CATEGORIES = (("cs.LG",), ("cs.CL", "cs.LG"), ("cs.CV",), ("stat.ML", "math.ST"))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Paper:
    """What every format says of a paper."""

    arxiv: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    day: date

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}"


def papers(count: int) -> Iterator[Paper]:
    """So many papers, one at a time; always the same ones."""
    chance = random.Random(_SEED)
    words = sorted(vocabulary(chance)[:_WORDS], key=len)  # the commonest are short
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    names = [f"{first}. {last.title()}" for first in _LETTERS for last in words[::200]]
    for number in range(count):
        said = chance.choices(words, cum_weights=weights, k=_IN_TITLE + _IN_ABSTRACT)
        month, place = divmod(number, _PER_MONTH)
        yield Paper(
            f"{25 + month // 12}{month % 12 + 1:02}.{place:05}",
            " ".join(said[:_IN_TITLE]).capitalize(),
            _abstract(said[_IN_TITLE:], number),
            tuple(chance.choices(names, k=3)),
            _CATEGORIES[number % len(_CATEGORIES)],
            _FIRST_DAY + timedelta(days=number % 300),
        )


def _abstract(words: list[str], number: int) -> str:
    if number % 8 == 0:
        words[7] = r"$\ell_2$-bounded"
    sentences = [
        f"{' '.join(words[start : start + _IN_SENTENCE]).capitalize()}." for start in range(0, len(words), _IN_SENTENCE)
    ]
    if number % 16 == 0:
        sentences.append(f"Code is at https://github.com/lab/method-{number}.")
    return " ".join(sentences)


def json_lines(some: Iterable[Paper]) -> Iterator[str]:
    """Our own schema, a record a line."""
    for one in some:
        record = {
            "title": one.title,
            "abstract": one.abstract,
            "authors": one.authors,
            "categories": one.categories,
            "url": one.url,
            "published": str(one.day),
            "arxiv": one.arxiv,
        }
        yield json.dumps(record) + "\n"


def rss(some: Iterable[Paper]) -> Iterator[str]:
    """RSS 2.0 with an element for each author."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
    yield "<channel><title>Papers</title><link>https://arxiv.org/</link><description>New ones</description>\n"
    for one in some:
        yield f"<item><title>{escape(one.title)}</title><link>{one.url}</link><guid>{one.url}</guid>\n"
        yield f"<description>{escape(one.abstract)}</description>\n"
        yield "".join(f"<dc:creator>{name}</dc:creator>" for name in one.authors)
        yield "".join(f"<category>{name}</category>" for name in one.categories)
        yield f"<pubDate>{one.day:%a, %d %b %Y} 00:00:00 +0000</pubDate></item>\n"
    yield "</channel></rss>\n"


def comma_separated(some: Iterable[Paper]) -> Iterator[str]:
    """CSV as RFC 4180 has it."""
    line = io.StringIO()
    write = csv.writer(line).writerow
    write(("title", "abstract", "authors", "categories", "url", "published", "arxiv"))
    for one in some:
        authors, categories = "; ".join(one.authors), "; ".join(one.categories)
        write((one.title, one.abstract, authors, categories, one.url, one.day, one.arxiv))
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def bibtex(some: Iterable[Paper]) -> Iterator[str]:
    """BibTeX as arXiv writes it, with the abstract."""
    for one in some:
        yield f"@misc{{key{one.arxiv},\n  title = {{{one.title}}},\n  author = {{{' and '.join(one.authors)}}},\n"
        yield f"  abstract = {{{one.abstract}}},\n  keywords = {{{'; '.join(one.categories)}}},\n"
        yield f"  date = {{{one.day}}},\n  eprint = {{{one.arxiv}}},\n  archivePrefix = {{arXiv}},\n"
        yield f"  url = {{{one.url}}}\n}}\n\n"


def ris(some: Iterable[Paper]) -> Iterator[str]:
    """RIS, a tag a line."""
    for one in some:
        yield f"TY  - JOUR\nTI  - {one.title}\nAB  - {one.abstract}\n"
        yield "".join(f"AU  - {name}\n" for name in one.authors)
        yield "".join(f"KW  - {name}\n" for name in one.categories)
        yield f"DA  - {one.day:%Y/%m/%d}\nUR  - {one.url}\nER  - \n\n"


def arxiv_mail(some: Iterable[Paper]) -> Iterator[str]:
    """The listing mail of arXiv, in lines of its width."""
    for one in some:
        yield f"\\\\\narXiv:{one.arxiv}\nDate: {one.day:%a, %d %b %Y} 10:00:00 GMT   (12kb)\n\n"
        yield f"{fill('Title: ' + one.title, 78, subsequent_indent='  ')}\nAuthors: {', '.join(one.authors)}\n"
        yield f"Categories: {' '.join(one.categories)}\n\\\\\n"
        yield f"{fill('  ' + one.abstract, 78, break_long_words=False, break_on_hyphens=False)}\n"
        yield f"\\\\ ( {one.url} ,  12kb)\n{'-' * 78}\n"


def mbox(some: Iterable[Paper]) -> Iterator[str]:
    """Listing mails in one mailbox, so many papers in each."""
    left = iter(some)
    for number in count():
        if not (each := list(islice(left, _PER_MAIL))):
            return
        yield "From no-reply@arxiv.org Mon Jan 20 10:00:00 2025\nFrom: no-reply@arxiv.org\nTo: reader@example.org\n"
        yield f"Subject: cs daily {number}\nDate: Mon, 20 Jan 2025 10:00:00 +0000\nMIME-Version: 1.0\n"
        yield "Content-Type: text/plain; charset=us-ascii\n\n"
        yield from arxiv_mail(each)
        yield "\n"


FORMATS: dict[str, Callable[[Iterable[Paper]], Iterator[str]]] = {
    "jsonl": json_lines,
    "rss": rss,
    "csv": comma_separated,
    "bibtex": bibtex,
    "ris": ris,
    "arxiv-mail": arxiv_mail,
    "mbox": mbox,
}


def write(file: Path, name: str, count: int) -> None:
    """Write so many papers in a format; no more than a few are in memory."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(FORMATS[name](papers(count)))
