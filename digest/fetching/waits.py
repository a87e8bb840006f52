"""How long to wait before a source is asked again; all times are seconds.

Rules
-----
1. After a fetch, the source's own interval, from the whole minute on: cron and the daemon come by once a minute.
2. After a failure, longer and longer, from 5 minutes to 6 hours, and by chance up to a fifth more, so that many who
   failed together do not come back together.
3. A server that says when to come again (Retry-After, RFC 9110 10.2.3, in seconds or as a date) is obeyed, but it
   waits no less than a minute and no more than a day.
4. What only a person can mend (404, 401, …) is asked for at the source's own interval.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

_FIRST, _LONGEST = 300, 21_600
_LEAST_ASKED, _MOST_ASKED = 60, 86_400
_MOST_DOUBLINGS = 16


def regular(now: int, every_seconds: int) -> int:
    """The moment of the next fetch after one that went well."""
    return now - now % 60 + every_seconds


def after_failures(failures: int, chance: float) -> int:
    """How long to wait after so many failures in a row; `chance` is from 0 to 1."""
    return int(min(_LONGEST, _FIRST * 2 ** min(failures - 1, _MOST_DOUBLINGS)) * (1 + chance / 5))


def asked_for(retry_after: str, now: int) -> int | None:
    """How long a server wants us to wait (None: it does not say, or nothing that can be read)."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        seconds = int(text[:9])
    else:
        try:
            seconds = int(parsedate_to_datetime(text).timestamp()) - now
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return max(_LEAST_ASKED, min(_MOST_ASKED, seconds))
