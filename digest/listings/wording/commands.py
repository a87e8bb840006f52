r"""What a LaTeX macro says in a text, with its arguments.

Rules
-----
1. An address is taken as it stands, and keeps the words that lead to it.
2. What builds something is written on the line: a/b, √x, (n choose k).
3. A macro that nobody knows says its argument; without one its name, in prose only where it reads like a macro.
4. In prose, what reads like a regular expression (`\d+`), a path (`C:\new`) or an escaped quote (`\"so\"`) stays.
5. In a formula, the space behind a name goes behind letters, and is on both sides of a relation or on none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Protocol

from digest.listings.wording import macros, scripts
from digest.listings.wording.anchors import anchor

Piece = tuple[str, int]
"""What was read, and the place behind it."""
Span = tuple[int, int, int]
"""Where an argument begins and ends, and the place behind it."""

_OPTION = re.compile(r"\s*\[([^\[\]{}]*)\]")
_PATH = re.compile(r"(?:\A|\W)?[A-Za-z]:\\\S*")
_QUOTED = re.compile(r"[^\\]*\S\\[\"'](?![A-Za-z{\\])")
_ESCAPED = re.compile(r"\\([_%&#~$])(?:\{\})?|\{?\\textasciitilde\s*(?:\{\})?\}?|\$\\sim\$")
_FUNCTION = re.compile(r"[A-Za-z]+(?: [A-Za-z]+)*")
_TERM = re.compile(r"[\w.√]*|\(.*\)|.", re.DOTALL)
_FRACTIONS = frozenset(("frac", "dfrac", "tfrac", "nicefrac", "sfrac", "cfrac"))
_CHOICES = frozenset(("binom", "dbinom", "tbinom"))
_CODE_BEFORE, _CODE_AFTER = frozenset("\\/:]"), frozenset("\\+*?/|[{")
_OPENING = frozenset("$({[")
_LONGEST = 2000


class Reader(Protocol):
    """What reads the text in which macros stand."""

    text: str

    def stretch(self, start: int, end: int, depth: int, *, math: bool) -> str:
        """What stands between two places."""

    def one(self, place: int, end: int, depth: int, *, math: bool) -> Piece:
        """What an argument says: a group, or else the next sign or macro."""

    def group(self, place: int, end: int) -> Span | None:
        """The group that begins here, perhaps behind spaces."""


class Macro(NamedTuple):
    """A macro in a text: its name, where it starts and where its name ends, where its stretch ends, how deep it is."""

    name: str
    start: int
    place: int
    end: int
    depth: int
    math: bool


def command(reader: Reader, macro: Macro) -> Piece:
    """What a macro says."""
    if _before(reader, macro) == ":" and (path := _PATH.match(reader.text, max(0, macro.start - 3), macro.end)):
        return reader.text[macro.start : path.end()], path.end()
    if not macro.name[0].isalpha():
        return _sign(reader, macro)
    return (
        _linked(reader, macro)
        or _built(reader, macro)
        or _accented(reader, macro)
        or _negated(reader, macro)
        or _symbol(reader, macro)
        or _unknown(reader, macro)
    )


def plain_address(text: str) -> str:
    """An address without the backslashes that LaTeX wants."""
    return _ESCAPED.sub(lambda found: found[1] or "~", text).strip()


def _before(reader: Reader, macro: Macro) -> str:
    """The sign before a macro."""
    return reader.text[max(0, macro.start - 1) : macro.start]


def _after(reader: Reader, macro: Macro) -> str:
    """The sign behind the name of a macro."""
    return reader.text[macro.place : min(macro.end, macro.place + 1)]


def space(text: str, place: int, end: int) -> int:
    """The next place that is not white space."""
    while place < end and text[place].isspace():
        place += 1
    return place


def _linked(reader: Reader, macro: Macro) -> Piece | None:
    name, _, place, end, depth, _ = macro
    if name not in ("url", "href", "path", "footnote") or not (span := reader.group(place, end)):
        return None
    gap = " " if name == "footnote" or _before(reader, macro).isalnum() else ""
    if name == "footnote":
        inner = reader.stretch(span[0], span[1], depth + 1, math=False).strip()
        return f"{gap}({inner})" if inner else "", span[2]
    address = plain_address(reader.text[span[0] : span[1]])
    if name != "href" or not reader.group(span[2], end):
        return gap + address, span[2]
    words, place = reader.one(span[2], end, depth, math=False)
    return gap + anchor(words, address), place


def _built(reader: Reader, macro: Macro) -> Piece | None:
    """Macros that build something of their arguments."""
    name, _, place, end, depth, math = macro
    if name in _FRACTIONS or name in _CHOICES:
        above, place = reader.one(place, end, depth, math=True)
        below, place = reader.one(place, end, depth, math=True)
        return (f"{_term(above)}/{_term(below)}" if name in _FRACTIONS else f"({above} choose {below})"), place
    if name == "sqrt":
        option = _OPTION.match(reader.text, place, end)
        inner, place = reader.one(option.end() if option else place, end, depth, math=True)
        return f"{scripts.above(option[1]) if option else ''}√{_term(inner)}", place
    if name in ("textsuperscript", "textsubscript"):
        inner, place = reader.one(place, end, depth, math=False)
        return (scripts.above if name == "textsuperscript" else scripts.below)(inner), place
    if name == "mathbb":
        inner, place = reader.one(place, end, depth, math=True)
        return macros.DOUBLE.get(inner, inner), place
    if name in macros.COLOURED:
        for _ in range(macros.COLOURED[name]):
            span = reader.group(place, end)
            place = span[2] if span else place
        return reader.one(place, end, depth, math=math)
    return None


def _accented(reader: Reader, macro: Macro) -> Piece | None:
    """A letter with an accent, as macros with a name give it in formulas and in prose."""
    name, _, place, end, depth, math = macro
    if math and name in macros.HATS:
        inner, place = reader.one(place, end, depth, math=True)
        return _composed(inner, macros.HATS[name]) if len(inner) == 1 else inner, place
    if name not in macros.ACCENTS:
        return None
    following = _after(reader, macro)
    grouped = following == "{" and reader.group(place, end)
    spaced = name in "cvuHkr" and following == " " and reader.text[place + 1 : min(end, place + 2)].isalpha()
    if not grouped and not (spaced and (depth or _before(reader, macro).isalpha())):
        return None
    inner, place = reader.one(place, end, depth, math=False)
    return _composed(inner, macros.ACCENTS[name]), place


def _symbol(reader: Reader, macro: Macro) -> Piece | None:
    """A sign that Unicode has, or a change of looks."""
    name, _, place, end, _, math = macro
    following = _after(reader, macro)
    if name in macros.PLAIN:
        dot = following == "." and name in ("left", "right", "middle")
        return "", place + 1 if dot else space(reader.text, place, end)
    sign = macros.signs().get(name)
    if sign is None or (not math and len(name) == 1 and following in _CODE_AFTER):
        return None
    if following == "{" and reader.text.startswith("{}", place):
        return sign, place + 2
    if math:
        return _spaced(reader, macro, sign)
    return sign, space(reader.text, place, end) if name in macros.LETTERS else place


def _spaced(reader: Reader, macro: Macro, sign: str) -> Piece:
    """A sign in a formula, with the space that it needs (rule 5)."""
    if _FUNCTION.fullmatch(sign):
        return f" {sign}" if _before(reader, macro).isalnum() or _before(reader, macro) == "}" else sign, macro.place
    if not _after(reader, macro).isspace():
        return sign, macro.place
    behind = space(reader.text, macro.place, macro.end)
    following = reader.text[behind : min(macro.end, behind + 1)]
    kind = unicodedata.category(sign[-1:] or " ")
    if kind == "Sm" and _before(reader, macro) in _OPENING:
        return sign, behind
    if sign.isalpha() or kind == "Ps":
        return sign, behind if following.isalnum() or following in ("\\", "(") else macro.place
    return (f" {sign}" if kind == "Sm" else sign), macro.place


def _negated(reader: Reader, macro: Macro) -> Piece | None:
    r"""A sign with a stroke through it: `\not=`."""
    if macro.name != "not" or not macro.math:
        return None
    sign, place = reader.one(macro.place, macro.end, macro.depth, math=True)
    return unicodedata.normalize("NFC", f"{sign}\u0338") if len(sign) == 1 else f"not {sign}", place


def _unknown(reader: Reader, macro: Macro) -> Piece:
    """Another macro (rules 3 and 4)."""
    name, _, place, end, depth, math = macro
    place += _after(reader, macro) == "*" and reader.text.startswith("{", place + 1)
    if (math or len(name) > 1) and (span := reader.group(place, end)):
        return reader.stretch(span[0], span[1], depth + 1, math=math and name not in macros.PROSE), span[2]
    escaped = len(name) == 1 or _before(reader, macro).isalnum()
    escaped = escaped or _before(reader, macro) in _CODE_BEFORE or _after(reader, macro) in _CODE_AFTER
    return (name if math or not escaped else f"\\{name}"), place


def _sign(reader: Reader, macro: Macro) -> Piece:
    """A macro of one sign that is no letter."""
    name, _, place, _, _, math = macro
    if name in "([" and not math:
        return _display(reader, macro)
    if name in macros.ACCENTS and not math:
        return _over(reader, macro)
    if name in "%&_#${}":
        return name, place
    if name == "|" and math:
        return "‖", place
    return (" " if _is_gap(reader, macro) else "" if _is_nothing(reader, macro) else f"\\{name}"), place


def _is_gap(reader: Reader, macro: Macro) -> bool:
    r"""Whether it is a space (`\ `, `\,`) or the end of a line."""
    follower = _after(reader, macro)
    if macro.name in ",;:":
        return macro.math or (_before(reader, macro).isalnum() and follower.isalnum())
    return macro.name.isspace() or (macro.name == "\\" and (macro.math or not follower.strip() or follower == "["))


def _is_nothing(reader: Reader, macro: Macro) -> bool:
    r"""Whether it only moves letters (`\!`, `\-`); in a formula no other sign says more."""
    between = _before(reader, macro).isalpha() and _after(reader, macro).isalpha()
    return macro.math or (macro.name in "!-@/" and (bool(macro.depth) or (between and macro.name != "/")))


def _display(reader: Reader, macro: Macro) -> Piece:
    r"""A formula between `\(` and `\)`, or `\[` and `\]`."""
    closing = "\\)" if macro.name == "(" else "\\]"
    close = reader.text.find(closing, macro.place, min(macro.end, macro.place + _LONGEST))
    if close < 0:
        return f"\\{macro.name}", macro.place
    return reader.stretch(macro.place, close, macro.depth + 1, math=True), close + 2


def _over(reader: Reader, macro: Macro) -> Piece:
    """An accent that is a sign; a letter or a group must follow."""
    name, _, place, end, depth, _ = macro
    quote = name in "\"'" and not _before(reader, macro).isalpha()
    quote = quote and _QUOTED.match(reader.text, place, min(end, place + 200)) is not None
    follower = _after(reader, macro)
    letter = follower.isalpha() or reader.text.startswith(("\\i", "\\j"), place)
    if quote or not (letter or (follower == "{" and reader.group(place, end))):
        return f"\\{name}", place
    inner, place = reader.one(place, end, depth, math=False)
    return _composed(inner, macros.ACCENTS[name]), place


def _composed(base: str, accent: str) -> str:
    """The accent over the first letter."""
    first = {"ı": "i", "ȷ": "j"}.get(base[:1], base[:1])
    return unicodedata.normalize("NFC", first + accent) + base[1:] if first else ""


def _term(text: str) -> str:
    """A part of a fraction, in parentheses if it is more than one sign or word."""
    return text if _TERM.fullmatch(text) else f"({text})"
