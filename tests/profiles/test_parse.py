"""Keywords that can be read, what they mean, and that they print as they read."""

import string
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import QueryError
from digest.model import FIELDS, Profile
from digest.profiles import And, InField, Keyword, Not, Or, Pattern, Phrase, Prefix, Query, Words, check, parse
from digest.profiles.parse import _Parser

A, B, C = Words(("a",)), Words(("b",)), Words(("c",))
MEANINGS: dict[str, Query] = {
    "reward model": Words(("reward", "model")),
    "  reward   model ": Words(("reward", "model")),
    "C++ C# GPT-4 GPT-3.5 k-NN R&D don't x_y TCP/IP 1,000 .NET": Words(
        ("C++", "C#", "GPT-4", "GPT-3.5", "k-NN", "R&D", "don't", "x_y", "TCP/IP", "1,000", ".NET")
    ),
    "机器学习": Words(("机器学习",)),
    "naïve\u3000Bayes": Words(("naïve", "Bayes")),
    "cats and dogs or not": Words(("cats", "and", "dogs", "or", "not")),
    "Calibration: a survey": Words(("Calibration", "a", "survey")),
    '"reward model"': Phrase("reward model"),
    "“reward model”": Phrase("reward model"),
    "„reward model“": Phrase("reward model"),
    "＂reward model＂": Phrase("reward model"),
    "«reward model»": Phrase("reward model"),
    '"say “yes” now"': Phrase("say “yes” now"),
    '"  reward   model "': Phrase("reward model"),
    r'"a \"b\" \\ c\d"': Phrase(r'a "b" \ c\d'),
    '"noisy labels"~5': Phrase("noisy labels", 5),
    "quantiz*": Prefix("quantiz"),
    "机器*": Prefix("机器"),
    "/re.*gex/": Pattern("re.*gex"),
    r"/a\/b\\\/c\d/": Pattern(r"a/b\\/c\d"),
    "title:calibration": InField("title", Words(("calibration",))),
    "Title: calibration": InField("title", Words(("calibration",))),
    'title:"reward model"': InField("title", Phrase("reward model")),
    "title:(a OR b)": InField("title", Or((A, B))),
    "title：（a OR b）": InField("title", Or((A, B))),
    "title:a b": InField("title", Words(("a", "b"))),
    "title:(a b)": InField("title", Words(("a", "b"))),
    "category:/^cs/": InField("category", Pattern("^cs")),
    "a AND b AND c": And((A, B, C)),
    "(a AND b) AND c": And((A, B, C)),
    "(a OR b) OR c": Or((A, B, C)),
    "a OR b AND c": Or((A, And((B, C)))),
    "(a OR b) AND NOT c": And((Or((A, B)), Not(C))),
    "a b OR c": Or((Words(("a", "b")), C)),
    "a NOT b c": And((A, Not(Words(("b", "c"))))),
    "a -b c": And((A, Not(B), C)),
    "a –b": And((A, Not(B))),
    "NOT b AND a": And((Not(B), A)),
    "a AND (NOT b)": And((A, Not(B))),
    'a -title:"b c"': And((A, Not(InField("title", Phrase("b c"))))),
    'reward "exact phrase"': And((Words(("reward",)), Phrase("exact phrase"))),
    "reward model*": And((Words(("reward",)), Prefix("model"))),
    "((a))": A,
    "(" * 30 + "a" + ")" * 30: A,
}


@pytest.mark.parametrize(("keyword", "meaning"), MEANINGS.items())
def test_meaning(keyword: str, meaning: Query) -> None:
    """Each form of the language means one query, with weight 1."""
    assert parse(keyword) == Keyword(meaning)


@pytest.mark.parametrize(
    ("keyword", "meaning"),
    {
        "-survey": Words(("survey",)),
        '-"position paper"': Phrase("position paper"),
        "-(a OR b)": Or((A, B)),
        "-(a b)": Words(("a", "b")),
        "-title:survey": InField("title", Words(("survey",))),
        "-/a+/": Pattern("a+"),
        "—survey": Words(("survey",)),
    }.items(),
)
def test_exclusion(keyword: str, meaning: Query) -> None:
    """A minus at the start excludes what its one unit hits."""
    assert parse(keyword) == Keyword(meaning, excluded=True)


@pytest.mark.parametrize(("number", "weight"), [("2.5", 2.5), ("100", 100), (".5", 0.5), ("0.001", 0.001), ("1", 1)])
def test_weight(number: str, weight: float) -> None:
    """A number after ^ at the end weighs the whole keyword."""
    assert parse(f"reward model^{number}") == Keyword(Words(("reward", "model")), weight)


def outcome(read: Callable[[], Keyword]) -> Keyword | QueryError:
    """What reading gives or raises."""
    try:
        return read()
    except QueryError as fault:
        return fault


def agree(keyword: str) -> None:
    """The short way for plain words and the full parser do the same."""
    short, full = outcome(lambda: parse(keyword)), outcome(lambda: _Parser(keyword).read())
    assert str(short) == str(full)
    assert isinstance(short, Keyword) == isinstance(full, Keyword)


@pytest.mark.parametrize(
    "keyword", ["reward model", "C++ k-NN don't", "x AND y", "AND", "a" * 64, "a" * 1001, "a" + " a" * 64]
)
def test_fast_path(keyword: str) -> None:
    """Plain words mean the same by the short way as by the full parser, and have the same limits."""
    agree(keyword)


@given(st.text(alphabet="abN.'+#&-_ é机", max_size=30))
def test_fast_path_of_any_words(keyword: str) -> None:
    """Whatever plain text is typed, the short way and the full parser agree."""
    agree(keyword)


def test_check_reports_all() -> None:
    """Every keyword that cannot be read is reported at once, in order."""
    profile = Profile("p", ('"open', "fine", "title:", "(x"))
    assert [fault.keyword for fault in check(profile)] == ['"open', "title:", "(x"]


words = st.from_regex(r"[A-Za-z0-9.éç机#][\w.+#&'’/?=-]{0,8}", fullmatch=True).filter(
    lambda word: word not in ("AND", "OR", "NOT") and any(map(str.isalnum, word))
)
phrases = st.text(alphabet=string.ascii_letters + ' \\"“”/*:()^~-机', min_size=1, max_size=12).map(
    lambda text: " ".join(text.split())
)
weights = st.integers(1, 100_000).map(lambda thousandths: thousandths / 1000)
leaves: st.SearchStrategy[Query] = st.one_of(
    st.lists(words, min_size=1, max_size=3).map(lambda some: Words(tuple(some))),
    st.builds(Phrase, phrases.filter(lambda text: any(map(str.isalnum, text))), st.none() | st.integers(1, 100)),
    words.filter(lambda word: sum(map(str.isalnum, word)) > 1).map(Prefix),
    st.sampled_from([r"a/b", r"\\/", r"[/\]]+x", r"x\\", r"\d+ \"y"]).map(Pattern),
)


def compound(inner: st.SearchStrategy[Query], *, fields: bool) -> st.SearchStrategy[Query]:
    """Queries in the shape that the parser gives: no And in And, no Or in Or, Not only beside something wanted."""
    parts = st.lists(inner, min_size=2, max_size=3)
    both = st.tuples(inner, st.lists(st.booleans(), min_size=1, max_size=3), parts).map(
        lambda drawn: And(
            tuple(_flattened([drawn[0]]) + [_signed(*pair) for pair in zip(drawn[1], drawn[2], strict=False)])
        )
    )
    either = parts.map(
        lambda some: Or(tuple(part for q in some for part in (q.queries if isinstance(q, Or) else (q,))))
    )
    shapes: list[st.SearchStrategy[Query]] = [both, either]
    if fields:
        shapes.append(st.builds(InField, st.sampled_from(FIELDS), leaves | compound(leaves, fields=False)))
    return st.one_of(shapes)


def _flattened(queries: list[Query]) -> list[Query]:
    return [part for query in queries for part in (query.queries if isinstance(query, And) else (query,))]


def _signed(negated: bool, query: Query) -> Query:
    return Not(query) if negated or isinstance(query, And) else query


queries = st.recursive(leaves, lambda inner: compound(inner, fields=True), max_leaves=8)
keywords = st.builds(Keyword, queries, weights) | st.builds(Keyword, queries, excluded=st.just(value=True))


@given(keywords)
def test_prints_as_it_reads(keyword: Keyword) -> None:
    """Any query prints as a text that parses to the same query."""
    assert parse(str(keyword)) == keyword


PIECES = [
    *'"“”()/*^~:-\\ ,;!|',
    "AND",
    "OR",
    "NOT",
    "title:",
    "a",
    "bc",
    "机器",
    "^2.5",
    "~5",
    "/x/",
    '"y z"',
    " ",
    " ",
    "(",
]


def is_read_or_refused(text: str) -> None:
    """The text is read and prints as it reads, or is refused with a place inside it, a reason and a hint."""
    found = outcome(lambda: parse(text))
    if isinstance(found, Keyword):
        assert parse(str(found)) == found
    else:
        assert 0 <= found.column <= min(len(found.keyword), len(text))
        assert found.reason
        assert found.hint


@given(st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_text(text: str) -> None:
    """Any text is read, and prints as it reads, or is refused with its place; nothing else is raised."""
    is_read_or_refused(text)


@given(st.text(alphabet="ab()[]{}*+?|\\.^$-,:<>=!PQEdbBzA1", max_size=20))
def test_any_pattern(regex: str) -> None:
    """Any regular expression is accepted and prints as it reads, or is refused with a place inside it."""
    is_read_or_refused(f"/{regex}/")


@pytest.mark.parametrize(
    "keyword",
    [
        "a OR b (" * 20 + "c" + ")" * 20,
        "a OR b (" * 29 + "c" + ")" * 29,
        '"a" ' * 64,
        "a -b " * 32,
        '"' + "\\a" * 490 + '"',
        "-(" + "a OR b (" * 13 + "c" + ")" * 14,
    ],
)
def test_limits_hold_for_the_printed_form(keyword: str) -> None:
    """A keyword at the limits is refused, or prints within the limits."""
    is_read_or_refused(keyword)


def test_short_keywords_print_within_limits() -> None:
    """The deepest keyword too short to be read twice still prints within the limits."""
    depth = 6
    keyword = "a OR b (" * depth + "c d" + ")" * depth + "^2"
    assert len(keyword) <= 64
    assert parse(str(parse(keyword))) == parse(keyword)


def test_too_deep_once_printed() -> None:
    """A keyword that would print deeper than it may be read is refused as typed."""
    with pytest.raises(QueryError, match="written out") as caught:
        parse("a OR b (" * 20 + "c" + ")" * 20)
    assert caught.value.column == 0


def test_plain_keywords_do_not_load_re2() -> None:
    """RE2 is loaded with the first pattern only."""
    code = "import sys; from digest.profiles import parse; parse('a -b'); assert 're2' not in sys.modules; parse('/a/')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])
