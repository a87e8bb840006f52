"""What is known of a listing beside its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a listing comes from.

    `day` is that of the file's modification, or of the mail. `columns` says for fields of a record in which column of a
    table they stand, where that is not to be guessed.
    """

    day: date
    columns: Mapping[str, str] = field(default_factory=dict)
