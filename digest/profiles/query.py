"""The shape of a keyword once it is read. Printing a query gives a text that parses to the same query.

Words      reward model          several unquoted words, or one; a hyphenated word is a compound
Phrase     "reward model"        exactly this phrase; `distance` set: "noisy labels"~5
Prefix     quantiz*
Pattern    /re.*gex/
InField    title:calibration
And, Or, Not                     boolean, with parentheses
Keyword                          a query with its weight, or an exclusion
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Unquoted words in the order typed (`fine-tuning` is one word). The profile's `match` says how they combine."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quoted text: no inflection; with a capital in it, exactly these capitals.

    With `distance`, its words may stand in any order, at most that many words apart from first to last.
    """

    text: str
    distance: int | None = None

    def __str__(self) -> str:
        escaped = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"' + ("" if self.distance is None else f"~{self.distance}")


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every word that begins with this."""

    text: str

    def __str__(self) -> str:
        return f"{self.text}*"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression (RE2: linear time) searched in the text of a field, ignoring case."""

    regex: str

    def __str__(self) -> str:
        return f"/{self.regex.replace('/', chr(92) + '/')}/"


@dataclass(frozen=True, slots=True)
class InField:
    """A query that holds in one field only (one of `model.FIELDS`)."""

    field: str
    query: Query

    def __str__(self) -> str:
        return f"{self.field}:{_grouped(self.query)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of these; at least one of `queries` is not a `Not`."""

    queries: tuple[Query, ...]

    def __str__(self) -> str:
        return " AND ".join(_grouped(query) for query in self.queries)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these."""

    queries: tuple[Query, ...]

    def __str__(self) -> str:
        return " OR ".join(_grouped(query) for query in self.queries)


@dataclass(frozen=True, slots=True)
class Not:
    """None of this; stands only inside an `And`."""

    query: Query

    def __str__(self) -> str:
        return f"NOT {_grouped(self.query)}"


Query = Words | Phrase | Prefix | Pattern | InField | And | Or | Not


@dataclass(frozen=True, slots=True)
class Keyword:
    """One line of a profile: a query with its weight, or (`excluded`) what keeps an entry out of the profile."""

    query: Query
    weight: float = 1.0
    excluded: bool = False

    def __str__(self) -> str:
        sign = "-" if self.excluded else ""
        weight = "" if self.weight == 1.0 else f"^{self.weight:g}"
        return f"{sign}{_grouped(self.query) if sign or weight else self.query}{weight}"


def _grouped(query: Query) -> str:
    """The text of a query where only one unit may stand."""
    single = not isinstance(query, And | Or | Not) and not (isinstance(query, Words) and len(query.words) > 1)
    return str(query) if single else f"({query})"
