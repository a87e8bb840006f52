"""What the relay captured against what the ledger says: the promise, counted.

Rules
-----
1. Lost: a reader never got a paper that the profile matches, and no edition with it has FAILED, as the relay refused
   it, or is UNKNOWN, and so listed.
2. Twice: a reader got a paper in two different mails; mails of one edition are one if they are the same to the byte.
3. A duplicate is the same mail captured again. Each attempt before the last had to be known as in doubt: SENDING
   when its run was killed, or UNKNOWN.
4. What is SENT was captured; what FAILED was refused; nothing waits at the end.
5. At any time, no mail was captured more often than the ledger knows of attempts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from capture import Captured, Log, parsed
from days import TOKEN
from ledger_view import Attempt, Row
from workplace import body_of

from digest.model import State

Slot = tuple[int, date]
_ON_THEIR_WAY = (State.PLANNED, State.SENDING, State.DEFERRED)
_MAILED = (State.SENT, State.UNKNOWN, State.FAILED)
_GIVEN_UP = (State.FAILED, State.UNKNOWN)


@dataclass(slots=True)
class Judged:
    """The figures of a run, and in words all that broke the promise."""

    editions: Counter[State] = field(default_factory=Counter)
    mails: int = 0
    duplicates: int = 0
    in_doubt: int = 0
    lost: int = 0
    twice: int = 0
    faults: list[str] = field(default_factory=list)


def judge(
    wanted: Mapping[str, Collection[str]], rows: Sequence[Row], log: Log, in_doubt: Collection[Attempt]
) -> Judged:
    """Compare what readers want, what the ledger says, what the relay has, and what was in doubt on the way."""
    by_slot = _by_slot(log.mails)
    judged = Judged(Counter(row.state for row in rows), len(log.mails), in_doubt=len(in_doubt))
    judged.duplicates = sum(len(mails) - 1 for mails in by_slot.values())
    lost, twice = list(_lost(wanted, rows, log.mails)), list(_twice(log.mails))
    judged.lost, judged.twice = len(lost), len(twice)
    doubts = Counter(attempt.edition for attempt in in_doubt)
    judged.faults = [
        *lost,
        *twice,
        *(f"a client said: {line}" for line in log.strange),
        *_unlike(by_slot),
        *_unsettled(rows, by_slot, doubts),
        *_refusals(rows, log.refused),
    ]
    return judged


def sent_unknown_to(rows: Sequence[Row], log: Log) -> list[str]:
    """What breaks rule 5."""
    attempts = {(row.subscriber, row.slot): row.attempts for row in rows}
    return [
        f"{mails[0].to}: {len(mails)} mails of {slot[1]} at {attempts.get(slot, 0)} attempts"
        for slot, mails in _by_slot(log.mails).items()
        if len(mails) > attempts.get(slot, 0)
    ]


def _lost(wanted: Mapping[str, Collection[str]], rows: Sequence[Row], mails: Sequence[Captured]) -> Iterator[str]:
    had = defaultdict[str, set[str]](set)
    for mail in mails:
        had[mail.to] |= _tokens(mail.message)
    for row in rows:
        if row.state in _GIVEN_UP:
            had[row.email] |= row.tokens
    for email, tokens in wanted.items():
        yield from (f"{email}: lost {token}" for token in sorted(set(tokens) - had[email]))


def _twice(mails: Sequence[Captured]) -> Iterator[str]:
    seen = defaultdict[tuple[str, str], set[str]](set)
    for mail in mails:
        for token in _tokens(mail.message):
            seen[mail.to, token].add(_message_id(mail.message))
    for (email, token), numbers in seen.items():
        if len(numbers) > 1:
            yield f"{email}: {token} came in {sorted(numbers)}"


def _by_slot(mails: Sequence[Captured]) -> dict[Slot, list[Captured]]:
    found = defaultdict[Slot, list[Captured]](list)
    for mail in mails:
        day, subscriber, _ = _message_id(mail.message).strip("<").split(".", 2)
        found[int(subscriber), date.fromisoformat(day)].append(mail)
    return found


def _unlike(by_slot: Mapping[Slot, Sequence[Captured]]) -> Iterator[str]:
    for slot, mails in by_slot.items():
        if len({(mail.to, mail.message) for mail in mails}) > 1:
            yield f"{mails[0].to}: mails of {slot[1]} differ"


def _unsettled(
    rows: Sequence[Row], by_slot: Mapping[Slot, Sequence[Captured]], doubts: Mapping[int, int]
) -> Iterator[str]:
    known = {(row.subscriber, row.slot): row for row in rows}
    yield from (f"a mail of {slot} has no edition" for slot in by_slot.keys() - known.keys())
    for slot, row in known.items():
        captured = len(by_slot.get(slot, ()))
        name = f"{row.email}: the edition of {row.slot} is {row.state}"
        if row.state in _ON_THEIR_WAY:
            yield f"{name} at the end"
        if row.state is State.SENT and not captured:
            yield f"{name}, and was never captured"
        if captured and row.state not in (*_MAILED, *_ON_THEIR_WAY):
            yield f"{name}, and was captured"
        if captured > (most := doubts.get(row.id, 0) + (row.state is State.SENT)):
            yield f"{name} and was captured {captured} times, {most} of them known"


def _refusals(rows: Sequence[Row], refused: Mapping[str, int]) -> Iterator[str]:
    failed = Counter(row.email for row in rows if row.state is State.FAILED)
    for email, number in failed.items():
        if number > refused.get(email, 0):
            yield f"{email}: {number} editions FAILED, and {refused.get(email, 0)} were refused"


@lru_cache(maxsize=4096)
def _tokens(message: bytes) -> frozenset[str]:
    return frozenset(TOKEN.findall(body_of(parsed(message), "plain")))


@lru_cache(maxsize=4096)
def _message_id(message: bytes) -> str:
    return str(parsed(message)["Message-ID"])
