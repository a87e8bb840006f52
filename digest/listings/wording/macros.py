"""What LaTeX macros mean in plain text.

The signs are those of pylatexenc. Its reader is not used: it takes 300 µs for `$x^2$`, raises on half a link, and
writes letters (𝐱, 𝒪) that nobody searches for.
"""

from __future__ import annotations

import re
from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(text: str) -> dict[str, str]:
    """Names and what they mean, in turns."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


ACCENTS = dict(
    zip(
        "'`^\"~=.bcdHkruvtGU",
        "\u0301\u0300\u0302\u0308\u0303\u0304\u0307\u0331\u0327\u0323\u030b\u0328\u030a\u0306\u030c\u0361\u030f\u030e",
        strict=True,
    )
)
"""Accents over letters of a text, as combining characters."""

HATS = _table(
    "hat \u0302 widehat \u0302 tilde \u0303 widetilde \u0303 bar \u0304 overline \u0304 vec \u20d7 dot \u0307 "
    "ddot \u0308 check \u030c breve \u0306 acute \u0301 grave \u0300 mathring \u030a"
)
"""Accents over letters of a formula; they are written over one letter only."""

LETTERS = _words("o O l L i j ae AE oe OE aa AA ss dh DH th TH dj DJ ng NG")
"""Letters of a text: the space behind such a macro only ends its name."""

DOUBLE = _table("C ℂ H ℍ N ℕ P ℙ Q ℚ R ℝ Z ℤ")
"""Letters of the blackboard that every font has."""

PLAIN = _words(
    "it bf em sc tt sl rm sf cal itshape bfseries scshape ttfamily upshape slshape sffamily rmfamily mdseries "
    "normalfont small large Large tiny footnotesize normalsize displaystyle textstyle scriptstyle limits nolimits left "
    "right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle boldmath unboldmath centering noindent "
    "protect xspace relax par newline linebreak"
)
"""What changes the look of what follows, and has no text of its own."""

STYLES = _words(
    "mathcal mathbb mathbf mathrm mathfrak mathscr mathit mathsf mathtt textbf textit texttt textsc textrm textsf "
    "textsl emph operatorname"
)
"""What changes the look of its argument."""

PROSE = _words("text textrm textit textbf texttt textsf textsc textsl mbox hbox emph textnormal")
"""What holds words, in a formula too."""

COLOURED = {"textcolor": 1, "colorbox": 1, "fcolorbox": 2, "texorpdfstring": 1, "raisebox": 1, "foreignlanguage": 1}
"""How many arguments stand before the one that is text."""

_OWN = _table(
    "S § P ¶ ne ≠ gets ← bot ⊥ Re Re Im Im LaTeX LaTeX TeX TeX colon : copyright © pounds £ euro € degree ° "
    "textdegree ° Box □ checkmark ✓ argmin argmin argmax argmax arg arg iff ⇔ implies ⇒ mid | sim ~ "
    "textasciitilde ~ textasciicircum ^ prime ′ ast * star * leqslant ≤ geqslant ≥ land ∧ lor ∨ lnot ¬ "
    "textless < textgreater > "
    "textquotedblleft “ textquotedblright ” textquoteright ’ textquoteleft ‘ item • textunderscore _ textbar | "
    "slash / bmod mod mod mod det det deg deg dim dim ker ker gcd gcd Pr Pr lg lg sec sec csc csc cot cot epsilon "
    "ε phi φ lbrack [ rbrack ] dotsc … dotsb … textellipsis …"
)
_UNUSABLE = _words("today title author date maketitle")
_SILENT_NAMES = (
    r"[A-Za-z]{0,12}[cC]ite[A-Za-z]{0,12}|(?:[cCv]|eq|auto|page|name)?[rR]ef|label|[vh]space|includegraphics|"
    r"thispagestyle|pagestyle|bibliography|bibliographystyle|begin|end|color|input|include|index"
)
_SILENT = re.compile(rf"\\(?:{_SILENT_NAMES})\*?(?:\s*\[[^\[\]]*\]){{0,2}}\s*\{{[^{{}}]*\}}(?:\[[^\[\]]*\])?")
_EMPTIED = re.compile(r"[\s~]{1,4}\0\s*(?=[.,;:)])|~?\0")
_BARE = re.compile(rf"({'|'.join(sorted(STYLES))})(?=\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}})")


@cache
def signs() -> dict[str, str]:
    """What each macro without an argument stands for."""
    from pylatexenc.latex2text import get_default_latex_context_db  # noqa: PLC0415 - it loads for 45 ms; few texts need it

    found: dict[str, str] = {}
    for macro in get_default_latex_context_db().iter_macro_specs():
        text = macro.simplify_repl
        if macro.macroname.isalpha() and isinstance(text, str) and "%" not in text and "<" not in text:
            found.setdefault(macro.macroname, text)
    return {name: text for name, text in found.items() if name not in _UNUSABLE} | _OWN


def prepared(text: str) -> str:
    """A text without the macros that leave none, with their arguments; a style that lost its backslash gets one."""
    if "\\" in text:
        text = _SILENT.sub("\0", text)
    if "\0" in text:
        text = _EMPTIED.sub("", text)
    return _BARE.sub(_restored, text) if "{" in text else text


def _restored(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 1) : found.start()]
    return found[0] if before == "\\" or before.isalpha() else f"\\{found[0]}"
