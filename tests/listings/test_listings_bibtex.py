"""BibTeX: what is read of an entry, what is rejected, and that nothing raises."""

from __future__ import annotations

import logging
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.listings import Origin, bibtex, parse
from digest.listings.sniff import sniff
from digest.model import Entry, Listing

TODAY = Origin(date(2026, 2, 1))
GOOD = [f"@article{{key{number},\n  title = {{Paper {number}}},\n  year = 202{number}\n}}" for number in range(3)]


def read(text: str) -> Listing:
    return bibtex.parse(text, TODAY)


def only(fields: str) -> Entry:
    listing = read(f"@misc{{a, title = {{A Title}}, {fields}}}")
    assert listing.rejected == ()
    [entry] = listing.entries
    return entry


def test_a_full_entry_arrives() -> None:
    """Every field that is read arrives in the entry, readable."""
    [entry] = read(
        "% a comment\n@String(jss = {Journal of {S}peech})\n@preamble{ {\\newcommand{\\x}{}} }\n"
        "@inproceedings(lovelace:2025,\n"
        '  Title = "{C}ut {T}wice",\n'
        '  author = {Lovelace, Ada and {\\"O}zg{\\"u}r, Cem and {Barnes and Noble} and others},\n'
        "  abstract = {Pruning a\n    speech encoder, once.},\n"
        "  keywords = {speech; pruning, and more},\n  journal = jss, year = 2025, month = mar, day = 13,\n"
        "  doi = {10.1234/a\\_b}, url = {\\url{https://example.org/a\\_b}}, note = {to appear}\n)"
    ).entries
    assert (entry.title, entry.abstract) == ("Cut Twice", "Pruning a speech encoder, once.")
    assert entry.authors == ("Ada Lovelace", "Cem Özgür", "Barnes and Noble")
    assert entry.categories == ("speech", "pruning, and more")
    assert (entry.source, entry.published) == ("Journal of Speech", date(2025, 3, 13))
    assert (entry.url, entry.key) == ("https://example.org/a_b", "doi:10.1234/a_b")


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ("year = 2025", None),
        ("year = {2025}, month = 3, day = 13", date(2025, 3, 13)),
        ('year = "2025", month = {March}', None),
        ('year = 2025, month = mar # "~13"', None),
        ('year = 2025, month = mar # " 13"', date(2025, 3, 13)),
        ("year = 2025, month = {spring}", None),
        ("date = {2025-03-13/2025-03-15}, year = 1999", date(2025, 3, 13)),
        ("year = {to appear}", None),
        ("month = mar", None),
    ],
)
def test_dates(fields: str, day: date | None) -> None:
    """A date is taken whole, or made of year, month and day; without a day it is none."""
    assert only(fields).published == day


@pytest.mark.parametrize(
    "fields",
    [
        "eprint = {2501.01234}, archivePrefix = {arXiv}, primaryClass = {cs.LG}",
        "eprint = {2501.01234}, eprinttype = {arxiv}",
        "eprint = {2501.01234v2}",
        "journal = {arXiv preprint arXiv:2501.01234}",
        "number = {arXiv:2501.01234}, publisher = {arXiv}",
        "note = {arXiv:2501.01234 [cs]}",
    ],
)
def test_arxiv_ids(fields: str) -> None:
    """The arXiv id is found wherever the usual exports write it, and then arXiv is the source."""
    entry = only(fields)
    assert (entry.key, entry.source) == ("arxiv:2501.01234", "arXiv")


def test_what_is_no_arxiv_id() -> None:
    """An eprint of another archive is none, nor one that a note only mentions."""
    assert only("eprint = {2501.01234}, eprinttype = {jstor}").key == "title:a title"
    assert only("note = {extends arXiv:2501.01234}").key == "title:a title"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ("url = {https://example.org/a%20b?c=d&e=f}", "https://example.org/a%20b?c=d&e=f"),
        ("url = {https://example.org/a\\_b\\%20\\&c\\#d}", "https://example.org/a_b%20&c#d"),
        ("url = {https://example.org/{\\textasciitilde}ada}", "https://example.org/~ada"),
        ("howpublished = {\\url{https://example.org/a}}", "https://example.org/a"),
        ("howpublished = {Talk at \\url{https://example.org/a}, 2025}", "https://example.org/a"),
        ("url = {see the journal}", ""),
    ],
)
def test_addresses(fields: str, url: str) -> None:
    """An address comes without what LaTeX needs around it."""
    assert only(fields).url == url


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("Quantized \\${\\textbackslash}ell\\_p\\$ norms", "Quantized ℓ_p norms"),
        ("With {\\textbackslash}(x{\\textasciicircum}2{\\textbackslash}) and R\\&D", "With x² and R&D"),
        ("In \\$O(n{\\textasciicircum}2)\\$ steps", "In O(n²) steps"),
        ("{\\textbackslash}textit\\{reward models\\} in {BERT}", "reward models in BERT"),
        ("\\textbackslash{}emph\\{\\vphantom{\\}}one\\vphantom{\\{}\\} at 5\\%", "one at 5%"),
        ("The sign {\\textasciicircum} alone, for \\$5 and \\$10", "The sign ^ alone, for $5 and $10"),
    ],
)
def test_what_a_program_escaped_is_read_as_its_author_wrote_it(written: str, read_as: str) -> None:
    """Zotero escapes the LaTeX of an abstract; what it stood for is read."""
    assert only(f"abstract = {{{written}}}").abstract == read_as


def test_abbreviations_hold_from_their_line_on_and_are_joined() -> None:
    """Values are joined at "#"; an abbreviation is known in any case, may use others, and is else its own name."""
    text = (
        '@string{a = "Ada"}\n@STRING{b = A # { # Lab}}\n'
        "@misc{x, title = B # { of } # 2025, note = later}\n@string{later = {no}}\n@misc{y, title = unknown}"
    )
    assert [entry.title for entry in read(text).entries] == ["Ada # Lab of 2025", "unknown"]


def test_abbreviations_do_not_grow_without_end() -> None:
    """Each doubling the one before, abbreviations are refused where they grow too long."""
    doubling = "".join(f"@string{{s{after} = s{before} # s{before}}}\n" for before, after in pairwise(range(60)))
    listing = read(f"@string{{s0 = {{xxxxxxxxxx}}}}\n{doubling}@misc{{a, title = {{A}}}}")
    assert [entry.title for entry in listing.entries] == ["A"]
    assert "too long" in listing.rejected[0].reason


def test_doubles_are_kept_and_the_first_field_counts() -> None:
    """Two entries of one key are both kept; of a field given twice the first counts."""
    listing = read("@misc{a, title={One}, title={Two}}\n@misc{a, title={Three}}\n@misc{,title={Four}}")
    assert [entry.title for entry in listing.entries] == ["One", "Three", "Four"]
    assert listing.rejected == ()


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("@article{cut,\n title = {Cut sh", "not closed"),
        ("@article{open,\n title = {Open,\n year = 2020\n}", "not closed"),
        ("@article{none,\n year = 2020\n}", 'no "title"'),
        ("@article{empty,\n title = {{}}\n}", "the title is empty"),
        ("@article{comma,\n title = {A}\n abstract = {B}\n}", '"title" is not well-formed'),
        ("@article{equals,\n title {A}\n}", "not BibTeX: expected a `=`"),
    ],
)
def test_a_broken_entry_is_rejected_alone(place: int, broken: str, words: str) -> None:
    """An entry that is broken is rejected with its line and reason; those around it are loaded."""
    listing = read("\n\n".join([*GOOD[:place], broken, *GOOD[place:]]))
    assert [entry.title for entry in listing.entries] == ["Paper 0", "Paper 1", "Paper 2"]
    [rejection] = listing.rejected
    assert rejection.line == 1 + 5 * place
    assert words in rejection.reason
    assert rejection.excerpt.startswith(broken[:8])


def test_text_between_entries_and_comments_costs_nothing() -> None:
    """Free text, comments and preambles, even broken ones, are passed over in silence."""
    text = f"See a@b.org {{x}}\n{GOOD[0]} and so on\n@comment{{jabref-meta: {{x}}\n{GOOD[1]} {GOOD[2]}"
    listing = read(text)
    assert (len(listing.entries), listing.rejected) == (3, ())


def test_an_at_sign_in_a_text_begins_nothing() -> None:
    """An at sign within a line of an abstract, with a brace behind it, is text."""
    assert only("abstract = {Results @ {CLEF} and a@b{c} stay.}").abstract.endswith(" stay.")


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (GOOD[0], True),
        (f"% Encoding: UTF-8\n\nFrom the library.\n{GOOD[0]}", True),
        ("@misc{x}", True),
        ("@string{a = {b}}\n", True),
        ("  @Article (a,\ntitle={b})", True),
        ("@media screen {\n body { color: red }\n}", False),
        ("<style>\n@page{a,}\n</style>", False),
        ("@comment{a, b}", False),
        ("@property\ndef f(a, b): {}", False),
        ("Write to ada@misc{a, b}", False),
        ("", False),
    ],
)
def test_bibtex_is_known_by_its_first_block(text: str, known: bool) -> None:
    """A text is BibTeX if an entry or abbreviation begins a line near its beginning."""
    assert bibtex.recognise(text) is known
    assert (sniff(text) == "bibtex") is known


def test_the_library_says_nothing_itself(caplog: pytest.LogCaptureFixture) -> None:
    """A broken entry is no line in the log: the rejection tells it."""
    with caplog.at_level(logging.DEBUG, logger="digest"):
        read("@article{a, title = {A}\n@article{b,")
    assert caplog.records == []


PIECES = st.sampled_from(
    [
        "@article{a,",
        "@string{",
        "@comment{",
        "title",
        " = ",
        "{",
        "}",
        '"',
        "#",
        ",",
        "\n",
        "(",
        ")",
        "@",
        "\\",
        "a",
        "é ",
    ]
)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_nothing_raises_and_a_good_entry_behind_is_read(text: str) -> None:
    """Whatever stands before it, an entry that begins its line is read, unless it stands in what was never closed."""
    listing = parse(f"{GOOD[0]}\n{text}\n{GOOD[1]}", TODAY)
    titles = [entry.title for entry in listing.entries]
    assert (titles[0], titles[-1]) == ("Paper 0", "Paper 1")
