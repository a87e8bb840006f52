"""Where the daemon listens. A new configuration may move its doors: all that move, or none.

A socket listens from the moment it is bound, so nobody who comes meanwhile is turned away; they wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

from starlette.types import ASGIApp

from digest.schedule.http import Endpoint, Manner, bound


class Door(NamedTuple):
    """What is served at a door, and how."""

    app: ASGIApp
    manner: Manner


class Address(NamedTuple):
    """Where a door is; port 0: nowhere."""

    host: str = ""
    port: int = 0


class Doors:
    """Doors by the section of the configuration that says where they are."""

    def __init__(self, doors: Mapping[str, Door]) -> None:
        self._doors = doors
        self._at = dict.fromkeys(doors, Address())
        self._endpoints: dict[str, Endpoint] = {}

    async def move(self, wanted: Mapping[str, Address]) -> None:
        """Listen there from now on. Raises UsageError, and then nothing has moved."""
        moved = {section: address for section, address in wanted.items() if address != self._at[section]}
        with ExitStack() as undone:
            listeners = {
                section: undone.enter_context(bound(*address, section))
                for section, address in moved.items()
                if address.port
            }
            undone.pop_all()
        await self._close(moved)
        for section, listener in listeners.items():
            app, manner = self._doors[section]
            self._endpoints[section] = Endpoint(app, listener, manner)
        self._at |= moved

    async def close(self) -> None:
        """Answer what was asked, and listen no more."""
        await self._close(self._at)

    async def _close(self, sections: Iterable[str]) -> None:
        closing = [self._endpoints.pop(section) for section in sections if section in self._endpoints]
        await asyncio.gather(*(endpoint.close() for endpoint in closing))
