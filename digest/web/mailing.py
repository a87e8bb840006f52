"""Letters that pages have sent: to confirm, and to sign in.

Rules
-----
1. An address gets so many only, and all together `web.letters_per_hour`: nobody is bombed, and the relay's good name
   is not ours to lose.
2. The answer is the same whether anybody has that address or not; but only a letter that is sent is one of those of
   all together, so that nobody uses them up with addresses that get none.
"""

from __future__ import annotations

from sqlalchemy import Connection

from digest.store import letters, rates
from digest.store.rates import Rate
from digest.web.desk import Asked, RefusedError, retry_after

_HOUR = 3600


def write_letter(
    asked: Asked,
    connection: Connection,
    kind: letters.Kind,
    email: str,
    identity: str,
    whose: int | None,
    per_address: Rate,
) -> None:
    """Have a letter sent, if the address may still get one; `whose` None: nobody is there to get it.

    The caller calls `desk.post` when the transaction is over. Raises RefusedError when all together had enough for this
    hour; then nothing may be kept of the transaction.
    """
    now = asked.desk.clock()
    if rates.spend(connection, per_address, identity, now):
        return
    together = Rate("letters", asked.desk.web.letters_per_hour, _HOUR)
    spend = rates.wait if whose is None else rates.spend
    if seconds := spend(connection, together, "all", now):
        words = "More mails were asked for than we send in an hour. Nothing was changed; try again in an hour."
        raise RefusedError(503, "Too many mails just now", words, retry_after(seconds))
    if whose is not None:
        letters.write(connection, kind, email, whose, now)
