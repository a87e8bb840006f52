"""More or less like this: the change that it would make to the profile, shown before it is made.

Rules
-----
1. A suggestion is made of the profiles as they are now, and chosen by its words: a page that was open while the
   profiles changed applies nothing else than what it said.
2. Whoever has left is shown the entry, and nothing to change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from starlette.responses import Response

from digest import feedback
from digest.backtest import Change
from digest.errors import QueryError
from digest.feedback import Sent
from digest.matching.suggest import Suggestion, Way
from digest.model import Profile, Subscriber
from digest.rendering.cards import card
from digest.web import member, preview
from digest.web.desk import Asked, Page, dead_link
from digest.web.forms import MOST_KEYWORDS
from digest.web.pages import seen
from digest.web.preview import Difference

_TITLES = 3
_GONE = "Your keywords have changed since, and nothing was done. Here is what there is to choose now."
_NOTHING_CHOSEN = "Choose one."


class _Option(NamedTuple):
    """A suggestion with what it would have changed."""

    suggestion: Suggestion
    change: Difference


class _GoneError(Exception):
    """What was chosen is not among the suggestions any more."""


def more_or_less(asked: Asked) -> Response:
    """The entry, and what might bring more or less like it; by POST, one of that is done."""
    sent = feedback.sent(asked.desk.store, asked.number("feedback"), _rank(asked))
    if sent is None:
        raise dead_link()
    if not asked.posted:
        return _shown(asked, sent)
    chosen = asked.given("choice")
    try:
        member.change(asked, sent.edition.subscriber, lambda person: _changed(person, sent, _way(asked), chosen))
    except _GoneError:
        return _shown(asked, sent, _GONE if chosen else _NOTHING_CHOSEN)
    return seen(f"{_address(asked, _way(asked))}?done=yes")


def _changed(person: Subscriber, sent: Sent, way: Way, chosen: str) -> Subscriber:
    found = next((one for one in _suggestions(sent, way, person) if one.words == chosen), None)
    if found is None:
        raise _GoneError
    return replace(person, profiles=found.profiles)


def _suggestions(sent: Sent, way: Way, person: Subscriber) -> list[Suggestion]:
    """Those that leave profiles which the preferences take."""
    made = sent.suggestions(way, person.profiles)
    return [one for one in made if all(len(profile.keywords) <= MOST_KEYWORDS for profile in one.profiles)]


def _shown(asked: Asked, sent: Sent, fault: str = "") -> Response:
    desk, way = asked.desk, _way(asked)
    other = "less" if way == "more" else "more"
    found = member.of_number(asked, sent.edition.subscriber)
    done = "done" in asked.query and not fault
    suggested = _suggestions(sent, way, found.subscriber) if found.subscribed and not done else []
    several = len(sent.edition.profiles) > 1
    return asked.show(
        "feedback.html",
        422 if fault else 200,
        way=way,
        other=other,
        at=_address(asked, way),
        other_at=_address(asked, other),
        card=card(str(_rank(asked)), sent.entry, sent.match.reasons, several=several),
        options=[_option(asked, found.subscriber.profiles, one) for one in suggested],
        subscribed=found.subscribed,
        preferences=f"{desk.base}/preferences/{desk.sign('manage', found.subscriber.id)}",
        done=done,
        fault=fault,
    )


def _option(asked: Asked, profiles: Sequence[Profile], suggestion: Suggestion) -> _Option:
    desk = asked.desk
    try:
        change = desk.trials.change(profiles, suggestion.profiles, desk.clock())
    except QueryError:  # an older keyword cannot be read, so nothing matches before and after
        change = Change(0, (), ())
    return _Option(suggestion, preview.told(change, _TITLES))


def _way(asked: Asked) -> Way:
    return "more" if asked.place["way"] == "more" else "less"


def _rank(asked: Asked) -> int:
    """The rank in the path. Raises RefusedError, also for a way that is none."""
    rank = asked.place["rank"]
    if asked.place["way"] not in ("more", "less") or not (rank.isascii() and rank.isdecimal() and len(rank) < 6):
        raise dead_link()
    return int(rank)


def _address(asked: Asked, way: str) -> str:
    return f"{asked.desk.base}/feedback/{asked.place['token']}/{_rank(asked)}/{way}"


PAGES: tuple[Page, ...] = (Page("/feedback/{token}/{rank}/{way}", more_or_less, ("GET", "POST")),)
