"""What can go wrong, in the few kinds that a caller tells apart.

The message of an error says what, where, why, and what to do; it is shown as it stands, without a traceback.
"""

from __future__ import annotations


class DigestError(Exception):
    """Something failed; the message says what, and what to do about it."""

    exit_code = 1


class UsageError(DigestError):
    """The command or the configuration is not usable as given."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration has a fault; every fault is named with its file, line and key."""


class QueryError(UsageError):
    """A keyword cannot be read.

    `keyword` is the text as typed, `column` the 0-based place of the fault in it.
    """

    def __init__(self, reason: str, keyword: str, column: int, hint: str = "") -> None:
        self.reason, self.keyword, self.column, self.hint = reason, keyword, column, hint
        super().__init__(reason)

    def __str__(self) -> str:
        caret = f"{self.reason} (column {self.column + 1})\n  {self.keyword}\n  {' ' * self.column}^"
        return f"{caret}\n  {self.hint}" if self.hint else caret


class ListingError(DigestError):
    """A listing file cannot be loaded as a whole."""


class FetchError(DigestError):
    """A source's address did not give its file.

    `passing`: it may in a moment. `lasting`: only a person can mend it. `retry_after` is the server's header, as sent.
    """

    def __init__(self, words: str, *, passing: bool = False, lasting: bool = False, retry_after: str = "") -> None:
        self.passing, self.lasting, self.retry_after = passing, lasting, retry_after
        super().__init__(words)


class TemplateError(UsageError):
    """A template cannot be used; the message names file, line and column."""


class MessageError(DigestError):
    """A message breaks a rule of the wire and must not be sent."""


class StoreError(DigestError):
    """The database cannot be opened, read or written."""


class BusyError(DigestError):
    """Another run is at work on the same database."""


class RelayError(DigestError):
    """The SMTP relay cannot be used at all; no recipient is to blame, and every edition is kept."""
