"""What a relay's reply means for an edition, and who is to blame. Pure: `Result` has the facts, `verdict` judges.

Rules, the first that fits counts
---------------------------------
| what happened                                       | state    | blame                                               |
|-----------------------------------------------------|----------|-----------------------------------------------------|
| connection lost, or no answer that makes sense      | deferred | RELAY; behind the final dot the state is unknown    |
| 250 behind the final dot                            | sent     | NONE                                                |
| 530, 534, 535, 538 anywhere (RFC 4954: log in)      | planned  | US                                                  |
| 421 at MAIL                                         | deferred | RELAY                                               |
| 421 later                                           | deferred | DOMAIN                                              |
| 4xx at MAIL                                         | deferred | RELAY                                               |
| 4xx at RCPT                                         | deferred | RECIPIENT; 4.7.x (policy, greylisting): DOMAIN      |
| 4xx at DATA                                         | deferred | DOMAIN                                              |
| 4xx behind the dot                                  | deferred | DOMAIN; 4.2.x, or 452 but for 4.3.x: RECIPIENT      |
| 5.3.4, 5.2.3, or 552 but for 5.2.2 (message too big)| failed   | SIZE                                                |
| 5.6.7 (non-ASCII address not taken, RFC 6531)       | failed   | RECIPIENT                                           |
| any other 5xx at MAIL                               | planned  | US: no recipient was named yet                      |
| 5.1.1, 5.1.2, 5.1.10 (no such mailbox or domain)    | failed   | RECIPIENT, who is suppressed                        |
| 5.7.25, 26, 28, 29, 515 (our DNS or our rate)       | deferred | SETUP                                               |
| 503 (bad sequence: the relay has lost the thread)   | deferred | RELAY                                               |
| any other 5xx, and an address that cannot be sent   | failed   | RECIPIENT                                           |

State planned gives the edition back: the recipient was never judged. 5.2.2 (a full mailbox, RFC 3463) and other 5.7.x
fail this edition and suppress nobody. An enhanced code counts only where its class is that of the reply (RFC 2034).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from digest.delivery.replies import enhanced
from digest.model import State

_LOGIN = frozenset({530, 534, 535, 538})
_TOO_BIG = frozenset({"5.3.4", "5.2.3"})
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.10"})
_OUR_SETUP = frozenset({"5.7.25", "5.7.26", "5.7.28", "5.7.29", "5.7.515"})


class Phase(StrEnum):
    """The step of a transaction that settled it. ADDRESS: it was not begun."""

    ADDRESS = "address"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "end of data"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one transaction: the step that settled it, the relay's code and its words, as one line.

    Code 0 has our own words: `lost` says that the connection broke, timed out or got out of step at that step;
    without it, this message cannot be sent to that address at all.
    """

    phase: Phase
    code: int = 0
    reply: str = ""
    lost: bool = False


class Blame(StrEnum):
    """Who is to change something.

    RECIPIENT: this mailbox. DOMAIN: the recipient's domain pushes back; slow it. RELAY: it is busy or gone; slow or
    replace it. US: the relay refuses us; stop all. SETUP: our configuration towards that domain; pause the domain and
    alarm. SIZE: render smaller, once.
    """

    NONE = "none"
    RECIPIENT = "recipient"
    DOMAIN = "domain"
    RELAY = "relay"
    US = "us"
    SETUP = "setup"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The edition's new state, who is to blame, and whether the recipient gets nothing more."""

    state: State
    blame: Blame
    suppress: bool = False


_SENT = Verdict(State.SENT, Blame.NONE)
_UNKNOWN = Verdict(State.UNKNOWN, Blame.RELAY)
_RELAY_LATER = Verdict(State.DEFERRED, Blame.RELAY)
_DOMAIN_LATER = Verdict(State.DEFERRED, Blame.DOMAIN)
_RECIPIENT_LATER = Verdict(State.DEFERRED, Blame.RECIPIENT)
_SETUP_LATER = Verdict(State.DEFERRED, Blame.SETUP)
_GIVEN_BACK = Verdict(State.PLANNED, Blame.US)
_FAILED = Verdict(State.FAILED, Blame.RECIPIENT)
_FAILED_FOR_GOOD = Verdict(State.FAILED, Blame.RECIPIENT, suppress=True)
_FAILED_BY_SIZE = Verdict(State.FAILED, Blame.SIZE)


def verdict(result: Result) -> Verdict:
    """Judge a result by the table above."""
    if result.phase is Phase.BODY and result.code == 250 and not result.lost:
        return _SENT
    if result.phase is Phase.ADDRESS or (result.code == 0 and not result.lost):
        return _FAILED
    if result.lost or not 400 <= result.code <= 599:
        return _UNKNOWN if result.phase is Phase.BODY else _RELAY_LATER
    if result.code in _LOGIN:
        return _GIVEN_BACK
    code = enhanced(result.reply)
    code = code if code[:1] == str(result.code)[0] else ""
    return _transient(result, code) if result.code < 500 else _permanent(result, code)


def _transient(result: Result, code: str) -> Verdict:
    if result.phase is Phase.MAIL:
        return _RELAY_LATER
    if result.code == 421:
        return _DOMAIN_LATER
    if result.phase is Phase.RCPT:
        return _DOMAIN_LATER if code.startswith("4.7.") else _RECIPIENT_LATER
    full = code.startswith("4.2.") or (result.code == 452 and not code.startswith("4.3."))
    return _RECIPIENT_LATER if result.phase is Phase.BODY and full else _DOMAIN_LATER


def _permanent(result: Result, code: str) -> Verdict:
    if code in _TOO_BIG or (result.code == 552 and code != "5.2.2"):
        return _FAILED_BY_SIZE
    if result.code == 503:
        return _RELAY_LATER
    if result.phase is Phase.MAIL and code != "5.6.7":
        return _GIVEN_BACK
    if code in _GONE:
        return _FAILED_FOR_GOOD
    if code in _OUR_SETUP:
        return _SETUP_LATER
    return _FAILED
