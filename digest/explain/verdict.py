"""Where an entry can stand, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from digest.errors import QueryError
from digest.matching.misses import Miss
from digest.model import Entry, Reason, State
from digest.rendering.clean import clean
from digest.rendering.edition import Shown
from digest.rendering.subject import long_date
from digest.store.editions import Kept

_FATES = {
    State.PLANNED: "is planned and not sent yet",
    State.SENDING: "is being sent",
    State.DEFERRED: "was put off",
    State.FAILED: "could not be sent",
    State.UNKNOWN: "may or may not have arrived",
    State.SUPPRESSED: "was not sent",
}


class Standing(StrEnum):
    """Where an entry stands. The first four matched; the edition's state tells what became of the mail.

    SENT: it has a card. TITLE: it is listed by title. SIZE: the mail could not hold it. CUT: beyond the maximum. SINCE:
    it matches only now. WAITING: it matches, and no mail was made. COMING: no edition has looked at it yet. BEFORE: it
    came before the subscription. GONE: nothing goes there any more. EARLIER: it came again, and was new before.
    """

    SENT = "sent"
    TITLE = "title"
    SIZE = "size"
    CUT = "cut"
    SINCE = "since"
    EXCLUDED = "excluded"
    REPEAT = "repeat"
    MISSED = "missed"
    EARLIER = "earlier"
    WAITING = "waiting"
    COMING = "coming"
    BEFORE = "before"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where an entry stands, and that in a sentence.

    `slot` and `state` are those of the edition that it is told of, `rank` its place there among all that matched (0: it
    has none); `reasons` are the keywords that took it in or kept it out, `misses` those that came near.
    """

    entry: Entry
    standing: Standing
    words: str
    slot: date | None = None
    state: State | None = None
    rank: int = 0
    reasons: tuple[Reason, ...] = ()
    misses: tuple[Miss, ...] = ()


class Placed(NamedTuple):
    """An entry, by number, with its standing in one edition, and its rank (0: none)."""

    number: int
    standing: Standing
    rank: int = 0


RANKED = (Standing.SENT, Standing.TITLE, Standing.SIZE, Standing.CUT)


def missed(entry: Entry, misses: tuple[Miss, ...], faults: Sequence[QueryError]) -> Verdict:
    """Nothing hit it; with `faults` of keywords that cannot be read, nothing does."""
    words = "No keyword hits it, as they are now."
    if faults:
        words = f"Nothing matches, for the keyword {clean(faults[0].keyword)} cannot be read: {faults[0].reason}."
    return Verdict(entry, Standing.MISSED, words, misses=misses)


def kept_out(entry: Entry, reasons: Sequence[Reason], *, several: bool) -> Verdict:
    """These exclusions hit it; `several`: the subscriber has several profiles."""
    named = [f"{clean(why.keyword)}{f' of {clean(why.profile)}' if several else ''} ({_words(why)})" for why in reasons]
    words = f"Kept out by {', '.join(named)}, as the keywords are now."
    return Verdict(entry, Standing.EXCLUDED, words, reasons=tuple(reasons))


def _words(reason: Reason) -> str:
    """The words that hit, and where: “survey” in the title."""
    return f"“{'”, “'.join(map(clean, reason.words))}” in the {reason.field}"


def repeat(entry: Entry, twin: Entry | None) -> Verdict:
    """It repeats another entry."""
    other = f"“{clean(twin.title)}” (entry {twin.number})" if twin else "an earlier entry"
    return Verdict(entry, Standing.REPEAT, f"Nearly the same as {other}, which counts instead.")


def matched(kept: Kept, placed: Placed, shown: Shown) -> str:
    """What to say of an entry that matched."""
    edition, then = kept.edition, long_date(kept.edition.slot)
    place = f"number {placed.rank:,} of {edition.matched:,}"
    match placed.standing:
        case Standing.SENT if kept.state is State.SENT:
            return f"Sent on {then}, as {place}."
        case Standing.SENT:
            return f"It is {place} in {mail(kept)}."
        case Standing.TITLE:
            size = " Its card was left out for size." if placed.rank <= len(edition.matches) else ""
            return f"Listed by title, as {place}, in {mail(kept)}.{size}"
        case Standing.SIZE:
            held = shown.cards + shown.titles
            return f"Left out for size on {then}: it is {place}, and the mail could hold {held}."
        case Standing.CUT:
            return (
                f"Below the cut on {then}: it is {place}; {shown.cards} have a card, {shown.titles} more their title."
            )
    return f"It was not among the matches on {then}; by the keywords as they are now it would be."


def mail(kept: Kept) -> str:
    """The mail of an edition, and what became of it."""
    if kept.state is State.SENT:
        return f"the mail of {long_date(kept.edition.slot)}"
    said = " ".join(filter(None, (str(kept.code or ""), clean(kept.reason))))
    return f"the mail of {long_date(kept.edition.slot)}, which {_FATES[kept.state]}{f': {said}' if said else ''}"


def earlier(entry: Entry, others: Sequence[Kept]) -> Verdict:
    """It came again, and was new in the window of one of these editions, or of none."""
    words = "It came before, and was new then."
    for kept in others:
        if kept.after < entry.number <= kept.upto:
            places = kept.edition.entries
            words = f"It came before, and was looked at for the mail of {long_date(kept.edition.slot)}."
            if entry.number in places:
                words = f"Already in {mail(kept)}, as number {places.index(entry.number) + 1}."
    return Verdict(entry, Standing.EARLIER, words)
