"""LaTeX in titles and abstracts becomes readable text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.listings.wording.readable import readable


def check(text: str, expected: str) -> None:
    assert readable(text) == expected
    assert readable(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Kurt G{\"o}del", "Kurt Gödel"),
        (r"caf\'{e} and caf\'e", "café and café"),
        (r"\v{S}ime {\v s} \c{c}a Fran\c cois", "Šime š ça François"),
        (r"na\"{\i}ve na\"ive", "naïve naïve"),
        (r"Stra\ss{}e, S\o rensen, {\O}rsted, \L ojasiewicz", "Straße, Sørensen, Ørsted, Łojasiewicz"),
        (r"Erd{\H o}s \~n \=a {\aa} \r{a} \u{g}", "Erdős ñ ā å å ğ"),
        (r"{\'{\i}}ndex \.{I}stanbul", "índex İstanbul"),
    ],
)
def test_letters_with_accents(text: str, expected: str) -> None:
    """Accents and foreign letters are the letters themselves, composed."""
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"{\delta} and $\ell_p$", "δ and ℓ_p"),
        (r"$O(n \log n)$ and $O(n\log n)$", "O(n log n) and O(n log n)"),
        (r"$10\times$ faster by 10$\%$", "10× faster by 10%"),
        (r"$\sim$5 and $>$90", "~5 and >90"),
        ("H$_2$O, CO$_{2}$, $x_i^2$, $10^{-5}$", "H₂O, CO₂, x_i², 10⁻⁵"),
        (r"$\mathcal{O}(1/\sqrt{T})$, $\sqrt[3]{a+b}$", "O(1/√T), ³√(a+b)"),
        (r"$\frac{a+b}{c}$, $\frac12$, $\binom{n}{k}$", "(a+b)/c, 1/2, (n choose k)"),
        (r"$n\leq 5$, $x \in X$, $\alpha + \beta$", "n ≤ 5, x ∈ X, α + β"),
        (r"$\mathbb{R}^{n \times d}$, $\mathbb{E}[x]$", "ℝ^(n × d), E[x]"),
        (r"$\|x\|_2$, $\left\{x\right\}$, $f'(x)$", "‖x‖₂, {x}, f′(x)"),
        (r"$p(y \mid x)$, $\hat{y}$, $\tilde{O}(n)$", "p(y | x), ŷ, Õ(n)"),
        (r"$\mathcal{L}_{\text{KL}}$, $\text{if $x$ then}$", "L_KL, if x then"),
        (r"$\not\in$, $\not=$, $\operatorname*{arg\,max}_x \max_{y}\min_z$", "∉, ≠, arg max_x max_y min_z"),
        (r"$\approx 3\%$, $\pm 0.5$, $3 \pm 0.5$", "≈3%, ±0.5, 3 ± 0.5"),
        (r"$n$-gram, $k$NN, $n^{th}$, 90$^\circ$", "n-gram, kNN, nth, 90°"),
        (r"$$x+1$$, \(y\), \[z\]", "x+1, y, z"),
        (r"L_{2} loss on S^{n}, K^{2/3}", "L₂ loss on Sⁿ, K^(2/3)"),
    ],
)
def test_formulas(text: str, expected: str) -> None:
    """Formulas are written with the signs of Unicode, and with _ and ^ where it has none."""
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\emph{new} {\it words} {\sc Name} \textcolor{red}{hot}", "new words Name hot"),
        (r"{B}ayesian {N}ets on {ImageNet}", "Bayesian Nets on ImageNet"),
        ("{{Attention to Braces}}", "Attention to Braces"),
        ("{Deep {L}earning: a fold}", "Deep Learning: a fold"),
        (r"89\% of R\&D, a\_b", "89% of R&D, a_b"),
        ("``quoted'' -- so 1--2 and say---what", "“quoted” – so 1–2 and say—what"),
        (r"Fig.~3 of {\it x}, e.g.\ so", "Fig. 3 of x, e.g. so"),
        ("pages 1{--}20, 10{,}000 nets", "pages 1–20, 10,000 nets"),
        (r"as in~\cite[p. 2]{a,b}. See \citet{c} too.", "as in. See too."),
        (r"a word\footnote{Or two.} more", "a word (Or two.) more"),
        (r"\begin{itemize}\item one \item two\end{itemize}", "• one • two"),
        (r"the \overfeat network (\eg, mean) of \foo{bar}", "the overfeat network (eg, mean) of bar"),
        ("can be {it misaligned} by mathcal{O}(KT)", "can be misaligned by O(KT)"),
    ],
)
def test_markup_of_prose(text: str, expected: str) -> None:
    """Styles, protecting braces, quotes, dashes and ties leave their text; citations leave none."""
    check(text, expected)


@pytest.mark.parametrize(
    "text",
    [
        *("It costs $5 and $10.", "from $5-$10, or $0.5~$1", "US$5 or US$6", "$5 million = much, or $6", "a $ and a $"),
        *(r"a_b in C:\dir\new and D:\beta", r"the regex \d+\w* and [a-z]\s", r"line\nline, \u00e9", "set $HOME/$USER"),
        *(
            r"he said \"also\" then \"so\"",
            "sets {0, 1}^n",
            'as {"a": 1} says',
            "file_{id}",
            "x --flag, i--; a ~5 or 10~20",
        ),
        *("unbalanced { brace", r"unbalanced \emph{ and $x", "}{", r"ends in \ ".strip(), "https://x.org/~me/a--b_c"),
    ],
)
def test_what_is_no_latex_stays(text: str) -> None:
    """Money, paths, regular expressions, code, and markup that is broken stay as they are."""
    check(text, text)


WORDS = st.sampled_from(["net", "models", "a", "5", "of", "K-means,", "end.", "(so)", "Über", "深度"])
SIGNS = st.sampled_from(
    [r"\alpha", r"\ell_p", "x_i", "10^{-5}", r"\mathbb{R}^{d}", r"\frac{a}{b}", r"n \log n", "k", "n+1"]
)
FORMULAS = st.lists(SIGNS, min_size=1, max_size=3).map(lambda signs: f"${' + '.join(signs)}$")
MARKED = st.tuples(st.sampled_from([r"\emph{%s}", r"{\it %s}", "{%s}", "``%s''", r"\footnote{%s}", "%s~", "%s"]), WORDS)
PIECES = st.one_of(WORDS, FORMULAS, MARKED.map(lambda pair: pair[0] % pair[1]))
SENTENCES = st.lists(PIECES, max_size=12).map(" ".join)


@given(SENTENCES)
@settings(max_examples=300, deadline=None)
def test_what_was_read_is_not_changed_again(text: str) -> None:
    """A sentence that was read once stays the same when it is read again."""
    assert readable(readable(text)) == readable(text)


MACROS = (
    r"\emph{ \frac \sqrt \sqrt[ \left. \hat \text{ \url{ \href{ \cite{ \footnote{ \c \" \' \o \( \) \[ \] \{ \} \\ "
    r"\left \alpha \binom \textcolor{ \mathbb{ mathcal{ {\it { } $ $$ ^ _ ~ -- `` '' [ ] C:\ https://a.b/ <p> &amp; é 5"
)
TEX = st.lists(st.sampled_from([*MACROS.split(), "\\", " "]) | st.characters(codec="utf-8"), max_size=25).map("".join)


@given(TEX)
@settings(max_examples=700, deadline=None)
def test_no_text_raises_or_grows(text: str) -> None:
    """Any garbage of macros, braces and dollars gives a text on one line that is not much longer."""
    found = readable(text)
    assert "\n" not in found
    assert len(found) <= 3 * len(text) + 10


@pytest.mark.parametrize(
    "piece", ["{", "{}", "$a ", "\\", r"\( ", r"\frac", r"\sqrt{", "^{", r"\"a ", "``", r"\cite[", "http://a{"]
)
def test_long_and_deep_text_is_read_in_one_go(piece: str) -> None:
    """Ten thousand open braces, dollars or macros neither raise nor take quadratic time (then this test would hang)."""
    assert len(readable(piece * 10_000)) <= 3 * len(piece) * 10_000


def test_no_word_of_a_plain_text_is_lost() -> None:
    """Every word of a text with broken markup is still there."""
    words = ["alpha", "beta", "gamma", "delta"]
    for broken in ("{", "}", "$", r"\emph{", "``", "<p", "&", r"\\", "[", r"\("):
        assert readable(f" {broken} ".join(words)).replace(broken, " ").split() == words
