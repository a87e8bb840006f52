r"""Light LaTeX to readable text: what stands in titles and abstracts, not documents.

Rules
-----
1. Nothing raises and no text is lost: what cannot be read stays as it is.
2. Addresses in running text are not LaTeX, and are told once: `https://x{https://x}` is what is left of a link.
3. A macro says what `commands` has for it.
4. `$` begins a formula only if another ends it and what is between does not read like money (see `formulas`).
5. Braces go if they hold markup (`{\it x}`), protect capitals (`{B}ayesian`) or hold all; others (`{0, 1}`) stay.
6. Formulas are written with the signs of Unicode, and with ^ and _ where it has none (see `scripts`).
7. In prose, ``x'' are quotes and -- between words is a dash; ~ is a space where the text has other LaTeX.
"""

from __future__ import annotations

import re

from digest.listings.wording import macros, scripts
from digest.listings.wording.anchors import anchor
from digest.listings.wording.commands import Macro, Piece, Span, command, plain_address, space
from digest.listings.wording.formulas import formula

_DEEPEST = 40
_PROSE = re.compile(  # every branch begins with a sign, so that what is none is passed over quickly
    r"https?://(?:[^\s<>\"'`{}|\\^$“”]|\\[_%&\#~])+|\\(?:[A-Za-z]+|.)|\$|\{|~|_(?=[{\\])|\^(?=[{\\])|--+|``|''",
    re.DOTALL,
)
_MATH = re.compile(r"\\(?:[A-Za-z]+|.)|[{}_^~&]|['`]+", re.DOTALL)
_TOKEN = re.compile(r"\s*(\\(?:[A-Za-z]+|.)|[^\s{}])", re.DOTALL)
_BRACES = re.compile(r"\\.|\{|\}", re.DOTALL)
_LATEX = re.compile(r"\\(?:[A-Za-z]{2}|[%&_'\"`^=.~ {])|\$[^\s\d]|\{")
_STYLED = re.compile(r"\\?(?:it|em|bf|sc|tt|sl|rm|sf)\s+(?=\S)")
_PROTECTED = re.compile(r"(?=[^{}]*?[^\W\d_a-z])[\w\s.:'’/+?!-]+|[^\w\s{}\"]{1,3}")
_DASHES = {"--": "–", "---": "—"}
_DASH_AFTER = frozenset("{)}]\"'”’$.%")
_DASH_BEFORE = frozenset("}({[\"'“‘`$\\")
_TIE_AFTER = frozenset(".,)}$")
_TIE_BEFORE = frozenset("\\$({[")
_QUOTATION = 1000
"""How long one may be."""


def readable_latex(text: str) -> str:
    """The text without LaTeX."""
    text = macros.prepared(text)
    return _Reader(text).stretch(0, len(text))


class _Reader:
    """One text, read from left to right. `ends` are the places of the braces that close others."""

    __slots__ = ("ends", "is_latex", "quotes", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.ends = _pairs(text) if "{" in text else {}
        self.is_latex = "~" in text and bool(_LATEX.search(text))
        self.quotes = 0

    def stretch(self, start: int, end: int, depth: int = 0, *, math: bool = False) -> str:
        """What stands between two places: prose, or a formula."""
        if depth > _DEEPEST:
            return self.text[start:end]
        pieces, place, tokens = [], start, _MATH if math else _PROSE
        while found := tokens.search(self.text, place, end):
            pieces.append(self.text[place : found.start()])
            if found[0][0] == "\\":
                macro = Macro(found[0][1:], found.start(), found.end(), end, depth, math)
                piece, place = command(self, macro)
            elif math:
                piece, place = self._in_math(found, end, depth)
            else:
                piece, place = self._in_prose(found, start, end, depth)
            pieces.append(piece)
        pieces.append(self.text[place:end])
        return " ".join("".join(pieces).split()) if math else "".join(pieces)

    def one(self, place: int, end: int, depth: int, *, math: bool) -> Piece:
        """What an argument says: a group, or else the next sign or macro."""
        if span := self.group(place, end):
            return self.stretch(span[0], span[1], depth + 1, math=math), span[2]
        token = _TOKEN.match(self.text, place, end)
        if not token:
            return "", place
        stop = token.end()
        while len(token[1]) > 2 and self.text[stop : stop + 1] == "{" and (span := self.group(stop, end)):
            stop = span[2]
        return self.stretch(token.start(1), stop, depth + 1, math=math), stop

    def group(self, place: int, end: int) -> Span | None:
        """The group that begins here, perhaps behind spaces."""
        place = space(self.text, place, end)
        close = self.ends.get(place, end)
        return (place + 1, close, close + 1) if close < end else None

    def _in_prose(self, found: re.Match[str], start: int, end: int, depth: int) -> Piece:
        token, place = found[0], found.end()
        match token[0]:
            case "$":
                span = formula(self.text, found.start(), end)
                return (self.stretch(span[0], span[1], depth + 1, math=True), span[2]) if span else (token, place)
            case "{":
                return self._braces(found.start(), start, end, depth)
            case "_" | "^":
                return self._script(found, end, depth)
            case "h":
                return self._address(token, place, end)
        return self._punctuation(token, found.start(), place), place

    def _in_math(self, found: re.Match[str], end: int, depth: int) -> Piece:
        sign, place = found[0], found.end()
        match sign[0]:
            case "{":
                span = self.group(found.start(), end)
                return (self.stretch(span[0], span[1], depth + 1, math=True), span[2]) if span else ("", place)
            case "_" | "^":
                write = scripts.below if sign == "_" else scripts.above
                inner, place = self.one(place, end, depth, math=True)
                return write(inner), place
            case "'":
                return "′" * len(sign), place
        return {"}": "", "~": " ", "&": " "}.get(sign, sign), place

    def _braces(self, start: int, first: int, end: int, depth: int) -> Piece:
        """A group in prose, with its braces or without (rule 5)."""
        span = self.group(start, end)
        if not span:
            return "{", start + 1
        inner, close, place = span
        styled = _STYLED.match(self.text, inner, close)
        whole = space(self.text, first, end) == start and space(self.text, place, end) == end
        marked = self.text[inner] in "\\$"
        within = self.text[start - 1 : start].isalpha() and self.text[inner:close].isalpha()
        if styled or whole or marked or within or _PROTECTED.fullmatch(self.text, inner, close):
            return self.stretch(styled.end() if styled else inner, close, depth + 1), place
        return "{", inner

    def _script(self, found: re.Match[str], end: int, depth: int) -> Piece:
        """A subscript or superscript in prose: of a single letter, a digit or a bracket only."""
        before = self.text[max(0, found.start() - 2) : found.start()]
        if not before or before[-1].isspace() or (before.isalpha() and len(before) == 2):
            return found[0], found.end()
        return self._in_math(found, end, depth)

    def _address(self, token: str, place: int, end: int) -> Piece:
        """An address in running text (rule 2)."""
        address = plain_address(token)
        if self.text[place : place + 1] == "{" and (span := self.group(place, end)):
            words = self.text[span[0] : span[1]].strip()
            if "/" in words and anchor(words, address) == address:
                return words, span[2]
            if words and not words.islower():
                return anchor(words, address), span[2]
        return address, place

    def _punctuation(self, token: str, start: int, place: int) -> str:
        """Dashes, quotes and ties (rule 7)."""
        before, after = self.text[max(0, start - 1) : start], self.text[place : place + 1]
        match token[0]:
            case "`":
                opens = self.text.find("''", place, place + _QUOTATION) >= 0
                self.quotes += opens
                return "“" if opens else token
            case "'":
                closes = self.quotes > 0
                self.quotes -= closes
                return "”" if closes else token
            case "~":
                tied = (before.isalnum() or before in _TIE_AFTER) and (after.isalnum() or after in _TIE_BEFORE)
                return " " if tied and self.is_latex else token
        words = (before.isalnum() or before in _DASH_AFTER) and (after.isalnum() or after in _DASH_BEFORE)
        return _DASHES.get(token, token) if words or (before.isspace() and after.isspace()) else token


def _pairs(text: str) -> dict[int, int]:
    """Where each brace that is closed is closed."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACES.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            found[opened.pop()] = brace.start()
    return found
