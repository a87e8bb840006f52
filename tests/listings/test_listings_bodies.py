"""The text that a mail shows: joined lines, and HTML with its lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.listings.packed.bodies import lines_of, unflowed


@pytest.mark.parametrize(
    ("spaced", "text", "result"),
    [
        (True, "We cut \ntwice \nhere.\n\nEnd", "We cut twice here.\n\nEnd"),
        (False, "音声 \n認識", "音声認識"),
        (True, "  two blanks\n From here", " two blanks\nFrom here"),
        (True, "> We cut \n> twice.\n>> No, \n> yes", "> We cut twice.\n>> No, \n> yes"),
        (True, "Ada\n-- \nLab", "Ada\n-- \nLab"),
    ],
)
def test_flowed_text_has_a_paragraph_on_a_line(spaced: bool, text: str, result: str) -> None:
    """Lines that end in a space go on; stuffed spaces go, quotations stay apart, a signature is none of it."""
    assert unflowed(text, spaced=spaced) == result


def test_html_keeps_its_lines() -> None:
    """A block is a line, white space is one blank, and text in <pre> stays as it is."""
    html = "<style>p {}</style><h1>One\n <b>Net</b></h1><p>We &lt;cut&gt;<br>twice.</p>"
    html += "<pre class='x'>\\\\\nTitle: A\n  B\n</pre> x\ny"
    assert [line for line in lines_of(html).split("\n") if line] == [
        *("One Net", "We <cut>", "twice.", "\\\\", "Title: A", "  B", "x y")
    ]


@given(st.text("ab<>/pre \n=\"'", max_size=60), st.booleans())
def test_any_text_is_shown(text: str, spaced: bool) -> None:
    """Any text has lines, and joining them changes nothing but white space and quotation marks."""
    assert not {"\ue000", "\ue001"} & set(lines_of(text))
    joined = unflowed(text, spaced=spaced)
    assert "".join(joined.replace(">", "").split()) == "".join(text.replace(">", "").split())
