"""What a reply, a broken connection or a limit leads to: an outcome for the ledger, another try, a slower pace.

Rules
-----
1. A mail whose connection was lost before its body left, or ended by 421 at MAIL, goes over another one at once, TRIES
   times in all. A connection lost later leaves it unknown.
2. Every other reply is judged by `verdict`: a recipient is deferred or fails alone; a domain that pushes back is
   slowed; a relay that pushes back gets fewer connections; one that refuses us gets nothing more, and the mail is for
   another.
3. A mail that is too large is composed once more, in SMALLER octets. That is written down before it is sent, so that
   after a restart it is the same.
4. A mail that a limit or a pause keeps back is deferred to its reserved moment, and was never granted. What was granted
   already when its domain is paused is given back for as long.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

from digest.delivery.check import Checked
from digest.delivery.ledger import LedgerWriter
from digest.delivery.line import Line
from digest.delivery.message import Envelope
from digest.delivery.pace import Throttles, retry_at
from digest.delivery.relay import Relay
from digest.delivery.verdict import Blame, Result, Verdict, verdict
from digest.model import Delivery, Edition, Outcome, State

TRIES = 2
SMALLER = 30_000
"""Octets of HTML in a mail that was refused for its size."""
SETUP_PAUSE = 3_600
MAX_PROBLEMS = 20

OnOutcome = Callable[[Edition, Outcome, float], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms mail is handed over.

    `per_minute`: mails a minute by scope and name (see `pace.Throttles`). `pauses`: seconds before an attempt to
    connect that follows a failure. `ahead`: whether to grant more mails than the connections have room for.
    """

    relays: tuple[Relay, ...]
    mail_from: str
    retry_seconds: int = 300
    per_minute: Mapping[tuple[str, str], float] = field(default_factory=dict)
    pauses: tuple[float, ...] = (1.0, 5.0)
    ahead: bool = True


class Mail(NamedTuple):
    """A message on its way to a domain; `tries` counts the connections that it was lost on."""

    delivery: Delivery
    domain: str
    envelope: Envelope
    message: Checked
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """An edition that was not sent, and the relay's words (or ours, with code 0) about it."""

    email: str
    state: State
    code: int
    reply: str


@dataclass(slots=True)
class Report:
    """What a delivery did. `ungranted` editions were taken by another sender, or suppressed by now.

    `problems` holds the first few. `relay_error` says why no relay could be used, if so, and `refusals` what those said
    that refuse us. `kept_until`: when the first mail may go that a limit keeps back (epoch seconds; 0: none is).
    `paused`: why nothing was to be sent at all. `seconds`: how long it took.
    """

    states: Counter[State] = field(default_factory=Counter)
    ungranted: int = 0
    problems: list[Problem] = field(default_factory=list)
    relay_error: str = ""
    refusals: list[str] = field(default_factory=list)
    kept_until: float = 0.0
    paused: str = ""
    seconds: float = 0.0

    def __add__(self, other: Report) -> Report:
        """Both together; what the later one says of relays and limits holds."""
        return Report(
            self.states + other.states,
            self.ungranted + other.ungranted,
            (self.problems + other.problems)[:MAX_PROBLEMS],
            other.relay_error,
            other.refusals,
            other.kept_until,
            self.paused or other.paused,
            self.seconds + other.seconds,
        )


class Settling:
    """Writes down what became of each mail, and slows what pushes back."""

    def __init__(
        self,
        writer: LedgerWriter,
        throttles: Throttles,
        retry_seconds: int,
        clock: Callable[[], float],
        on_outcome: OnOutcome | None,
    ) -> None:
        self.report = Report()
        self._writer, self._throttles, self._clock = writer, throttles, clock
        self._retry_seconds, self._on_outcome = retry_seconds, on_outcome
        self.paused: dict[str, int] = {}  # domains that pushed back, and until when

    def settle(self, line: Line, mail: Mail, result: Result, seconds: float) -> Mail | Delivery | None:
        """Take in what came of a mail. Return it if it is to go again, its delivery if it is to be composed again."""
        judged = verdict(result)
        if judged.state is State.SENT:
            self._throttles.praised("domain", mail.domain)
            edition, room = mail.delivery.edition, mail.delivery.room
            self._tell(edition, Outcome(edition.id, State.SENT, result.code, result.reply, 0, room), seconds)
        elif judged.blame is Blame.US:
            line.refuse(f"{line.relay} refuses us: {result.code} {result.reply}; check the sender and the login")
            return mail
        elif judged.blame is Blame.SIZE and not mail.delivery.room:
            return self._smaller(mail.delivery)
        else:
            return self._put_off(line, mail, result, judged, seconds)
        return None

    def fail(self, delivery: Delivery, reason: str) -> None:
        """An edition cannot be composed."""
        edition = delivery.edition
        self._tell(edition, Outcome(edition.id, State.FAILED, 0, reason, 0, delivery.room), 0.0)

    def give_back(self, mail: Mail) -> None:
        """A mail that was granted is not sent after all."""
        self._writer.outcomes.append(Outcome(mail.delivery.edition.id, State.PLANNED, 0, "", 0, mail.delivery.room))

    def may_compose(self, delivery: Delivery, domain: str) -> bool:
        """Whether a mail may go to this domain now; if not, it is deferred (rule 4)."""
        if self._throttles.ready_at("domain", domain, now := self._clock()) <= now:
            return True
        self._keep_back(delivery, domain, State.DEFERRED)
        return False

    def may_leave(self, mail: Mail) -> bool:
        """Whether a mail that was granted may still go; if its domain is paused by now, it is given back (rule 4)."""
        if self.paused.get(mail.domain, 0) <= self._clock():
            return True
        self._keep_back(mail.delivery, mail.domain, State.PLANNED)
        return False

    def _put_off(self, line: Line, mail: Mail, result: Result, judged: Verdict, seconds: float) -> Mail | None:
        """Rules 1 and 2, for what is not sent now."""
        if judged.blame is Blame.RELAY:
            if not result.lost:
                line.pushed_back()
            again = judged.state is State.DEFERRED and (result.lost or result.code == 421)
            if again and mail.tries + 1 < TRIES:
                return mail._replace(tries=mail.tries + 1)
        next_at = 0 if result.lost else self._retry_at(mail, result, judged)
        edition, room = mail.delivery.edition, mail.delivery.room
        outcome = Outcome(edition.id, judged.state, result.code, result.reply, next_at, room, judged.suppress)
        self._tell(edition, outcome, seconds)
        return None

    def _retry_at(self, mail: Mail, result: Result, judged: Verdict) -> int:
        """When the mail may be tried again (0: never); its domain is slowed if it pushes back."""
        if judged.state is not State.DEFERRED:
            return 0
        now, words = self._clock(), f"{result.code} {result.reply}"
        chance = random.random()  # noqa: S311 - jitter is no secret
        next_at = retry_at(now, mail.delivery.attempts + 1, self._retry_seconds, chance)
        if judged.blame is Blame.DOMAIN:
            paused_until = self._throttles.strike("domain", mail.domain, now, words, firm=result.code == 421)
        elif judged.blame is Blame.SETUP:
            self._throttles.pause("domain", mail.domain, now, SETUP_PAUSE, words)
            # At its very end, so that the alarm does not end before the next refusal.
            next_at = paused_until = ceil(now) + SETUP_PAUSE
        else:
            return next_at
        if paused_until:
            self.paused[mail.domain] = paused_until
        return max(next_at, paused_until)

    def _smaller(self, delivery: Delivery) -> Delivery:
        """Rule 3."""
        self._writer.outcomes.append(Outcome(delivery.edition.id, State.PLANNED, 0, "", 0, SMALLER))
        return delivery._replace(room=SMALLER)

    def _keep_back(self, delivery: Delivery, domain: str, state: State) -> None:
        until = self._throttles.take("domain", domain, self._clock())
        self.report.kept_until = min(self.report.kept_until or until, until)
        words = f"kept back by the limit of {domain}"
        self._writer.outcomes.append(Outcome(delivery.edition.id, state, 0, words, ceil(until), delivery.room))

    def _tell(self, edition: Edition, outcome: Outcome, seconds: float) -> None:
        self._writer.outcomes.append(outcome)
        self.report.states[outcome.state] += 1
        if outcome.state is not State.SENT and len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(Problem(edition.email, outcome.state, outcome.code, outcome.reply))
        if self._on_outcome:
            self._on_outcome(edition, outcome, seconds)
