"""What a check finds, and how checks are made.

Rules
-----
1. A check is a function that yields findings. It never ends the others: what it raises becomes a finding.
2. What could not be asked, because DNS or a relay did not answer, is a warning: it says nothing about what is asked.
3. An error means that mails will be lost, refused or readable by others; anything less is a warning or a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from digest.errors import DigestError

Check = tuple[str, Callable[[], Iterable["Finding"]]]
"""The name of a check, for when it raises, and the check."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is like, why that matters, and what to do ("": nothing)."""

    check: str
    level: Level
    what: str
    why: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return ". ".join(part for part in (self.what, self.why, self.remedy) if part)


class UnansweredError(DigestError):
    """What was asked did not answer, so nothing is known."""


def examined(checks: Iterable[Check]) -> Iterator[Finding]:
    """What these checks find, each by itself."""
    for name, check in checks:
        try:
            yield from check()
        except UnansweredError as error:
            yield Finding(name, Level.WARNING, str(error), "So this was not checked")
        except DigestError as error:
            yield Finding(name, Level.ERROR, str(error))
        except Exception as error:  # noqa: BLE001 - a fault of one check must not hide what the others find
            yield Finding(name, Level.ERROR, f"the check failed: {type(error).__name__}: {error}")
