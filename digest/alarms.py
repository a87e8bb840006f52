"""What is broken now, for the operator. Being busy is not being broken, nor is a blip.

Rules
-----
1. A Condition is one broken thing as seen now; kind and subject tell it from others. The store makes Incidents of
   conditions: one from its beginning to its end, however often it was seen.
2. Words name moments, never how long ago, so they stay the same while nothing changes. What others said (a parser, a
   relay) may hold any character; words are one line that can be stored and shown.
3. The newest file of a source without entries means that its format has drifted or its writer is broken. A source is
   stale when nothing with entries was loaded from it for too long; one that never gave anything, when it was watched
   for too long.
4. A refusal by the relay, or failures, count only over their limit. Nothing sent and nothing failed is no failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

KINDS = ("overdue", "source", "failures", "relay")
"""The kinds of conditions. Only those of kind "source" have a subject: the path."""


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
    """From when on it is broken: seconds, and the share of editions in percent. `stale_seconds` 0: never stale."""

    overdue_seconds: float
    failures_percent: float
    stale_seconds: float
    relay_seconds: float


@dataclass(frozen=True, slots=True)
class SourceState:
    """A configured path and what was loaded from it last; times are epoch seconds.

    `newest_at` is when the last file with entries was loaded (None: never one), `last_entries` how many the very last
    file gave (None: no file yet), `last_path` its path, `last_at` when it was loaded, `last_fault` what was wrong with
    it. `watched_since` is the first run (None: there was none).
    """

    path: str
    newest_at: int | None = None
    last_entries: int | None = None
    last_path: str = ""
    last_at: int = 0
    last_fault: str = ""
    watched_since: int | None = None


def overdue(last_progress: int | None, now: int, limits: Limits) -> list[Condition]:
    """Whether no run has done anything for too long. Before the very first run nothing is overdue."""
    if last_progress is None or now - last_progress <= limits.overdue_seconds:
        return []
    words = f"No run has done anything since {utc(last_progress)}. Run this and see what it says: digest run"
    return [Condition("overdue", "", words, last_progress)]


def sources(states: Iterable[SourceState], now: int, limits: Limits) -> list[Condition]:
    """The sources whose newest file gave no entries, and those that are stale (rule 3)."""
    return [found for state in states if (found := _without_entries(state) or _stale(state, now, limits))]


def failures(sent: int, failed: int, now: int, limits: Limits) -> list[Condition]:
    """Whether more of the last day's editions failed than the limit allows."""
    if failed * 100 <= (sent + failed) * limits.failures_percent:
        return []
    words = (
        f"{failed} of {sent + failed} editions of one day failed; the limit is {limits.failures_percent:g} %. "
        "See the reasons and correct what they name: digest status"
    )
    return [Condition("failures", "", words, now)]


def relay(error: str, failing_since: int | None, now: int, limits: Limits) -> list[Condition]:
    """Whether the relay has taken nothing for too long; `error` says why, `failing_since` None: it works."""
    if failing_since is None or now - failing_since <= limits.relay_seconds:
        return []
    words = (
        f"The relay has taken no mail since {utc(failing_since)}: {error}. "
        "Correct [smtp] or the relay; every edition is kept and goes out then."
    )
    return [Condition("relay", "", _line(words), failing_since)]


def headline(kind: str, subject: str) -> str:
    """What is broken, in a few words."""
    match kind:
        case "overdue":
            return "runs are overdue"
        case "source":
            return f"no entries from {subject}"
        case "failures":
            return "too many editions fail"
        case "relay":
            return "the relay takes no mail"
        case _:
            raise ValueError(f"{kind!r} is no kind of condition; there are {', '.join(KINDS)}")


def utc(moment: int) -> str:
    """A moment (epoch seconds) for people: "2026-11-20 07:00 UTC"."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _without_entries(state: SourceState) -> Condition | None:
    if state.last_entries != 0:
        return None
    why = f": {state.last_fault}" if state.last_fault else ""
    words = (
        f"The newest file from {state.path}, loaded {utc(state.last_at)}, gave no entries. Has its format changed? "
        f"Look into {state.last_path}{why}"
    )
    return Condition("source", state.path, _line(words), state.last_at)


def _stale(state: SourceState, now: int, limits: Limits) -> Condition | None:
    since = state.watched_since if state.newest_at is None else state.newest_at
    if since is None or not limits.stale_seconds or now - since <= limits.stale_seconds:
        return None
    never = state.newest_at is None
    what = (
        f"Nothing was ever loaded from {state.path}." if never else f"Nothing new from {state.path} since {utc(since)}."
    )
    return Condition("source", state.path, _line(f"{what} See whether what writes its files still works."), since)


def _line(text: str) -> str:
    """At most 1,000 characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:1000]
