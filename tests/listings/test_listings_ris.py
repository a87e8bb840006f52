"""RIS: what is read of a record, what is rejected, and that nothing raises."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.listings import Origin, parse, ris
from digest.listings.sniff import sniff
from digest.model import Entry, Listing

TODAY = Origin(date(2026, 2, 1))
GOOD = [f"TY  - JOUR\nTI  - Paper {number}\nPY  - 202{number}\nER  - \n" for number in range(3)]


def read(text: str) -> Listing:
    return ris.parse(text, TODAY)


def only(fields: str) -> Entry:
    listing = read(f"TY  - JOUR\nTI  - A Title\n{fields}\nER  - \n")
    assert listing.rejected == ()
    [entry] = listing.entries
    return entry


def test_a_full_record_arrives() -> None:
    """Every field that is read arrives in the entry; text before the first record is passed over."""
    [entry] = read(
        "Provider: Example\nContent: text/plain\n\n"
        "TY  - JOUR\nT1  - Cut\n  Twice\nA1  - Lovelace, Ada\nAU  - Chen, Bao\nA2  - Editor, Ed\n"
        "N2  - Pruning a speech encoder,\n\nonce - or twice.\nKW  - speech\nKW  - pruning, and more\ndeep nets\n"
        "Y1  - 2025/03/13/\nVL  - 3\nDO  - https://doi.org/10.1234/ab\nUR  - https://example.org/a;https://b.org\n"
        "JO  - J. Sp.\nT2  - Journal of Speech\nER  -\n"
    ).entries
    assert (entry.title, entry.abstract) == ("Cut Twice", "Pruning a speech encoder, once - or twice.")
    assert set(entry.authors) == {"Ada Lovelace", "Bao Chen"}
    assert entry.categories == ("speech", "pruning, and more", "deep nets")
    assert (entry.source, entry.published) == ("Journal of Speech", date(2025, 3, 13))
    assert (entry.url, entry.key) == ("https://example.org/a", "doi:10.1234/ab")


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ("PY  - 2025", None),
        ("PY  - 2025/03//", None),
        ("PY  - 2025\nDA  - 2025/03/13/", date(2025, 3, 13)),
        ("PY  - 2025/03/13\nDA  - Mar 13", date(2025, 3, 13)),
        ("PY  - in press", None),
        ("Y2  - 2025/03/13", None),
    ],
)
def test_dates(fields: str, day: date | None) -> None:
    """The date is DA, else Y1 or PY, whichever names a day; the day of access is none."""
    assert only(fields).published == day


@pytest.mark.parametrize(
    "fields", ["M1  - arXiv:2501.01234", "AN  - arXiv:2501.01234 [cs]", "JO  - arXiv preprint arXiv:2501.01234v2"]
)
def test_arxiv_ids(fields: str) -> None:
    """The arXiv id is found where the usual exports write it, and then arXiv is the source."""
    entry = only(fields)
    assert (entry.key, entry.source) == ("arxiv:2501.01234", "arXiv")


def test_several_in_one_field() -> None:
    """One KW line may hold all keywords, and one AU line all authors; a DOI may stand in M3."""
    entry = only("KW  - speech; pruning\nAU  - Lovelace, Ada; Chen, Bao\nM3  - doi: 10.1234/ab\nM3  - Article")
    assert entry.categories == ("speech", "pruning")
    assert entry.authors == ("Ada Lovelace", "Bao Chen")
    assert entry.key == "doi:10.1234/ab"


@pytest.mark.parametrize("blanks", ["", " ", "  "])
def test_blanks_that_a_program_left_out(blanks: str) -> None:
    """However many blanks stand before the hyphen, fields are told from text that looks a little like one."""
    text = f"TY{blanks}- JOUR\nTI{blanks}- A Title\nAB{blanks}- The use of\n"
    text += "AI - and of T2   - here.\n" if blanks != " " else "T2-weighted scans.\n"
    listing = read(f"{text}PY{blanks}- 2025/03/13\nER{blanks}-\n{GOOD[0]}")
    assert [entry.title for entry in listing.entries] == ["A Title", "Paper 0"]
    assert listing.entries[0].abstract.endswith(("here.", "scans."))
    assert listing.entries[0].published == date(2025, 3, 13)


def test_a_missing_end_costs_nothing() -> None:
    """A record without ER ends before the next TY, or behind the last line of the file."""
    listing = read("TY  - JOUR\nTI  - One\nTY  - JOUR\nTI  - Two\nAB  - whole.\n")
    assert [(entry.title, entry.abstract) for entry in listing.entries] == [("One", ""), ("Two", "whole.")]
    assert listing.rejected == ()


@pytest.mark.parametrize("end", ["\nAB  - cut sh", "\nAB  - all of it.\nER  ", ""])
def test_a_record_in_which_the_file_ends_is_rejected(end: str) -> None:
    """A last line that does not end and is no ER says that the file was cut there."""
    listing = read(f"{GOOD[0]}TY  - JOUR\nTI  - Two{end}")
    assert [entry.title for entry in listing.entries] == ["Paper 0"]
    assert [(one.line, one.reason) for one in listing.rejected] == [(5, "the file ends within this record")]


def test_the_last_end_needs_no_line_end() -> None:
    """A file whose last sign is the hyphen of ER was not cut."""
    assert len(read(GOOD[0].rstrip()).entries) == 1


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("TY  - JOUR\nAU  - Lovelace, Ada\nER  - \n", "no title"),
        ("TY  - JOUR\nER  - \n\n\n", "no title"),
        ("TY  - JOUR\nTI  - {}\nER  - \n", "the title is empty"),
    ],
)
def test_a_bad_record_is_rejected_alone(place: int, broken: str, words: str) -> None:
    """A record without a title is rejected with its line; those around it are loaded."""
    listing = read("\n".join([*GOOD[:place], broken, *GOOD[place:]]))
    assert [entry.title for entry in listing.entries] == ["Paper 0", "Paper 1", "Paper 2"]
    [rejection] = listing.rejected
    assert rejection.line == 1 + 5 * place
    assert words in rejection.reason


def test_a_record_that_lost_its_first_line_is_rejected_once() -> None:
    """Fields behind an ER that no TY opens are no part of any record, and are told of once."""
    listing = read(f"{GOOD[0]}TI  - Lost\nAU  - Nobody\nER  - \n\n{GOOD[1]}")
    assert [entry.title for entry in listing.entries] == ["Paper 0", "Paper 1"]
    assert [(one.line, one.excerpt) for one in listing.rejected] == [(5, "TI - Lost")]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (GOOD[0], True),
        (f"Provider: Example\n\n{GOOD[0]}", True),
        ("TY - JOUR\nTI - A\nER -\n", True),
        ("  TY  - CPAPER\n\n  T1  - A\n", True),
        ("TY  - JOUR\n", False),
        ("TY - thank you\nA note", False),
        ("We write TY  - JOUR\nTI  - in RIS", False),
        ("", False),
    ],
)
def test_ris_is_known_by_its_first_record(text: str, known: bool) -> None:
    """A text is RIS if a TY line and another field stand near its beginning."""
    assert ris.recognise(text) is known
    assert (sniff(text) == "ris") is known


def test_many_lines_of_one_field_are_fast() -> None:
    """A field that never ends is read in time that grows with its length only."""
    text = GOOD[0] + "TY  - JOUR\nTI  - A\nAB  - " + "a word\n" * 200_000
    assert len(read(text).entries[1].abstract) > 1_000_000


LINES = st.sampled_from(
    [
        "TY  - JOUR",
        "TY - BOOK",
        "TI  - A",
        "AU  - B, A",
        "KW  - k",
        "ER  - ",
        "ER",
        "AB  -",
        "more",
        "",
        "T",
        "  - ",
        "é",
    ]
)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=30).map("\n".join))
def test_nothing_raises_and_good_records_are_read(text: str) -> None:
    """Whatever stands between them, whole records are read."""
    listing = parse(f"{GOOD[0]}\n{text}\n{GOOD[1]}", TODAY)
    titles = [entry.title for entry in listing.entries]
    assert (titles[0], titles[-1]) == ("Paper 0", "Paper 1")
