"""What the daemon needs of the program. The composition root has it; cli/serve.py brings the two together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from digest.config import Config
from digest.report import RunReport, Watch

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class Program(Protocol):
    """The program, built from one configuration. All but `config` may raise DigestError."""

    @property
    def config(self) -> Config:
        """What it was built from."""

    def run(self, watch: Watch | None = None, going: Callable[[], bool] = ...) -> RunReport:
        """Load, plan and deliver, for as long as `going` says so; BusyError if another run is at work."""

    def waiting(self) -> int:
        """How many editions may be sent now."""

    def sources(self) -> Mapping[str, int | None]:
        """Each configured listing path, with the epoch seconds of its newest file with entries (None: never)."""

    def watched(self) -> tuple[Path, ...]:
        """The folders in which new listing files may turn up."""

    def look(self) -> tuple[str, ...]:
        """Look for what is broken or overdue, mail the operator of what is new; return all that is open, in words."""

    def web(self, ring: Callable[[], None]) -> ASGIApp:
        """The web pages, which `ring`, from any thread, when somebody new may be due."""


Opening = Callable[[], AbstractContextManager[Program]]
"""Builds the program from the configuration as it is now. Raises DigestError."""
