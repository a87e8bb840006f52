"""When a subscriber's day begins to want its edition. Pure: `now` is an argument, in epoch seconds.

A slot is a local date; its moment is the local send time on that date, or midnight where none is set. A local time that
a clock change skips means the moment the clocks go on; one that comes twice means the first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def moment(slot: date, send_at: time | None, zone: str) -> int:
    """When a slot is due, in epoch seconds."""
    local = datetime.combine(slot, send_at or time.min).replace(tzinfo=ZoneInfo(zone), fold=0)
    return int(local.astimezone(UTC).timestamp())


def local_date(now: int, zone: str) -> date:
    """The date of a moment where the subscriber is."""
    return datetime.fromtimestamp(now, ZoneInfo(zone)).date()


def latest_slot(now: int, send_at: time | None, zone: str) -> date:
    """The newest slot whose moment has come."""
    today = local_date(now, zone)
    return today if moment(today, send_at, zone) <= now else today - timedelta(days=1)
