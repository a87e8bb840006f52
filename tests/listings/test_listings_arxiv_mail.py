"""arXiv listing mail: records, fields, authors, forwarding, damage."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.listings import arxiv_mail
from digest.listings.arxiv_authors import split_authors
from digest.listings.origin import Origin
from digest.model import Entry

TODAY = Origin(date(2026, 2, 1))
RULE = "-" * 78 + "\n"
CROSSES = "%-" * 39 + "\n"
REPLACEMENTS = "%%--" * 19 + "%%\n"
END = "%%%---" * 13 + "\n"


def record(
    number: str = "2501.01234",
    head: str = "Date: Fri, 17 Jan 2025 19:04:11 GMT   (873kb,D)",
    fields: str = "Title: A Title\nAuthors: Ada B., Bao C.\nCategories: cs.SD cs.LG",
    abstract: str | None = "  Some words.\n",
) -> str:
    middle = "" if abstract is None else f"\\\\\n{abstract}"
    return f"\\\\\narXiv:{number}\n{head}\n\n{fields}\n{middle}\\\\ ( https://arxiv.org/abs/{number} ,  873kb)\n"


def only(text: str) -> Entry:
    listing = arxiv_mail.parse(text, TODAY)
    assert listing.rejected == ()
    [entry] = listing.entries
    return entry


def rejections(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in arxiv_mail.parse(text, TODAY).rejected]


def test_all_fields_of_a_new_submission_arrive() -> None:
    """Title, abstract, authors, categories, day, ids, page and source are those of the record."""
    fields = (
        "Title: A Title\n  on Two Lines\nAuthors: Ada B.\n  and Bao C.\nCategories: cs.SD cs.LG\nComments: 9 pages\n"
        "Report-no: X-1\nMSC-class: 57M25\nACM-class: I.2.7\nJournal-ref: J. Y 3\n  (2025)\nDOI: 10.1000/Abc.7\n"
        "License: http://creativecommons.org/licenses/by/4.0/"
    )
    found = only(RULE + record("2501.01234v2", fields=fields, abstract="  One\nparagraph.\n  Another.\n") + END)
    assert found == Entry(
        keys=(
            "doi:10.1000/abc.7",
            "arxiv:2501.01234",
            "url:https://arxiv.org/abs/2501.01234",
            "title:a title on two lines",
        ),
        title="A Title on Two Lines",
        abstract="One paragraph. Another.",
        authors=("Ada B.", "Bao C."),
        categories=("cs.SD", "cs.LG"),
        source="arXiv",
        url="https://arxiv.org/abs/2501.01234",
        published=date(2025, 1, 17),
        version=2,
    )


@pytest.mark.parametrize(
    ("text", "updated"),
    [
        (RULE + record(), False),
        (CROSSES + RULE + record(head="Date: Mon, 20 Jan 2025 10:00:00 GMT   (1kb)"), False),
        (RULE + record(head="replaced with revised version Mon, 20 Jan 2025 10:00:00 GMT   (1kb)"), True),
        (RULE + record(head="replaced with revised version\nMon, 20 Jan 2025 10:00:00 GMT (1kb)"), True),
        (RULE + record(head="Figures added Mon, 20 Jan 2025 10:00:00 GMT   (1kb)"), True),
        (REPLACEMENTS + RULE + record(head="Date: Mon, 20 Jan 2025 10:00:00 GMT   (1kb)"), True),
        ("The replacements:\n" + RULE + record(), True),
        (REPLACEMENTS + END + RULE + record(), False),
    ],
)
def test_replacements_are_updates(text: str, updated: bool) -> None:
    """What is replaced, by its own words or by its section, is an update; new ones and cross-lists are none."""
    assert only(text).updated is updated


def test_a_replacement_has_the_day_of_its_revision_and_no_abstract() -> None:
    """The link may follow the fields at once."""
    found = only(record(head="replaced with revised version Mon, 20 Jan 2025 10:00:00 GMT   (1kb)", abstract=None))
    assert (found.published, found.abstract, found.updated) == (date(2025, 1, 20), "", True)


@pytest.mark.parametrize("note", ["(*cross-listing*)", "  (*cross-listing*) (1kb)", ""])
def test_notes_behind_the_id_are_passed_over(note: str) -> None:
    """An id is known whatever stands behind it."""
    assert only(record().replace("arXiv:2501.01234", f"arXiv:2501.01234 {note}")).keys[0] == "arxiv:2501.01234"


def test_a_replacement_may_say_so_behind_the_id() -> None:
    """The words of a replacement may stand on the line of the id."""
    words = "arXiv:2501.01234 replaced with revised version Mon, 20 Jan 2025 10:00:00 GMT   (1kb)\n\nTitle:"
    found = only("\\\\\n" + words + record().partition("Title:")[2])
    assert (found.updated, found.published) == (True, date(2025, 1, 20))


@pytest.mark.parametrize(
    "head", ["Paper: math.GT/0309136", "Paper (*cross-listing*): math/0309136", "arXiv:math/0309136v3"]
)
def test_old_ids_and_heads_are_known(head: str) -> None:
    """Ids of before 2007, and the heads of mails of then, are read."""
    assert only(record().replace("arXiv:2501.01234", head, 1)).keys[0] == "arxiv:math/0309136"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("Fri, 17 Jan 2025 19:04:11 GMT   (873kb,D)", date(2025, 1, 17)),
        ("Fri,  7 Jan 2025 19:04:11 GMT", date(2025, 1, 7)),
        ("Tue, 1 Oct 1991", date(1991, 10, 1)),
        ("Thu 18 Sep 03 20:00:00 GMT", date(2003, 9, 18)),
        ("Thu 18 Sep 97 20:00:00 GMT", date(1997, 9, 18)),
        ("Fri, 31 Feb 2025 19:04:11 GMT", None),
        ("some time ago", None),
    ],
)
def test_days_are_read_as_written(written: str, day: date | None) -> None:
    """The day is that of the date as it stands; a date that is none costs nothing but the day."""
    assert only(record(head=f"Date: {written}")).published == day


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Ada B. Lovelace", ["Ada B. Lovelace"]),
        ("Ada Lovelace and Bao Chen", ["Ada Lovelace", "Bao Chen"]),
        ("Ada Lovelace, Bao Chen, and Cem Demir", ["Ada Lovelace", "Bao Chen", "Cem Demir"]),
        ("Ada L., Bao C. (1), Cem D. (2) ((1) Inst, City, (2) Other and More)", ["Ada L.", "Bao C.", "Cem D."]),
        ("Ada L. (Univ. of Here (City), There) and Bao C. (Inst)", ["Ada L.", "Bao C."]),
        ("The XYZ Collaboration: A. Bee, C. Dee", ["The XYZ Collaboration", "A. Bee", "C. Dee"]),
        ("XYZ Collaboration (A. Bee and C. Dee)", ["XYZ Collaboration"]),
        ("A. Bee, C. Dee, for the XYZ Collaboration", ["A. Bee", "C. Dee", "the XYZ Collaboration"]),
        ("A. Bee on behalf of the XYZ group", ["A. Bee", "the XYZ group"]),
        ("John Bee, Jr., C. Dee, III", ["John Bee, Jr.", "C. Dee, III"]),
        ("A. Bee, C. Dee (123 additional authors not shown)", ["A. Bee", "C. Dee"]),
        (r"Fr\'ed\'eric B., Pawe{\l} Z.", [r"Fr\'ed\'eric B.", r"Pawe{\l} Z."]),
        ("Alexandra Sandor, Fortuna Grand", ["Alexandra Sandor", "Fortuna Grand"]),
        ("A. Bee (Inst, never closed, B. Cee", ["A. Bee"]),
        ("A. Bee), C. Dee", ["A. Bee", "C. Dee"]),
        (" , and ,, ", []),
    ],
)
def test_names_are_split_and_affiliations_left_out(line: str, names: list[str]) -> None:
    """A line of authors gives single names, without what is in parentheses."""
    assert list(split_authors(line)) == [*names]


def test_the_marks_of_forwarding_are_taken_away() -> None:
    """A mail that was forwarded several times reads as the first one did, line for line."""
    text = f"Hello\n{RULE}{record()}{RULE}{record('2501.05678', fields='Title: > 5 TeV')}{END}"
    plain = arxiv_mail.parse(text, TODAY)
    for mark in ("> ", ">", "> > ", ">>> ", "    ", "| "):
        marked = "".join(f"{(mark + line).rstrip()}\n" for line in text.splitlines())
        assert arxiv_mail.recognise(marked)
        assert arxiv_mail.parse(marked, TODAY) == plain


def test_soft_wrapped_lines_without_indent_are_joined() -> None:
    """What a mail program wrapped, without the blanks of arXiv, still belongs to its field; so does the link."""
    text = record(fields="Title: A Title That\nis Wrapped\nAuthors: Ada B.,\nBao C.  \nCategories: cs.SD\ncs.LG")
    text = text.replace("\\\\ ( https", "\\\\\n( https").replace(" ,  873kb", " ,\n873kb").replace("\\\\\n", "\\\\  \n")
    found = only(RULE[:70] + "\n" + RULE[70:] + text)
    assert (found.title, found.authors, found.categories) == (
        "A Title That is Wrapped",
        ("Ada B.", "Bao C."),
        ("cs.SD", "cs.LG"),
    )
    assert found.abstract == "Some words."


def test_an_abstract_keeps_what_looks_like_markup_of_the_mail() -> None:
    """Ids, field names, short rules and links inside an abstract are text."""
    abstract = "  arXiv:2501.00001 is extended.\nTitle: no field.\n-----\n(https://arxiv.org/abs/2501.1) and more.\n"
    assert only(record(abstract=abstract)).abstract == " ".join(abstract.split())


CUT = r"the record is cut: there is no line \\ after its fields"
DAMAGED = [
    (record(fields="Authors: A"), 'no "Title:"'),
    (record(fields="Title:\nAuthors: A"), 'no "Title:"'),
    (record().replace("arXiv:2501.01234\n", "", 1), 'no arXiv id, such as "arXiv:2501.01234"'),
    (record("nonsense"), 'no arXiv id, such as "arXiv:2501.01234"'),
    (record()[:130], CUT),
]


@pytest.mark.parametrize(("damaged", "reason"), DAMAGED)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_record_is_rejected_alone(damaged: str, reason: str, place: int) -> None:
    """A record without title or id, or that is cut, is rejected with its line; those around it are read."""
    whole = [record(f"2501.0000{number}", fields=f"Title: Number {number}") for number in range(2)]
    whole.insert(place, damaged.rstrip("\n") + "\n")
    listing = arxiv_mail.parse(RULE + RULE.join(whole) + END, TODAY)
    assert [entry.title for entry in listing.entries] == ["Number 0", "Number 1"]
    [rejected] = listing.rejected
    assert (rejected.line, rejected.reason) == (3 + 9 * place, reason)
    assert rejected.excerpt


@pytest.mark.parametrize("lost", [RULE, "\\\\ ( https://arxiv.org/abs/2501.00000 ,  873kb)\n"])
def test_a_lost_line_between_records_costs_neither(lost: str) -> None:
    """Without the rule, or without the link of the first, both records are found."""
    text = RULE + record("2501.00000") + RULE + record("2501.00001", fields="Title: Other") + END
    at = text.index(lost, len(RULE))
    entries = arxiv_mail.parse(text[:at] + text[at + len(lost) :], TODAY).entries
    assert [(entry.title, entry.abstract) for entry in entries] == [
        ("A Title", "Some words."),
        ("Other", "Some words."),
    ]


def test_a_record_whose_first_line_is_lost_is_found_by_its_id() -> None:
    r"""Behind a rule, the id begins a record even without the line \\ before it."""
    assert only(RULE + record().removeprefix("\\\\\n")).title == "A Title"


def test_a_mail_cut_anywhere_loses_only_its_last_record() -> None:
    """However much of a mail is there, what is whole is read, and the cut record is rejected or not begun."""
    text = RULE + record("2501.00000") + RULE + record("2501.00001", fields="Title: Second")
    first = len(RULE + record("2501.00000"))
    for length in range(first, len(text)):
        listing = arxiv_mail.parse(text[:length], TODAY)
        found = len(listing.entries) + len(listing.rejected)
        assert found == (2 if "arXiv:2" in text[first:length] else 1)
        assert [entry.abstract for entry in listing.entries] == ["Some words."] * len(listing.entries)
        assert [entry.title for entry in listing.entries] in (["A Title"], ["A Title", "Second"])


def test_nothing_but_records_becomes_an_entry() -> None:
    """Headers, greetings and what stands around records are passed over, and the day of the mail is read."""
    head = (
        "From: no-reply@arXiv.org (send mail ONLY to cs)\nDate: Tue, 21 Jan 2025 01:02:03 GMT\nTitle: none\n\n"
        f"{RULE}Title: nor this\n\\\\\n{RULE} Submissions to:\nSound\n"
        " received from  Fri 17 Jan 25 19:00:00 GMT  to  Mon 20 Jan 25 19:00:00 GMT\n"
    )
    listing = arxiv_mail.parse(f"{head}{RULE}{RULE}{record()}{END}\\\\ Best wishes\nTitle: x\n", TODAY)
    assert [entry.title for entry in listing.entries] == ["A Title"]
    assert listing.rejected == ()
    assert (listing.date, listing.source, listing.format) == (date(2025, 1, 20), "arXiv", "arxiv-mail")


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (record(), True),
        ("Fwd\n\n" + RULE + record(), True),
        (" Submissions to:\nSound\n received from  Fri 17 Jan 25 19:00:00 GMT  to  Mon 20 Jan 25 19:00:00 GMT\n", True),
        ("", False),
        ("arXiv:2501.01234\nTitle: x\n", False),
        ("\\\\ a line break in LaTeX\n\\\\\nPaper\n", False),
        ('{"title": "arXiv:2501.01234", "abstract": "\\\\\\\\\\narXiv:1"}', False),
        ("@article{a, title={b \\\\\n}}", False),
        ("title,abstract\na,b\n", False),
        ("TY  - JOUR\nTI  - x\nER  - \n", False),
        ("<rss><title>arXiv:2501.01234</title></rss>", False),
        ("A title\n\nAn abstract. We have received from others to do this.\n", False),
    ],
)
def test_the_mail_is_known_by_its_records(text: str, known: bool) -> None:
    """A record or the span of submissions tells the format; other formats do not have either."""
    assert arxiv_mail.recognise(text) is known


PIECES = st.sampled_from(
    [
        "\\\\", "\n", "\n\n", " ", "  ", "> ", "arXiv:2501.01234", "arXiv:", "Paper: ", "Title: A", "Authors: B (", ")",
        RULE, REPLACEMENTS, END, "\\\\ ( https://arxiv.org/abs/1 , 1kb)\n", "( https://x/abs/1", "Date: 1 Jan 2025",
        "words", "{", "%",
        "received from 1 Jan 25 to 2 Jan 25", "replaced with", "\\\\\narXiv:2501.01234\nTitle: A\n\\\\\n",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join))
@example("> \\\\\n> arXiv:1\n")
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_listing(text: str) -> None:
    """Nothing is raised, whatever the text; rejections have a line of the text and a reason."""
    arxiv_mail.recognise(text)
    listing = arxiv_mail.parse(text, TODAY)
    assert all(entry.title and entry.keys[0].startswith(("arxiv:", "doi:")) for entry in listing.entries)
    assert all(0 < one.line <= text.count("\n") + 1 and one.reason for one in listing.rejected)


@pytest.mark.parametrize(
    "piece", ["\\\\\n", "\n", "> ", " ", "(", "\\\\\narXiv:", "Title: ", "( https://", "arXiv:1 ", "%-"]
)
def test_what_repeats_is_read_in_linear_time(piece: str) -> None:
    """No run of one piece makes the patterns slow: this test would take minutes."""
    text = "\\\\\narXiv:2501.01234\nTitle: A\nAuthors: " + piece * 60_000
    arxiv_mail.recognise(text)
    arxiv_mail.parse(text, TODAY)
