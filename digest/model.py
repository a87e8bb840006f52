"""What flows through the pipeline: frozen data, no behaviour.

file → Listing of Entry → (Profile) → Match → Edition → Rendered → bytes → Outcome
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import Literal, NamedTuple

FIELDS = ("title", "abstract", "author", "category", "source")
"""The fields of an entry that a keyword can name, in the order in which reasons are listed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One listed thing, in most cases a paper.

    `keys` are its identities, strongest first (`doi:…`, `arxiv:…`, `url:…`, `title:…`); any one in common makes two
    entries the same. `links` are pages of code or of the project that are named beside the abstract. `version` is what
    its source says (0: nothing). `updated`: it is there because a new version was announced.

    `number` is its place in the order of loading, given by the store (0: not stored). `first` is the number of an
    earlier one that is this very entry (0: there is none), told with less, in an earlier version, or under another key.
    """

    keys: tuple[str, ...]
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source: str = ""
    url: str = ""
    published: date | None = None
    votes: int | None = None
    links: tuple[str, ...] = ()
    version: int = 0
    updated: bool = False
    number: int = 0
    first: int = 0

    @property
    def root(self) -> int:
        """The number that it has in common with every other telling of it."""
        return self.first or self.number

    @property
    def key(self) -> str:
        """The canonical key: the strongest identity."""
        return self.keys[0]

    def __hash__(self) -> int:
        """The identities tell entries apart; hashing every text each time would cost more than what is kept by it."""
        return hash(self.keys)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was not loaded: its 1-based line, why, and how it begins."""

    line: int
    reason: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one listing file holds. `date` is the day that the file names, if it names one.

    `notes` say how it was read where that had to be guessed; `warnings`, what looks wrong. `ranked`: the order of the
    entries is a ranking.
    """

    format: str
    entries: tuple[Entry, ...]
    source: str = ""
    curator: str = ""
    date: date | None = None
    rejected: tuple[Rejection, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ranked: bool = False


MatchMode = Literal["near", "any", "phrase"]
"""What several unquoted words mean: all of them near each other, any one of them, or all adjacent and in order."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named list of keywords, as typed. `capitals`: a keyword all in capitals matches only capitals."""

    name: str
    keywords: tuple[str, ...]
    match: MatchMode = "near"
    capitals: bool = True


@dataclass(frozen=True, slots=True)
class Cadence:
    """When somebody gets an edition: on which local dates, and at what local time there.

    `days` is a rule as `cadence.canonical` writes it ("daily", "mon, thu", "first monday"). `send_at` None: at once, on
    the first run of such a day.
    """

    days: str = "daily"
    send_at: time | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person who gets editions.

    With fewer matches than `min_matches` none is sent, and they wait for the next. Nothing is sent before the date
    `paused_until`, nor on days in `skip`: dates ("2026-12-24"), ranges of them ("2026-12-24/2027-01-02"), or names of
    calendars in the configuration. What came in meanwhile goes into the next edition. `updates`: new versions of
    entries come, too.
    """

    email: str
    profiles: tuple[Profile, ...]
    name: str = ""
    cadence: Cadence = Cadence()
    min_matches: int = 1
    max_entries: int = 20
    paused_until: date | None = None
    skip: tuple[str, ...] = ()
    updates: bool = False
    id: int = 0


class Reason(NamedTuple):
    """Why an entry is in an edition.

    `field` is one of FIELDS; `words` are the pieces of its text that hit, as they stand there ("reward models"). A
    tuple, because every card is looked up by its reasons.
    """

    profile: str
    keyword: str
    field: str
    words: tuple[str, ...]


class Movement(NamedTuple):
    """How an entry moved in the rankings of one source: its places in the first and in the last that listed it."""

    source: str
    first: int
    last: int


class Match(NamedTuple):
    """An entry (by number) that a subscriber gets, with its score and every reason."""

    entry: int
    score: float
    reasons: tuple[Reason, ...] = ()


class State(StrEnum):
    """Where an edition stands. PLANNED, SENDING and DEFERRED are on their way; the others are final.

    UNKNOWN: the connection broke after the final dot and before the reply, so the server may have the message.
    """

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Edition:
    """One subscriber's digest for one local date, the slot; `due_at` is its moment in epoch seconds.

    It covers the local dates from `since` to the slot, so it is several days' where earlier ones were missed or
    waited. `matches` get a card each, best first; `more` (entry numbers) are listed by title; `matched` counts all that
    matched, `considered` all new entries looked at. `planned_at` is in epoch seconds and is the Date of the message.
    """

    id: int
    subscriber: int
    email: str
    name: str
    slot: date
    since: date
    zone: str
    due_at: int
    planned_at: int
    matches: tuple[Match, ...]
    more: tuple[int, ...]
    matched: int
    considered: int
    profiles: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[int, ...]:
        """The numbers of all entries that it names, best first."""
        return (*(match.entry for match in self.matches), *self.more)


class Delivery(NamedTuple):
    """An edition on its way: how often it was tried, and the octets that its HTML may have (0: as usual)."""

    edition: Edition
    attempts: int = 0
    room: int = 0


class Rendered(NamedTuple):
    """The subject line of an edition, and its two bodies in pieces, ready for the wire (quoted-printable, CRLF)."""

    subject: str
    html_pieces: Sequence[bytes]
    text_pieces: Sequence[bytes]

    @property
    def html(self) -> bytes:
        """The HTML body as a whole."""
        return b"".join(self.html_pieces)

    @property
    def text(self) -> bytes:
        """The text body as a whole."""
        return b"".join(self.text_pieces)


class Outcome(NamedTuple):
    """What became of one attempt to send: the new state, the server's code (0: none) and its words.

    `next_at`: not to be tried before (epoch seconds; 0: at once). `room`: as in Delivery, for the next attempt.
    `suppress`: there is no such mailbox, so nothing is sent there any more. State PLANNED gives the edition back.
    """

    edition: int
    state: State
    code: int = 0
    reply: str = ""
    next_at: int = 0
    room: int = 0
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Throttle:
    """What holds back the mails to a relay or to a recipient's domain (the scope), as it outlives a run.

    `free_at` is the theoretical arrival time of the next mail by the rate alone, `paused_until` when a pause ends (0:
    none), both in epoch seconds; `strikes` counts the push-backs running, `words` is the last one.
    """

    scope: str
    name: str
    free_at: float = 0.0
    paused_until: int = 0
    strikes: int = 0
    words: str = ""
