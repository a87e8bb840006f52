"""Text to tokens: what counts as one word, and when two words are the same.

Rules
-----
1. A word is a run of letters and digits; `C++` and `C#` keep their signs; a possessive `'s` belongs to no word.
2. A CJK character is a word of its own, for such text has no spaces.
3. Three forms of a word: `cased` (accents folded), `plain` (capitals folded too), `stem` (Snowball English, which takes
   a plural s only behind a vowel; here `LLMs` and `llms` have the stem of `LLM`, too).
4. Positions count words; a hyphen between two words is noted, so that compounds can meet their joined form.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import Stemmer

CJK = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_HYPHENS = frozenset("-\u00ad\u2010\u2011\u2012\u2013")
_APOSTROPHES = frozenset("'’")
_POSSESSIVES = frozenset("sS")
_MARKS = "\u0300-\u036f"
_LETTER = rf"[^\W_{CJK}]"
_SIGNS = r"(?:\+\+|\#(?!\w))?"
_TOKEN = re.compile(rf"[{CJK}]|{_LETTER}+(?:[{_MARKS}]+{_LETTER}*)*{_SIGNS}")
_IN_ASCII = re.compile(rf"[A-Za-z0-9]+{_SIGNS}")  # what _TOKEN finds in a text of ASCII, in half the time
_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}
)
_MAYBE_POSSESSIVE = re.compile("['’][sS]")
_PLURAL = re.compile(r"(?=.*[A-Z])[A-Z0-9]{2,}s|[bcdfghjklmnpqrstvwxz]{3,}(?<!s)s")
_stemmer = Stemmer.Stemmer("english", 0)  # `forms` remembers; a second memory costs more than it saves


class Forms(NamedTuple):
    """The three forms of one word, from the strictest to the loosest."""

    cased: str
    plain: str
    stem: str


class Token(NamedTuple):
    """A word of a text: its forms, where it stands (`start`, `end`) and whether a hyphen ties it to the one before."""

    forms: Forms
    start: int
    end: int
    tied: bool


@lru_cache(maxsize=1 << 20)
def forms(word: str) -> Forms:
    """The forms of one word as it stands in a text."""
    cased = word if word.isascii() else _fold_accents(word)
    plain = cased.casefold()
    singular = plain[:-1] if _PLURAL.fullmatch(cased) else plain
    return Forms(cased, plain, _stemmer.stemWord(singular))


def scan(text: str) -> Iterator[tuple[str, int, int, bool]]:
    """The words of a text as they stand there: (word, start, end, tied)."""
    end = -1
    for found in _pattern(text).finditer(text):
        start, stop = found.span()
        word = found[0]
        tied = False
        if start == end + 1 and end > 0:
            sign = text[end]
            if sign in _APOSTROPHES and word in _POSSESSIVES:
                end = stop
                continue
            tied = sign in _HYPHENS
        end = stop
        yield word, start, stop, tied


def stems(text: str) -> dict[str, int]:
    """How often each stem stands in a text."""
    # Where no possessive is, every match is a word, and the places of words do not matter.
    plain = not _MAYBE_POSSESSIVE.search(text)
    words = _pattern(text).findall(text) if plain else (word for word, *_ in scan(text))
    return Counter(map(_stem, words))


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    return forms(word).stem


def _pattern(text: str) -> re.Pattern[str]:
    return _IN_ASCII if text.isascii() else _TOKEN


def tokens(text: str) -> Iterator[Token]:
    """The words of a text, in order."""
    return (Token(forms(word), start, end, tied) for word, start, end, tied in scan(text))


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[Forms, ...]:
    """The forms of the words of a text, in order."""
    return tuple(token.forms for token in tokens(text))


def _fold_accents(word: str) -> str:
    """Compatibility forms made plain and accents dropped, but for scripts in which a mark makes another letter."""
    composed = unicodedata.normalize("NFKC", word).translate(_LETTERS)
    return "".join(_bare(letter) for letter in composed if not "\u0300" <= letter <= "\u036f")


def _bare(letter: str) -> str:
    latin_greek_cyrillic = letter < "\u0530" or "\u1e00" <= letter < "\u2000"
    return unicodedata.normalize("NFD", letter)[0] if latin_greek_cyrillic else letter
