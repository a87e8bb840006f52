"""Advice on a profile whose keywords can be read but will hardly do what was meant.

Rules (only clear cases; capitals are ignored when two keywords are compared)
-----
1. A keyword is given twice, or a prefix of the same weight covers it.
2. A keyword is also an exclusion, or an excluded prefix covers it: it never hits.
3. All keywords are exclusions: nothing ever matches.
4. A keyword is a single letter or a word that nearly every English text has; with match "any", one of its words is.
5. `and`, `or`, `not` in small letters stand between words.
6. Several words all in capitals, one of five letters or more: a shouted phrase rather than abbreviations.
7. A `*` in quotes, where it is no prefix sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from digest.errors import QueryError
from digest.model import MatchMode, Profile
from digest.profiles.parse import parse
from digest.profiles.query import And, InField, Keyword, Not, Or, Phrase, Prefix, Query, Words

_FUNCTION_WORDS = """
    a about all also an and any are as at be been but by can could did do does for from had has have he her his how if
    in into is it its may might more most no nor not of on or our over she should so some such than that the their them
    then there these they this those to under up was we were what when where which while who will with would you your
"""
_BROAD = frozenset(_FUNCTION_WORDS.split())
_OPERATORS = frozenset({"and", "or", "not"})


@dataclass(frozen=True, slots=True)
class Advice:
    """One doubt about a profile: the keyword as typed (empty: the profile as a whole), why, and what to do."""

    keyword: str
    reason: str
    hint: str


def lint(profile: Profile) -> list[Advice]:
    """All advice on a profile, in the order of its keywords; keywords that cannot be read are left to `check`."""
    read = _readable(profile)
    advice = list(_only_exclusions(read))
    advice += _between(read)
    for typed, keyword in read:
        advice += _alone(typed, keyword, profile)
    places = {typed: place for place, typed in enumerate(profile.keywords)}
    return sorted(advice, key=lambda found: places.get(found.keyword, -1))


def _readable(profile: Profile) -> list[tuple[str, Keyword]]:
    read = []
    for typed in profile.keywords:
        try:
            read.append((typed, parse(typed)))
        except QueryError:
            continue
    return read


def _only_exclusions(read: list[tuple[str, Keyword]]) -> Iterator[Advice]:
    if read and all(keyword.excluded for _, keyword in read):
        yield Advice("", "All keywords are exclusions, so nothing matches", "Add a keyword without a minus.")


def _between(read: list[tuple[str, Keyword]]) -> Iterator[Advice]:
    """Advice that takes two keywords: rules 1 and 2."""
    wanted: dict[str, str] = {}
    excluded: dict[str, str] = {}
    for typed, keyword in read:
        seen, text = excluded if keyword.excluded else wanted, _text(keyword)
        if text in seen:
            yield Advice(typed, f"The same keyword as {seen[text]}", "Remove one of the two.")
        seen.setdefault(text, typed)
    for typed, keyword in read:
        if keyword.excluded:
            continue
        if against := excluded.get(_text(keyword)) or _covering(keyword, read, excluded=True):
            yield Advice(typed, f"Never hits, for {against} excludes it", "Remove one of the two.")
        elif by := _covering(keyword, read, excluded=False):
            yield Advice(typed, f"Covered by {by}", "Remove it, or give it another weight.")


def _covering(keyword: Keyword, read: list[tuple[str, Keyword]], *, excluded: bool) -> str:
    """The keyword as typed whose prefix begins this one, if it is a single word or a longer prefix."""
    match keyword.query:
        case Words((word,)) | Prefix(word):
            begins = word.casefold()
        case _:
            return ""
    for typed, other in read:
        if isinstance(other.query, Prefix) and other.excluded == excluded and _text(other) != _text(keyword):
            alike = excluded or other.weight == keyword.weight
            if alike and begins.startswith(other.query.text.casefold()):
                return typed
    return ""


def _text(keyword: Keyword) -> str:
    return str(keyword.query).casefold()


def _alone(typed: str, keyword: Keyword, profile: Profile) -> Iterator[Advice]:
    """Advice that takes one keyword alone: rules 4 to 8."""
    for query in _leaves(keyword.query):
        match query:
            case Words(words):
                yield from _broad(typed, words, profile.match)
                yield from _shouted(typed, words, capitals=profile.capitals)
            case Phrase(text):
                yield from _broad(typed, (text,), profile.match)
                yield from _quoted_star(typed, text)
            case _:
                pass
    yield from _small_operators(typed, keyword.query)


def _leaves(query: Query) -> Iterator[Query]:
    match query:
        case And(queries) | Or(queries):
            for part in queries:
                yield from _leaves(part)
        case Not(inner) | InField(_, inner):
            yield from _leaves(inner)
        case _:
            yield query


def _broad(typed: str, words: tuple[str, ...], match: MatchMode) -> Iterator[Advice]:
    if len(words) == 1 or match == "any":
        for word in words:
            if (len(word) == 1 and word.isascii()) or word.casefold() in _BROAD:
                hint = "Remove the word, or put the phrase that it belongs to in quotes."
                yield Advice(typed, f"Too broad: “{word}” alone hits nearly everything", hint)


def _shouted(typed: str, words: tuple[str, ...], *, capitals: bool) -> Iterator[Advice]:
    long = any(len(word) >= 5 and word.isalpha() for word in words)
    if capitals and long and len(words) > 1 and all(map(str.isupper, words)):
        yield Advice(typed, "All in capitals, it hits capitals only", f"Write {' '.join(words).lower()}.")


def _quoted_star(typed: str, text: str) -> Iterator[Advice]:
    if any(word.endswith("*") and len(word) > 1 for word in text.split()):
        yield Advice(typed, "A * in quotes is no prefix sign", "Write the prefix without quotes: quantiz*.")


def _small_operators(typed: str, query: Query) -> Iterator[Advice]:
    leaves = list(_leaves(query))
    for place, leaf in enumerate(leaves):
        words = leaf.words if isinstance(leaf, Words) else ()
        for word in words[0 if place else 1 :]:
            if word.casefold() in _OPERATORS:
                hint = f"For the operator write {word.upper()}; for the word itself put the phrase in quotes."
                yield Advice(typed, f"“{word}” in small letters is an ordinary word", hint)
