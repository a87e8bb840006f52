"""Changes to a profile by program: a keyword's weight, a keyword less, a keyword more.

Rules
-----
1. What is not changed stays as it was typed, also within the keyword that is.
2. A keyword is known by its query, whatever its weight: who has given `reward model` another one since has it still.
3. A weight has at most three decimals, as the grammar takes them; 1 is not written.
"""

from __future__ import annotations

from dataclasses import replace

from digest.errors import QueryError
from digest.model import Profile
from digest.profiles.parse import parse
from digest.profiles.query import Keyword
from digest.profiles.tokens import Kind, tokens

LEAST_WEIGHT = 0.001


def find(profile: Profile, keyword: str) -> str | None:
    """The keyword of the profile, as typed there, that asks for the same (None: there is none)."""
    wanted = _read(keyword)
    found = ((typed, _read(typed)) for typed in profile.keywords)
    return next((typed for typed, read in found if read and wanted and _alike(read, wanted)), None)


def asking(profile: Profile) -> tuple[str, ...]:
    """The keywords that ask for something: those that can be read and are no exclusions."""
    return tuple(keyword for keyword in profile.keywords if (read := _read(keyword)) and not read.excluded)


def weighted(profile: Profile, keyword: str, weight: float) -> Profile:
    """The profile in which this keyword, as typed, has another weight. Raises QueryError if it cannot be read."""
    return _with(profile, keyword, (_weighted(keyword, weight),))


def without(profile: Profile, keyword: str) -> Profile:
    """The profile without this keyword, as typed."""
    return _with(profile, keyword, ())


def added(profile: Profile, keyword: str) -> Profile:
    """The profile with one more keyword, the last; one that is there already stays where it is."""
    if find(profile, keyword) is not None:
        return profile
    return replace(profile, keywords=(*profile.keywords, keyword))


def bare(keyword: str) -> str:
    """The keyword as typed, but for its weight. Raises QueryError."""
    signs = [token.column for token in tokens(keyword) if token.kind is Kind.WEIGHT]
    return (keyword[: signs[0]] if signs else keyword).strip()


def _alike(one: Keyword, other: Keyword) -> bool:
    return (one.query, one.excluded) == (other.query, other.excluded)


def _read(keyword: str) -> Keyword | None:
    try:
        return parse(keyword)
    except QueryError:
        return None


def _weighted(keyword: str, weight: float) -> str:
    said = f"{max(weight, LEAST_WEIGHT):.3f}".rstrip("0").rstrip(".")
    return bare(keyword) if said == "1" else f"{bare(keyword)}^{said}"


def _with(profile: Profile, keyword: str, instead: tuple[str, ...]) -> Profile:
    """The profile with others instead of a keyword."""
    kept = (part for typed in profile.keywords for part in (instead if typed == keyword else (typed,)))
    return replace(profile, keywords=tuple(dict.fromkeys(kept)))
