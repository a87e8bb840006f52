"""A site for every test of its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from visits import Visit, visiting
from workplace import ADA, Mails, Workplace, subscriber


@pytest.fixture
def visit(place: Workplace, mails: Mails) -> Iterator[Visit]:
    """A visitor; Ada is subscribed by the configuration, to reward models but no surveys."""
    with visiting(place, mails, subscriber(ADA, ["reward model", "-survey"])) as opened:
        yield opened
