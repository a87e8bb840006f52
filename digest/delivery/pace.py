"""How fast mail may go: when to try again, over how many connections, to which relay and to which domain.

Rules
-----
1. Backoff: a wait doubles with each failure running, up to a longest, and is jittered: it takes between once and one
   and a half times its step, so that what failed together does not come back together.
2. Concurrency (AIMD): it doubles a round (slow start) until the first push-back, which halves it; from then on it grows
   by one a round. A round is as many accepted messages as there are connections. It does not grow while the relay is
   slow: latency over SLOW_SECONDS and over twice the best seen since the last push-back. What is pushed back within
   LOSS_SECONDS is one loss.
3. Circuit breaker of a relay: TRIPS failures running open it. When its wait is over it is half open: one connection is
   the probe. That works, and it closes; that fails, and it opens for twice as long.
4. Rates (GCRA): each mail takes its share of a minute, and a name may be ahead of its rate by BURST_SECONDS. Only a
   mail that goes is counted, so that one which waits, is merged or never comes back costs nobody a place.
5. A push-back strikes the name that it came from. A single 4xx pauses nothing; the second running does, and a 421 at
   once. What else is refused during the pause belongs to the same event. An accepted mail takes one strike back, once
   the pause is over.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil, inf

from digest.model import Throttle

LONGEST_RETRY_SECONDS = 4 * 3600
LONGEST_OPEN_SECONDS = 60
LONGEST_PAUSE_SECONDS = 3600
PAUSE_SECONDS = 60
TRIPS = 3
BURST_SECONDS = 6
LOSS_SECONDS = 1
SLOW_SECONDS = 0.05

_JITTER = 0.5
_SMOOTHING = 8  # messages; as TCP smooths its round trips (RFC 6298 section 2)


def retry_at(now: float, attempts: int, retry_seconds: float, chance: float) -> int:
    """When to try an edition again that was deferred after so many attempts, in epoch seconds (rule 1).

    The first retry comes after `retry_seconds` or more, and none after more than four hours, or `retry_seconds` if that
    is more. `chance` is in [0, 1).
    """
    return ceil(now + _backoff(retry_seconds, attempts - 1, LONGEST_RETRY_SECONDS, chance))


def _backoff(first: float, doublings: int, longest: float, chance: float) -> float:
    longest = max(longest, first)
    # The step ends below the longest wait, so that there is jitter at the end as well.
    step = min(first * 2.0 ** min(max(doublings, 0), 30), max(longest / (1 + _JITTER), first))
    return min(step * (1 + _JITTER * chance), longest)


class Concurrency:
    """How many connections a relay gets: `limit`, between 1 and `most` (rule 2), in monotonic seconds."""

    __slots__ = ("_best", "_calm_at", "_most", "_round", "_slow_start", "_smoothed", "limit")

    def __init__(self, most: int) -> None:
        self.limit = min(2, most)
        self._most = most
        self._slow_start = True
        self._round = 0  # messages of this round
        self._smoothed = 0.0  # seconds
        self._best = inf
        self._calm_at = -inf

    def settled(self, seconds: float, in_flight: int = 1) -> None:
        """A message was accepted, `seconds` after it was handed over.

        `in_flight` is how many were then under way on its connection, itself included: in a pipeline a message waits
        for those before it, which says nothing about the relay.
        """
        each = seconds / in_flight
        self._smoothed += (each - self._smoothed) / _SMOOTHING if self._smoothed else each
        self._round += 1
        if self._round >= self.limit:
            self._end_round()

    def pushed_back(self, now: float) -> None:
        """The relay would not have so many: 421 or 4xx when connecting or at MAIL."""
        if now < self._calm_at:
            return
        self._calm_at = now + LOSS_SECONDS
        self.limit = max(1, self.limit // 2)
        self._slow_start = False
        self._round = 0
        self._best = inf

    def _end_round(self) -> None:
        self._round = 0
        self._best = min(self._best, self._smoothed)
        if self._smoothed <= max(2 * self._best, SLOW_SECONDS):
            self.limit = min(self._most, self.limit * 2 if self._slow_start else self.limit + 1)


class Breaker:
    """The circuit breaker of one relay (rule 3), in monotonic seconds. `chance` gives numbers in [0, 1)."""

    __slots__ = ("_chance", "_failures", "_open_until", "_probing")

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._failures = 0  # running
        self._open_until = -inf
        self._probing = False

    def ready_at(self, now: float) -> float:
        """When the relay may be connected to; not after `now`: at once.

        Whoever is told so while it is half open has the probe. If nothing is heard of it for as long as the breaker was
        open, somebody else may make another one.
        """
        if self._failures < TRIPS:
            return now
        if now >= self._open_until:
            self._probing = True
            self._open_until = now + self._wait()
            return now
        return self._open_until

    def failed(self, now: float) -> None:
        """A connection could not be made, or was lost before the relay took anything."""
        if self.is_open(now) and not self._probing:
            return  # made before it opened: the same event
        self._probing = False
        self._failures += 1
        if self._failures >= TRIPS:
            self._open_until = now + self._wait()

    def worked(self) -> None:
        """The relay answered as it should."""
        self._failures = 0
        self._open_until = -inf

    def is_open(self, now: float) -> bool:
        """Whether nobody may connect now; so it is while a probe is under way."""
        return now < self._open_until

    def _wait(self) -> float:
        return _backoff(1, self._failures - TRIPS, LONGEST_OPEN_SECONDS, self._chance())


@dataclass(slots=True)
class _Gate:
    """What holds back the mails to one name. `interval` is the seconds between two of them (0: no limit)."""

    interval: float = 0.0
    free_at: float = 0.0
    paused_until: int = 0
    strikes: int = 0
    words: str = ""
    queued_at: float = 0.0  # the next place for whoever has to come back

    @property
    def tolerance(self) -> float:
        """By how many seconds the mails may be ahead of their rate."""
        return max(0.0, BURST_SECONDS - self.interval) if self.interval else 0.0

    def ready_at(self, now: float) -> float:
        """When the next mail may go, not before `now`."""
        # No mail that went was further ahead than this, unless the clock was set back or the limit raised since.
        ahead = min(self.free_at, now + self.tolerance + self.interval)
        return max(now, self.paused_until, ahead - self.tolerance)

    def queue(self, now: float, ready_at: float) -> float:
        """A place to come back at: one after the other, so that not all who wait come at each."""
        if ready_at - now < self.interval / 2:  # it came back a little early for its place; let it keep that
            return ready_at
        place = max(self.queued_at, ready_at)
        self.queued_at = place + self.interval
        return place


class Throttles:
    """Limits and pauses per relay and per recipient domain (rules 4 and 5), for one thread.

    A name is told by its scope ("relay" or "domain") and itself. `per_minute` has the limits, above 0 mails a minute;
    `known` is what was stored of an earlier run. All moments are epoch seconds.
    """

    def __init__(
        self,
        per_minute: Mapping[tuple[str, str], float],
        known: Iterable[Throttle] = (),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._chance = chance
        self._changed: set[tuple[str, str]] = set()
        self._gates = {key: _Gate(60 / rate) for key, rate in per_minute.items()}  # none: nothing holds it back
        for one in known:
            gate = self._gates.setdefault((one.scope, one.name), _Gate())
            gate.free_at, gate.paused_until = one.free_at, one.paused_until
            gate.strikes, gate.words = one.strikes, one.words

    def ready_at(self, scope: str, name: str, now: float) -> float:
        """When the next mail may go there; `now` if at once."""
        gate = self._gates.get((scope, name))
        return gate.ready_at(now) if gate else now

    def take(self, scope: str, name: str, now: float) -> float:
        """Take a place for a mail: `now` if it has one, and is to go.

        Anything later means that it has none and is to come back then and take again. Where two names limit a mail,
        ask `ready_at` of both before taking of either.
        """
        key = scope, name
        gate = self._gates.get(key)
        if gate is None:
            return now
        ready_at = gate.ready_at(now)
        if ready_at > now:
            return gate.queue(now, ready_at)
        gate.paused_until = 0
        if gate.interval:
            gate.free_at = max(gate.free_at, now) + gate.interval
        self._note(key, gate)
        return now

    def strike(self, scope: str, name: str, now: float, words: str, *, firm: bool = False) -> int:
        """Count a push-back from there, in its words; return until when the name is paused (0: it is not).

        `firm`: one is enough for a pause, as with 421.
        """
        gate = self._gates.setdefault((scope, name), _Gate())
        if gate.paused_until > now:
            return gate.paused_until
        gate.strikes += 1
        gate.words = words
        if firm or gate.strikes > 1:
            wait = _backoff(PAUSE_SECONDS, gate.strikes - 1, LONGEST_PAUSE_SECONDS, self._chance())
            gate.paused_until = ceil(now + wait)
        self._changed.add((scope, name))
        return gate.paused_until if gate.paused_until > now else 0

    def pause(self, scope: str, name: str, now: float, seconds: float, words: str) -> None:
        """Send nothing there for so long: it refuses us until somebody corrects something."""
        gate = self._gates.setdefault((scope, name), _Gate())
        gate.paused_until = max(gate.paused_until, ceil(now + seconds))
        gate.words = words
        self._changed.add((scope, name))

    def praised(self, scope: str, name: str) -> None:
        """A mail was accepted there. A pause counts as over once a mail was let go after it."""
        key = scope, name
        gate = self._gates.get(key)
        if gate and gate.strikes and not gate.paused_until:
            gate.strikes -= 1
            self._note(key, gate)

    def changed(self) -> list[Throttle]:
        """What is to be stored: the names that changed since the last call, as they are now."""
        keys, self._changed = sorted(self._changed), set()
        gates = ((scope, name, self._gates.get((scope, name)) or _Gate()) for scope, name in keys)
        return [Throttle(scope, name, g.free_at, g.paused_until, g.strikes, g.words) for scope, name, g in gates]

    def _note(self, key: tuple[str, str], gate: _Gate) -> None:
        """Mark a name as changed, and forget what no longer holds it back."""
        self._changed.add(key)
        if gate.strikes or gate.paused_until:
            return
        gate.words = ""
        if not gate.interval:
            del self._gates[key]
