"""Names of people: one name, several in a text, and dates and other fields of bibliographies."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.listings.bibliography import address_in, arxiv_in, keywords_in, venue_in
from digest.listings.days import day_in, is_rough, month
from digest.listings.names import apart, enclosed, people, person

WORDS = st.text(st.characters(categories=["Lu", "Ll"]), min_size=5, max_size=9).map(str.title)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Lovelace, Ada", "Ada Lovelace"),
        ("  Lovelace ,\n Ada ", "Ada Lovelace"),
        ("A. B. Lovelace", "A. B. Lovelace"),
        ("LOVELACE, A.", "A. LOVELACE"),
        ("von Neumann, John", "John von Neumann"),
        ("Lovelace, Jr., Ada", "Ada Lovelace Jr."),
        ("King, Martin Luther, Jr.", "Martin Luther King Jr."),
        ("Martin Luther King, Jr.", "Martin Luther King Jr."),
        ("Ada Lovelace, Ph.D.", "Ada Lovelace"),
        ("Lovelace,", "Lovelace"),
        ("Chen, Bao (Univ. X)", "Bao Chen"),
        ("Chen, Bao (57190000000)", "Bao Chen"),
        ("bao@example.org (Bao Chen)", "Bao Chen"),
        ("Bao Chen <bao@example.org>", "Bao Chen"),
        ("{The XYZ Collaboration}", "The XYZ Collaboration"),
        ("{Barnes and Noble, Inc.}", "Barnes and Noble, Inc."),
        ("Example Labs, Inc.", "Example Labs, Inc."),
        (r"{\"O}zg{\"u}r, C.", "C. Özgür"),
        (r"{\'A}lvarez, {\'E}", "É Álvarez"),
        ("others", ""),
        ("et al.", ""),
        ("Ada Lovelace et al.", "Ada Lovelace"),
        (" , ", ""),
        ("", ""),
    ],
)
def test_a_name_is_written_one_way(written: str, read: str) -> None:
    """A name in any of the usual forms becomes "First Last", without what is no part of it."""
    assert person(written) == read


@given(WORDS, WORDS)
def test_a_turned_name_is_the_plain_one(first: str, last: str) -> None:
    """A name is the same turned and plain ("Last, First"), and reading it again changes nothing."""
    assert person(f"{last}, {first}") == person(f"{first} {last}") == person(person(f"{last}, {first}"))


@given(st.text())
def test_any_text_can_stand_for_a_name(text: str) -> None:
    """No text makes a name raise, and names parted and joined by semicolons are the same names."""
    assert isinstance(person(text), str)
    names = people(text)
    assert all(name == name.strip() != "" for name in names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("Plato", ("Plato",)),
        ("Ada Lovelace", ("Ada Lovelace",)),
        ("Lovelace, Ada", ("Lovelace, Ada",)),
        ("Ada Lovelace, Bao Chen", ("Ada Lovelace", "Bao Chen")),
        ("Ada Lovelace, Bao Chen, and Cem Demir", ("Ada Lovelace", "Bao Chen", "Cem Demir")),
        ("Ada Lovelace and Bao Chen", ("Ada Lovelace", "Bao Chen")),
        ("Ada Lovelace & Bao Chen", ("Ada Lovelace", "Bao Chen")),
        ("Lovelace, Ada; Chen, Bao", ("Lovelace, Ada", "Chen, Bao")),
        ("García Márquez, Ana María; Chen, Bao", ("García Márquez, Ana María", "Chen, Bao")),
        ("Lovelace, Ada; Chen, Bao; and Demir, Cem", ("Lovelace, Ada", "Chen, Bao", "Demir, Cem")),
        ("Lovelace, Ada and Chen, Bao", ("Lovelace, Ada", "Chen, Bao")),
        ("Ada Lovelace|Bao Chen", ("Ada Lovelace", "Bao Chen")),
        ("Ada Lovelace\nBao Chen", ("Ada Lovelace", "Bao Chen")),
        ("Lovelace, A., Chen, B., & Demir, C.", ("Lovelace, A.", "Chen, B.", "Demir, C.")),
        ("Lovelace, A. B., Chen, C.", ("Lovelace, A. B.", "Chen, C.")),
        ("Lovelace A, Chen BC", ("Lovelace A", "Chen BC")),
        ("van den Berg, Jan Peter", ("van den Berg, Jan Peter",)),
        ("García Márquez, Ana M.", ("García Márquez, Ana M.",)),
        ("Martin King, Jr., Ada Lovelace", ("Martin King, Jr.", "Ada Lovelace")),
        ("{Barnes and Noble} and Ada Lovelace", ("{Barnes and Noble}", "Ada Lovelace")),
    ],
)
def test_several_names_are_parted(text: str, names: tuple[str, ...]) -> None:
    """Names are parted at semicolons and "and", and at commas only where both sides are whole names."""
    assert people(text) == names


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), st.sampled_from(["; ", ";", " and ", " & ", "|"]))
def test_names_come_back_from_every_separator(names: list[tuple[str, str]], separator: str) -> None:
    """However "Last, First" names are joined, each comes back."""
    written = tuple(f"{last}, {first}" for last, first in names)
    assert people(separator.join(written)) == written


@given(st.text("{}, a"))
def test_parting_loses_nothing(text: str) -> None:
    """Pieces joined again are the text."""
    import re

    assert ",".join(apart(text, re.compile(","))) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [("{a}", True), ("{a}{b}", False), ("{a{b}c}", True), ("{a", False), ("", False), ("{a\\}", False), ("{}", True)],
)
def test_one_pair_of_braces(text: str, whole: bool) -> None:
    """Braces hold a text only if the first closes at its end."""
    assert enclosed(text) is whole


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-03-13", date(2025, 3, 13)),
        ("2025-03-13T23:59:00-08:00", date(2025, 3, 13)),
        ("2025-03-13 10:00", date(2025, 3, 13)),
        ("2025/03/13/", date(2025, 3, 13)),
        ("2025/03/13/Spring", date(2025, 3, 13)),
        ("2025/3/1", date(2025, 3, 1)),
        ("2025///", None),
        ("20250313", date(2025, 3, 13)),
        ("2025-03", None),
        ("2025", None),
        ("2025.0", None),
        ("13 Mar 2025", date(2025, 3, 13)),
        ("13-Mar-2025", date(2025, 3, 13)),
        ("Thu, 13 Mar 2025 10:00:00 GMT", date(2025, 3, 13)),
        ("March 13, 2025", date(2025, 3, 13)),
        ("13th Sept. 2025", date(2025, 9, 13)),
        ("MAR 2025", None),
        ("2025 Mar 13", date(2025, 3, 13)),
        ("13.11.2026", date(2026, 11, 13)),
        ("10.11.2026", date(2026, 11, 10)),
        ("13/11/2026", date(2026, 11, 13)),
        ("11/13/2026", date(2026, 11, 13)),
        ("11/11/2026", date(2026, 11, 11)),
        ("10/11/2026", None),
        ("2025-13-01", None),
        ("2025-02-30", None),
        ("2025-2026", None),
        ("13 Foo 2025", None),
        ("0000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_as_people_write_them(text: str, day: date | None) -> None:
    """A date is read in the usual forms; one that may mean two days or more, or none, is none."""
    assert day_in(text) == day


@pytest.mark.parametrize("text", ["2025", "2025.0", "2025-03", "2025/03//", "Mar 2025", "2025 March"])
def test_a_year_or_month_is_rough(text: str) -> None:
    """It is read, and is no day."""
    assert is_rough(text)
    assert day_in(text) is None


@pytest.mark.parametrize("text", ["2025-03-13", "2025 March 13", "10/11/2026", "soon", ""])
def test_a_day_and_what_is_no_date_are_not_rough(text: str) -> None:
    """Only what is a year or month for certain is."""
    assert not is_rough(text)


@given(st.text())
def test_any_text_can_stand_for_a_date(text: str) -> None:
    """No text makes a date raise."""
    assert day_in(text) is None or isinstance(day_in(text), date)


@pytest.mark.parametrize(
    ("text", "number"), [("mar", 3), ("March", 3), ("Sept.", 9), ("3", 3), ("ma", 0), ("2025", 0), ("", 0)]
)
def test_months(text: str, number: int) -> None:
    """A month is told by its number, name or abbreviation."""
    assert month(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("arXiv:2501.01234v2 [cs.LG]", "2501.01234v2"),
        ("arXiv preprint arXiv:2501.01234", "2501.01234"),
        ("10.48550/arXiv.2501.01234", "2501.01234"),
        ("(arXiv: math/0309136)", "math/0309136"),
        ("arXiv: new results", ""),
        ("2501.01234", ""),
    ],
)
def test_arxiv_ids_in_other_fields(text: str, number: str) -> None:
    """An id is taken where "arXiv:" stands before it, and from nothing else."""
    assert arxiv_in(text) == number


def test_fields_that_hold_several() -> None:
    """Addresses and keywords are parted at what parts them."""
    assert address_in("https://a.org/x;y;https://b.org") == "https://a.org/x;y"
    assert address_in("see https://a.org; https://b.org") == "https://a.org"
    assert address_in("10.1234/x") == ""
    assert keywords_in("a; b, c;") == ("a", "b, c")
    assert keywords_in("a, b c") == ("a", "b c")
    assert keywords_in("cs.LG cs.CL stat.ML") == ("cs.LG", "cs.CL", "stat.ML")
    assert keywords_in("deep learning") == ("deep learning",)
    assert (venue_in("arXiv preprint arXiv:2501.01234"), venue_in(" Journal ")) == ("arXiv", "Journal")
