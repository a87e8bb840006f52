r"""A keyword cut into tokens: words, fields, signs, and whole units (phrase, prefix, pattern).

Rules
-----
1. White space ends a word or a unit; so do `)` and `^`. Whatever else touches a unit is refused, never guessed at.
2. A word has a letter or a digit; inside it every sign may stand but white space, quotes and `( ) * ^ ~ : |`.
3. AND, OR and NOT are operators in capitals only.
4. `-` (or any dash) before a unit is a minus; `/` before a unit opens a pattern; elsewhere both belong to the word.
5. A straight quote is closed by a straight one, any other quote by any quote. In quotes, `\\` and `\"` stand for
   backslash and quote; in a pattern, `\/` stands for a slash.
6. Outside quotes and patterns the full-width forms of `( ) : * ^ ~` are those signs.
"""

from __future__ import annotations

import difflib
import re
from enum import Enum, auto
from typing import NamedTuple

from digest.errors import QueryError
from digest.model import FIELDS
from digest.profiles.patterns import checked_pattern
from digest.profiles.query import Pattern, Phrase, Prefix

MAX_LENGTH = 1000
MAX_WORDS = 64
_MAX_WEIGHT = 100
_MAX_DISTANCE = 100

_QUOTES = '"“”„‟«»＂'
_DASHES = "-‐‑‒–—−－"  # word processors and phones turn a typed minus into one of these
_FULL_WIDTH = str.maketrans("（）：＊＾～", "():*^~")
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
_WORD = re.compile(rf"[^\s{_QUOTES}()*^~:]+")
_RUN = re.compile(rf"[^\s{_QUOTES}]+")
_UNIT_ENDS = re.compile(r"[\s)^]|\Z")
_STRAIGHT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CURLY = re.compile(rf"[{_QUOTES}]((?:[^{_QUOTES}\\]|\\.)*)[{_QUOTES}]")
_ESCAPED = re.compile(rf"\\([\\{_QUOTES}])")
_SLASHED = re.compile(r"/((?:[^/\\]|\\.)*)/")
_LIST_SIGN = re.compile(r"[;；、]|[,，](?![0-9])|(?<![0-9])[,，]")
_COUNT = re.compile("[0-9]+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_OPERATOR_SIGNS = {"&": "AND", "&&": "AND", "+": "AND", "|": "OR", "||": "OR"}


class Kind(Enum):
    """What a token is. A UNIT is a whole phrase, prefix or pattern."""

    WORD = auto()
    UNIT = auto()
    FIELD = auto()
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    MINUS = auto()
    WEIGHT = auto()
    END = auto()


class Token(NamedTuple):
    """One token: its text (the word, the field's name, the weight's number) and its 0-based place in the keyword."""

    kind: Kind
    column: int
    text: str = ""
    unit: Phrase | Prefix | Pattern | None = None


_OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


def tokens(keyword: str) -> list[Token]:
    """The tokens of a keyword, END last. Raises QueryError at the first sign that cannot be read."""
    return _Lexer(keyword).read()


class _Lexer:
    """Reads from `_at` on; each `_read` method appends what it read and moves `_at` behind it."""

    __slots__ = ("_at", "_keyword", "_text", "_tokens", "_words")

    def __init__(self, keyword: str) -> None:
        self._keyword = keyword
        self._text = keyword if keyword.isascii() else keyword.translate(_FULL_WIDTH)
        self._at = self._words = 0
        self._tokens: list[Token] = []

    def read(self) -> list[Token]:
        self._refuse_unfit()
        text, end = self._text, len(self._text)
        while True:
            start = self._at
            while start < end and text[start].isspace():
                start += 1
            if start == end:
                self._tokens.append(Token(Kind.END, end))
                return self._tokens
            self._read(start, text[start])

    def _refuse_unfit(self) -> None:
        keyword = self._keyword
        if invisible := _INVISIBLE.search(keyword):
            # A raw control character would disturb the terminal or page that shows the message.
            shown = _INVISIBLE.sub("\ufffd", keyword)[:MAX_LENGTH]
            column = min(invisible.start(), len(shown))
            code = f"U+{ord(invisible.group()):04X}"
            raise QueryError(f"An invisible character ({code})", shown, column, "Delete it, or type the keyword anew.")
        if len(keyword) > MAX_LENGTH:
            reason = f"The keyword has {len(keyword)} characters; at most {MAX_LENGTH} are read"
            raise QueryError(reason, keyword[:MAX_LENGTH], MAX_LENGTH, "Make several keywords of it.")
        if not keyword or keyword.isspace():
            raise self._fault("The keyword is empty", 0, "Write a word, or remove the keyword.")

    def _read(self, start: int, sign: str) -> None:
        if sign in "()":
            self._read_parenthesis(start, sign)
        elif sign in _QUOTES:
            self._read_phrase(start, sign)
        elif sign == "/":
            self._read_pattern(start)
        elif sign == "^":
            self._read_weight(start)
        elif sign in "*~:":
            raise self._stray(sign, start)
        elif sign in _DASHES:
            self._read_minus(start)
        else:
            self._read_word(start)

    def _read_parenthesis(self, start: int, sign: str) -> None:
        self._tokens.append(Token(Kind.OPEN if sign == "(" else Kind.CLOSE, start))
        self._at = start + 1
        if sign == ")":
            self._end_unit(self._at)

    def _read_minus(self, start: int) -> None:
        self._tokens.append(Token(Kind.MINUS, start, "-"))
        self._at = start + 1
        if self._text[start + 1 : start + 2] not in (*_QUOTES, "(", "/"):
            self._check_word(_piece(_WORD, self._text, start), start)

    def _read_word(self, start: int) -> None:
        word = _piece(_WORD, self._text, start)
        end = start + len(word)
        after = self._text[end : end + 1]
        if word in _OPERATORS and after != ":":
            self._tokens.append(Token(_OPERATORS[word], start, word))
            self._at = end
            return
        self._check_word(word, start)
        if after == ":":
            self._read_field(start, word, end)
        elif after == "*":
            self._read_prefix(start, word, end)
        else:
            self._append(Token(Kind.WORD, start, word), end)

    def _read_field(self, start: int, name: str, colon: int) -> None:
        field = name.lower()
        if field in FIELDS:
            self._tokens.append(Token(Kind.FIELD, start, field))
            self._at = colon + 1
            return
        near = difflib.get_close_matches(field, FIELDS, 1)
        if not near and name not in _OPERATORS and _UNIT_ENDS.match(self._text, colon + 1):
            self._append(Token(Kind.WORD, start, name), colon + 1)  # "Calibration: a survey" is a title
            return
        known = f"The fields are {', '.join(FIELDS)}."
        quoted = f'For the text itself, put it in quotes: "{_piece(_RUN, self._text, start)}".'
        hint = f"Did you mean {near[0]}:? {known}" if near else f"{quoted} {known}"
        raise self._fault(f"There is no field {name}:", start, hint)

    def _read_prefix(self, start: int, word: str, star: int) -> None:
        if not _UNIT_ENDS.match(self._text, star + 1):
            raise self._stray("*", star)
        if sum(map(str.isalnum, word)) < 2:
            raise self._fault("A prefix needs at least two letters before the *", star, "Write more of the word.")
        self._append(Token(Kind.UNIT, start, unit=Prefix(word)), star + 1)

    def _read_phrase(self, start: int, quote: str) -> None:
        found = (_STRAIGHT if quote == '"' else _CURLY).match(self._keyword, start)
        if found is None:
            raise self._fault("The quote is never closed", start, 'Close it: "reward model".')
        text = " ".join(_ESCAPED.sub(r"\1", found.group(1)).split())
        if not any(map(str.isalnum, text)):
            raise self._fault("No word stands between the quotes", start, "Write a word between them, or remove them.")
        distance, end = self._distance(found.end())
        self._append(Token(Kind.UNIT, start, unit=Phrase(text, distance)), end, text.count(" ") + 1)

    def _distance(self, tilde: int) -> tuple[int | None, int]:
        if self._text[tilde : tilde + 1] != "~":
            return None, tilde
        digits = _piece(_COUNT, self._text, tilde + 1)
        if not 1 <= int(digits or 0) <= _MAX_DISTANCE:
            reason = f"The ~ needs a whole number of words, 1 to {_MAX_DISTANCE}"
            raise self._fault(reason, tilde, 'Write "noisy labels"~5.')
        return int(digits), tilde + 1 + len(digits)

    def _read_pattern(self, start: int) -> None:
        found = _SLASHED.match(self._keyword, start)
        if found is None:
            hint = r"Close it: /colou?r/. A slash inside is written \/; a word that begins with a slash goes in quotes."
            raise self._fault("The pattern is never closed", start, hint)
        if not _UNIT_ENDS.match(self._text, found.end()):
            hint = (
                r"Put a space there. Capitals are ignored anyway; a slash inside is written \/; a path goes in quotes."
            )
            raise self._fault("The pattern ends at the second slash", found.end(), hint)
        pattern = checked_pattern(found.group(1), self._keyword, start + 1)
        self._append(Token(Kind.UNIT, start, unit=pattern), found.end())

    def _read_weight(self, start: int) -> None:
        found = _NUMBER.match(self._text, start + 1)
        if found is None:
            raise self._fault("The ^ needs a number", start, "Write diffusion^2.5, or put the text in quotes.")
        number, rest = found.group(), self._text[found.end() :].lstrip()
        if rest:
            second = len(self._text) - len(rest)
            if rest[0] == "^":
                raise self._fault("There are two weights", second, "A keyword has one weight, at its end.")
            hint = "Put the weight last, with a decimal point: reward model^2.5. Text with a ^ in it goes in quotes."
            raise self._fault("A weight stands only at the end of a keyword", start, hint)
        # Three decimals are what the printed form keeps of every weight.
        if not 0 < float(number) <= _MAX_WEIGHT or len(number.partition(".")[2]) > 3:
            reason = f"A weight is more than 0 and at most {_MAX_WEIGHT}, with at most three decimals"
            raise self._fault(reason, start, "A keyword without a weight counts 1; write ^2 to make it count double.")
        self._tokens.append(Token(Kind.WEIGHT, start, number))
        self._at = len(self._text)

    def _append(self, token: Token, end: int, words: int = 1) -> None:
        self._words += words
        if self._words > MAX_WORDS:
            reason = f"The keyword has more than {MAX_WORDS} words"
            raise self._fault(reason, token.column, "Make several keywords of it.")
        self._tokens.append(token)
        self._end_unit(end)

    def _end_unit(self, end: int) -> None:
        if not _UNIT_ENDS.match(self._text, end):
            raise self._stray(self._text[end], end)
        self._at = end

    def _check_word(self, word: str, start: int) -> None:
        if word.isalnum():
            return
        if not any(map(str.isalnum, word)):
            operator = _OPERATOR_SIGNS.get(word)
            hint = f"Write {operator}." if operator else "Remove it. A minus stands right before its word: -survey."
            raise self._fault(f"{word} has no letter or digit", start, hint)
        if word[0] == "!":
            raise self._fault("The sign for exclusion is -, not !", start, f"Write -{word[1:]}, or put it in quotes.")
        if "|" in word:
            raise self._fault("The sign | is not read", start + word.index("|"), "Write OR, with spaces around it.")
        if comma := _LIST_SIGN.search(word):
            raise self._stray(comma.group(), start + comma.start())

    def _stray(self, sign: str, column: int) -> QueryError:
        match sign:
            case "*":
                reason = "A * stands only at the end of a word"
                hint = "Write quantiz*, or a pattern such as /ization/. Text with a * in it goes in quotes."
            case "~":
                reason, hint = "A ~ stands only right after a quoted phrase", 'Write "noisy labels"~5.'
            case ":":
                reason = "A : stands only after the name of a field"
                hint = f"The fields are {', '.join(FIELDS)}. Text with a : in it goes in quotes."
            case _ if _LIST_SIGN.match(sign):
                reason = f"A {sign} does not separate keywords"
                hint = "Make each part a keyword of its own, or write OR between them, or put it all in quotes."
            case _:
                reason, hint = "A space is missing here", "Put a space between the two, or put it all in quotes."
        return self._fault(reason, column, hint)

    def _fault(self, reason: str, column: int, hint: str) -> QueryError:
        return QueryError(reason, self._keyword, column, hint)


def _piece(regex: re.Pattern[str], text: str, start: int) -> str:
    found = regex.match(text, start)
    return found.group() if found else ""
