"""Editions: as they were sent, in full, and why each entry of the window was in or not.

Rules
-----
1. An edition can be seen for as long as its subscriber is known; one that has been emptied, or never had anything in
   it, cannot.
2. The mail itself is made again, to the octet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from starlette.responses import Response

from digest import press
from digest.delivery.message import body
from digest.errors import MessageError
from digest.explain import Opened, Placed, Standing, Verdict, of_window
from digest.explain.verdict import RANKED
from digest.explain.verdict import mail as mail_of
from digest.listings.keys import title_words
from digest.matching.misses import Miss
from digest.model import State
from digest.rendering.cards import Card, card, row
from digest.rendering.clean import clean
from digest.rendering.subject import long_dates, summary
from digest.store import editions, entries, members
from digest.store.editions import Kept
from digest.store.members import Member
from digest.web.desk import Asked, Page, RefusedError, dead_link
from digest.web.pages import sandboxed

MOST = 20_000
"""Entries of one window that are told of, the newest."""
MORE, OTHERS, LONGEST = 200, 50, 100
"""Titles on a page of those that matched, entries on a page of the others, characters to search for."""
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_HEADINGS = {
    Standing.TITLE: "Listed by title in the mail",
    Standing.SIZE: "Left out of the mail for size",
    Standing.CUT: "Below the cut",
    Standing.SINCE: "Not then, but by the keywords as they are now",
    Standing.EXCLUDED: "Kept out by an exclusion",
    Standing.REPEAT: "Nearly the same as another",
    Standing.MISSED: "No keyword hits these",
    Standing.EARLIER: "New before, and listed again",
}
_MATCHED = (Standing.TITLE, Standing.SIZE, Standing.CUT, Standing.SINCE)
_OTHERS = (Standing.EXCLUDED, Standing.REPEAT, Standing.MISSED, Standing.EARLIER)
_SAID = frozenset((*RANKED, Standing.SINCE, Standing.MISSED))
"""What the heading says already."""


class Line(NamedTuple):
    """An entry without a card: its title and link, and why it was not in."""

    title: str
    url: str
    words: str
    misses: tuple[Miss, ...]


class Group(NamedTuple):
    """Entries of one standing; `start` is the rank of the first (0: they have none)."""

    heading: str
    start: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page of a list: its number, how many there are, what is on it, and how many entries the list has in all."""

    number: int
    of: int
    groups: list[Group]
    count: int


def edition(asked: Asked) -> Response:
    """An edition with all that matched, and what else came in."""
    kept, member = _kept(asked)
    newest = kept._replace(after=max(kept.after, kept.upto - MOST))
    opened = of_window(asked.desk.store, newest, member.subscriber.profiles, asked.desk.press)
    typed = clean(asked.query.get("q", ""))[:LONGEST]
    others = _found(asked, opened, typed) if typed else _placed(opened, *_OTHERS)
    return asked.show(
        "edition.html",
        token=asked.place["token"],
        dates=long_dates(kept.edition.since, kept.edition.slot),
        summary=summary(kept.edition.matched, kept.edition.considered),
        fate="" if kept.state is State.SENT else f"This is {mail_of(kept)}.",
        cards=_cards(asked, opened),
        more=_leaf(opened, _placed(opened, *_MATCHED), asked.query.get("more", ""), MORE),
        others=_leaf(opened, others, asked.query.get("page", ""), OTHERS, mixed=bool(typed)),
        lost=max(0, kept.edition.matched - len(_placed(opened, *RANKED))),
        q=typed,
        most=0 if newest == kept else MOST,
    )


def mail(asked: Asked) -> Response:
    """The HTML of the mail, to the octet as it was sent."""
    kept, _ = _kept(asked)
    try:
        message = asked.desk.press.message(kept.edition, press.listed(asked.desk.store, kept.edition), kept.room)
    except MessageError:
        words = "It breaks a rule of mail, and was not sent either."
        raise RefusedError(404, "This mail cannot be made", words) from None
    return sandboxed(body(message, "html"), _SANDBOX)


def _kept(asked: Asked) -> tuple[Kept, Member]:
    """The edition of the link, and whose it is. Raises RefusedError if either is gone."""
    number = asked.number("view")
    with asked.desk.store.read() as connection:
        kept = editions.find(connection, number)
        member = members.find(connection, kept.edition.subscriber) if kept else None
    if kept is None or member is None:
        raise dead_link()
    return kept, member


def _placed(opened: Opened, *standings: Standing) -> list[Placed]:
    return [one for one in opened.placed if one.standing in standings]


def _cards(asked: Asked, opened: Opened) -> list[Card]:
    edition = opened.kept.edition
    several, moved = len(edition.profiles) > 1, press.listed(asked.desk.store, edition).moved
    told = opened.told(_placed(opened, Standing.SENT))
    return [
        card(str(one.rank), one.entry, one.reasons, several=several, movement=moved.get(one.entry.number))
        for one in told
    ]


def _found(asked: Asked, opened: Opened, typed: str) -> list[Placed]:
    """Those entries of the window whose titles have what was typed."""
    with asked.desk.store.read() as connection:
        numbers = set(entries.titled(connection, title_words(typed), [one.number for one in opened.placed]))
    return [one for one in opened.placed if one.number in numbers]


def _leaf(opened: Opened, placed: Sequence[Placed], asked: str, at_once: int, *, mixed: bool = False) -> Leaf:
    """One page of a list; `asked`: its number, as it stands in the address. `mixed`: not grouped by standing."""
    of = max(1, -(-len(placed) // at_once))
    number = min(max(1, int(asked)), of) if asked.isdecimal() and len(asked) < 6 else 1
    told = opened.told(placed[(number - 1) * at_once : number * at_once])
    groups = [_group(None, told)] if mixed else [_group(*one) for one in groupby(told, key=lambda one: one.standing)]
    return Leaf(number, of, groups, len(placed))


def _group(standing: Standing | None, told: Iterable[Verdict]) -> Group:
    """Verdicts under one heading, which says what they have in common; without one, each says it."""
    some = list(told)
    lines = [_line(one, "" if standing in _SAID else one.words) for one in some]
    return Group(_HEADINGS[standing] if standing else "", some[0].rank if some else 0, lines)


def _line(verdict: Verdict, words: str) -> Line:
    seen = row("", verdict.entry)
    return Line(seen.title, seen.url, words, verdict.misses)


PAGES: tuple[Page, ...] = (
    Page("/editions/{token}", edition),
    Page("/editions/{token}/mail", mail),
)
