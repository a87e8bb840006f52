"""The transactions of one session: which commands go when, and what each reply means for which message. Pure.

Rules
-----
1. With CHUNKING and PIPELINING a whole transaction is one write, and up to `depth` are on their way at once
   (RFC 3030). With PIPELINING alone MAIL, RCPT and DATA are one write, and the next envelope goes with a body: one
   round trip a message, at most two in hand (RFC 2920 3.1). Without it, one command at a time.
2. A body handed to the transport counts as out, though the kernel may not have it: lost from then on until the reply
   means lost at BODY, which is unknown. Lost before, the relay certainly has not accepted the message.
3. The first refusal settles a transaction; what its other commands are answered is read and dropped. If DATA is
   granted all the same, a lone dot ends it (RFC 2920 3.1); in LMTP nothing would answer that, so all ends there.
4. RSET goes before an envelope whose predecessor is, or with BDAT may turn out, half made.
5. 421 ends the session. So does a reply to nothing that has left, or one that cannot be an answer: replies and
   commands are out of step. 354 keeps DATA in step. BDAT has nothing like it: there 2.1.x, which speaks of an address
   (RFC 3463), is no answer, and a stray reply makes unknown what seemed accepted in the same packet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from digest.delivery.check import Checked
from digest.delivery.replies import Reply, ReplyError, words
from digest.delivery.verdict import Phase, Result

Done = Callable[[Result], None]

_EXPECTED = {Phase.MAIL: (250,), Phase.RCPT: (250, 251), Phase.DATA: (354,), Phase.BODY: (250,)}
_MAIL, _RCPT, _DATA, _BODY = Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.BODY  # looked up once: it counts here


class ClosingError(ReplyError):
    """The relay ends the session: 421."""


@dataclass(slots=True, eq=False)
class Transaction:
    """A message in hand: its two commands, the message, and whom to tell.

    `begun` and `ended`: its first and its last octet are written. `awaited` is the step whose reply comes next, and
    `resets` says that the reply to a RSET comes before that.
    """

    mail: bytes
    rcpt: bytes
    message: Checked
    done: Done
    begun: bool = False
    awaited: Phase = Phase.MAIL
    resets: bool = False
    ended: bool = False
    refusal: Result | None = None


class Dialogue:
    """Turns transactions into bytes to write (`out`) and replies into results (`settled`).

    Whoever writes `out` to the transport calls `left`; whoever tells the results clears `settled`.
    """

    def __init__(self, *, pipelining: bool, chunking: bool, depth: int, lmtp: bool) -> None:
        self._pipelining, self._chunking, self._lmtp = pipelining, chunking, lmtp
        self._next = {_MAIL: _RCPT, _RCPT: _BODY if chunking else _DATA}
        self._skipped = self._next if pipelining else {}  # steps whose success leaves nothing to write
        self.room = (depth if chunking else 2) if pipelining else 1
        self.hand: deque[Transaction] = deque()
        self.out: list[bytes] = []
        self.settled: list[tuple[Done, Result]] = []
        self._unsent: list[Transaction] = []  # whose bodies wait in `out`
        self._half_made = False

    def begin(self) -> None:
        """Write the envelopes that may go now: the first in hand, and those behind a transaction that is all out."""
        ahead: Transaction | None = None
        for transaction in self.hand:
            if not transaction.begun:
                if ahead and not ahead.ended:
                    return
                self._write_envelope(transaction, ahead is not None)
            ahead = transaction

    def left(self) -> None:
        """Note that all of `out` has been handed to the transport."""
        self.out = []
        self._unsent.clear()

    def answer(self, reply: Reply) -> None:
        """Move the first in hand on by one reply. Raises ReplyError if that is no answer, or the last."""
        if self.out or not self.hand:
            raise ClosingError(str(reply)) if reply.code == 421 else ReplyError(f"{reply} answers nothing")
        first, code = self.hand[0], reply.code
        phase = first.awaited
        if first.resets:
            self._take_reset(first, reply)
        elif code == 250 and phase in self._skipped:
            first.awaited = self._skipped[phase]
        elif code in _EXPECTED[phase]:
            self._accept(first, phase, reply)
        elif code == 503 and phase is _MAIL:
            raise ReplyError(f"{reply}: the relay has lost the thread")
        elif 400 <= code <= 599:
            self._refuse(first, phase, reply)
        else:
            raise ReplyError(f"{reply} is no answer to {phase}")

    def lose(self, reason: str, *, doubt: bool = False) -> None:
        """Settle all in hand as lost. `doubt`: what came just before in this packet may have been stray as well."""
        if doubt and self._chunking:
            self.settled = [(done, _lost(_BODY, reason) if it.code == 250 else it) for done, it in self.settled]
        for transaction in self.hand:
            phase = _DATA if transaction.awaited is _BODY else transaction.awaited
            if transaction.ended and transaction not in self._unsent:
                phase = _BODY
            self.settled.append((transaction.done, transaction.refusal or _lost(phase, reason)))
        self.hand.clear()
        self.left()

    def _write_envelope(self, transaction: Transaction, behind: bool) -> None:
        transaction.begun = True
        # Whether the transaction before ends half made is not known while its BDAT is not answered.
        if self._half_made or (behind and self._chunking):
            transaction.resets, self._half_made = True, False
            self.out.append(b"RSET\r\n")
        if self._pipelining:
            self.out += (transaction.mail, transaction.rcpt)
            self._write_data(transaction)
        elif not transaction.resets:
            self.out.append(transaction.mail)

    def _write_data(self, transaction: Transaction) -> None:
        if self._chunking:
            self.out.append(b"BDAT %d LAST\r\n" % len(transaction.message))
            self._write_body(transaction)
        else:
            self.out.append(b"DATA\r\n")

    def _write_body(self, transaction: Transaction) -> None:
        self.out.append(transaction.message)
        self._unsent.append(transaction)
        transaction.ended = True

    def _take_reset(self, first: Transaction, reply: Reply) -> None:
        if reply.code == 421:
            self._refuse(first, _MAIL, reply)
        if reply.code != 250:
            raise ReplyError(f"{reply} is no answer to RSET")
        first.resets = False
        if not self._pipelining:
            self.out.append(first.mail)

    def _accept(self, first: Transaction, phase: Phase, reply: Reply) -> None:
        if phase is _BODY:
            self._accept_body(first, reply)
        elif phase is _DATA:
            self._end_data(first)
        else:
            first.awaited = self._next[phase]
            if not self._pipelining:
                self.out.append(first.rcpt) if phase is _MAIL else self._write_data(first)

    def _end_data(self, first: Transaction) -> None:
        """The relay waits for a body: give it, or a lone dot if nobody is to get it."""
        if not first.refusal:
            self._write_body(first)
        elif self._lmtp:
            raise ReplyError("354, though nobody is to get the message")
        self.out.append(b".\r\n")
        first.awaited, first.ended = _BODY, True

    def _accept_body(self, first: Transaction, reply: Reply) -> None:
        if self._chunking and (first.refusal or (reply.text.startswith("2.1.") and not self._lmtp)):
            first.refusal = None  # it may have answered something else
            raise ReplyError(f"{reply} is no answer to BDAT; if this relay means it, set chunking = false")
        self._settle(first.refusal or Result(_BODY, reply.code, words(reply.text)))

    def _refuse(self, first: Transaction, phase: Phase, reply: Reply) -> None:
        first.refusal = refusal = first.refusal or Result(phase, reply.code, words(reply.text))
        if reply.code == 421:
            raise ClosingError(str(reply))
        if self._pipelining and phase in (_MAIL, _RCPT):
            first.awaited = self._next[phase]
            return
        self._half_made = refusal.phase is not _MAIL and (phase is not _BODY or self._chunking)
        self._settle(refusal)

    def _settle(self, result: Result) -> None:
        self.settled.append((self.hand.popleft().done, result))


def _lost(phase: Phase, reason: str) -> Result:
    return Result(phase, 0, words(f"connection lost at {phase}: {reason}"), lost=True)
