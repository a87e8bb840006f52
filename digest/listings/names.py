"""Names of people, one by one and written one way: "Ada Lovelace".

Rules
-----
1. "Last, First" is turned round; "Last, Jr., First" and "Last, First, Jr." become "First Last Jr.". Letters stay as
   they are. What braces hold is never cut: "{Barnes and Noble, Inc.}" is one name.
2. Affiliations in parentheses at the end, mail addresses, degrees, "others" and "et al." go.
3. Several names in one text are parted at ";", "|", line ends, " and ", " und " and " & ".
4. They are parted at commas only where all pieces read like whole names ("Ada Lovelace, Bao Chen"), or where last names
   and initials take turns ("Lovelace, A., Chen, B."), never in "Lovelace, Ada".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from digest.listings.wording.readable import readable

AND = re.compile(" and ", re.IGNORECASE)
_PLAIN = re.compile(r"(?:[^\W\d_]|[.'])+(?:[ -](?:[^\W\d_]|[.'])+)*")
_BETWEEN = re.compile(r"[;|\n]")
_LAST = re.compile(r"(?:^|,? )(?:and|und|&) ", re.IGNORECASE)
_BRACE = re.compile(r"(?<!\\)[{}]")
_COMMA = re.compile(",")
_AFFILIATION = re.compile(r" ?\([^()]*\)$")
_MAIL_FIRST = re.compile(r"[^\s@]+@[^\s@]+ \((.+)\)")
_MAIL_LAST = re.compile(r"([^<>]+?) ?<[^<>\s@]+@[^<>\s@]+>")
_MORE = re.compile(r"^others$|(?:^|,? )(?:et al\.?|and others)$", re.IGNORECASE)
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv", "2nd", "3rd"))
_DEGREES = frozenset(("phd", "md", "msc", "mph", "dsc", "prof", "dr"))
_COMPANIES = frozenset(("inc", "ltd", "llc", "gmbh", "co", "corp"))


def person(name: str) -> str:
    """A name as "First Last", in readable letters; "" for "others"."""
    text = " ".join(name.split())
    if _PLAIN.fullmatch(text):  # most names are written so, and most of the time goes into the others
        return _MORE.sub("", text)
    if enclosed(text):
        return readable(text[1:-1])
    return readable(_turned(_pieces(_bare(text))))


def people(text: str, *, commas: bool = True) -> tuple[str, ...]:
    """The single names in a text of several, as they stand there; `commas`: they may part names (rule 4)."""
    parts = _filled(apart(text, _BETWEEN))
    names = [name for part in parts for name in _filled(apart(" ".join(part.split()), _LAST))]
    if commas and len(parts) == 1:
        names = [one for name in names for one in _listed(name)]
    return tuple(names)


def apart(text: str, between: re.Pattern[str]) -> list[str]:
    """The pieces of a text between separators; those in braces part nothing."""
    if "{" not in text:
        return between.split(text)
    pieces, start, counted, depth = [], 0, 0, 0
    for found in between.finditer(text):
        depth += text.count("{", counted, found.start()) - text.count("}", counted, found.start())
        counted = found.start()
        if depth <= 0:
            pieces.append(text[start : found.start()])
            start = found.end()
    return [*pieces, text[start:]]


def with_suffixes(pieces: Iterable[str]) -> list[str]:
    """What stands between commas, with a "Jr." or "PhD" still behind the name before it."""
    names: list[str] = []
    for piece in pieces:
        if names and _is_mark(piece):
            names[-1] += f", {piece}"
        else:
            names.append(piece)
    return names


def enclosed(text: str) -> bool:
    """Whether one pair of braces holds the whole text."""
    if not (text.startswith("{") and text.endswith("}")):
        return False
    if text.count("{") == text.count("}") == 1:
        return not text.endswith("\\}")
    depth = 0
    for found in _BRACE.finditer(text):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            return found.end() == len(text)
    return False


def _filled(pieces: Sequence[str]) -> list[str]:
    return [piece.strip() for piece in pieces if piece.strip()]


def _pieces(text: str) -> list[str]:
    return _filled(apart(text, _COMMA))


def _bare(text: str) -> str:
    """A name without what is no part of it (rule 2)."""
    mail = _MAIL_FIRST.fullmatch(text) or _MAIL_LAST.fullmatch(text)
    text = mail[1] if mail else _AFFILIATION.sub("", text)
    return _MORE.sub("", text)


def _turned(pieces: Sequence[str]) -> str:
    """The pieces of a name between its commas, in the order in which it is spoken."""
    suffixes = [piece for piece in pieces[1:] if _mark(piece) in _SUFFIXES]
    names = [*pieces[:1], *(piece for piece in pieces[1:] if not _is_mark(piece))]
    if len(names) > 2 or any(_mark(piece) in _COMPANIES for piece in names[1:]):
        return ", ".join(pieces)
    return " ".join([*reversed(names), *suffixes])


def _mark(piece: str) -> str:
    """A piece as suffixes and degrees are listed above."""
    return piece.replace(".", "").lower()


def _is_mark(piece: str) -> bool:
    return _mark(piece) in _SUFFIXES or _mark(piece) in _DEGREES


def _listed(text: str) -> list[str]:
    """The names in a text that knows only commas (rule 4)."""
    pieces = with_suffixes(_pieces(text))
    if len(pieces) < 2:
        return [text]
    pairs = [", ".join(pieces[place : place + 2]) for place in range(0, len(pieces), 2)]
    if len(pieces) % 2 == 0 and all(map(_initials, pieces[1::2])) and not any(map(_initials, pieces[::2])):
        return pairs
    if _are_whole(pieces) or len(pieces) % 2:
        return pieces
    return pairs if sum(map(_is_whole, pieces)) * 2 < len(pieces) or len(pieces) == 2 else pieces


def _are_whole(pieces: Sequence[str]) -> bool:
    """Whether each piece is a whole name, and all are written in one way ("Lovelace A", or "Ada Lovelace")."""
    return all(map(_is_whole, pieces)) and len({_initials(_words(piece)[-1]) for piece in pieces}) == 1


def _is_whole(piece: str) -> bool:
    """A first and a last name: no "van den Berg", whose first name comes after the comma, and no "Ada B."."""
    words = _words(piece)
    if len(words) == 1:
        return len(piece) > 2 and piece.lower() == piece.upper()  # "山田太郎"
    return len(words) > 1 and not words[0][0].islower() and not words[-1].endswith(".")


def _words(piece: str) -> list[str]:
    """The words of a name, without "Jr." and what stands behind a comma."""
    words = piece.partition(",")[0].split()
    return words[:-1] if len(words) > 2 and _mark(words[-1]) in _SUFFIXES else words


def _initials(piece: str) -> bool:
    letters = re.sub(r"[.\s-]", "", piece)
    return len(letters) <= 4 and letters.isupper()
