"""Text on one line: plain text is hardly touched, and other readers of markup agree."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylatexenc.latexencode import unicode_to_latex

from digest.listings.wording.decode import tidy
from digest.listings.wording.readable import readable


@given(st.text(st.characters(codec="utf-8", exclude_characters="\\${}<&`-"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_plain_text_is_only_tidied(text: str) -> None:
    """Text without a sign of markup keeps every character but its white space."""
    assert readable(text) == tidy(text)


@given(st.text(" ab1é{}$<>&;_^~`'-.,()[]/=!?\"#%|", max_size=40))
@settings(max_examples=500, deadline=None)
def test_no_text_becomes_empty(text: str) -> None:
    """Whatever signs stand in it, a text with letters keeps them."""
    kept = [sign for sign in readable(text) if sign.isalnum()]
    assert not kept or text.strip()
    assert kept or not any(sign.isalnum() for sign in text)


LETTERS = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžčřěůłńśźżąęőğşĀĒŪĆÉÖÜŠŽŁŃÇØÆŒαβγδεθλμπστφψωΔΣΩ≤≥≠∞∈×±→∂∇"


@pytest.mark.parametrize("letter", LETTERS)
def test_letters_survive_the_way_through_latex(letter: str) -> None:
    """A letter that pylatexenc writes as LaTeX is read as that letter, between words and within one."""
    written = unicode_to_latex(f"a{letter}b", replacement_latex_protection="braces-all")
    assert unicodedata.normalize("NFC", readable(written)) == f"a{letter}b"


def test_the_same_paper_reads_the_same_in_every_markup() -> None:
    """HTML, LaTeX, JATS and plain text of one sentence give one text."""
    told = {
        readable("<p>G&ouml;del&rsquo;s CO<sub>2</sub> &lt; 5&nbsp;%</p>", html=True),
        readable(r"G{\"o}del’s CO$_2$ $<$ 5~\%"),
        readable("<jats:p>Gödel’s CO<jats:sub>2</jats:sub> &lt; 5 %</jats:p>"),
        readable("Gödel’s  CO₂ <\n5 %"),
    }
    assert told == {"Gödel’s CO₂ < 5 %"}
