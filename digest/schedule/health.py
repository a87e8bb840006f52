"""Whether the daemon lives, and whether it is ready, as it sees itself.

It lives while its worker gets somewhere: a run begins, takes a step, hands over a mail, or ends. It is ready from the
end of the first run until it is told to stop.
"""

from __future__ import annotations

import time
from collections.abc import Callable

STALLED_SECONDS = 1_800
"""So long a step may take. The longest, over a large window, takes minutes."""


class Health:
    """What the daemon's parts note down, from any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._progress = monotonic()
        self._first_run_ended = self._draining = False

    def progress(self) -> None:
        """Something was got done."""
        self._progress = self._monotonic()

    def run_ended(self) -> None:
        """A run has ended, well or not."""
        self._first_run_ended = True
        self.progress()

    def draining(self) -> None:
        """Told to stop."""
        self._draining = True

    def stalled(self) -> str:
        """Why the daemon is as good as dead ("": it lives)."""
        minutes = (self._monotonic() - self._progress) / 60
        return f"a run has got nowhere for {minutes:.0f} minutes" if minutes * 60 > STALLED_SECONDS else ""

    def unready(self) -> str:
        """Why it is not ready ("": it is)."""
        if self._draining:
            return "stopping"
        return "" if self._first_run_ended else "the first run has not ended yet"
