"""Tables: how they are told, which column is which, what is rejected, and that nothing raises."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import ListingError
from digest.listings import Origin, columns, parse, tables
from digest.listings.sniff import sniff
from digest.listings.wording.decode import tidy
from digest.model import Entry, Listing

TODAY = Origin(date(2026, 2, 1))
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "listings"
HEADER = "Title,Abstract,Authors"
ABSTRACT = "We count the words of a sentence, and find that it has some. The rest of it is here to be long enough."
CELLS = st.text('ab\u00e9 ,;\t|"\n', max_size=12)


def read(text: str, **chosen: str) -> Listing:
    return tables.parse(text, Origin(TODAY.day, chosen))


def one(header: str, row: str) -> Entry:
    [entry] = read(f"Title;{header}\nA Title;{row}\n").entries
    return entry


def titles(listing: Listing) -> list[str]:
    return [entry.title for entry in listing.entries]


def test_a_full_row_arrives() -> None:
    """Every field that is read arrives in the entry, and the listing shows which column became what."""
    [entry] = (
        listing := read(
            "No,Title,Abstract,Authors,Keywords,Journal,URL,Date,Votes,DOI,arXiv ID,Version,Code,Comments\n"
            '1,"Cut, Twice","Pruning a ""speech""\nencoder.","Lovelace, Ada; Chen, Bao",a; b,Journal of Speech,'
            "https://example.org/a,2025-03-13,12,10.1234/ab,2501.01234,v2,https://example.org/code,5 pages\n"
        )
    ).entries
    assert (entry.title, entry.abstract) == ("Cut, Twice", 'Pruning a "speech" encoder.')
    assert (entry.authors, entry.categories) == (("Ada Lovelace", "Bao Chen"), ("a", "b"))
    assert (entry.source, entry.url) == ("Journal of Speech", "https://example.org/a")
    assert (entry.published, entry.votes, entry.version) == (date(2025, 3, 13), 12, 2)
    assert entry.keys[:2] == ("doi:10.1234/ab", "arxiv:2501.01234")
    assert entry.links == ("https://example.org/code",)
    [note] = listing.notes
    assert note.startswith('columns: title = "Title", abstract = "Abstract", authors = "Authors", doi = "DOI"')
    assert note.endswith('not used: "No"')
    assert (listing.format, listing.warnings, listing.rejected) == ("csv", (), ())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_what_is_written_is_read(separator: str, quoting: int, rows: list[tuple[str, str]]) -> None:
    """Rows come back from every dialect that Python writes, whatever their cells hold, and none is rejected."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]  # the stubs want a literal
    writer.writerows([("Key", "Title", "Abstract"), *((str(place), f"T{a}", b) for place, (a, b) in enumerate(rows))])
    listing = read(file.getvalue())
    assert [(entry.title, entry.abstract) for entry in listing.entries] == [(tidy(f"T{a}"), tidy(b)) for a, b in rows]
    assert listing.rejected == ()


def test_a_first_line_of_excel_decides() -> None:
    """After "sep=;" the separator is that one, whatever else could be one."""
    listing = read("sep=;\nTitle;Abstract, in words;X, Y\nA, B;C, D;\n")
    assert [(entry.title, entry.abstract) for entry in listing.entries] == [("A, B", "C, D")]


@pytest.mark.parametrize(
    ("header", "title", "abstract"),
    [
        ("Key,Item Type,Publication Title,Short Title,Title,Abstract Note", "Title", "Abstract Note"),
        ("Source title,Document Title,Abstract", "Document Title", "Abstract"),
        ("Paper Title,Journal Title,Has abstract,Abstract", "Paper Title", "Abstract"),
        ("Titel,Zusammenfassung", "Titel", "Zusammenfassung"),
        ("Titre,Résumé", "Titre", "Résumé"),
        ("TÍTULO,RESUMEN", "TÍTULO", "RESUMEN"),
        ("id,display_name,abstract", "display_name", "abstract"),
        ("PT,AU,TI,SO,AB", "TI", "AB"),
        ("Title of the paper,Abstract (English)", "Title of the paper", "Abstract (English)"),
    ],
)
def test_columns_are_told_from_their_names(header: str, title: str, abstract: str) -> None:
    """Title and abstract are found under the names that people and programs give them."""
    names = header.split(",")
    places = columns.told(names, {})
    assert (names[places["title"]], names[places["abstract"]]) == (title, abstract)


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            "Key,Item Type,Publication Year,Author,Title,Publication Title,DOI,Url,Abstract Note,Date,Date Added,Extra",
            {"published": "Date", "authors": "Author", "source": "Publication Title", "url": "Url", "arxiv": "Extra"},
        ),
        (
            "Authors,Author full names,Author(s) ID,Title,Year,Source title,DOI,Link,Abstract,Author Keywords,Source",
            {"authors": "Author full names", "source": "Source title", "url": "Link", "categories": "Author Keywords"},
        ),
        (
            "PMID,Title,Authors,First Author,Journal/Book,Publication Year,Create Date,DOI",
            {"authors": "Authors", "source": "Journal/Book", "published": "Publication Year"},
        ),
        (
            "id,doi,title,publication_year,publication_date,authorships.author.display_name,"
            "primary_location.source.display_name,primary_location.landing_page_url",
            {
                "published": "publication_date",
                "authors": "authorships.author.display_name",
                "source": "primary_location.source.display_name",
                "url": "primary_location.landing_page_url",
            },
        ),
        ("Titel,Autoren,Jahr,Zeitschrift,Schlagwörter", {"authors": "Autoren", "published": "Jahr"}),
    ],
)
def test_columns_of_known_exports(header: str, fields: dict[str, str]) -> None:
    """The other columns of the usual exports become the right fields."""
    names = header.split(",")
    places = columns.told(names, {})
    assert {name: names[places[name]] for name in fields} == fields


def test_configured_columns_come_first() -> None:
    """A configured column is taken in place of a guessed one, its case and signs apart; the others are still told."""
    text = "Title,Name,Abstract\nwrong,Right,Text\n"
    [entry] = read(text, title="NAME").entries
    assert (entry.title, entry.abstract) == ("Right", "Text")


def test_a_configured_column_that_is_not_there() -> None:
    """It is an error that names the field and lists the header."""
    with pytest.raises(ListingError, match=r'no column "Names".*for title; it has "Name", "Text"'):
        read("Name,Text\na,b\n", title="Names")


def test_a_table_without_a_title() -> None:
    """It is an error that lists the header and shows the setting."""
    with pytest.raises(ListingError, match=r'it has "Name", "Text"; .* columns = \{ title = "…" \}'):
        parse("Name,Text\na,b\nc,d\n", TODAY)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("a,b,c,d", "4 cells, but the header has 3; perhaps a comma"),
        ("a,b", "2 cells, but the header has 3; perhaps it ends too early"),
        (",b,c", "the title is empty"),
        ('"never closed,b', "2 cells"),
        ('"say "hi, there" now",b,c', "4 cells"),
        ('"two\nlines",b', "2 cells"),
    ],
)
def test_a_ragged_row_is_rejected_alone(place: int, broken: str, words: str) -> None:
    """A row that cannot be right is rejected with its line; those around it are loaded."""
    rows = [f'Paper {number},"with,\nquotes",x' for number in range(3)]
    listing = read("\n".join([HEADER, *rows[:place], broken, *rows[place:]]))
    assert titles(listing) == ["Paper 0", "Paper 1", "Paper 2"]
    [rejection] = listing.rejected
    assert rejection.line == 2 + 2 * place
    assert words in rejection.reason
    assert rejection.excerpt.startswith(broken[:4])


def test_what_is_only_untidy_is_read() -> None:
    """Empty rows and cells, repeated headers and stray quotation marks cost nothing."""
    listing = read(f'\n\n{HEADER},\n\n,,,\nA "b" c,x,y\n  D , "e, f" ,g,,,\n{HEADER},\n"H" i,"",\n"J "k" l",m,n,\n')
    assert titles(listing) == ['A "b" c', "D", '"H" i', 'J "k" l']
    assert listing.entries[1].abstract == "e, f"
    assert listing.rejected == ()


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Ada Lovelace, Bao Chen", ("Ada Lovelace", "Bao Chen")),
        ("Lovelace, Ada", ("Ada Lovelace",)),
        ("Lovelace, Ada (57190000000)|Chen, Bao (57190000001)", ("Ada Lovelace", "Bao Chen")),
        ("['Ada Lovelace', \"Bao O'Chen\"]", ("Ada Lovelace", "Bao O'Chen")),
        ("[]", ()),
        ("nan", ()),
    ],
)
def test_authors(cell: str, names: tuple[str, ...]) -> None:
    """Names stand apart as people write them, or in a list as programs write it."""
    [entry] = read(f"Title\tAuthors\nA Title\t{cell}\n").entries
    assert entry.authors == names


def test_semicolons_in_one_row_speak_for_the_column() -> None:
    """Where authors are parted by semicolons anywhere, a comma is that of one name."""
    text = 'Title,Authors\nA,"García Márquez, Ana María"\n'
    assert read(text).entries[0].authors == ("García Márquez", "Ana María")
    assert read(f'{text}B,"Chen, Bao; Demir, Cem"\n').entries[0].authors == ("Ana María García Márquez",)


def test_what_cannot_be_read_is_left_out_with_one_warning() -> None:
    """Ambiguous dates and votes that are no whole numbers are left out; one warning counts them."""
    listing = read('Title,Date,Score\nA,10/11/2026,0.5\nB,2026-11-10,12\nC,9/11/2026,\nD,,"1,200"\n')
    assert [(entry.published, entry.votes) for entry in listing.entries] == [
        (None, None), (date(2026, 11, 10), 12), (None, None), (None, 1200),
    ]  # fmt: skip
    assert set(listing.warnings) == {
        'votes: 1 not read, the first "0.5"; write whole numbers',
        'published: 2 not read, the first "10/11/2026"; write dates such as 2026-11-10',
    }


def test_arxiv_ids() -> None:
    """An arXiv id is found in a column of its own, in Zotero's Extra and in the venue."""
    assert one("arXiv", "2501.01234v2").keys[0] == "arxiv:2501.01234"
    assert one("arxiv_url", "x").key == "title:a title"
    assert one("eprint", "https://arxiv.org/abs/2501.01234").key == "arxiv:2501.01234"
    assert one("Extra", "arXiv:2501.01234 [cs]").key == "arxiv:2501.01234"
    venue = one("Venue", "arXiv preprint arXiv:2501.01234")
    assert (venue.key, venue.source) == ("arxiv:2501.01234", "arXiv")


def test_cells_have_no_limit() -> None:
    """A cell longer than the limit of Python's own reader is read, and so is a row of many cells."""
    [entry] = read(f'Title,Abstract\nA,"{"word " * 100_000}"\n').entries
    assert len(entry.abstract) == 499_999
    assert len(read("Title" + ",x" * 10_000 + "\nA" + ",y" * 10_000).entries) == 1


def test_no_quotation_marks_are_slow() -> None:
    """Texts made of quotation marks are read in time that grows with their length only."""
    for piece in ('"', '""', '"""', 'a"b,"c\n', '"a""\n', '"x,', "['\\'", " "):
        read(f"Title,Authors\n{piece * (20_000 // len(piece))}")
        read(f"Title,Authors\nA,{piece * (60_000 // len(piece))}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("title,abstract,url\na,b,c\n", "csv"),
        ("Title\tAuthors\nA\tB\n", "csv"),
        ("Name;Text\na;b\nc;d\n", "csv"),
        ("title,abstract", "csv"),
        ("Key,Title\n" + 'k,"line, one\nline, two"\n' * 90, "csv"),
        (f"Titel|Text\nA|{ABSTRACT}\nB|{ABSTRACT}", "csv"),
        ("Hello, world\nand so on\n", None),
        ("Dear Ada,\nI write to you, as I said, to say that.\nYours, Bao\n", None),
        (f"{ABSTRACT}\n" * 9, None),
        ("[section]\nkey = a, b\nother = c, d\n", None),
        ("<table>\n<tr>title,a\n<tr>b,c\n", None),
        (f"NetA: One, Two and Three\n{ABSTRACT}\nNetB: Two, Three and Four\n{ABSTRACT * 3}", "trending"),
        (f"Title Generation, Revisited\n\n{ABSTRACT}\n\nCounting, Once More\n\n{ABSTRACT}", "trending"),
    ],
)
def test_a_table_is_known_by_rows_that_agree(text: str, name: str | None) -> None:
    """A table is told from prose and from pages of titles and abstracts, its columns named or not."""
    assert tables.recognise(text) is (name == "csv")
    assert sniff(text) == name


@pytest.mark.parametrize("page", ["trending-spaced.txt", "trending-compact.txt"])
def test_a_trending_page_is_no_table(page: str) -> None:
    """The real pages, whole and from any line on, are no tables."""
    if not (SHARED / page).exists():
        pytest.skip(f"{page} is not beside the project")
    lines = (SHARED / page).read_text().splitlines()
    assert not any(tables.recognise("\n".join(lines[start : start + 80])) for start in range(0, len(lines), 7))


PIECES = st.sampled_from(
    ["Title", "Abstract", "Date", ",", ";", "\t", "|", "\n", '"', '""', " ", "a", "'", "[", "sep=;"]
)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_nothing_else_raises(text: str) -> None:
    """Any text is a listing or refused as a whole; every row that is not empty is an entry, a header or rejected."""
    tables.recognise(text)
    try:
        listing = read(text)
    except ListingError:
        return
    assert all(entry.title for entry in listing.entries)
    assert all(1 <= rejection.line <= text.count("\n") + 1 for rejection in listing.rejected)


@pytest.mark.parametrize("header", ["Title", "title", '"Titel"'])
def test_titles_alone_are_a_table(header: str) -> None:
    """One column named like a title is a table, whatever signs are in its rows."""
    text = f'{header}\nCut, Twice\n"Pruning; or not"\n'
    assert sniff(text) == "csv"
    assert [entry.title for entry in parse(text, TODAY).entries] == ["Cut, Twice", "Pruning; or not"]


@pytest.mark.parametrize(
    "text", ["Title\n", "Title\nOnly One\n", "Title\n\nCut Twice\n\nWe prune.\n", "Cut Twice\nPruning\nMore\n"]
)
def test_lines_that_are_no_table_of_titles(text: str) -> None:
    """One row proves nothing, and what has gaps between its lines is a page."""
    assert sniff(text) != "csv"


def test_a_few_columns_that_are_not_used_are_named() -> None:
    """The rest is a number: exports of libraries have sixty."""
    [note] = read("Title,Abstract,N1,N2,N3,N4,N5,N6,N7\nCut Twice,Pruning.,1,2,3,4,5,6,7\n").notes
    assert note.endswith('; not used: "N1", "N2", "N3", "N4", "N5" and 2 more')
