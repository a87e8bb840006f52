"""A keyword as typed, read into a query.

Rules
-----
1. NOT binds closest, then AND, then OR. Units side by side mean AND; plain words side by side are one `Words`.
2. NOT and a field take a whole run of words, a minus takes one word: `author:a b` is `author:(a b)`.
3. A minus at the start of a keyword excludes entries from the profile; then nothing may follow its one unit.
4. NOT and a minus elsewhere stand beside something to take away from, and never twice. Fields do not nest.
5. And in And and Or in Or are one. What is read prints as a text that reads the same.
"""

from __future__ import annotations

import re

from digest.errors import QueryError
from digest.model import Profile
from digest.profiles.query import And, InField, Keyword, Not, Or, Query, Words
from digest.profiles.tokens import Kind, Token, tokens

_MAX_DEPTH = 30
_SHORT = 64
"""No keyword up to this length has more words, or prints longer or deeper, than the limits allow."""

_PLAIN = re.compile(r"[^\W_][\w.'+#&-]*(?: [^\W_][\w.'+#&-]*)*")
_OPERATORS = frozenset({"AND", "OR", "NOT"})
_NOTHING_WANTED = "There is nothing here to take away from"
_STARTS = frozenset({Kind.WORD, Kind.UNIT, Kind.FIELD, Kind.OPEN, Kind.NOT, Kind.MINUS})


def parse(keyword: str) -> Keyword:
    """The query that a keyword means. Raises QueryError with the place of the first fault and a suggestion."""
    if len(keyword) <= _SHORT and _PLAIN.fullmatch(keyword):
        words = keyword.split(" ")
        if _OPERATORS.isdisjoint(words):
            return Keyword(Words(tuple(words)))
    found = _Parser(keyword).read()
    if len(keyword) > _SHORT:
        _refuse_unprintable(found, keyword)
    return found


def check(profile: Profile) -> list[QueryError]:
    """The fault of every keyword of a profile that cannot be read, in order."""
    return [fault for keyword in profile.keywords if (fault := _fault_of(keyword))]


def _fault_of(keyword: str) -> QueryError | None:
    try:
        parse(keyword)
    except QueryError as fault:
        return fault
    return None


def _refuse_unprintable(found: Keyword, keyword: str) -> None:
    """Printing writes out every AND and parenthesis; the limits hold for that text, too."""
    try:
        _Parser(str(found)).read()
    except QueryError:
        reason = "The keyword is too long or too nested once every AND and parenthesis is written out"
        raise QueryError(reason, keyword, 0, "Make several keywords of it.") from None


class _Parser:
    """Recursive descent over the tokens of one keyword."""

    __slots__ = ("_at", "_depth", "_field", "_keyword", "_tokens")

    def __init__(self, keyword: str) -> None:
        self._keyword = keyword
        self._tokens = tokens(keyword)
        self._at = self._depth = 0
        self._field = ""

    def read(self) -> Keyword:
        if self._tokens[0].kind is Kind.MINUS:
            return self._exclusion()
        query = self._either()
        after = self._tokens[self._at]
        if after.kind is Kind.CLOSE:
            raise self._fault("This parenthesis was never opened", after, "Remove it, or open it before.")
        if isinstance(query, Not):
            hint = f"To exclude such entries from the profile, write {Keyword(query.query, excluded=True)}."
            raise self._fault(_NOTHING_WANTED, self._tokens[0], hint)
        return Keyword(query, float(after.text)) if after.kind is Kind.WEIGHT else Keyword(query)

    def _exclusion(self) -> Keyword:
        self._at += 1
        query = self._wanted(self._unit(run=False), self._tokens[1])
        after = self._tokens[self._at]
        if after.kind is Kind.WEIGHT:
            raise self._fault("An exclusion has no weight", after, "Remove the ^ and its number.")
        if after.kind is not Kind.END:
            hint = "Several words: -(a b). Either of them: -(a OR b). Something without it: begin with that, a -b."
            raise self._fault("An exclusion takes one word, phrase or group", after, hint)
        return Keyword(query, excluded=True)

    def _either(self) -> Query:
        first = self._tokens[self._at]
        query = self._all()
        if self._tokens[self._at].kind is not Kind.OR:
            return query
        queries = [self._wanted(query, first)]
        while self._tokens[self._at].kind is Kind.OR:
            self._at += 1
            first = self._tokens[self._at]
            queries.append(self._wanted(self._all(), first))
        return Or(_flat(queries, Or))

    def _all(self) -> Query:
        """One term or the And of several; a lone Not is for the caller to place."""
        first = self._tokens[self._at]
        queries = [self._term()]
        while (kind := self._tokens[self._at].kind) is Kind.AND or kind in _STARTS:
            self._at += kind is Kind.AND
            queries.append(self._term())
        if len(queries) == 1:
            return queries[0]
        if all(isinstance(query, Not) for query in queries):
            self._wanted(queries[0], first)
        return And(_flat(queries, And))

    def _term(self) -> Query:
        kind = self._tokens[self._at].kind
        if kind is not Kind.NOT and kind is not Kind.MINUS:
            return self._unit(run=True)
        self._at += 1
        first = self._tokens[self._at]
        return Not(self._wanted(self._unit(run=kind is Kind.NOT), first))

    def _wanted(self, query: Query, first: Token) -> Query:
        """The query, which began at `first` and must not be a Not."""
        if isinstance(query, Not):
            hint = "Put what is wanted beside it: a NOT b. What a profile never wants is a keyword of its own: -b."
            raise self._fault(_NOTHING_WANTED, first, hint)
        return query

    def _unit(self, *, run: bool) -> Query:
        token = self._tokens[self._at]
        match token.kind:
            case Kind.WORD:
                return self._words(run=run)
            case Kind.FIELD:
                return self._in_field(token, run=run)
            case Kind.OPEN:
                return self._group(token)
            case _ if token.unit is None:
                raise self._no_unit(token, self._tokens[self._at - 1] if self._at else None)
            case _:
                self._at += 1
                return token.unit

    def _words(self, *, run: bool) -> Words:
        words = [self._tokens[self._at].text]
        self._at += 1
        while run and self._tokens[self._at].kind is Kind.WORD:
            words.append(self._tokens[self._at].text)
            self._at += 1
        return Words(tuple(words))

    def _in_field(self, field: Token, *, run: bool) -> InField:
        if self._field:
            hint = f"Remove {self._field}: or {field.text}:, or put them side by side."
            raise self._fault("A field stands inside another field", field, hint)
        self._at += 1
        self._field = field.text
        query = self._wanted(self._unit(run=run), field)
        self._field = ""
        return InField(field.text, query)

    def _group(self, opening: Token) -> Query:
        if self._depth == _MAX_DEPTH:
            raise self._fault(f"Parentheses nest deeper than {_MAX_DEPTH}", opening, "Make several keywords of it.")
        self._at += 1
        self._depth += 1
        if self._tokens[self._at].kind is Kind.CLOSE:
            raise self._fault("Nothing stands between the parentheses", opening, "Write a word there, or remove them.")
        query = None if self._tokens[self._at].kind is Kind.END else self._either()
        if query is None or self._tokens[self._at].kind is not Kind.CLOSE:
            raise self._fault("This parenthesis is never closed", opening, "Close it: (a OR b).")
        self._at += 1
        self._depth -= 1
        return query

    def _no_unit(self, token: Token, before: Token | None) -> QueryError:
        """Why no unit begins at `token`."""
        itself = 'Write what belongs there. For the word itself, use small letters or quotes: "{}".'
        if token.kind is Kind.AND or token.kind is Kind.OR:
            return self._fault(f"Nothing stands before {token.text}", token, itself.format(token.text))
        if before is None:
            return self._fault("Nothing stands before the sign", token, "Write a word before it.")
        if token.kind is Kind.NOT or token.kind is Kind.MINUS:
            if before.kind is Kind.FIELD:
                hint = f"Write -{before.text}:survey or NOT {before.text}:survey."
                return self._fault("A negation stands before a field, not inside it", token, hint)
            return self._fault("There are two negations", token, "Keep one, or none.")
        if before.kind is Kind.FIELD:
            return self._fault(f"Nothing follows {before.text}:", before, f"Write {before.text}:calibration.")
        return self._fault(f"Nothing follows {before.text}", before, itself.format(before.text))

    def _fault(self, reason: str, token: Token, hint: str) -> QueryError:
        return QueryError(reason, self._keyword, token.column, hint)


def _flat(queries: list[Query], kind: type[And | Or]) -> tuple[Query, ...]:
    return tuple(part for query in queries for part in (query.queries if isinstance(query, kind) else (query,)))
