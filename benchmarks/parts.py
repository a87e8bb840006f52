"""Seconds by part of a program that does not tell them itself: its functions are wrapped by others that keep time.

What a part calls of another part counts for that one alone, so the parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from operator import attrgetter
from time import perf_counter
from typing import Any

REST = "the rest"


@dataclass(slots=True)
class Parts:
    """Keeps time; what is in no part counts as REST."""

    seconds: dict[str, float] = field(default_factory=lambda: {REST: 0.0})
    _open: list[str] = field(default_factory=lambda: [REST])
    _since: float = field(default_factory=perf_counter)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is done inside belongs to this part."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = perf_counter()
        self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now

    def all(self) -> dict[str, float]:
        """The seconds of each part until now, REST last."""
        self._turn()
        return {name: took for name, took in self.seconds.items() if name != REST} | {REST: self.seconds[REST]}

    def keep(self, names: Mapping[str, str]) -> list[str]:
        """Wrap functions named `module:function` or `module:Class.method`; return those that are not there."""
        missing = []
        for name, part in names.items():
            module, _, path = name.partition(":")
            owner, _, attribute = path.rpartition(".")
            holder = attrgetter(owner)(import_module(module)) if owner else import_module(module)
            if hasattr(holder, attribute):
                setattr(holder, attribute, self._wrapped(getattr(holder, attribute), part))
            else:
                missing.append(name)
        return missing

    def _wrapped(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.part(part):
                result = function(*arguments, **named)
            if isinstance(result, Iterator):
                return self._each(result, part)
            return self._inside(result, part) if isinstance(result, AbstractContextManager) else result

        return timed

    def _each(self, results: Iterator[Any], part: str) -> Iterator[Any]:
        """The same results; the time in which each is made counts."""
        while True:
            with self.part(part):
                try:
                    result = next(results)
                except StopIteration:
                    return
            yield result

    @contextmanager
    def _inside(self, context: AbstractContextManager[Any], part: str) -> Iterator[Any]:
        with self.part(part), context as value:
            yield value
