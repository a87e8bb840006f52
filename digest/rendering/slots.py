"""Slots: the places in a rendered template that each edition fills with its own values.

A template is rendered with a marker in place of such a value: its name between two private-use characters, which no
other text may hold. What stands between the markers is encoded once; an edition is the pieces put together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from digest.rendering.places import Source
from digest.rendering.quoted import encode

_OPEN, _CLOSE = "\ue000", "\ue001"
_SLOT = re.compile(f"{_OPEN}([a-z_]+){_CLOSE}")

Encoded = tuple[Sequence[bytes], Sequence[bytes]]
"""The pieces that fill a slot, in its two forms: HTML and TEXT."""
Form = Literal[0, 1]
HTML: Form = 0
TEXT: Form = 1


def slot(name: str) -> str:
    """What stands for a value while a template is rendered."""
    return f"{_OPEN}{name}{_CLOSE}"


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """A rendered template, encoded: `fixed` pieces, of so many `octets`, and the slots between them in `names`."""

    fixed: tuple[bytes, ...]
    names: tuple[str, ...] = ()
    octets: int = 0

    def fill(self, values: Mapping[str, Encoded], form: Form) -> list[bytes]:
        """The pieces with every slot filled in one of the two forms."""
        fixed = iter(self.fixed)
        whole = [next(fixed)]
        for name in self.names:
            whole += values[name][form]
            whole.append(next(fixed))
        return whole


def pieces(text: str, source: Source) -> Pieces:
    """Split a rendered template at its slots. A template that changed a slot (`{{ x | upper }}`) is an error."""
    if _OPEN not in text and _CLOSE not in text:
        whole = encode(text)
        return Pieces((whole,), (), len(whole))
    split = _SLOT.split(text)
    fixed, names = split[::2], split[1::2]
    if any(_OPEN in piece or _CLOSE in piece for piece in fixed):
        raise source.fault(
            "a value of the edition is filled in later and cannot be changed by a filter, cut or compared"
        )
    encoded = tuple([_encoded(piece) for piece in fixed])
    return Pieces(encoded, tuple(names), sum(map(len, encoded)))


_encoded = lru_cache(1 << 8)(encode)  # what stands between slots is in frames of many shapes
