"""What is broken now, for the operator. Being busy is not being broken, nor is a blip.

Rules
-----
1. A Condition is one broken thing as seen now; kind and subject tell it from others. The store makes Incidents of
   conditions: one from its beginning to its end, however often it was seen.
2. Words name moments, never how long ago, so they stay the same while nothing changes. What others said (a parser, a
   relay) may hold any character; words are one line that can be stored and shown.
3. The newest file of a source without entries means that its format has drifted or its writer is broken, unless others
   that came with it had some. A file that is no listing at all counts only where nothing else may lie: in a source that
   is fetched, or is one file. A source is stale when nothing with entries was loaded from it for too long, by its own
   limit if it has one; one that never gave anything, when it was watched for too long.
4. A relay that takes nothing, or failures, count only over their limit. Nothing sent and nothing failed is no failure.
5. A refusal of ourselves is broken at once, as time does not mend it: by the relay (login, certificate, sender), or by
   a recipient's domain (SPF, DKIM, DMARC, reverse DNS).
6. Complaints over 0.1 % of the mails of 30 days are too many, and over 0.3 % nothing is sent: the limits of Google's
   Email sender guidelines (support.google.com/a/answer/81126) and Yahoo's Sender best practices. A share of few mails
   means nothing: under 1,000 mails it takes 3 complaints.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from digest.model import Throttle

_HEADLINES = {
    "overdue": "runs are overdue",
    "source": "no entries from {}",
    "failures": "too many editions fail",
    "relay": "the relay takes no mail",
    "setup": "our configuration is refused by {}",
    "complaints": "too many recipients complain",
    "paused": "sending is paused for complaints",
}
KINDS = tuple(_HEADLINES)
"""The kinds of conditions. Those of kind "source" have a subject, its label, and "setup" a recipient's domain."""

COMPLAINT_DAYS = 30
_WARN_PER_MILLE, _PAUSE_PER_MILLE = 1, 3
_ENOUGH_SENT, _ENOUGH_COMPLAINTS = 1_000, 3
_COMPLAINTS = (
    "{}: receivers want less than 0.1 %, and over 0.3 % sending pauses. "
    "Mail only those who asked for it. See who complained: digest suppress list"
)
_PAUSED = (
    "{}, over 0.3 %: nothing is sent, or receivers would refuse all our mail. Every edition is kept. Find out why they "
    "complain and end it; sending goes on when the share is lower again, as a complaint counts for 30 days. "
    "See who complained: digest suppress list"
)
_REFUSED = (
    "{0} refuses how we are set up (SPF, DKIM, DMARC or reverse DNS); its recipients are not to blame, and every "
    "edition for them is kept. Look at what it names, with digest doctor as well. It said: {1}"
)


class Condition(NamedTuple):
    """Something broken: which, in words (what, since when, what to do), and since when in epoch seconds."""

    kind: str
    subject: str
    words: str
    since: int


class Incident(NamedTuple):
    """A condition from its beginning to its end (None: it is still so), as the store keeps it.

    `told` is 0 before any mail about it, 1 after the mail about its beginning, 2 after that about its end.
    """

    id: int
    kind: str
    subject: str
    words: str
    opened_at: int
    closed_at: int | None
    told: int


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on it is broken: seconds, and the share of editions in percent.

    `stale_seconds` holds for sources that have no limit of their own; 0: never stale.
    """

    overdue_seconds: float
    failures_percent: float
    stale_seconds: float
    relay_seconds: float


@dataclass(frozen=True, slots=True)
class Watched:
    """A configured source: its path as the database knows it, and its name ("": it has none).

    `address` is what it is fetched from, as others may read it ("": nothing). `stale_seconds` None: the usual limit.
    """

    path: str
    name: str = ""
    address: str = ""
    stale_seconds: float | None = None

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or self.path

    def counts(self, path: str, format_: str) -> bool:
        """Whether a file of it tells how it is; `format_` is "" for what is no listing (rule 3)."""
        return bool(format_ or self.address) or path == self.path


@dataclass(frozen=True, slots=True)
class SourceState:
    """A configured source and what was loaded from it last; times are epoch seconds.

    `newest_at` is when the last file with entries was loaded (None: never one), `last_entries` how many the last file
    that counts gave (None: no file yet), `last_path` its path, `last_at` when it was loaded, `last_fault` what was
    wrong with it. `watched_since` is the first run (None: there was none). `fetched_at` is when it last answered (None:
    never, or it is not fetched), and `fetch_fault` why it did not when it was asked last.
    """

    source: Watched
    newest_at: int | None = None
    last_entries: int | None = None
    last_path: str = ""
    last_at: int = 0
    last_fault: str = ""
    watched_since: int | None = None
    fetched_at: int | None = None
    fetch_fault: str = ""


def overdue(last_progress: int | None, now: int, limits: Limits) -> list[Condition]:
    """Whether no run has done anything for too long. Before the very first run nothing is overdue."""
    if last_progress is None or now - last_progress <= limits.overdue_seconds:
        return []
    words = f"No run has done anything since {utc(last_progress)}. Run this and see what it says: digest run"
    return [Condition("overdue", "", words, last_progress)]


def sources(states: Iterable[SourceState], now: int, limits: Limits) -> list[Condition]:
    """The sources whose newest file gave no entries, and those that are stale (rule 3)."""
    return [found for state in states if (found := without_entries(state) or _stale(state, now, limits))]


def without_entries(state: SourceState) -> Condition | None:
    """Whether the newest file of a source gave no entries (rule 3)."""
    if state.last_entries != 0 or state.newest_at == state.last_at:
        return None
    label = state.source.label
    drift = f"{label}: " if state.newest_at is None else f"{label}: format drift? "
    before = "nor did any before" if state.newest_at is None else f"the last one that did is of {utc(state.newest_at)}"
    why = f": {state.last_fault}" if state.last_fault else ""
    words = (
        f"{drift}The newest file, loaded {utc(state.last_at)}, gave no entries; {before}. "
        f"Look into {state.last_path}{why}"
    )
    return Condition("source", label, one_line(words), state.last_at)


def failures(sent: int, failed: int, now: int, limits: Limits) -> list[Condition]:
    """Whether more of the last day's editions failed than the limit allows."""
    if failed * 100 <= (sent + failed) * limits.failures_percent:
        return []
    words = (
        f"{failed} of {sent + failed} editions of one day failed; the limit is {limits.failures_percent:g} %. "
        "See the reasons and correct what they name: digest status"
    )
    return [Condition("failures", "", words, now)]


def relay(error: str, failing_since: int | None, now: int, limits: Limits, *, refused: bool = False) -> list[Condition]:
    """Whether the relay has taken nothing for too long, or refuses ourselves (`refused`, rule 5).

    `error` says why; `failing_since` None: it works.
    """
    if failing_since is None or (now - failing_since <= limits.relay_seconds and not refused):
        return []
    words = (
        f"The relay has taken no mail since {utc(failing_since)}: {error}. "
        "Correct [smtp] or the relay; every edition is kept and goes out then."
    )
    return [Condition("relay", "", one_line(words), failing_since)]


def setup(throttles: Iterable[Throttle], now: int) -> list[Condition]:
    """The recipients' domains that are paused because they refuse how we are set up (rule 5)."""
    refusing = (
        one for one in throttles if one.scope == "domain" and one.paused_until > now and one.words.startswith("5")
    )
    return [Condition("setup", one.name, one_line(_REFUSED.format(one.name, one.words)), now) for one in refusing]


def complaints(complaints: int, sent: int, now: int) -> list[Condition]:
    """Whether too many complained in the last COMPLAINT_DAYS, and whether that pauses sending (rule 6)."""
    if not _over(_WARN_PER_MILLE, complaints, sent):
        return []
    share = f"{complaints:,} complaints about {sent:,} mails in {COMPLAINT_DAYS} days"
    found = [Condition("complaints", "", _COMPLAINTS.format(share), now)]
    if paused_by_complaints(complaints, sent):
        found.append(Condition("paused", "", _PAUSED.format(share), now))
    return found


def paused_by_complaints(complaints: int, sent: int) -> bool:
    """Whether so many complained that nothing may be sent."""
    return _over(_PAUSE_PER_MILLE, complaints, sent)


def headline(kind: str, subject: str) -> str:
    """What is broken, in a few words."""
    if kind not in _HEADLINES:
        raise ValueError(f"{kind!r} is no kind of condition; there are {', '.join(KINDS)}")
    return _HEADLINES[kind].format(subject)


def utc(moment: int) -> str:
    """A moment (epoch seconds) for people: "2026-11-20 07:00 UTC"."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def one_line(text: str) -> str:
    """What others said, as one line that can be stored and shown, of at most 1,000 characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:1000]


def _over(per_mille: int, complaints: int, sent: int) -> bool:
    enough = sent >= _ENOUGH_SENT or (sent and complaints >= _ENOUGH_COMPLAINTS)
    return bool(enough) and complaints * 1_000 > sent * per_mille


def _stale(state: SourceState, now: int, limits: Limits) -> Condition | None:
    since = state.watched_since if state.newest_at is None else state.newest_at
    own = state.source.stale_seconds
    limit = limits.stale_seconds if own is None else own
    if since is None or not limit or now - since <= limit:
        return None
    label = state.source.label
    what = "nothing was ever loaded" if state.newest_at is None else f"nothing new since {utc(since)}"
    words = f"{label}: stale: {what}. {_where_it_ends(state)}"
    return Condition("source", label, one_line(words), since)


def _where_it_ends(state: SourceState) -> str:
    """Where to look why nothing comes."""
    if state.fetch_fault:
        return f"It could not be fetched: {state.fetch_fault}"
    if state.source.address:
        return f"See what a browser shows at {state.source.address}"
    return "See whether what writes its files still works."
