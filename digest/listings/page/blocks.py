"""Lines to titles and abstracts by the most probable sequence (Viterbi, 1967), not by counting.

Each line leans to title or prose (see `prose`), and each step from one kind to the next has a cost in nats. So a line
that reads oddly, or an abstract that is missing, does not derail the rest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from itertools import pairwise

from digest.listings.page.prose import leaning, listed, refers_back, unfinished


class Kind(IntEnum):
    """What a line is: a title, the first paragraph of an abstract, or a further one."""

    TITLE = 0
    ABSTRACT = 1
    CONTINUATION = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is neither blank nor header, and what stands directly before it.

    `day`: the last listing date. `number`: its place among the lines of the page, from 1.
    """

    text: str
    after_blank: bool = False
    after_header: bool = False
    day: date | None = None
    number: int = 0


Steps = dict[tuple[Kind, Kind], float]
Costs = tuple[float, float, float]

# Costs in nats: the rarer, the dearer.
_STEPS: Steps = {
    (Kind.TITLE, Kind.TITLE): 3.0,  # a block without its abstract: one in twenty
    (Kind.TITLE, Kind.ABSTRACT): 0.0,
    (Kind.ABSTRACT, Kind.TITLE): 0.0,
    (Kind.ABSTRACT, Kind.CONTINUATION): 3.5,  # an abstract of several paragraphs
    (Kind.CONTINUATION, Kind.TITLE): 0.0,
    (Kind.CONTINUATION, Kind.CONTINUATION): 1.5,  # once there is a second paragraph, a third is no surprise
}
_HEADER_INSIDE = 4.0  # a header stands between a title and its abstract, or inside an abstract
_LIST_POINT = 7.0  # how far a point of a list leans to prose, however short it is
_TITLE_IN_SENTENCE = 2.5  # the line before ends in a colon or comma, or this one goes on in lower case
_BACK_REFERENCE_FIRST = 2.5  # an abstract hardly begins with "However" or "To this end"
_TITLE_IN_BLOCK = 2.0  # in the spaced layout a title stands after a blank line
_BLANK_MISPLACED = 1.0  # in a mixed layout a title rather does, and an abstract rather does not
_CERTAIN = 12.0  # no line's look is surer than this, so that none outweighs all its neighbours


def classify(lines: Sequence[Line]) -> list[Kind]:
    """The kind of each line, so that the sum of all costs is the least. The first line is always a title.

    Done twice: where most abstracts of a page have several paragraphs, a further one costs less than elsewhere.
    """
    if not lines:
        return []
    share = sum(line.after_blank for line in lines) / len(lines)
    costs = [_costs(before, line, share) for before, line in pairwise(lines)]
    return _cheapest(costs, _learned(_cheapest(costs, _STEPS)))


def _learned(kinds: list[Kind]) -> Steps:
    """The costs of steps as they are on this page, never dearer than elsewhere for what is rare elsewhere."""
    steps = Counter(pairwise(kinds))
    abstracts = 1 + kinds.count(Kind.ABSTRACT)
    paragraph = min(
        _STEPS[Kind.ABSTRACT, Kind.CONTINUATION], -math.log((0.5 + steps[Kind.ABSTRACT, Kind.CONTINUATION]) / abstracts)
    )
    return _STEPS | {
        (Kind.ABSTRACT, Kind.CONTINUATION): paragraph,
        (Kind.ABSTRACT, Kind.TITLE): -math.log1p(-math.exp(-paragraph)),
    }


def _cheapest(costs: Sequence[Costs], steps: Steps) -> list[Kind]:
    best = {Kind.TITLE: 0.0}
    origins: list[dict[Kind, Kind]] = []
    for cost in costs:
        ways = [(best[old] + step + cost[new], old, new) for (old, new), step in steps.items() if old in best]
        cheapest = {new: min(way[:2] for way in ways if way[2] is new) for new in {way[2] for way in ways}}
        best = {new: total for new, (total, _) in cheapest.items()}
        origins.append({new: old for new, (_, old) in cheapest.items()})
    return _traced(min(best, key=best.__getitem__), origins)


def _traced(last: Kind, origins: list[dict[Kind, Kind]]) -> list[Kind]:
    """The cheapest way, followed back from its end."""
    kinds = [last]
    for origin in reversed(origins):
        kinds.append(origin[kinds[-1]])
    return kinds[::-1]


def _costs(before: Line, line: Line, share_after_blank: float) -> Costs:
    """The cost of each kind for a line, whatever the kind of the one before."""
    lean = _LIST_POINT if listed(line.text) else max(-_CERTAIN, min(_CERTAIN, leaning(line.text)))
    title, prose = math.log1p(math.exp(lean)), math.log1p(math.exp(-lean))
    if line.after_header:
        prose += _HEADER_INSIDE
    elif unfinished(before.text, line.text):
        title += _TITLE_IN_SENTENCE
    if share_after_blank > 0.9:
        title += 0.0 if line.after_blank else _TITLE_IN_BLOCK
    elif share_after_blank > 0.1:
        title, prose = title + _BLANK_MISPLACED * (not line.after_blank), prose + _BLANK_MISPLACED * line.after_blank
    return title, prose + _BACK_REFERENCE_FIRST * refers_back(line.text), prose
