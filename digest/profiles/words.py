"""A query said in plain English, for previews and hints."""

from __future__ import annotations

from digest.model import MatchMode
from digest.profiles.query import And, InField, Keyword, Not, Or, Pattern, Phrase, Prefix, Query, Words


def in_words(keyword: Keyword, match: MatchMode) -> str:
    """What a keyword looks for, such as "reward and model near each other, in any form"; `match` is its profile's."""
    said = _said(keyword.query, match)
    if keyword.excluded:
        return f"no entry with {said}"
    return said if keyword.weight == 1.0 else f"{said}; counts {keyword.weight:g} times"


def _said(query: Query, match: MatchMode) -> str:
    match query:
        case Words():
            said = _words(query, match)
        case Phrase():
            said = _phrase(query)
        case Prefix():
            said = f"words that begin with {query.text}"
        case Pattern():
            said = f"text that fits the pattern {query}"
        case InField():
            said = f"{_inside(query.query, match)} in the {query.field}"
        case And() | Or():
            said = _joined(query, match)
        case Not():
            said = f"not {_inside(query.query, match)}"
    return said


def _words(query: Words, match: MatchMode) -> str:
    capitals = all(map(str.isupper, query.words))
    form = "in capitals" if capitals else "in any form"
    match query.words, match:
        case [word], _:
            return f"{word}, {form}"
        case words, "near":
            return f"{_listed(words, 'and')} near each other, {form}"
        case words, "any":
            return f"{_listed(words, 'or')}, {form}"
        case words, _:
            return f"{' '.join(words)}, adjacent and in this order, {form}"


def _phrase(query: Phrase) -> str:
    capitals = ", with these capitals" if query.text.lower() != query.text else ""
    if query.distance is None:
        return f"exactly “{query.text}”{capitals}"
    return f"the words of “{query.text}” within {query.distance} words of each other{capitals}"


def _joined(query: And | Or, match: MatchMode) -> str:
    # "and" and "but not" follow what is wanted, so the wanted parts come first.
    parts = sorted(query.queries, key=lambda part: isinstance(part, Not))
    join = " or " if isinstance(query, Or) else " and "
    text = _inside(parts[0], match)
    for part in parts[1:]:
        text += f" but {_said(part, match)}" if isinstance(part, Not) else f"{join}{_inside(part, match)}"
    return text


def _inside(query: Query, match: MatchMode) -> str:
    """The same in brackets where its commas or its and/or would run into the words around it."""
    said = _said(query, match)
    single = isinstance(query, Phrase | Prefix | Pattern | InField)
    return said if single else f"({said})"


def _listed(words: tuple[str, ...], conjunction: str) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
