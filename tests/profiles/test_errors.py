"""How each mistake in a keyword is shown.

A golden case is a file in golden_errors: the keyword, an empty line, and the whole message. Run with RECORD=1 in the
environment to write the messages anew.
"""

import os
from pathlib import Path

import pytest

from digest.errors import QueryError
from digest.profiles import parse

CASES = sorted((Path(__file__).parent / "golden_errors").glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_golden_error(case: Path) -> None:
    """A mistake is refused with its reason, a caret under its place, and a suggestion."""
    keyword, _, expected = case.read_text("utf-8").partition("\n\n")
    with pytest.raises(QueryError) as caught:
        parse(keyword)
    if os.environ.get("RECORD"):
        case.write_text(f"{keyword}\n\n{caught.value}\n", "utf-8")
    else:
        assert f"{caught.value}\n" == expected


@pytest.mark.parametrize(
    ("keyword", "column"),
    [
        ("", 0),
        ("   ", 0),
        ("a\tb", 1),
        ("a\x1b[31m", 1),
        ("model\u200b", 5),
        ("a\ud800", 1),
        ("a" * 1001, 1000),
        ("a " * 65, 128),
        ("/" + "a" * 501 + "/", 501),
        ("(" * 31 + "a" + ")" * 31, 30),
        ("\u202e" * 1001, 0),
        ("a" * 1500 + "\x00", 1000),
    ],
)
def test_place_of_unfit_text(keyword: str, column: int) -> None:
    """What no line of text can show well is refused at its exact place, too."""
    with pytest.raises(QueryError) as caught:
        parse(keyword)
    assert caught.value.column == column


def test_message_holds_no_control_character() -> None:
    """A message about a control character does not contain it, for it would reach a terminal."""
    with pytest.raises(QueryError) as caught:
        parse("a\x1b[31mb\r\n")
    assert str(caught.value).replace("\n", "").isprintable()


def test_errors_have_cases() -> None:
    """The golden cases are found."""
    assert len(CASES) > 40
