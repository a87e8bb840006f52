"""How mail is sent from Python by the libraries that people use: one ready message, many times."""

from __future__ import annotations

import smtplib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from itertools import repeat
from pathlib import Path

from aiosmtplib import SMTP

sys.path.append(str(Path(__file__).resolve().parents[1]))

from sending import RECIPIENT, SENDER, Cost, Load, clock, main, run, share


def by_smtplib(load: Load) -> Cost:
    """A thread for each connection, which is kept."""
    message, turns = load.message, repeat(None, load.count)

    def work(smtp: smtplib.SMTP) -> None:
        for _ in turns:
            smtp.sendmail(SENDER, [RECIPIENT], message)

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(load.connections))
        smtps = [stack.enter_context(smtplib.SMTP("127.0.0.1", load.port, "me")) for _ in range(load.connections)]
        for smtp in smtps:
            smtp.ehlo()
        with clock() as cost:
            list(pool.map(work, smtps))
    return cost


async def pool(stack: AsyncExitStack, load: Load) -> Sequence[SMTP]:
    """Connections that are kept."""
    smtps = [
        SMTP(hostname="127.0.0.1", port=load.port, local_hostname="me", start_tls=False)
        for _ in range(load.connections)
    ]
    return [await stack.enter_async_context(smtp) for smtp in smtps]


async def _by_pool(load: Load) -> Cost:
    message = load.message
    async with AsyncExitStack() as stack:
        smtps = await pool(stack, load)
        for smtp in smtps:
            await smtp.ehlo()
        with clock() as cost:
            await share(load.count, [partial(smtp.sendmail, SENDER, [RECIPIENT], message) for smtp in smtps])
    return cost


WAYS = {
    "smtplib": by_smtplib,
    "aiosmtplib": lambda load: run(_by_pool(load), uvloop=False),
    "aiosmtplib-uvloop": lambda load: run(_by_pool(load), uvloop=True),
}

if __name__ == "__main__":
    main(WAYS)
