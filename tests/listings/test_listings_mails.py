"""Mails to the listings in them: which text is taken, how it is decoded, and that no mail takes the others with it."""

from __future__ import annotations

import gzip
import time
from base64 import encodebytes
from collections.abc import Sequence
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ListingError
from digest.listings import Origin, read
from digest.listings.packed.mails import recognise
from digest.listings.packed.unpack import Part, unpacked
from digest.listings.wording.decode import decode
from digest.model import Rejection

DAY = date(2026, 2, 1)
LISTING = '[{"title": "Découpé Twice"}]'
PLAIN = '[{"title": "Cut Twice"}]'
FIELDS = b"From: list@example.org\nSubject: cs daily\nDate: Wed, 15 Jan 2025 00:30:00 +0900\n"
SEPARATOR = b"From list@example.org Wed Jan 15 00:30:00 2025\n"


def opened(content: bytes) -> list[Part]:
    return [part for part in unpacked(content, DAY, 10_000_000) if isinstance(part, Part)]


def reasons(content: bytes) -> list[str]:
    return [one.reason for one in unpacked(content, DAY, 10_000_000) if isinstance(one, Rejection)]


def texts(content: bytes) -> list[tuple[str, str]]:
    """The names and decoded texts of the parts, without the lines above them."""
    return [(part.name, decode(part.content, part.charset)[0].strip()) for part in opened(content)]


def mail(
    text: str = PLAIN, *, subject: str = "cs daily", cte: str | None = None, charset: str = "utf-8"
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"], message["Date"] = (
        "list@example.org",
        subject,
        "Wed, 15 Jan 2025 00:30:00 +0900",
    )
    message.set_content(text, charset=charset, cte=cte)
    return message


def box(*mails: bytes) -> bytes:
    return b"\n".join(SEPARATOR + one.rstrip(b"\n") + b"\n" for one in mails)


def multipart(kind: str, *entities: bytes, boundary: str = "=_b") -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    inside = b"".join(f"--{boundary}\n".encode() + entity + b"\n" for entity in entities)
    return head + inside + f"--{boundary}--\n".encode()


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (FIELDS + b"\nx", True),
        (SEPARATOR + FIELDS, True),
        (b"\xef\xbb\xbf\r\n" + FIELDS.replace(b"\n", b"\r\n"), True),
        (b"X-A: 1\nX-B: 2\n folded\nReceived: x\nReturn-Path: <>\n\n", True),
        (b"Date: Mon, 20 Jan 2025\nTitle: A\nAuthors: B\nCategories: cs.CL\n", False),
        (b"From Pixels to Words at 10:30: a Study\n\nWe read words.\n", False),
        (b"From Pixels to Words\n\nSubject: words.\n", False),
        (b"Subject: a\n\nFrom: b\n", False),
        (b"Subject of the day\nFrom: b\nTo: c\n", False),
        (b"TY  - JOUR\nTI  - A\n", False),
        (b"title,from,to\na,b,c\n", False),
        (b"", False),
    ],
)
def test_a_mail_is_known_by_its_first_lines(content: bytes, is_one: bool) -> None:
    """A From_ line with a header field below, or two of the commonest header fields, make a mail; a title does not."""
    assert recognise(content) is is_one


@pytest.mark.parametrize("cte", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_text_is_decoded(cte: str, charset: str) -> None:
    """The only text of a mail has no name; its encodings are undone, and its day is that of the mail."""
    content = mail(LISTING, cte=cte, charset=charset).as_bytes(policy=SMTP)
    [part] = opened(content)
    assert (part.name, part.content.strip(), part.day) == ("", LISTING.encode(charset), date(2025, 1, 15))
    assert [entry.title for entry in read(content, Origin(DAY)).entries] == ["Découpé Twice"]


def test_a_saved_text_with_header_fields_is_a_mail() -> None:
    """Without any MIME the text is what stands below the fields, in the lines in which it stands in the file."""
    content = FIELDS + b'\n[{"title": "a"},\n {"title": ""}]\n'
    assert [one.line for one in read(content, Origin(DAY)).rejected] == [6]
    assert [one.line for one in read(SEPARATOR + content, Origin(DAY)).rejected] == [7]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_mail_of_apple_is_what_its_first_line_counts(end: bytes) -> None:
    """An .emlx file is a count of bytes, the mail, and a property list, which is no part of it."""
    letter = (FIELDS + b'\n{"title": "a"}\n{"title": ""}\n').replace(b"\n", end)
    below = b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict></dict></plist>\n'
    listing = read(b"%-10d\n" % len(letter) + letter + below, Origin(DAY))
    assert [entry.title for entry in listing.entries] == ["a"]
    assert [one.line for one in listing.rejected] == [7]


@pytest.mark.parametrize("line", [b"", b"Date: yesterday\n", b"Date: Wed, 99 Jan 2025 00:30:00\n", b"Date: \xff\n"])
def test_a_mail_without_a_date_has_the_day_of_the_file(line: bytes) -> None:
    """A date that is missing or cannot be read is that of the file."""
    assert opened(b"From: a\nSubject: b\n" + line + b"\n" + PLAIN.encode())[0].day == DAY


def test_a_mailbox_is_cut_into_its_mails() -> None:
    """Every mail has a name by number and subject; From_ lines are those behind blank ones, quoted ones lose a sign."""
    text = f"{PLAIN}\n>From here\n>>From there\nFrom us at 10:30 2025\nyours:\n"
    content = box(mail(text, subject="Été " * 30).as_bytes(), mail(LISTING).as_bytes(), FIELDS + b"\n" + PLAIN.encode())
    (first, text), *others = texts(content)
    assert first == f"mail 1 ({'Été ' * 14}Été…)"
    assert text == f"{PLAIN}\nFrom here\n>From there\nFrom us at 10:30 2025\nyours:"
    assert others == [("mail 2 (cs daily)", LISTING), ("mail 3 (cs daily)", PLAIN)]
    assert texts(content.replace(b"\n", b"\r\n"))[1:] == others


def test_a_mail_without_a_listing_is_rejected_alone() -> None:
    """A mail that holds no listing, or no text, is rejected by its name; the others are read."""
    picture = FIELDS + b"Content-Type: image/png\n\nx"
    listing = read(box(mail("Hello!").as_bytes(), picture, mail().as_bytes()), Origin(DAY))
    assert [entry.title for entry in listing.entries] == ["Cut Twice"]
    assert [one.reason.split(";")[0] for one in listing.rejected] == [
        "mail 1 (cs daily): unknown format: this looks like plain text without titles and abstracts",
        "mail 2 (cs daily): there is no text in this mail, and no file that can be a listing",
    ]


@pytest.mark.parametrize(("plain", "taken"), [(LISTING, LISTING), ("See the page.", PLAIN), (" \n", PLAIN)])
def test_of_alternatives_the_listing_is_taken(plain: str, taken: str) -> None:
    """Plain text comes before HTML, but not if it only says that there is HTML."""
    html = f"Content-Type: text/html\n\n<p>{PLAIN.replace('[', '<b>[</b>')}</p>".encode()
    text = f"Content-Type: text/plain; charset=utf-8\n\n{plain}".encode()
    related = multipart("related", html, b"Content-Type: image/png\n\nx", boundary="in")
    assert texts(FIELDS + multipart("alternative", related, text)) == [("", taken)]


def test_a_footer_or_a_greeting_is_no_listing() -> None:
    """Beside a listing or a file other texts are passed over; alone the first is taken, and refused with its reason."""
    hello = b"Content-Type: text/plain\n\nHello, here it is."
    footer = b"Content-Type: text/plain\n\n____\nlist@example.org"
    text = b"Content-Type: text/plain\n\n" + PLAIN.encode()
    file = b"Content-Type: text/csv; name=a.csv\n\ntitle,url\na,b"
    assert texts(FIELDS + multipart("mixed", text, footer)) == [("", PLAIN)]
    assert texts(FIELDS + multipart("mixed", hello, file)) == [("a.csv", "title,url\na,b")]
    assert texts(FIELDS + multipart("mixed", hello, footer)) == [("", "Hello, here it is.")]


def attached(name: str, kind: str, content: bytes) -> bytes:
    head = f'Content-Type: {kind}\nContent-Disposition: attachment; filename="{name}"\n'.encode()
    return head + b"Content-Transfer-Encoding: base64\n\n" + encodebytes(content)


def test_attached_listings_are_parts() -> None:
    """Files that can be listings by type or name are taken under their names, and unpacked; others are not."""
    mixed = multipart(
        "mixed",
        attached("=?utf-8?q?=C3=A4.csv?=", "application/octet-stream", b"1"),
        attached("b", "application/x-bibtex", b"2"),
        attached("c.json.gz", "application/gzip", gzip.compress(b"3")),
        attached("logo.png", "image/png", b"x"),
        attached("signature.asc", "application/pgp-signature", b"x"),
        attached("paper.pdf", "application/pdf", b"x"),
        b"Content-Type: message/rfc822\n\n" + FIELDS.replace(b"15 Jan", b"14 Jan") + b"\n4",
    )
    assert texts(FIELDS + mixed) == [("ä.csv", "1"), ("b", "2"), ("c.json.gz", "3"), ("an attached mail", "4")]
    assert opened(FIELDS + mixed)[-1].day == date(2025, 1, 14)
    assert texts(box(FIELDS + mixed, FIELDS + mixed))[2] == ("mail 1 (cs daily): c.json.gz", "3")


def test_a_digest_of_mails_is_cut_into_them() -> None:
    """The parts of multipart/digest are mails, though they do not say so."""
    inside = [b"\n" + FIELDS + b"\n" + PLAIN.encode()] * 2
    assert texts(FIELDS + multipart("digest", *inside)) == [("an attached mail", PLAIN)] * 2


def test_flowed_mails_are_joined() -> None:
    """The parameter of the media type decides."""
    head = FIELDS + b"Content-Type: text/plain; format=flowed"
    assert texts(head + b"\n\nWe cut \ntwice.") == [("", "We cut twice.")]
    assert texts(head + b'; DelSp="yes"\n\nWe cut  \ntwice.') == [("", "We cut twice.")]
    assert texts(FIELDS + b"\nWe cut \ntwice.") == [("", "We cut \ntwice.")]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"Content-Type: text/plain; charset=x-none\n\n" + PLAIN.encode(), PLAIN),
        (b"Content-Type: multipart/mixed\n\n" + PLAIN.encode(), PLAIN),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + PLAIN.encode(), PLAIN),
        (b"Content-Type: nonsense; ===;;;\n\n" + PLAIN.encode(), PLAIN),
        (b"Content-Transfer-Encoding: base64\n\n" + encodebytes(PLAIN.encode())[:-1] + b"*=\n____\nfooter", PLAIN),
        (b"Content-Transfer-Encoding: base64\n\nQQ*", "A"),
        (b"Content-Transfer-Encoding: base64\n\nQUJDR", "ABC"),
        (b"Content-Transfer-Encoding: quoted-printable\n\n=5B=ZZ=", "[=ZZ"),
        (b"Content-Transfer-Encoding: x-unknown\n\nx", "x"),
        (b"Content-Type: text/plain; charset*=utf\0'\n\nx", "x"),
    ],
)
def test_broken_mails_are_read_as_well_as_they_can_be(content: bytes, text: str) -> None:
    """What is missing, unknown or damaged takes no more with it than it must."""
    assert texts(FIELDS + content) == [("", text)]


def test_a_mail_nested_without_end_is_refused() -> None:
    """Parts in parts in parts are refused in one line, and so are more parts than any mail has."""
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    with pytest.raises(ListingError, match="nested more than 20 deep"):
        opened(FIELDS + deep)
    assert "mail 1 (cs daily): it has more than 10,000 parts" in reasons(box(FIELDS + deep, FIELDS))[0]
    with pytest.raises(ListingError, match="more than 10,000 parts"):
        opened(FIELDS + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 10_001)
    parts = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/csv\n\na\n" * 9_999
    assert len(opened(FIELDS + parts)) == 9_999


def test_mails_in_mails_come_to_an_end() -> None:
    """A mail in a mail, five deep, is one too many."""
    content = FIELDS + b"\n" + PLAIN.encode()
    for _ in range(4):
        content = FIELDS + b"Content-Type: message/rfc822\n\n" + content
    [reason] = reasons(content)
    assert reason.endswith("it is packed more than 4 times over; unpack it")


def seconds(content: bytes) -> float:
    """The processor's time, the less of two runs."""
    times = list[float]()
    for _ in range(2):
        begun = time.process_time()
        opened(content)
        times.append(time.process_time() - begun)
    return min(times)


def hostile(times: int) -> Sequence[bytes]:
    """Mails that are long in the ways that parsers of mails are slow in."""
    head = FIELDS + b"Content-Type: text/plain; format=flowed\n\n"
    return [
        head + b"word \n" * (20 * times),
        FIELDS + b"Content-Type: text/html\n\n" + b"<p>x<pre>\n   " * (10 * times),
        FIELDS + b"Content-Type: text/plain" + b'; a="' * (20 * times) + b"\n\nx",
        FIELDS[:-1].replace(b"cs daily", b"=?" * (30 * times)) + b"\n\nx",
        FIELDS.replace(b"cs daily", b"\n " * (30 * times)) + b"\nx",
        FIELDS + multipart("mixed", *[b"Content-Type: text/csv\n\nx"] * times),
        box(*[FIELDS + b"\nx"] * times),
        box(FIELDS + b"\n" + b">From x\n\nFrom y 10:00\n" * (10 * times)),
    ]


@pytest.mark.parametrize("number", range(8))
def test_a_mail_ten_times_as_long_takes_about_ten_times_as_long(number: int) -> None:
    """The work is linear in the size, also for mails that were written to be slow."""
    assert seconds(hostile(2500)[number]) < 40 * max(seconds(hostile(250)[number]), 0.002)


PIECES = st.sampled_from(
    [
        *("Content-Type: ", "multipart/mixed", "multipart/alternative", "multipart/digest", "; boundary=", "b", "--b"),
        *("--b--", "\n", "\n\n", "text/plain", "text/html", "charset=", "utf-8", "*0*=", "*=", "''", "filename", '"'),
        *("=?utf-8?b?", "?=", "=?", "Subject: ", "Date: ", "Content-Transfer-Encoding: base64", "quoted-printable"),
        *("; ", SEPARATOR.decode(), FIELDS.decode(), "message/rfc822", "\r\n", "<pre>", "<p>", "format=flowed", "\0"),
        *("Content-Disposition: attachment", "é", "\udcff", PLAIN, "99999999999", "=E9", "%E9"),
    ]
)


@given(st.lists(PIECES, max_size=40))
def test_any_mail_gives_parts_or_a_refusal(pieces: list[str]) -> None:
    """Whatever stands in a mail, parts, rejections or a ListingError come out."""
    content = FIELDS + "".join(pieces).encode("utf-8", "surrogateescape")
    try:
        found = list(unpacked(content, DAY, 10_000))
    except ListingError:
        return
    assert found
